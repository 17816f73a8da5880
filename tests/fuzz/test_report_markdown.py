"""REPORT.md says everything that a maintainer needs, and stays inert."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from fuzz.records import (
    AnswerNext,
    Basis,
    Case,
    Disconnect,
    Entry,
    Expect,
    Finding,
    FindingStatus,
    Naming,
    Operator,
    Preamble,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Severity,
    Side,
    TargetFacts,
    TlsStep,
    Violation,
    Wait,
    Who,
)
from fuzz.report.markdown import preview, render_finding
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    Mutation,
    Position,
    Repeated,
    Stance,
    Tier,
)
from strategies.wsframes import frame

CASE = Case(
    id="GetVariables/missing",
    side=Side.STATION,
    steps=(SendText(('[2,"{call.id}","GetVariables",{}]',)),),
    expectation=Expectation(Stance.REJECT, Tier.SCHEMA, Fault.MISSING),
    action="GetVariables",
    mutations=(
        Mutation(Channel.PAYLOAD, "/getVariableData", "required", "missing", "[{...}]", "nothing"),
    ),
)
FINDING = Finding(
    fingerprint="1a2b3c4d5e6f7081",
    violation=Violation(
        "O4",
        "unanswered-call",
        Basis.SHALL,
        Severity.MEDIUM,
        "silence",
        "a CALL was never answered",
        "Part 4 section 4.1.1",
        "CWE-248",
    ),
    case=CASE,
    original=CASE,
    facts=TargetFacts(
        Side.STATION,
        url="wss://localhost:9000/ocpp",
        identity="CS-1",
        vendor="ocppfuzz-lab",
        model="dc-2evse-ccs1",
        firmware="1.0.0",
        security_profile=3,
    ),
    status=FindingStatus.CONFIRMED,
    confirmed=3,
    tries=3,
    control_tries=3,
    entries=(
        Entry(0.0, Who.US, "text", '[2,"a1","GetVariables",{}]'),
        Entry(30.25, Who.HARNESS, "note", "no answer within 30 s"),
    ),
    tool="ocppfuzz 0.1.0",
    first_seen="2026-01-02T03:04:05.678Z",
)

GOLDEN = """\
Attacked: `Charging Station ocppfuzz-lab dc-2evse-ccs1, firmware 1.0.0, identity CS-1, at \
wss://localhost:9000/ocpp, security profile 3, OCPP 2.0.1 edition ed3`. \
This is not an OCA certification result.

# unanswered-call (O4) on GetVariables

**What happened:** A CALL was never answered. Symptom: `silence`.

**What came back:** no answer

**How sure:** reproduced 3 of 3, control 0 of 3.

## Steps to reproduce

With the tool: `ocppfuzz replay findings/O4-1a2b3c4d --listen HOST:PORT --identity CS-1 --security-profile 3`, with \
`--ca`, `--cert` and `--key` as they were given.

By hand:

1. Connect and let the station boot (BootNotification accepted).
2. Send this text message (words in braces are filled in when it is sent):
   ```text
   [2,"{call.id}","GetVariables",{}]
   ```

## Expected

The message is wrong: a required member is missing. A correct target refuses it, answers at most once and in the \
right form, and goes on serving. (Our wording.)

Where it is written:

- OCPP 2.0.1 Part 4, OCPP-J (Edition 3, which holds the errata up to 2024-04), section 4.1.1

## Facts

| | |
| --- | --- |
| Severity | medium: the specification says SHALL here |
| Basis | a SHALL of the specification is broken |
| Attack position | is the CSMS itself, or whoever took it over |
| Proposed vector | CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:N/I:L/A:N (2.7) |
| Endangers | TC\\_B\\_06, TC\\_B\\_07, TC\\_B\\_32, TC\\_B\\_33, TC\\_B\\_34 |
| Clause | Part 4 section 4.1.1 |
| CWE | CWE-248 |
| Message | GetVariables, as CALL |
| What is wrong with it | payload /getVariableData: required, missing \\[{...}\\] became nothing |
| Versions | ocppfuzz 0.1.0, OCPP 2.0.1, edition ed3 |
| First seen | 2026-01-02T03:04:05.678Z |
| Fingerprint | 1a2b3c4d5e6f7081 |

The severity says what harm was seen, by the rule that `ocppfuzz show severity` prints; the vector is a proposal that \
counts where an attacker must stand as well, so that the two may differ.

## Transcript

```text
+   0.000s ocppfuzz -> text: [2,"a1","GetVariables",{}]
+  30.250s          -- note: no answer within 30 s
```

## Notes

- What the rule means, and where such a thing was seen: `ocppfuzz explain findings/O4-1a2b3c4d`.
- One sealed file for whoever mends it: `ocppfuzz report pack findings/O4-1a2b3c4d`.
- Control characters are shown escaped; `case.json` holds what is sent, exactly.
"""


def test_advice_is_told_as_ours_and_never_as_markup():
    report = render_finding(FINDING, advice="answer *every* CALL, then <b>go on</b>")
    section = report.partition("## How to mend it\n\n")[2].partition("\n\n## Facts")[0]
    assert section.startswith("Answer \\*every\\* CALL, then ")
    assert section.endswith(". (Our advice for this kind of defect; we do not know the code.)")
    assert "<b>" not in section


def test_a_report_reads_like_this():
    assert render_finding(FINDING) == GOLDEN


def test_hostile_strings_stay_inside_their_places():
    hostile = "\x1b[2J```\n# <img src=x onerror=alert(1)> | [bold]`@all\u202e\ud800"
    finding = replace(
        FINDING,
        facts=replace(FINDING.facts, vendor=hostile, identity=hostile),
        case=replace(CASE, steps=(SendText((hostile,)),), action=hostile),
        violation=replace(FINDING.violation, text=hostile, symptom=hostile),
        entries=(Entry(0.0, Who.TARGET, "text", hostile),),
        notes=(hostile,),
        also=(hostile,),
    )
    report = render_finding(finding)
    assert report.replace("\n", "").isprintable()
    blocks = MarkdownIt("commonmark").enable("table").parse(report)
    kinds = [t.type for block in blocks for t in (block, *(block.children or ()))]
    assert not {"html_block", "html_inline", "link_open", "image", "em_open"} & set(kinds)
    assert [t.tag for t in blocks if t.type == "heading_open"] == ["h1", *["h2"] * 5]
    assert kinds.count("fence") == 2
    assert kinds.count("tr_open") == 12


def test_every_kind_of_step_can_be_followed_by_hand():
    steps = (
        SendBytes(b"\x00\xff", "binary"),
        SendFrames(b"\x81"),
        AnswerNext("BootNotification", ('[3,"{id}",{}]',)),
        Expect("Heartbeat", 5),
        Wait(0.5),
        Disconnect(1001),
        Operator("plug in", "1"),
        RepeatSteps((Wait(1), SendText(("x",))), 1_000),
    )
    case = replace(CASE, steps=steps, preamble=Preamble.CONNECTED)
    report = render_finding(replace(FINDING, case=case))
    by_hand = report.partition("By hand:\n\n")[2].partition("\n\n## Expected")[0]
    assert (
        by_hand
        == """\
1. Connect.
2. Send these bytes as one binary message, in hex (length 2):
   ```text
   00 ff
   ```
3. Write these bytes below the WebSocket layer, in hex (length 1):
   ```text
   81
   ```
   A lenient reader finds no message in them.
4. Be ready to answer the target's next `BootNotification` with:
   ```text
   [3,"{id}",{}]
   ```
5. Wait until the target sends `Heartbeat`, at most 5 s.
6. Say nothing for 0.5 s.
7. Close the connection with code 1001, and connect again.
8. At the target: `plug in` `1`.
9. Do this 1,000 times:
   - Say nothing for 1 s.
   - Send this text message (words in braces are filled in when it is sent):
     ```text
     x
     ```"""
    )


def test_a_heavy_message_is_cut_without_being_written_out():
    text = ("[2,", Repeated("[", 2**40))
    assert preview(text, 10) == "[2,[[[[[[[... (10 of 1,099,511,627,779 characters)"
    report = render_finding(replace(FINDING, case=replace(CASE, steps=(SendText(text),))))
    assert len(report) < 6_000
    assert "(2,000 of 1,099,511,627,779 characters)" in report


def test_a_long_transcript_shows_its_end():
    entries = tuple(Entry(float(n), Who.US, "text", f"message {n} " + "x" * 999) for n in range(99))
    report = render_finding(replace(FINDING, entries=entries))
    assert "The last 24 of 99 entries." in report
    assert "message 74 " not in report
    assert "message 75 " in report
    assert len(report) < 12_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": FindingStatus.CANDIDATE}, "seen once, not repeated yet"),
        (
            {"status": FindingStatus.UNCONFIRMED, "confirmed": 0},
            "reproduced 0 of 3, control 0 of 3: not confirmed",
        ),
        ({"control_tries": 0}, "reproduced 3 of 3, no control"),
    ],
)
def test_how_sure_we_are_is_said(change, words):
    assert f"**How sure:** {words}." in render_finding(replace(FINDING, **change))


@pytest.mark.parametrize(
    ("stance", "words"),
    [
        (Stance.ACCEPT, "The message is valid. A correct target serves it"),
        (Stance.UNSPECIFIED, "No rule says what to do with this message."),
        (Stance.REJECT, "The message is wrong. A correct target refuses it"),
    ],
)
def test_what_a_correct_target_does_follows_from_the_expectation(stance, words):
    case = replace(CASE, expectation=Expectation(stance, Tier.RPC))
    assert words in render_finding(replace(FINDING, case=case))


@pytest.mark.parametrize("fault", list(Fault))
def test_every_fault_has_words(fault):
    case = replace(CASE, expectation=Expectation(Stance.REJECT, Tier.RPC, fault))
    assert "The message is wrong: " in render_finding(replace(FINDING, case=case))


def test_the_script_is_named_when_it_lies_beside_the_report_and_its_absence_explained():
    with_script = render_finding(FINDING, beside={"repro.py", "capture.pcapng", "runs.ndjson"})
    named = "python3 repro.py --listen HOST:PORT --cert CHAIN.pem --key KEY.pem --ca ROOT.pem"
    assert f"Without the tool: `{named}`" in with_script
    assert "- `capture.pcapng`: " in with_script
    without = render_finding(FINDING, no_script="it needs *somebody*")
    assert (
        "There is no script for plain Python beside this report: it needs \\*somebody\\*."
        in without
    )
    assert "repro.py" not in without


def test_an_embargo_stands_above_everything_but_the_summary():
    report = render_finding(FINDING, embargo="until 2027-03-01")
    assert "> **Embargo: until 2027-03-01.**" in report.partition("## Steps")[0]
    assert "Embargo" not in render_finding(FINDING)


def test_what_came_back_is_the_answer_and_how_the_connection_ended():
    entries = (
        Entry(0.0, Who.US, "text", '[2,"a1","GetVariables",{}]'),
        Entry(0.1, Who.HARNESS, "text", '[2,"probe","Heartbeat",{}]'),
        Entry(0.2, Who.TARGET, "text", '[4,"a1","GenericError","",{}]'),
        Entry(0.3, Who.TARGET, "text", '[3,"probe",{}]'),
        Entry(0.4, Who.TARGET, "close", "1006"),
    )
    came = '**What came back:** `[4,"a1","GenericError","",{}]`, the connection ended with `1006`\n'
    assert came in render_finding(replace(FINDING, entries=entries))


def test_hostile_identities_and_urls_stay_inert_in_the_flags_that_name_the_target():
    facts = replace(FINDING.facts, identity="`; rm -rf ~ <b>\n")
    report = render_finding(replace(FINDING, facts=facts))
    assert (
        " --listen HOST:PORT --identity '`; rm -rf ~ <b>\\n' --security-profile 3``, with" in report
    )
    report = render_finding(
        replace(FINDING, facts=replace(facts, security_profile=1)), beside={"repro.py"}
    )
    assert " --user '`; rm -rf ~ <b>\\n' --password``, with" in report


def test_a_case_of_the_tls_lab_begins_with_its_handshake():
    case = replace(CASE, steps=(TlsStep("TS-31"),))
    report = render_finding(replace(FINDING, case=case))
    assert "By hand:\n\n1. Meet it with the offer of case `TS-31` of the TLS lab" in report
    assert "**What came back:** no message is told of a handshake" in report


def test_the_messages_in_raw_frames_are_told_beside_the_bytes():
    sent = frame(b'[2,"1","ClearCache",{}]', mask=None)
    report = render_finding(replace(FINDING, case=replace(CASE, steps=(SendFrames(sent),))))
    assert 'A lenient reader finds in them:\n   ```text\n   [2,"1","ClearCache",{}]\n' in report


@pytest.mark.parametrize("position", [Position.CALLRESULT, Position.CALLERROR])
def test_an_answer_of_ours_is_not_expected_to_be_answered(position):
    report = render_finding(replace(FINDING, case=replace(CASE, position=position)))
    (said,) = [line for line in report.splitlines() if line.endswith("(Our wording.)")]
    assert said.startswith("The answer to the target's own CALL ")
    assert "answers nothing itself" in said


def test_the_command_of_a_planted_defect_plants_it_again_and_needs_nothing_else():
    facts = replace(FINDING.facts, naming=Naming(defects=("P05",)))
    report = render_finding(replace(FINDING, facts=facts))
    assert "\nWith the tool: `ocppfuzz replay findings/O4-1a2b3c4d --defect P05`.\n" in report
