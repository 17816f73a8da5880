"""The summary says the verdict first and the next command last."""

from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.records import (
    Basis,
    Case,
    Finding,
    FindingStatus,
    FullPass,
    RemarkReported,
    Severity,
    Side,
    Summary,
    TargetFacts,
    Violation,
)
from fuzz.report.summary import answers_line, duration, finding_lines, share, summary_lines
from fuzz.report.words import reached_of
from strategies.labels import Channel, Expectation, Mutation, Stance, Tier

CASE = Case("Reset/x", Side.STATION, (), Expectation(Stance.REJECT, Tier.SCHEMA), action="Reset")
DEATH = Violation(
    "O1", "process-death", Basis.STOPPED_SERVING, Severity.CRITICAL, "exit 70", "the process ended"
)
ECHO = Violation(
    "O7", "rpc-shape", Basis.SHALL, Severity.LOW, "id-not-string", "the id came back", remark=True
)
FINDING = Finding(
    "1a2b3c4d5e6f7081",
    DEATH,
    CASE,
    CASE,
    TargetFacts(Side.STATION),
    FindingStatus.CONFIRMED,
    confirmed=3,
    tries=3,
    control_tries=3,
)
CLEAN = Summary(
    facts=TargetFacts(Side.STATION, url="ws://localhost:9000", identity="CS-1"),
    seed=7,
    cases=1_203,
    elapsed_s=58.4,
    findings=(),
    remarks=(),
    inconclusive=0,
    answers={"CALLRESULT": 3, "silence": 1_200},
    coverage={"sites": (2, 3), "envelopes": (240, 240)},
    left_changed=(),
    unavailable=(),
    exit_code=0,
)


def plain(summary: Summary, flags: str = "", **more: str) -> str:
    return "\n".join(line.text for line in summary_lines(summary, Path("findings"), flags, **more))


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "Reached of what the target supports"),
        (
            {"only": ["Reset", "ClearCache"]},
            "Reached of what --only Reset,ClearCache leaves of what the target supports",
        ),
        (
            {"exclude": ["Reset"]},
            "Reached of what --exclude Reset leaves of what the target supports",
        ),
    ],
)
def test_what_is_reached_is_told_out_of_what_was_asked(limits, words):
    assert f"\n{words}:\n  sites      2 of 3 (66 %)\n" in plain(CLEAN, out_of=reached_of(**limits))


def test_a_clean_campaign_reads_like_this():
    assert (
        plain(CLEAN)
        == """\
NO FINDING: 1,203 cases in 58 s, seed 7.
Attacked: Charging Station, identity CS-1, at ws://localhost:9000, security profile 0, OCPP 2.0.1 edition ed3
This is not an OCA certification result.

Reached of what the target supports:
  sites      2 of 3 (66 %)
  envelopes  240 of 240 (100 %)
Answers: silence 1,200, CALLRESULT 3

Next: ocppfuzz run --max-time 600 --seed 8"""
    )


def test_a_campaign_with_everything_reads_like_this():
    mild = replace(DEATH, oracle="O8", name="accept-invalid", severity=Severity.LOW)
    summary = replace(
        CLEAN,
        findings=(
            replace(FINDING, fingerprint="f" * 16, violation=mild, status=FindingStatus.CANDIDATE),
            FINDING,
        ),
        remarks=(RemarkReported(ECHO, "a", 2), RemarkReported(ECHO, "b", 1)),
        inconclusive=1,
        disturbed={"more than 5000 messages during one case": 1},
        not_asked={"effect persistent": 37},
        blocked={"finding 1a2b3c4d": 493},
        unavailable=("operator",),
        left_changed=("HeartbeatInterval is 5",),
        exit_code=1,
        reason="60 s are over",
        coverage={},
        answers={},
    )
    assert (
        plain(summary, "--listen 127.0.0.1:9000")
        == """\
2 FINDINGS: 1,203 cases in 58 s, seed 7. Ended: 60 s are over.
Attacked: Charging Station, identity CS-1, at ws://localhost:9000, security profile 0, OCPP 2.0.1 edition ed3
This is not an OCA certification result.

CRITICAL process-death (O1): the process ended
         Reset CALL
         exit 70, reproduced 3 of 3, control 0 of 3
         findings/O1-1a2b3c4d
LOW      accept-invalid (O8): the process ended
         Reset CALL
         exit 70, seen once, not repeated yet
         findings/O8-ffffffff

Remarks (tolerated; findings with --strict):
       3 x rpc-shape (O7): the id came back

Inconclusive: 1 case, disturbed by something else
What disturbed them:
       1 x more than 5000 messages during one case
Not asked:
      37 x effect persistent
Sampled, because their kind costs the target its connection or more (blocked by):
     493 x finding 1a2b3c4d
Could not be judged here: operator

Left changed on the target, put it back by hand:
  HeartbeatInterval is 5

Next: ocppfuzz replay findings/O1-1a2b3c4d --listen 127.0.0.1:9000"""
    )


def test_a_campaign_that_proved_nothing_says_why_and_what_to_do():
    lines = plain(replace(CLEAN, exit_code=3, reason="boot was never reached")).splitlines()
    assert lines[0] == "NOTHING PROVEN: boot was never reached (1,203 cases in 58 s, seed 7)."
    assert lines[-1] == "Next: ocppfuzz doctor"


def test_a_stopped_campaign_is_resumed_next():
    stopped = replace(CLEAN, reason="stopped by Ctrl-C; `--resume` goes on")
    assert plain(stopped).splitlines()[-1] == "Next: ocppfuzz run --resume"


def test_strings_of_the_target_are_made_safe_everywhere():
    hostile = "\x1b[2J\u202e\n"
    violation = replace(DEATH, text=hostile, symptom=hostile)
    summary = replace(
        CLEAN,
        facts=replace(CLEAN.facts, vendor=hostile, model=hostile, identity=hostile, url=hostile),
        findings=(replace(FINDING, violation=violation, case=replace(CASE, action=hostile)),),
        remarks=(RemarkReported(violation, "a"),),
        answers={hostile: 1},
        coverage={hostile: (1, 1)},
        not_asked={hostile: 1},
        blocked={hostile: 1},
        unavailable=(hostile,),
        left_changed=(hostile,),
        reason=hostile,
        exit_code=1,
    )
    assert plain(summary).replace("\n", "").isprintable()
    assert plain(summary).count("\\x1b[2J\\u202e\\n") == 15


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 s"), (59.9, "59 s"), (65, "1 min 05 s"), (3_600, "1 h 00 min"), (7_890, "2 h 11 min")],
)
def test_durations_are_said_as_people_do(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("reached", "total", "words"),
    [(0, 0, "none to reach"), (999, 1_000, "999 of 1,000 (99 %)"), (5, 5, "5 of 5 (100 %)")],
)
def test_a_share_is_whole_only_when_nothing_is_missing(reached, total, words):
    assert share(reached, total) == words


def test_rare_answers_are_added_up():
    assert answers_line({"a": 1, "b": 3, "c": 2, "d": 1}, most=2) == "b 3, c 2, other 2"


def test_what_did_not_repeat_is_told_apart_and_counts_for_nothing():
    once = replace(FINDING, status=FindingStatus.UNCONFIRMED, confirmed=0)
    told = plain(replace(CLEAN, unconfirmed=(once,)))
    assert told.startswith("NO FINDING")
    assert (
        """
Not repeated, so inconclusive: 1
  process-death (O1): exit 70, reproduced 0 of 3, control 0 of 3: not confirmed; findings/O1-1a2b3c4d
"""
        in told
    )
    many = plain(replace(CLEAN, unconfirmed=(once,) * 23))
    assert "  and 3 more\n" in many


def test_a_case_that_may_become_smaller_says_so_and_how():
    finding = replace(FINDING, not_minimal="the budget ended after 9 plays and 10 reconnects")
    told = plain(replace(CLEAN, findings=(finding,), exit_code=1, exchanges=900))
    assert (
        """
         exit 70, reproduced 3 of 3, control 0 of 3
         not minimal yet: the budget ended after 9 plays and 10 reconnects; `ocppfuzz shrink` goes on
         findings/O1-1a2b3c4d
"""
        in told
    )
    assert "\nExchanges a finding: 900\n" in told


@pytest.mark.parametrize(
    ("cost", "line"),
    [
        (
            FullPass(9_000, 12, 0.2, 30.0),
            "A full systematic pass: 9,000 cases and 12 reconnects, about 36 min 00 s at the measured 0.2 s an answer and 30 s a reconnect",
        ),
        (
            FullPass(10, 1, 0.01, None),
            "A full systematic pass: 10 cases and 1 reconnect, about 0 s at the measured 0.01 s an answer, without the reconnects",
        ),
    ],
)
def test_what_a_full_pass_costs_at_the_measured_times_is_told(cost, line):
    assert f"\n{line}\n" in plain(replace(CLEAN, full_pass=cost))


def test_a_fault_of_the_handshake_stands_in_no_message():
    faulty = replace(CASE, action="", mutations=(Mutation(Channel.HANDSHAKE, "TS-31", "x", "y"),))
    told = [line.text.strip() for line in finding_lines(replace(FINDING, case=faulty), Path())]
    assert told[1] == "handshake (handshake TS-31: x, y)"
