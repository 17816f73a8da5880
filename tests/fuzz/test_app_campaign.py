from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fuzz import store
from fuzz.app.campaign import make_phases
from fuzz.config import RunOptions
from fuzz.engine.phases import Ground, Replay
from fuzz.engine.support import Coverage, Support
from fuzz.records import Case, Side, TlsStep
from fuzz.testing import case, finding
from strategies.pool import Pool
from strategies.version import version


def replayed(folder: Path, corpus: Sequence[Case]) -> list[str]:
    """The ids of what the phase `replay` plays of this corpus and of the findings in the folder, in its order."""
    for one in corpus:
        store.save_case(one, folder / "corpus" / "family" / f"{one.id}.json")
    options = RunOptions(
        corpus_dir=folder / "corpus", findings_dir=folder / "findings", phases=("replay",)
    )
    ground = Ground(
        version=version(),
        side=Side.STATION,
        seed=0,
        support=Support(),
        coverage=Coverage(),
        pool=Pool(),
        components=(),
    )
    (phase,) = make_phases(options, ground)
    assert isinstance(phase, Replay)
    return [c.id for c in phase.stored]


def test_stored_cases_of_the_other_side_and_of_the_tls_lab_are_left_to_others(
    tmp_path: Path,
) -> None:
    mine = replace(case(), id="mine")
    others = (
        replace(mine, id="csms", side=Side.CSMS),
        replace(mine, id="lab", steps=(TlsStep("TR-01"),)),
    )
    assert replayed(tmp_path, (mine, *others)) == ["mine"]


def test_earlier_findings_come_before_the_corpus_and_of_that_heavy_cases_last(
    tmp_path: Path,
) -> None:
    store.save_finding(finding(shown=replace(case(heavy=True), id="found")), tmp_path / "findings")
    corpus = (replace(case(heavy=True), id="a"), replace(case(), id="b"))
    assert replayed(tmp_path, corpus) == ["found", "b", "a"]
