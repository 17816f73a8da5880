from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import store
from fuzz.app.campaign import _see_it_serve, make_phases
from fuzz.config import RunOptions
from fuzz.engine.phases import Ground, Replay
from fuzz.engine.support import Coverage, Support
from fuzz.errors import TargetUnavailable
from fuzz.records import Case, EngineEvent, Side, TlsStep
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


class Probed:
    """An executor whose harmless CALLs are served or not, as it is told; `ends` with the last of them."""

    def __init__(self, *served: bool, ends: bool = False) -> None:
        self.served = list(served)
        self.ends = ends

    @property
    def connected(self) -> bool:
        return not self.ends or bool(self.served)

    async def probe(self) -> bool:
        return self.served.pop(0)


@pytest.mark.parametrize(
    ("served", "told"),
    [((True, True, True), 0), ((False, True, True), 1), ((True, False, True), 1)],
    ids=["always", "but for the first", "but for one"],
)
async def test_a_target_serves_although_one_harmless_call_was_lost_beside_its_boot(
    served: tuple[bool, ...], told: int
) -> None:
    events: list[EngineEvent] = []
    await _see_it_serve(Probed(*served), events.append)  # type: ignore[arg-type]
    assert len(events) == told


@pytest.mark.parametrize(
    "probed", [Probed(False, False), Probed(False, ends=True)], ids=["mute", "gone"]
)
async def test_a_target_that_serves_nothing_is_not_attacked(probed: Probed) -> None:
    with pytest.raises(TargetUnavailable, match="does not serve a harmless CALL"):
        await _see_it_serve(probed, lambda _: None)  # type: ignore[arg-type]
