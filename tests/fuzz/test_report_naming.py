"""The words that name a finding's target again are a shell's, and hold nothing that a shell would do."""

import shlex
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from fuzz.config import RunOptions
from fuzz.records import (
    Basis,
    Case,
    Effect,
    Finding,
    Naming,
    Severity,
    Side,
    TargetFacts,
    Violation,
)
from fuzz.report.naming import (
    found_elsewhere,
    policy_words,
    replay_words,
    script_words,
    target_words,
    whom,
)
from fuzz.report.safe import safe
from strategies.labels import Expectation, Stance, Tier

CASE = Case("c", Side.STATION, (), Expectation(Stance.REJECT, Tier.RPC))
SILENCE = Violation("O4", "unanswered-call", Basis.SHALL, Severity.MEDIUM, "no answer", "t")
STATION = TargetFacts(Side.STATION, url="ws://localhost:9000/ocpp", security_profile=1)
FINDING = Finding("1a2b3c4d5e6f7081", SILENCE, CASE, CASE, STATION)


def on(naming, **facts):
    return replace(FINDING, facts=replace(STATION, naming=naming, **facts))


@pytest.mark.parametrize(
    ("naming", "profile", "words"),
    [
        (Naming(), 3, ""),
        (Naming(identity="X"), 2, "--security-profile 2"),
        (Naming(defects=("P05", "P06"), decoys=("D1",)), 3, "--defect P05,P06 --decoy D1"),
        (Naming(pics="ac-1evse"), 3, "--pics ac-1evse"),
        (
            Naming(listen="127.0.0.1:9000", identity="CS-1"),
            3,
            "--listen 127.0.0.1:9000 --identity CS-1 --security-profile 3",
        ),
        (
            Naming(target="ws://a/{identity}", identity="CS-1"),
            0,
            "--target 'ws://a/{identity}' --identity CS-1 --security-profile 0",
        ),
    ],
)
def test_a_target_is_named_again_as_it_was(naming, profile, words):
    assert target_words(replace(STATION, naming=naming, security_profile=profile)) == words


def test_a_finding_that_does_not_say_where_it_listened_leaves_that_open():
    assert target_words(STATION) == "--listen HOST:PORT --security-profile 1"


@pytest.mark.parametrize(
    ("naming", "facts", "words"),
    [
        (Naming(listen="127.0.0.1:9000"), {}, "--listen 127.0.0.1:9000 --user CS-1 --password"),
        (Naming(listen="0.0.0.0:0"), {}, "--listen localhost:9001 --user CS-1 --password"),
        (
            Naming(),
            {"security_profile": 3},
            "--listen localhost:9001 --cert CHAIN.pem --key KEY.pem --ca ROOT.pem",
        ),
        (
            None,
            {"identity": "", "security_profile": 1},
            "--listen HOST:PORT --user IDENTITY --password",
        ),
        (
            Naming(target="ws://a/{identity}", identity="CS-1"),
            {"side": Side.CSMS, "url": "wss://a/CS-1", "security_profile": 2},
            "wss://a/CS-1 --ca ROOT.pem --user CS-1 --password",
        ),
    ],
)
def test_the_script_listens_or_dials_where_the_run_did(naming, facts, words):
    met = replace(STATION, url="ws://localhost:9001/ocpp", identity="CS-1", naming=naming)
    assert script_words(replace(met, **facts)) == words


@given(st.text())
def test_no_word_of_a_target_is_more_than_a_word_to_a_shell(text):
    facts = replace(STATION, naming=Naming(listen=text or "x", identity=text, pics=text))
    told = target_words(facts)
    flags = set(shlex.split(told)[::2])
    assert flags <= {"--listen", "--identity", "--security-profile", "--pics"}
    assert told == safe(told, len(told))
    script = shlex.split(script_words(facts))
    assert len(script) == 2 + 3  # --listen and its place, --user and its name, --password


def test_what_a_case_leaves_behind_must_be_allowed_on_a_target_that_is_not_ours():
    finding = replace(on(Naming(listen="a:1")), case=replace(CASE, effect=Effect.PERSISTENT))
    assert policy_words(finding) == "--allow persistent"
    assert replay_words(finding).endswith("--security-profile 1 --allow persistent")
    assert policy_words(replace(finding, facts=on(Naming()).facts)) == ""
    keys = replace(on(Naming()), case=replace(CASE, effect=Effect.LOCK_OUT))
    assert policy_words(keys) == "--allow lock-out"
    assert policy_words(on(Naming(), edition="2025-09")) == "--edition 2025-09"


@pytest.mark.parametrize(
    ("options", "side", "line"),
    [
        (
            RunOptions(),
            Side.STATION,
            "our own embedded reference station, no defect planted, security profile 3",
        ),
        (
            RunOptions(defects=("P05",)),
            Side.CSMS,
            "our own embedded CSMS, defect P05, security profile 3",
        ),
        (
            RunOptions(listen="127.0.0.1:9000", identity="C\x1b", security_profile=1),
            Side.STATION,
            "the Charging Station C\\x1b that dials 127.0.0.1:9000, security profile 1",
        ),
        (
            RunOptions(target="wss://a/b", security_profile=2),
            Side.CSMS,
            "the CSMS at wss://a/b, security profile 2",
        ),
    ],
)
def test_who_is_attacked_is_one_line(options, side, line):
    assert whom(options, [side]) == line


def test_a_finding_of_another_target_says_how_to_name_that_one_and_how_to_name_ours():
    told = found_elsewhere("a.zip", on(Naming(listen="127.0.0.1:9000", identity="CS-1")))
    assert "--listen 127.0.0.1:9000 --identity CS-1 --security-profile 1" in told
    assert "--self-test or --defect NAME" in told
    assert "ws://localhost:9000/ocpp" in told
