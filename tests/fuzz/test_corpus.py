"""The cases that this project ships: readable, named by what they do, made by the documented way, safe to publish."""

import json
import re
import runpy
from collections import Counter
from pathlib import Path

import jsonschema_rs
import pytest

from fuzz import app, store
from fuzz.config import RunOptions
from fuzz.engine.effects import effect_of
from fuzz.engine.stage import is_scene, of_lab
from fuzz.engine.validity import call_parts, class_of
from fuzz.records import Case, Effect, SendText, Side
from strategies.labels import Channel, Position, Sender, Stance, Tier, spell
from strategies.version import version

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "corpus"
FILES = sorted(CORPUS.glob("*/*.json"))
FAMILIES = {
    "certificates",
    "credentials",
    "device-model",
    "frames",
    "heavy",
    "schema",
    "state",
    "text",
    "tls",
    "valid",
    "websocket",
}
LONGEST = 12_000
"""Bytes of a file: the longest chain of certificates that a station may be told, and what lies around it."""

SCHEMA = jsonschema_rs.validator_for(json.loads((CORPUS / "case.schema.json").read_text()))


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {f"{p.parent.name}/{p.stem}": store.load_case(p) for p in FILES}


def test_every_family_has_cases() -> None:
    assert {p.parent.name for p in FILES} >= FAMILIES


def test_the_readme_tells_of_each_family_how_many_there_are() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", (CORPUS / "README.md").read_text(), re.M)
    counted = Counter(p.parent.name for p in FILES)
    assert {family: int(n) for family, n in told} == {f: counted[f] for f in FAMILIES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_file_fits_the_schema_that_lies_beside_it(path: Path) -> None:
    SCHEMA.validate(json.loads(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_file_is_small_and_named_in_lower_case_words(path: Path) -> None:
    assert path.stat().st_size < LONGEST
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", path.stem)


def test_all_of_them_are_what_the_recipes_make() -> None:
    made = runpy.run_path(str(ROOT / "tests" / "make_corpus"))["recipes"]()
    stored = {p: (CORPUS / f"{p}.json").read_text() for p in made}
    expected = {
        p: json.dumps(store.case_to_json(c), sort_keys=True, indent=2) + "\n"
        for p, c in made.items()
    }
    assert stored == expected


def test_reading_the_corpus_finds_all_files(cases: dict[str, Case]) -> None:
    assert {c.id for c in store.corpus_cases(CORPUS)} == {c.id for c in cases.values()}


def test_a_case_is_called_after_its_file_and_says_where_it_came_from(
    cases: dict[str, Case],
) -> None:
    for name, case in cases.items():
        if case.provenance.phase == "corpus":
            assert case.id == f"corpus/{name}"
            assert case.side is Side.STATION or of_lab(case)


def test_whatever_is_hostile_says_what_it_broke(cases: dict[str, Case]) -> None:
    plain = {name for name, case in cases.items() if not case.mutations}
    valid = {name for name in cases if name.startswith("valid/")}
    assert plain == valid | {"credentials/password-of-20-characters"}


def test_every_hostile_call_has_its_control_beside_it(cases: dict[str, Case]) -> None:
    alone = {n: c for n, c in cases.items() if c.mutations and not c.control and not of_lab(c)}
    for name, case in alone.items():
        # What nobody asked for has no innocent twin: that it was said is the fault. An odd order is judged by no twin.
        unjudged = case.expectation.stance is Stance.UNSPECIFIED
        assert unjudged or case.position is Position.UNSOLICITED, name


def test_every_action_of_a_csms_has_a_valid_seed(cases: dict[str, Case]) -> None:
    seeds = {c.action for n, c in cases.items() if n.startswith("valid/")}
    assert seeds == set(version().sent_by(Sender.CSMS))


def test_what_is_called_valid_breaks_no_rule(cases: dict[str, Case]) -> None:
    for name, case in cases.items():
        if case.expectation.stance is not Stance.ACCEPT or case.expectation.tier < Tier.PRIMITIVE:
            continue
        parts = call_parts(case)
        if parts is not None and case.action in version().actions:
            assert class_of(version(), case.action, parts[0]) == frozenset(), name


def test_what_is_called_broken_by_schema_breaks_a_rule(cases: dict[str, Case]) -> None:
    broken = [
        (name, case, parts)
        for name, case in cases.items()
        if case.expectation.tier is Tier.SCHEMA and case.expectation.stance is Stance.REJECT
        if case.mutations[0].channel is Channel.PAYLOAD
        if (parts := call_parts(case)) is not None
    ]
    assert len(broken) >= 50
    for name, case, parts in broken:
        assert class_of(version(), case.action, parts[0]), name


def test_the_effect_is_never_milder_than_that_of_the_action(cases: dict[str, Case]) -> None:
    worse = list(Effect).index
    for case in cases.values():
        parts = call_parts(case)
        if parts is None or str(parts[1][2]) not in version().sent_by(Sender.CSMS):
            continue
        least = effect_of(str(parts[1][2]), parts[0])
        # What is around a message may leave more than the message itself.
        exactly = not is_scene(case)
        assert worse(case.effect) >= worse(least), case.id
        assert case.effect is least or not exactly, case.id


def test_every_case_says_what_it_is() -> None:
    checked = app.corpus_check(RunOptions(corpus_dir=CORPUS), lambda _event: None, play=False)
    assert checked.cases == len(FILES)
    assert checked.problems == ()


def test_every_case_is_one_that_may_be_published(cases: dict[str, Case]) -> None:
    for case in cases.values():
        text = "".join(spell(s.text) for s in case.steps if isinstance(s, SendText)).lower()
        urls = re.findall(r"(?:https?|wss?)://([^/\"]+)", text)
        assert all(u.endswith(".invalid") for u in urls), case.id
        assert not re.search(r'password"[^{]*"attributevalue":"(?!\{secret\.)', text), case.id
        assert ("password" in text) == case.id.startswith("corpus/credentials/"), case.id
