"""The answers of a PICS file in words, as the certificate prints them.

Knows the form and its answers; must not know files or stations.
"""

from __future__ import annotations

from collections.abc import Iterable

from fuzz.pics.answers import Performance, Pics
from fuzz.pics.form import Kind, Line

NOT_STATED = "not stated"


def answer_to(line: Line, pics: Pics) -> str:
    """What the PICS file answers to one line; "" for a heading."""
    match line.kind:
        case Kind.YES_NO:
            return yes_no(pics.items[line.id])
        case Kind.WORDS:
            return ", ".join(pics.words[line.id])
        case Kind.MEASURANDS:
            found = pics.measurands[line.id]
            return f"tested {_listed(found.tested)}; supported {_listed(found.supported)}"
        case Kind.LIMIT:
            return str(pics.limits[line.id])
        case Kind.SUITES:
            return ", ".join(pics.cipher_suites)
        case Kind.OUTLETS:
            return "; ".join(outlets(pics))
        case Kind.VENDOR:
            return _listed(f"{name} = {value}" for name, value in pics.vendor_settings.items())
        case Kind.PERFORMANCE:
            return performance(pics.performance[line.id])
        case Kind.COUNT:
            return str(len(pics.evses))
        case Kind.HEADING:
            return ""
        case Kind.NOT_STATED:
            return NOT_STATED


def yes_no(answer: bool) -> str:  # noqa: FBT001 - a value to print, not a switch
    """Yes or No."""
    return "Yes" if answer else "No"


def outlets(pics: Pics) -> list[str]:
    """The rows of the EVSE table."""
    return [
        f"{row.evse}/{row.connector} {row.current.value} {row.phases or '-'} {row.type} {row.cable.value} cable"
        for row in pics.outlets
    ]


def performance(times: Performance) -> str:
    """One line of the performance measurement: the limit, then least, average and most."""
    limit = f"at most {times.limit_s:g} s"
    measured = (times.least_s, times.average_s, times.most_s)
    if None in measured:
        return f"{limit}; not measured"
    return f"{limit}; measured {' / '.join(f'{value:g}' for value in measured)} s"


def sources(line: Line) -> str:
    """What the line rests on: requirement ids of Part 2, then variables."""
    return ", ".join((*line.requirements, *line.variables))


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"
