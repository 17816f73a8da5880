"""A JSON payload that a test can read without caring what is missing.

Knows dotted paths such as `transactionInfo.chargingState` or `meterValue.0.timestamp`. Must not know any message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from strategies.labels import JsonObject, JsonValue

Where: TypeAlias = "Mapping[str, JsonValue] | Callable[[View], bool] | None"
"""What a message must be like: members by dotted path, or a predicate."""


@dataclass(frozen=True, slots=True)
class View:
    """A payload; a path that leads nowhere gives None."""

    payload: JsonObject

    def __getitem__(self, path: str) -> JsonValue:
        """The value at a dotted path, None when there is none."""
        value: JsonValue = self.payload
        for name in path.split("."):
            match value:
                case dict():
                    value = value.get(name)
                case list() if name.isdigit() and int(name) < len(value):
                    value = value[int(name)]
                case _:
                    return None
        return value

    def __contains__(self, path: str) -> bool:
        """Whether something is there."""
        return self[path] is not None

    def text(self, path: str) -> str:
        """The string at a path, "" when there is none."""
        value = self[path]
        return value if isinstance(value, str) else ""

    def number(self, path: str) -> float:
        """The number at a path, NaN when there is none, so that every comparison fails."""
        value = self[path]
        return (
            float("nan") if isinstance(value, bool) or not isinstance(value, int | float) else value
        )

    def list(self, path: str) -> list[View]:
        """The objects of the list at a path, empty when there is none."""
        value = self[path]
        return [View(v) for v in value if isinstance(v, dict)] if isinstance(value, list) else []

    def fits(self, where: Where) -> bool:
        """Whether it is like that."""
        if where is None:
            return True
        if callable(where):
            return where(self)
        return all(self[path] == value for path, value in where.items())
