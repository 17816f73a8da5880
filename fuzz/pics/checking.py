"""Whether the answers of a PICS file can all be true at once.

Knows what the lines of the form say of each other. Must not know files.
"""

from __future__ import annotations

from collections.abc import Iterator

from fuzz.pics.answers import Cable, Current, Pics

TRIGGER_OF = {
    "C-29.1": "MeterValues",
    "C-29.2": "TransactionEvent",
    "C-29.3": "LogStatusNotification",
    "C-29.4": "FirmwareStatusNotification",
    "C-29.5": "StatusNotification",
    "C-29.6": "BootNotification",
}
"""The triggers that the form asks for by name."""

_ONE_OF = (("C-06.1", "C-06.2"), ("C-12.1", "C-12.2"), ("C-48.1", "C-48.2"))
# Each pair are two ways to do one thing; a station does at least one of them, and both when it can be configured.

_NEEDS = (("C-53", "C-49"), ("C-54", "C-49"), ("C-59", "C-49"))
_START, _STOP = [f"C-09.{n}" for n in range(1, 7)], [f"C-10.{n}" for n in range(1, 6)]


def contradictions(pics: Pics) -> tuple[str, ...]:
    """What cannot be true at once, each in one line; () when the answers fit."""
    found = (_pairs, _hardware, _numbers, _triggers, _measurands)
    return tuple(line for look in found for line in look(pics))


def _pairs(pics: Pics) -> Iterator[str]:
    for first, second in _ONE_OF:
        if not pics.items[first] and not pics.items[second]:
            yield f"{first} and {second} are both No; one of them must be Yes"
    for item, needed in _NEEDS:
        if pics.items[item] and not pics.items[needed]:
            yield f"{item} is Yes, but {needed} is No"
    for name, choices in (("C-09", _START), ("C-10", _STOP)):
        if not any(pics.items[choice] for choice in choices):
            yield f"{name} has no Yes; one of {choices[0]} to {choices[-1]} must be"


def _hardware(pics: Pics) -> Iterator[str]:
    rows = pics.outlets
    phases = {row.phases for row in rows}
    table = {
        "HFS-1": any(row.cable is Cable.DETACHABLE for row in rows),
        "HFS-2": any(row.cable is Cable.FIXED for row in rows),
        "HFS-3": any(row.current is Current.AC for row in rows),
        "HFS-4": any(row.current is Current.DC for row in rows),
    }
    for item, holds in table.items():
        if pics.items[item] != holds:
            yield f"{item} is {_word(pics.items[item])}, but the EVSE table says {_word(holds)}"
    for item, number in (("HFS-5", 1), ("HFS-6", 2), ("HFS-7", 3)):
        if number in phases and not pics.items[item]:
            yield f"{item} is No, but the EVSE table has a connector with {number} phases"
    if pics.items["C-12.1"] and not pics.items["HFS-1"]:
        yield "C-12.1 is Yes, but HFS-1 is No: a fixed cable is never unlocked"


def _numbers(pics: Pics) -> Iterator[str]:
    found = pics.each_connector()
    if len(set(found)) < len(found) or list(found) != sorted(found):
        yield "the EVSE table must name each connector once, in order"
    elif {evse for evse, _ in found} != set(pics.evses):
        yield "the EVSEs of the table must be numbered from 1 without a gap"
    elif any(
        max(n for e, n in found if e == evse) != pics.connectors[evse - 1] for evse in pics.evses
    ):
        yield "the connectors of each EVSE must be numbered from 1 without a gap"
    for row in pics.outlets:
        if (row.current is Current.DC) != (row.phases == 0):
            yield f"connector {row.connector} of EVSE {row.evse}: phases are 0 for DC and 1 to 3 for AC"


def _triggers(pics: Pics) -> Iterator[str]:
    for item, trigger in TRIGGER_OF.items():
        if pics.items[item] != (trigger in pics.triggers):
            yield f"{item} is {_word(pics.items[item])}, but triggers {'lack' if pics.items[item] else 'hold'} {trigger}"


def _measurands(pics: Pics) -> Iterator[str]:
    for item, line in pics.measurands.items():
        for measurand in line.tested:
            if measurand not in line.supported:
                yield f"{item}: {measurand} is tested, but not supported"


def _word(answer: bool) -> str:  # noqa: FBT001 - a value to print, not a switch
    return "Yes" if answer else "No"
