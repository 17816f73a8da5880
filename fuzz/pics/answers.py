"""The answers of one PICS file, as types.

Knows what kinds of answer the form has. Must not know files; they are read and written in `loading.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Current(StrEnum):
    """What comes out of a connector."""

    AC = "AC"
    DC = "DC"


class Cable(StrEnum):
    """Whose cable connects the EV."""

    FIXED = "fixed"
    DETACHABLE = "detachable"


@dataclass(frozen=True, slots=True)
class Outlet:
    """One row of the EVSE table: a connector. `phases` is 0 for DC; `type` a ConnectorEnumType such as `cCCS1`."""

    evse: int
    connector: int
    current: Current
    phases: int
    type: str
    cable: Cable


@dataclass(frozen=True, slots=True)
class Measurands:
    """One line of C-40: what was tested during certification, and all that the vendor supports."""

    tested: tuple[str, ...]
    supported: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Performance:
    """One time of the performance measurement, in seconds: its limit, and what was measured; None is not measurable."""

    limit_s: float
    least_s: float | None = None
    most_s: float | None = None
    average_s: float | None = None


@dataclass(frozen=True, slots=True)
class Pics:
    """The answers of one PICS file.

    Attributes:
        name: the name of a file that comes with this product, or the path of somebody's own.
        vendor: the vendorName of the BootNotification, as are `model`, `serial` and `firmware`.
        certification_profiles: the certification profiles that were tested.
        security_profiles: the security profiles that it can use.
        cipher_suites: C-41, as OpenSSL calls them.
        triggers: what TriggerMessage may ask for.
        outlets: the EVSE table, in the order of EVSEs and connectors.
        items: the answers yes and no, by item, such as `C-13`.
        words: the answers in words, by item, such as `C-23`.
        measurands: C-40.1 to C-40.5, by item.
        limits: the numbers of Other Relevant Settings, by item.
        vendor_settings: values of vendor specific variables, by `Component::Variable`.
        performance: the performance measurement, by name.
    """

    name: str
    vendor: str
    model: str
    serial: str
    firmware: str
    certification_profiles: tuple[str, ...]
    security_profiles: tuple[int, ...]
    cipher_suites: tuple[str, ...]
    triggers: frozenset[str]
    outlets: tuple[Outlet, ...]
    items: Mapping[str, bool]
    words: Mapping[str, tuple[str, ...]]
    measurands: Mapping[str, Measurands]
    limits: Mapping[str, int]
    vendor_settings: Mapping[str, str]
    performance: Mapping[str, Performance]

    @property
    def connectors(self) -> tuple[int, ...]:
        """The number of connectors of EVSE 1, 2 ..."""
        numbers = sorted({outlet.evse for outlet in self.outlets})
        return tuple(sum(outlet.evse == number for outlet in self.outlets) for number in numbers)

    @property
    def evses(self) -> range:
        """The numbers of the EVSEs, from 1."""
        return range(1, len(self.connectors) + 1)

    def each_connector(self) -> tuple[tuple[int, int], ...]:
        """Every (evseId, connectorId), in order."""
        return tuple((outlet.evse, outlet.connector) for outlet in self.outlets)

    def outlet(self, evse: int, connector: int = 1) -> Outlet:
        """The row of the EVSE table for one connector. Raises KeyError when there is none."""
        for outlet in self.outlets:
            if (outlet.evse, outlet.connector) == (evse, connector):
                return outlet
        raise KeyError((evse, connector))
