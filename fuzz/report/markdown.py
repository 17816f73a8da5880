"""REPORT.md of a finding, ready to paste into an issue tracker: inert whatever the target said.

Knows Markdown and the shared words; must not know where the report is written.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fuzz.ocppj.framed import written
from fuzz.records import (
    AnswerNext,
    Ask,
    Case,
    Disconnect,
    Entry,
    Expect,
    Finding,
    Gauge,
    Misbehave,
    Operator,
    Preamble,
    RepeatSteps,
    SendBytes,
    SendFrames,
    SendText,
    Settle,
    Step,
    TlsStep,
    Wait,
    Who,
)
from fuzz.report.naming import replay_words, script_words
from fuzz.report.rating import SEVERITY_AND_VECTOR, endangers, rate
from fuzz.report.safe import code, cut_mark, fence, prose
from fuzz.report.signs import answers_to_case
from fuzz.report.sources import sources
from fuzz.report.words import (
    HANDSHAKE,
    NOT_A_CERTIFICATION,
    alterations,
    attacked,
    basis_words,
    expected,
    folder_name,
    goes_on,
    oracle_words,
    position_words,
    repeats,
    sentence,
    severity_reason,
)
from strategies.labels import Text

MESSAGE_LIMIT = 2_000
MAX_HELD = 4
"""Messages that are shown of raw frames."""

TRANSCRIPT_LINES = 24
LINE_LIMIT = 300

ANSWER_LIMIT = 200
COMMAND_LIMIT = 2_000

_ENDS = {"close": "the connection ended with", "process": "the process ended with"}
_BASE64 = frozenset({"bytes", "frames"})
_FILES = {
    "capture.pcapng": "the bytes of the connection for Wireshark, as its first comment says.",
    "runs.ndjson": "the transcript of every play that repeated it, and of its controls.",
}

_PASSWORD_KEPT = "its password, if it has one, in `OCPPFUZZ_PASSWORD`"
_FILES_KEPT = "`--ca`, `--cert` and `--key` as they were given"
_KEPT = (
    "",
    f", with {_PASSWORD_KEPT}",
    f", with {_PASSWORD_KEPT}, and {_FILES_KEPT}",
    f", with {_FILES_KEPT}",
)
"""What `replay` needs beside its command in security profiles 0 to 3, for a target of somebody's own."""

_NEXT = (
    ("What the rule means, and where such a thing was seen", "explain"),
    ("One sealed file for whoever mends it", "report pack"),
)

_WHO = {Who.US: "ocppfuzz ->", Who.TARGET: "target   ->", Who.HARNESS: "         --"}


def render_finding(
    finding: Finding,
    *,
    beside: Collection[str] = (),
    no_script: str = "",
    advice: str = "",
    embargo: str = "",
) -> str:
    """The report of one finding as Markdown, one line of who was attacked first.

    Args:
        finding: what was found.
        beside: the names of further files in its folder.
        no_script: why there is no `repro.py` among them.
        advice: how a defect of this kind is mended; "" where nobody says.
        embargo: until when it is to be kept secret, in words of whoever reports it; "" for no such note.
    """
    sections = [
        _head(finding),
        _embargo(embargo),
        _reproduce(finding, beside, no_script),
        _expected(finding),
        _advice(advice),
        _facts(finding),
        _transcript(finding.entries),
        _more(finding, beside),
    ]
    return "\n\n".join("\n".join(s) for s in sections if s) + "\n"


def _head(finding: Finding) -> list[str]:
    violation = finding.violation
    where = f" on {finding.case.action}" if finding.case.action else ""
    return [
        f"Attacked: {code(attacked(finding.facts), 800)}. {NOT_A_CERTIFICATION}",
        "",
        f"# {prose(oracle_words(violation) + where)}",
        "",
        f"**What happened:** {prose(sentence(violation.text), 600)} Symptom: {code(violation.symptom)}.",
        "",
        f"**What came back:** {_came_back(finding)}",
        "",
        f"**How sure:** {repeats(finding)}.",
    ]


def _came_back(finding: Finding) -> str:
    """The target's answers to the case, and how a connection or a process ended."""
    if _shakes(finding.case):
        return "no message is told of a handshake; how far it came says the symptom, and the transcript"
    told = [code(a.text, ANSWER_LIMIT) for a in answers_to_case(finding)[:3]]
    ends = [f"{_ENDS[e.kind]} {code(e.text, 80)}" for e in finding.entries if e.kind in _ENDS]
    return ", ".join((told + ends)[:4]) or "no answer"


def _embargo(embargo: str) -> list[str]:
    if not embargo:
        return []
    return [
        f"> **Embargo: {prose(embargo)}.** Please keep this report, its case and its script to those who mend it",
        "> until then.",
    ]


def _expected(finding: Finding) -> list[str]:
    """What a 2.0.1 peer does, in our words, and where that is written."""
    lines = ["## Expected", "", f"{expected(finding)} (Our wording.)"]
    told = list(sources(finding.violation.clause, finding.facts.edition))
    if told:
        lines += ["", "Where it is written:", "", *(f"- {prose(line)}" for line in told)]
    return lines


def _advice(advice: str) -> list[str]:
    if not advice:
        return []
    return [
        "## How to mend it",
        "",
        f"{prose(sentence(advice), MESSAGE_LIMIT)} (Our advice for this kind of defect; we do not know the code.)",
    ]


# --- steps to reproduce -----------------------------------------------------------------------------------


def _reproduce(finding: Finding, beside: Collection[str], no_script: str) -> list[str]:
    case = finding.case
    states = {
        Preamble.CONNECTED: "Connect",
        Preamble.BOOTED: "Connect and let the station boot (BootNotification accepted)",
    }
    lines = [
        "## Steps to reproduce",
        "",
        *_command(finding),
        "",
        *_script(finding, beside, no_script),
        "By hand:",
        "",
    ]
    begun = [] if _shakes(case) else [f"1. {states[case.preamble]}."]
    lines += begun
    for number, step in enumerate(case.steps, 1 + len(begun)):
        lines += _item(f"{number}. ", step)
    return lines


def _command(finding: Finding) -> list[str]:
    """The command that meets the same target in the same way, and the secrets that it does not tell."""
    again = f"ocppfuzz replay findings/{folder_name(finding)} {replay_words(finding)}".rstrip()
    naming = finding.facts.naming
    secrets = "" if naming is not None and naming.own else _KEPT[finding.facts.security_profile % 4]
    return [f"With the tool: {code(again, COMMAND_LIMIT)}{secrets}."]


def _script(finding: Finding, beside: Collection[str], no_script: str) -> list[str]:
    if no_script:
        return [f"There is no script for plain Python beside this report: {prose(no_script)}.", ""]
    if "repro.py" not in beside:
        return []
    words = code(f"python3 repro.py {script_words(finding.facts)}", COMMAND_LIMIT)
    return [f"Without the tool: {words}, with nothing but Python installed.", ""]


def _shakes(case: Case) -> bool:
    """True for a case of the TLS lab: it has no connection before its handshakes."""
    return any(isinstance(step, TlsStep) for step in case.steps)


def _item(bullet: str, step: Step) -> list[str]:
    text, below = _told(step)
    return [bullet + text, *(" " * len(bullet) + line for line in below)]


def _told(step: Step) -> tuple[str, list[str]]:
    """A step in words, and the message that belongs under it."""
    match step:
        case SendText(text):
            return (
                "Send this text message (words in braces are filled in when it is sent):",
                _fenced(text),
            )
        case SendBytes(data, opcode):
            return (
                f"Send these bytes as one {prose(opcode)} message, in hex (length {len(data):,}):",
                _hex(data),
            )
        case SendFrames(data):
            return (
                f"Write these bytes below the WebSocket layer, in hex (length {len(data):,}):",
                [*_hex(data), *_held(step)],
            )
        case Ask(text):
            return "Ask properly, and wait for the answer:", _fenced(text)
        case AnswerNext(action, ()):
            return f"Be ready to leave the target's next {code(action)} without an answer.", []
        case AnswerNext(action, text):
            return f"Be ready to answer the target's next {code(action)} with:", _fenced(text)
        case RepeatSteps(steps, times):
            return f"Do this {times:,} times:", [line for s in steps for line in _item("- ", s)]
        case _:
            return _told_quietly(step), []


def _told_quietly(
    step: Settle | Expect | Wait | Disconnect | Operator | Misbehave | Gauge | TlsStep,
) -> str:
    match step:
        case Expect(action, timeout_s, where):
            fitting = "".join(f", {code(at)} {code(value)}" for at, value in where)
            return f"Wait until the target sends {code(action)}{fitting}, at most {timeout_s:g} s."
        case Settle():
            return "Wait for the answer."
        case Misbehave(how, times):
            what = "attempt" if times == 1 else f"{times:,} attempts"
            return f"Receive the target's next {what} to connect badly: {prose(how)}."
        case Gauge(label):
            return f"Read what the target's process uses ({prose(label)})."
        case Wait(seconds):
            return f"Say nothing for {seconds:g} s."
        case Disconnect(close_code):
            return f"Close the connection with code {close_code}, and connect again."
        case Operator(event, argument):
            return (
                f"At the target: {code(event)} {code(argument) if argument else ''}".rstrip() + "."
            )
        case TlsStep(id_):
            return (
                f"Meet it with the offer of case {code(id_)} of the TLS lab, and with its control: the transcript says "
                "what differs, `handshake.pcapng` holds both."
            )


def _fenced(text: Text) -> list[str]:
    return fence([preview(text, MESSAGE_LIMIT)], limit=MESSAGE_LIMIT + 100)


def _held(step: SendFrames) -> list[str]:
    """The messages that a lenient reader finds in frames."""
    texts = written([step]).texts[:MAX_HELD]
    if not texts:
        return ["A lenient reader finds no message in them."]
    shown = [text[: MESSAGE_LIMIT // MAX_HELD] for text in texts]
    return ["A lenient reader finds in them:", *fence(shown, MESSAGE_LIMIT // MAX_HELD)]


def preview(text: Text, limit: int) -> str:
    """The first `limit` characters of a text, without ever spelling out what is beyond."""
    shown, total = "", 0
    for part in text:
        unit, times = (part, 1) if isinstance(part, str) else (part.unit, part.times)
        total += len(unit) * times
        if unit and len(shown) < limit:
            room = limit - len(shown)
            shown += (unit * min(times, room // len(unit) + 1))[:room]
    return shown + (cut_mark(limit, total) if total > limit else "")


def _hex(data: bytes) -> list[str]:
    shown = data[: MESSAGE_LIMIT // 3]
    rows = [shown[i : i + 32].hex(" ") for i in range(0, len(shown), 32)]
    if len(data) > len(shown):
        rows.append(f"... ({len(shown):,} of {len(data):,} bytes)")
    return fence(rows)


# --- facts ------------------------------------------------------------------------------------------------


def _facts(finding: Finding) -> list[str]:
    violation, case = finding.violation, finding.case
    rating = rate(violation, case, finding.facts)
    rows = [
        ("Severity", f"{violation.severity.name.lower()}: {severity_reason(violation)}"),
        ("Basis", basis_words(violation)),
        ("Attack position", rating.attacker.value),
        ("Proposed vector", f"{rating.vector} ({rating.score})"),
        ("Endangers", ", ".join(endangers(finding))),
        ("Clause", violation.clause),
        ("CWE", violation.cwe),
        ("Message", _message(case)),
        ("What is wrong with it", "; ".join(alterations(case))),
        (
            "Versions",
            f"{finding.made_with or finding.tool or 'ocppfuzz'}, OCPP {case.version}, edition {finding.facts.edition}",
        ),
        ("First seen", finding.first_seen),
        ("Fingerprint", finding.fingerprint),
    ]
    return [
        "## Facts",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {prose(text)} |" for name, text in rows if text),
        "",
        SEVERITY_AND_VECTOR,
    ]


def _message(case: Case) -> str:
    """The action and position; nothing for a handshake, in which no message was said."""
    where = position_words(case)
    return "" if where == HANDSHAKE else f"{case.action or 'no action'}, as {where}"


def _transcript(entries: Sequence[Entry]) -> list[str]:
    if not entries:
        return []
    shown = list(entries[-TRANSCRIPT_LINES:])
    lines = [f"+{e.at_s:8.3f}s {_WHO[e.who]} {e.kind}: {e.text}" for e in shown]
    left_out = len(entries) - len(shown)
    note = [f"The last {len(shown)} of {len(entries)} entries."] if left_out else []
    raw = any(e.who is Who.US and e.kind in _BASE64 for e in shown)
    note += ["Bytes and frames that ocppfuzz sent are in Base64."] if raw else []
    note = [" ".join(note), ""] if note else []
    return ["## Transcript", "", *note, *fence(lines, LINE_LIMIT)]


def _more(finding: Finding, beside: Collection[str]) -> list[str]:
    lines = [f"- {prose(note)}" for note in (*finding.notes, goes_on(finding)) if note]
    lines += [f"- `{name}`: {what}" for name, what in _FILES.items() if name in beside]
    if finding.also:
        others = ", ".join(code(name, 100) for name in finding.also[:5])
        more = f" and {len(finding.also) - 5} more" if len(finding.also) > 5 else ""
        lines.append(f"- The same was seen with {others}{more}.")
    folder = f"findings/{folder_name(finding)}"
    for use, command in _NEXT:
        lines.append(f"- {use}: {code(f'ocppfuzz {command} {folder}', COMMAND_LIMIT)}.")
    lines.append("- Control characters are shown escaped; `case.json` holds what is sent, exactly.")
    return ["## Notes", "", *lines]
