"""Does the target tell what a peer has no business to know (O23)?

Knows what the inside of a program and a secret look like in text. Must not hand on what it found: a finding names the
kind of leak, never the words. What stood in our own messages is no leak but an echo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.ocppj.lenient import hear
from fuzz.oracles.reading import scene
from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, FrameKind, Heard, Observation, Severity, Violation, Who
from strategies.labels import JsonValue

SECRET = "{secret.password"
"""How the slot begins that stands where a password that we know was told (see `fuzz.records.Caught`)."""

CONFIGURED = "{secret.password.old}"
"""The slot of the password that the target had before anything was played."""

_SLOT = re.compile(r"\{secret\.password[.\w]{0,12}\}")
_HIDDEN = "BasicAuthPassword"
_LONGEST = 8_000
_FREE = frozenset({"statusInfo", "techInfo"})
"""Members whose text the target makes up itself; all others repeat what they were told, or must."""


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one kind of leak looks like, how bad it is, and what is told by it."""

    symptom: str
    text: str
    severity: Severity
    cwe: str
    patterns: tuple[str, ...]
    remark: bool = False


_SOURCE = r"(?:py|java|kt|js|ts|go|rs|c|cc|cpp|cxx|h|hpp|cs|rb|php)"
_LIBRARIES = (
    "nlohmann|rapidjson|pydantic|jsonschema|websockets|libwebsockets|OpenSSL|mbed ?TLS|wolfSSL|boost|Jackson"
    "|Newtonsoft|Hibernate|Spring|Express"
)
_SIGNS = (
    _Sign(
        "SQL told",
        "SQL, or the words of a database",
        Severity.MEDIUM,
        "CWE-209",
        (
            r"SQLSTATE",
            r"\bORA-\d{5}\b",
            r"\bSELECT\s[^;]{1,300}?\sFROM\s",
            r"\bINSERT\s+INTO\s+\S+",
            r"\bUPDATE\s+\S+\s+SET\s",
            r"\bDELETE\s+FROM\s+\S+",
            r"error in your SQL syntax",
            r"duplicate key value violates",
            r"(?:UNIQUE|FOREIGN KEY|NOT NULL) constraint failed",
            r"unterminated quoted string at",
            r"\b(?:sqlite3|psycopg2?|sqlalchemy|pymysql)\.[\w.]*\w",
            r"\b(?:PSQL|SQLite|SQL(?:Integrity\w*|Syntax\w*)?)Exception\b",
        ),
    ),
    _Sign(
        "stack trace told",
        "a stack trace, or the words of a crashed program",
        Severity.MEDIUM,
        "CWE-209",
        (
            r"Traceback \(most recent call last\)",
            r"\bFile \"[^\"]{1,300}\", line \d+",
            r"\bat [\w$.<>/]+\((?:[\w$]+\.(?:java|kt|scala|groovy):\d+|Native Method|Unknown Source)\)",
            r"\bat [^\n]{0,200}?(?:node:|file://|/|[A-Z]:\\)[^\s()]{1,300}:\d+:\d+\)?",
            r"\bat [\w.<>`+\[\],]+\([^)\n]{0,200}\) in [^\n]{1,200}:line \d+",
            r"Exception in thread \"",
            r"\bgoroutine \d+ \[",
            r"\bthread '[^'\n]{0,100}' panicked at",
            r"terminate called after throwing",
            r"#\d+\s+0x[0-9a-fA-F]+ in ",
            r"\b(?:java|javax|jakarta|kotlin|scala|org|com)\.(?:\w{1,64}\.){1,10}\w{0,64}(?:Exception|Error)\b",
            r"\bSystem\.(?:\w{1,64}\.){0,10}\w{1,64}Exception\b",
        ),
    ),
    _Sign(
        "source path told",
        "the path of a source file",
        Severity.LOW,
        "CWE-209",
        (
            rf"(?:/[\w.@+-]{{1,64}}){{2,12}}\.{_SOURCE}\b",
            rf"\b[A-Za-z]:\\(?:[\w .@+-]{{1,64}}\\){{1,12}}[\w.@+-]{{1,64}}\.{_SOURCE}\b",
            r"\b[\w-]{1,64}\.(?:py|java|js|ts|go|c|cpp|cxx|hpp|cs|php|rb):\d+\b",
        ),
    ),
    _Sign(
        "memory address told",
        "an address in memory",
        Severity.LOW,
        "CWE-497",
        (r"\bat 0x[0-9a-fA-F]{6,16}\b", r"\b0x(?:00007f|7f|55|56)[0-9a-fA-F]{10}\b"),
    ),
    _Sign(
        "library told",
        "the name of a library, or of an exception inside it",
        Severity.INFO,
        "CWE-497",
        (
            r"\[json\.exception\.",
            rf"\b(?:{_LIBRARIES})[ /@-]?v?\d+\.\d+",
            r"\bstd::[a-z_]+",
            r"https?://errors\.pydantic\.dev/",
        ),
        remark=True,
    ),
)
_FINDERS = tuple((sign, re.compile("|".join(sign.patterns))) for sign in _SIGNS)
_ANY = re.compile("|".join(p for sign in _SIGNS for p in sign.patterns))
_ESCAPE = re.compile(r"[\x1b\x9b][\[\]()#;?PX^_0-9A-Za-z]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


FREE_TEXT = tuple(sorted(_FREE))
"""The same for whoever looks with its own eyes."""


def pattern_of(symptom: str) -> str:
    """The regular expression by which a symptom is known; "" for those that are known in another way."""
    echoes = {"escape sequence echoed": _ESCAPE, "control character in free text": _CONTROL}
    if symptom in echoes:
        return echoes[symptom].pattern
    return "|".join(p for sign in _SIGNS if sign.symptom == symptom for p in sign.patterns)


@oracle("O23", name="information-leak", clause="Part 2 A01.FR.12, B06.FR.09", cwe="CWE-200")
def information_leak(obs: Observation) -> Iterator[Violation]:
    """Nothing that the target says tells of its inside, or of a secret.

    A stack trace, SQL, the path of a source file or an address in memory, in an errorDescription, errorDetails,
    statusInfo or techInfo, tells an attacker where to go on; the name of a library is a remark. What stood in a
    message of ours is an echo and not objected to. A password that can be read back (A01.FR.01, B06.FR.09), or that
    turns up in a log, an upload or a later answer (A01.FR.12), is a leak whatever the message was. Escape sequences of
    ours that come back in free text steer the terminal of whoever reads a log; names and ids come back as they must.

    Seen: the details of every exception sent to the station
    (https://github.com/steve-community/steve/commit/469126f); SQL in the details of an error.

    Fix: tell the peer an error code and words of your own, and keep exceptions in your own log; never write secrets
    there. Replace what is not printable before it becomes part of a text.
    """
    yield from _told_inside(obs)
    yield from _told_secret(obs)


# --- the inside ---------------------------------------------------------------------------------------------


def _told_inside(obs: Observation) -> Iterator[Violation]:
    spoken: set[str] = set()
    for heard in _messages(obs):
        for found in _inside(obs, free_text(heard)):
            if found.symptom not in spoken:
                spoken.add(found.symptom)
                yield found


def _messages(obs: Observation) -> Iterator[Heard]:
    """What the target said; in a scene also what it answered to the scene's own CALLs."""
    yield from obs.replies
    yield from obs.strays
    yield from obs.calls
    happenings = scene(obs)
    if happenings is not None:
        yield from (hear(h.text, h.at_s) for h in happenings if h.deed is Deed.TOLD)


def free_text(heard: Heard) -> str:
    """The text that the target made up itself, one part a line; "" when there is none."""
    if heard.kind is FrameKind.CALLERROR:
        return "\n".join(_strings(list(heard.items[3:])))[:_LONGEST]
    if not any(f'"{name}"' in heard.text for name in _FREE):
        return ""
    return "\n".join(_free_members(heard.payload))[:_LONGEST]


def _free_members(value: JsonValue) -> Iterator[str]:
    pending = [value]
    while pending:
        match pending.pop():
            case dict(members):
                for name, inner in members.items():
                    if name in _FREE:
                        yield from _strings(inner)
                    else:
                        pending.append(inner)
            case list(items):
                pending.extend(items)
            case _:
                pass


def _strings(value: JsonValue) -> Iterator[str]:
    """Every string in it, names of members included."""
    pending = [value]
    while pending:
        match pending.pop():
            case str(text):
                yield text
            case dict(members):
                yield from members
                pending.extend(members.values())
            case list(items):
                pending.extend(reversed(items))
            case _:
                pass


def _inside(obs: Observation, text: str) -> Iterator[Violation]:
    if not text:
        return
    if _ANY.search(text):
        ours = _ours(obs)
        for sign, finder in _FINDERS:
            if any(m.group().strip().casefold() not in ours for m in finder.finditer(text)):
                yield _leak(sign)
                break  # a stack trace is full of paths and libraries
    if not text.isprintable() and _CONTROL.search(text):
        yield from _echo(obs, text)


def _leak(sign: _Sign) -> Violation:
    return violation(
        "O23",
        Basis.LEAK,
        sign.severity,
        sign.symptom,
        f"the target tells {sign.text}",
        clause="Part 4 section 4.2.3",
        cwe=sign.cwe,
        remark=sign.remark,
    )


def _echo(obs: Observation, text: str) -> Iterator[Violation]:
    ours = _ours(obs)
    echoed = any(m.group().casefold() in ours for m in _ESCAPE.finditer(text))
    yield violation(
        "O23",
        Basis.HARDENING,
        Severity.MEDIUM if echoed else Severity.LOW,
        "escape sequence echoed" if echoed else "control character in free text",
        "a text of the target holds characters that steer a terminal",
        clause="Part 4 section 4.2.3",
        cwe="CWE-150",
        remark=not echoed,
    )


def _ours(obs: Observation) -> str:
    """Every text that we said, as it stood and as it reads, in one case."""
    said = [*obs.said, *(e.text for e in obs.entries if e.who is not Who.TARGET)]
    read = [text for message in said for text in _strings(list(hear(message, 0.0).items))]
    return "\n".join([*said, *read]).casefold()


# --- secrets ------------------------------------------------------------------------------------------------


def _told_secret(obs: Observation) -> Iterator[Violation]:
    if any(_HIDDEN in h.text and _reads_password(h.payload) for h in _messages(obs)):
        text = f"{_HIDDEN} is WriteOnly, and its value was told"
        yield _secret("password readable", text, clause="Part 2 A01.FR.01, B06.FR.09")
    if any(_told(obs, line) for line in obs.log) or _uploaded(obs):
        text = "a password stands in a log of the target"
        yield _secret("password in the log", text, cwe="CWE-532")
    elif any(_told(obs, text) for text in _said_without_us(obs)):
        yield _secret("password told", "a password that we know stands in what the target says")


def _uploaded(obs: Observation) -> bool:
    return any(_told(obs, c.path) or _told(obs, c.data.decode("latin-1")) for c in obs.caught)


def _told(obs: Observation, text: str) -> bool:
    """True when a password stands there that was configured, or that this case set.

    One that an earlier case set, and a log still tells, is that case's finding: nothing else could be played again.
    """
    if SECRET not in text:
        return False
    found = set(_SLOT.findall(text))
    if CONFIGURED in found:
        return True
    return any(slot in e.text for e in obs.entries if e.who is not Who.TARGET for slot in found)


def _said_without_us(obs: Observation) -> Iterator[str]:
    """What the target said, without answers that repeat the very message that they answer."""
    happenings = scene(obs)
    if happenings is None:
        ours = any(SECRET in text for text in obs.said)
        yield from (h.text for h in (*obs.replies, *obs.strays) if not ours)
        yield from (h.text for h in obs.calls)
        return
    yield from (h.text for h in happenings if not h.ours and not _repeats(happenings, h))


def _repeats(happenings: History, h: Happening) -> bool:
    asked = happenings.partner(h) if h.deed is Deed.TOLD else None
    return asked is not None and SECRET in asked.text


def _reads_password(payload: JsonValue) -> bool:
    """True when a GetVariables answer or a report holds a value of the password."""
    if not isinstance(payload, dict):
        return False
    results, data = payload.get("getVariableResult"), payload.get("reportData")
    return any(
        _is_password(item) and _has_value(item.get("attributeValue"), item.get("attributeType"))
        for item in _dicts(results)
    ) or any(
        _is_password(item) and _has_value(attribute.get("value"), attribute.get("type"))
        for item in _dicts(data)
        for attribute in _dicts(item.get("variableAttribute"))
    )


def _dicts(value: JsonValue) -> Iterator[dict[str, JsonValue]]:
    return (
        (item for item in value if isinstance(item, dict)) if isinstance(value, list) else iter(())
    )


def _is_password(item: dict[str, JsonValue]) -> bool:
    variable = item.get("variable")
    return isinstance(variable, dict) and variable.get("name") == _HIDDEN


def _has_value(value: JsonValue, attribute: JsonValue) -> bool:
    """True for a value that tells something: asterisks in its place do not."""
    return isinstance(value, str) and attribute in (None, "Actual") and bool(value.strip("*"))


def _secret(symptom: str, text: str, *, clause: str = "", cwe: str = "CWE-522") -> Violation:
    return violation("O23", Basis.LEAK, Severity.HIGH, symptom, text, clause=clause, cwe=cwe)
