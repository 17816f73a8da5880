"""Reports of the device model: collecting their parts, and holding them against what is required.

Knows NotifyReport and the committed table of required variables. Must not know a test.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fuzz.conformance.script import Csms
from fuzz.conformance.view import View

_TABLE = Path(__file__).parent / "data" / "required-variables.toml"
LIST_TYPES = ("OptionList", "MemberList", "SequenceList")
WRITABLE = ("ReadWrite", "WriteOnly")


@dataclass(frozen=True, slots=True)
class Required:
    """One variable that must be there; `writable` None means that either will do."""

    component: str
    variable: str
    instance: str
    tier: int
    writable: bool | None

    def is_in(self, rows: Iterable[View]) -> bool:
        """Whether a report holds it."""
        return any(self._is(row) for row in rows)

    def _is(self, row: View) -> bool:
        return (
            same(row.text("component.name"), self.component)
            and same(row.text("variable.name"), self.variable)
            and same(row.text("variable.instance"), self.instance)
            and ("component.evse.id" in row) == (self.tier > 0)
            and ("component.evse.connectorId" in row) == (self.tier > 1)
        )

    def __str__(self) -> str:
        """As people write it."""
        instance = f"[{self.instance}]" if self.instance else ""
        return f"{self.component}.{self.variable}{instance}"


def same(left: str, right: str) -> bool:
    """Whether two identifierStrings are the same; case does not matter (Part 2 section 2.1.4)."""
    return left.lower() == right.lower()


@cache
def required() -> tuple[Required, ...]:
    """The committed table."""
    read = tomllib.loads(_TABLE.read_text("utf-8"))
    kinds = {"read_only": False, "writable": True, "either": None}
    return tuple(
        Required(c["name"], *_instance(text), c.get("tier", 0), writable)
        for c in read["component"]
        for kind, writable in kinds.items()
        for text in c.get(kind, ())
    )


def _instance(text: str) -> tuple[str, str]:
    name, _, instance = text.partition("[")
    return name, instance.removesuffix("]")


async def report(s: Csms, base: str) -> list[View]:
    """The rows of a base report that is accepted; its parts are numbered from 0 and the last one says so (B07)."""
    request_id = s.request_id()
    await s.accepted("GetBaseReport", {"requestId": request_id, "reportBase": base})
    return await parts(s, request_id)


async def parts(s: Csms, request_id: int) -> list[View]:
    """All rows of the NotifyReports with this requestId."""
    rows: list[View] = []
    number, more = 0, True
    while more:
        part = await s.expect("NotifyReport", {"requestId": request_id})
        s.require(part["seqNo"] == number, f"NotifyReport {number} has this seqNo", part["seqNo"])
        rows += part.list("reportData")
        number, more = number + 1, part["tbc"] is True
    return rows


def name(row: View) -> str:
    """What a row is about, for people."""
    instance = f"[{row.text('variable.instance')}]" if "variable.instance" in row else ""
    return f"{row.text('component.name')}.{row.text('variable.name')}{instance}"


def check_lists(s: Csms, rows: Sequence[View]) -> None:
    """Every variable of a list type names its values, and holds only such."""
    for row in rows:
        if row["variableCharacteristics.dataType"] not in LIST_TYPES:
            continue
        values = row.text("variableCharacteristics.valuesList").split(",")
        s.require("variableCharacteristics.valuesList" in row, f"{name(row)} has a valuesList")
        for attribute in row.list("variableAttribute"):
            held = [v for v in attribute.text("value").split(",") if v]
            s.require(set(held) <= set(values), f"{name(row)} holds values of its list", held)


def check_write_only(s: Csms, rows: Sequence[View]) -> None:
    """No row shows a value that can only be written."""
    for row in rows:
        for attribute in row.list("variableAttribute"):
            if attribute["mutability"] == "WriteOnly":
                s.require("value" not in attribute, f"the value of {name(row)} is not shown")


def mutable(row: View) -> bool:
    """Whether an operator can set it; ReadWrite when it does not say."""
    return any(
        attribute["mutability"] in (None, *WRITABLE) for attribute in row.list("variableAttribute")
    )
