"""Accepted findings in a build: killers last, each in its turn where nothing restarts the target."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from fuzz.app.accepting import KILLS, NO_HOOK, NOT_REACHED, Accepted
from fuzz.config import RunOptions
from fuzz.engine.phases import Ground
from fuzz.engine.support import Coverage, Support
from fuzz.oracles.registry import judge
from fuzz.policy.judgement import State
from fuzz.records import Basis, Effect, SendText, Severity, Side, TlsStep, Violation
from fuzz.report.tls import TlsRow
from fuzz.testing import accepted, case, finding, mutation, rejected, violation
from fuzz.transport.memory import MemoryLink
from strategies.labels import Tier
from strategies.version import version

CLOSED = Violation(
    "O3", "connection-closed", Basis.STOPPED_SERVING, Severity.HIGH, "close 1006", "it closed"
)
TODAY = date(2026, 6, 1)


def known(word: str, objection: Violation = CLOSED, keyword: str = "type", **more: object):
    """An entry whose case says `word`."""
    shown = case(
        rejected(Tier.SCHEMA),
        action="DataTransfer",
        mutations=[mutation("/a", keyword, "null")],
        steps=[SendText((f'[2,"{{call.id}}","DataTransfer",{{"{word}":1}}]',))],
    )
    shown = replace(shown, id=word, **more)
    return accepted(finding(objection, shown, fingerprint=f"{word}-fingerprint"))


class Station:
    """Cuts the connection on each of these words, and remembers what it was told."""

    def __init__(self, *kills: str) -> None:
        self.kills = kills
        self.heard: list[str] = []

    async def __call__(self, link: MemoryLink, text: str) -> None:
        frame = json.loads(text)
        if frame[0] != 2:
            return
        if frame[2] == "DataTransfer":
            self.heard += frame[3]
            if set(frame[3]) & set(self.kills):
                await link.abort()
                return
        await link.send_text(json.dumps([4, frame[1], "TypeConstraintViolation", "", {}]))


@pytest.fixture
def build(scripted: Callable, tmp_path):
    """Plays entries on a station, and tells the states of all of them by the word of each."""

    async def play(station: Station, *entries, owned: bool = True, allowed=frozenset(Effect)):
        options = RunOptions(findings_dir=tmp_path / "findings")
        of = Accepted(tuple(entries), options, TODAY)
        ground = Ground(version(), Side.STATION, 0, Support(), Coverage())
        ground.allowed = allowed
        async with scripted(station, owned=owned) as executor:
            await of.play(executor, judge, ground)
        return of, {visit.known.case.id: visit for visit in of.visits()}

    return play


async def test_killers_are_played_behind_the_others(build):
    gentle = known("gentle", violation("O4"))
    station = Station("killer")
    _, visits = await build(station, known("killer"), gentle)
    assert visits["killer"].state is State.SEEN
    assert visits["gentle"].state is State.PASSED
    assert visits["gentle"].tries == 3
    assert station.heard == ["gentle"] * 3 + ["killer"]


async def test_where_nothing_restarts_the_target_one_killer_a_run_is_played(build):
    entries = [known(word) for word in ("a", "b", "c")]
    played = set()
    for _ in range(3):
        station = Station("a", "b", "c")
        _, visits = await build(station, *entries, owned=False)
        (word,) = station.heard
        assert visits.pop(word).state is State.SEEN
        assert {(v.state, v.why) for v in visits.values()} == {(State.NOT_ASKED, NO_HOOK)}
        played.add(word)
    assert played == {"a", "b", "c"}


async def test_what_the_target_must_not_suffer_is_not_asked(build):
    one = known("one", effect=Effect.LOCK_OUT)
    other = known("other", side=Side.CSMS)
    _, visits = await build(Station(), one, other, allowed=frozenset({Effect.VOLATILE}))
    assert visits["one"].why == "effect lock-out is not allowed on this target"
    assert visits["other"].why == "it is about a csms"
    assert {v.state for v in visits.values()} == {State.NOT_ASKED}


async def test_another_violation_by_the_same_case_is_a_finding(build, tmp_path):
    was = known("bad", replace(CLOSED, symptom="close 1011"))
    of, visits = await build(Station("bad"), was)
    assert visits["bad"].state is State.CHANGED
    assert visits["bad"].why == "now connection-closed (O3): close 1006"
    assert [f.violation.symptom for f in of.found] == ["close 1006"]
    (folder,) = (tmp_path / "findings").glob("O3-*")
    assert {"REPORT.md", "repro.py", "runs.ndjson"} <= {f.name for f in folder.iterdir()}


def test_what_was_never_reached_is_not_run():
    (visit,) = Accepted((known("a"),), RunOptions(), TODAY).visits()
    assert (visit.state, visit.why) == (State.NOT_RUN, NOT_REACHED)


def test_cases_like_an_accepted_killer_are_left_to_the_end():
    of = Accepted((known("a"), known("b", violation("O4"), "required")), RunOptions(), TODAY)
    alike = case(action="Reset", mutations=[mutation("/x", "type", "null")])
    assert of.omitted(alike) == KILLS
    assert of.omitted(known("a").case) == KILLS
    assert of.omitted(case(mutations=[mutation("/x", "required", "null")])) == ""
    assert of.omitted(case()) == ""


# --- handshakes ---------------------------------------------------------------------------------------------

SHAKEN = accepted(
    finding(
        violation("O18", "TS-31 open"), replace(case(), steps=(TlsStep("TS-31"),), id="tls-ts-31")
    )
)


@pytest.mark.parametrize(
    ("outcome", "symptom", "state", "tries"),
    [
        ("failed", "TS-31 open", State.SEEN, 1),
        ("failed", "TS-31 else", State.CHANGED, 1),
        ("passed", "", State.PASSED, 1),
        ("passed with a remark", "", State.PASSED, 1),
        ("recorded", "", State.PASSED, 1),
        ("not observed", "", State.INCONCLUSIVE, 0),
        ("not asked", "", State.NOT_ASKED, 0),
        ("n/a", "", State.NOT_ASKED, 0),
    ],
)
def test_a_handshake_says_what_became_of_its_entry(outcome, symptom, state, tries):
    of = Accepted((SHAKEN,), RunOptions(), TODAY)
    assert of.handshakes() == ("TS-31",)
    row = TlsRow("TS-31", "validity", "title", outcome, "critical", symptom=symptom)
    (visit,) = of.of_handshakes([row])
    assert (visit.state, visit.tries) == (state, tries)
    assert of.visits() == []


def test_a_handshake_that_the_run_did_not_come_to_is_not_run():
    (visit,) = Accepted((SHAKEN,), RunOptions(), TODAY).of_handshakes([])
    assert visit.state is State.NOT_RUN
