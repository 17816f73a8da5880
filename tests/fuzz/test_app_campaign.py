from dataclasses import replace
from pathlib import Path

from fuzz import store
from fuzz.app.campaign import make_phases
from fuzz.config import RunOptions
from fuzz.engine.phases import Ground, Replay
from fuzz.engine.support import Coverage, Support
from fuzz.records import Side, TlsStep
from fuzz.testing import case
from strategies.pool import Pool
from strategies.version import version


def test_stored_cases_of_the_other_side_and_of_the_tls_lab_are_left_to_others(
    tmp_path: Path,
) -> None:
    mine = replace(case(), id="mine")
    for one in (
        mine,
        replace(mine, id="csms", side=Side.CSMS),
        replace(mine, id="lab", steps=(TlsStep("TR-01"),)),
    ):
        store.save_case(one, tmp_path / "corpus" / "family" / f"{one.id}.json")
    options = RunOptions(
        corpus_dir=tmp_path / "corpus", findings_dir=tmp_path / "findings", phases=("replay",)
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
    assert [c.id for c in phase.stored] == ["mine"]
