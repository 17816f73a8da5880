"""What to repeat, and what to let grow, so that a target that gives nothing back or counts badly shows it.

Knows messages, and the names under which what they cost is read. Must not know how they are sent, nor what a target may
spend on them. All are said by whichever side may say them; texts may hold the slot `{call.id}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from strategies.labels import Repeated, Sender, Text

WARM, START = "warm", "start"
"""Readings when the target has seen everything once, and right before what is measured."""

BLOCKS = ("block 1", "block 2", "block 3")
"""Readings behind each of three equal amounts: what grows in all three grows for ever."""

IDLE = ("idle 1", "idle 2", "idle 3")
"""Readings after three spells of rest."""

SIZES = ("size 1", "size 2", "size 4", "size 8")
"""Readings behind messages each twice as long as the one before."""

_FILLING = 16_000
_MESSAGES = 64
_MIB = 2**20
_ITEM = '{"component":{"name":"Ocppfuzz"},"variable":{"name":"Nothing"}}'
_TOKEN = '{"idToken":{"idToken":"ocppfuzz","type":"Central"},"idTokenInfo":{"status":"Accepted"}}'
_NUMBERED = "ocppfuzz-{call.id}"


@dataclass(frozen=True, slots=True)
class Flood:
    """One message, said `times` times in each block.

    `action` is "" when it names none that exists; `unasked` marks an answer that nobody asked for, and nobody answers.
    """

    name: str
    text: Text
    times: int = _MESSAGES
    action: str = ""
    sender: Sender = Sender.BOTH
    unasked: bool = False


@dataclass(frozen=True, slots=True)
class Growth:
    """A CALL that can be as long as one likes: `head`, then `unit` so many times, then `tail`.

    `smallest` is how many units the shortest one has that could show anything; `between` stands between two units.
    """

    name: str
    head: str
    unit: str
    tail: str
    smallest: int
    between: str = ""
    action: str = ""
    sender: Sender = Sender.BOTH

    def text(self, count: int) -> Text:
        """The CALL with `count` units."""
        return (self.head, Repeated(self.unit + self.between, count - 1), self.unit + self.tail)


def floods() -> Sequence[Flood]:
    """Every message worth repeating."""
    filling = Repeated("x", _FILLING)
    return (
        Flood("results-unasked", ('[3,"{call.id}",{"x":"', filling, '"}]'), unasked=True),
        Flood(
            "errors-unasked",
            ('[4,"{call.id}","GenericError","",{"x":"', filling, '"}]'),
            unasked=True,
        ),
        Flood("not-json", ('{"x":"', filling)),
        Flood("no-array", ('{"x":"', filling, '"}')),
        Flood("long-id", ('[2,"{call.id}', filling, '","Heartbeat",{}]')),
        Flood("unknown-action", (f'[2,"{{call.id}}","{_NUMBERED}",{{"x":"', filling, '"}]')),
        Flood(
            "unknown-member",
            ('[2,"{call.id}","DataTransfer",{"vendorId":"ocppfuzz","{call.id}":"', filling, '"}]'),
            action="DataTransfer",
        ),
        Flood(
            "data-transfer",
            _call("DataTransfer", f'"vendorId":"{_NUMBERED}","data":"', filling, '"'),
            action="DataTransfer",
        ),
        *_from_csms(),
        *_from_station(),
        Flood("1-MiB", _unknown(_MIB), 4),
        Flood("4-MiB", _unknown(4 * _MIB), 2),
        Flood("20-MiB", _unknown(20 * _MIB), 1),
    )


def _from_csms() -> Sequence[Flood]:
    return tuple(
        Flood(name, _call(action, payload), times, action, Sender.CSMS)
        for name, times, action, payload in (
            ("get-variables", 100, "GetVariables", f'"getVariableData":[{_ITEM}]'),
            ("base-report", 8, "GetBaseReport", '"requestId":7,"reportBase":"SummaryInventory"'),
            ("trigger", 40, "TriggerMessage", '"requestedMessage":"Heartbeat"'),
            (
                "local-list",
                10,
                "SendLocalList",
                f'"versionNumber":1,"updateType":"Full","localAuthorizationList":[{_TOKEN}]',
            ),
        )
    )


def _from_station() -> Sequence[Flood]:
    return tuple(
        Flood(name, _call(action, payload), times, action, Sender.STATION)
        for name, times, action, payload in (
            ("heartbeat", 100, "Heartbeat", ""),
            (
                "authorize",
                100,
                "Authorize",
                f'"idToken":{{"idToken":"{_NUMBERED}","type":"Central"}}',
            ),
        )
    )


def growths() -> Sequence[Growth]:
    """Every CALL worth making longer: many items, many equal ones, many members, long values of each type."""
    head = '[2,"{call.id}",'
    transfer = head + '"DataTransfer",{"vendorId":"ocppfuzz","data":'
    both = (
        Growth("characters", transfer + '"', "x", '"}]', 2**13, action="DataTransfer"),
        Growth("escapes", transfer + '"', "\\u0041", '"}]', 2**12, action="DataTransfer"),
        Growth("quotes", transfer + '"', '\\"', '"}]', 2**12, action="DataTransfer"),
        Growth(
            "digits",
            transfer,
            "7",
            "}]",
            2**12,
            action="DataTransfer",
        ),
        Growth("elements", transfer + "[", "1", "]}]", 2**10, ",", "DataTransfer"),
        Growth("objects", transfer + "[", '{"a":{}}', "]}]", 2**9, ",", "DataTransfer"),
        Growth("equal-members", transfer + "{", '"a":1', "}}]", 2**9, ",", "DataTransfer"),
        Growth("blanks", transfer, " ", '"x"}]', 2**13, action="DataTransfer"),
        Growth("unknown-action", head + '"', "A", '",{}]', 2**13),
        Growth(
            "unknown-members",
            transfer + '"x",',
            '"ocppfuzz":1',
            "}]",
            2**9,
            ",",
            "DataTransfer",
        ),
    )
    return (*both, *_lists_from_csms(head), *_lists_from_station(head))


def _lists_from_csms(head: str) -> Sequence[Growth]:
    monitor = (
        '{"value":1,"type":"Delta","severity":9,"component":{"name":"Ocppfuzz"},'
        '"variable":{"name":"Nothing"}}'
    )
    known = '{"component":{"name":"OCPPCommCtrlr"},"variable":{"name":"HeartbeatInterval"}}'
    value = '{"attributeValue":"1",' + _ITEM[1:]
    return tuple(
        Growth(
            name,
            f'{head}"{action}",{{{before}"{member}":[',
            unit,
            "]}]",
            2**6,
            ",",
            action,
            Sender.CSMS,
        )
        for name, action, before, member, unit in (
            ("get-variables", "GetVariables", "", "getVariableData", known),
            ("get-unknown-variables", "GetVariables", "", "getVariableData", _ITEM),
            ("set-variables", "SetVariables", "", "setVariableData", value),
            ("get-report", "GetReport", '"requestId":7,', "componentVariable", _ITEM),
            ("monitors", "SetVariableMonitoring", "", "setMonitoringData", monitor),
            ("clear-monitors", "ClearVariableMonitoring", "", "id", "99999999"),
            (
                "local-list",
                "SendLocalList",
                '"versionNumber":1,"updateType":"Full",',
                "localAuthorizationList",
                _TOKEN,
            ),
        )
    )


def _lists_from_station(head: str) -> Sequence[Growth]:
    sampled = '{"value":1}'
    reported = (
        '{"component":{"name":"Ocppfuzz"},"variable":{"name":"Nothing"},'
        '"variableAttribute":[{"value":"1"}]}'
    )
    return (
        Growth(
            "meter-values",
            f'{head}"MeterValues",{{"evseId":1,"meterValue":[{{"timestamp":"{{time.now}}","sampledValue":[',
            sampled,
            "]}]}]",
            2**6,
            ",",
            "MeterValues",
            Sender.STATION,
        ),
        Growth(
            "report",
            f'{head}"NotifyReport",{{"requestId":7,"seqNo":0,"generatedAt":"{{time.now}}","reportData":[',
            reported,
            "]}]",
            2**6,
            ",",
            "NotifyReport",
            Sender.STATION,
        ),
    )


def _call(action: str, *members: str | Repeated) -> Text:
    return (f'[2,"{{call.id}}","{action}",{{', *members, "}]")


def _unknown(characters: int) -> Text:
    return ('[2,"{call.id}","Ocppfuzz",{"x":"', Repeated("x", characters), '"}]')


FAILURES = (
    "401",
    "refuse-tcp",
    "tls-abort",
    "503",
    "404",
    "101-nonsense",
    "http-garbage",
    "cut-in-101",
)
"""Ways to fail an attempt to connect that end at once, so that many can be made; the one that is met most often is first."""
