"""What one station claims to support, as typed data read from `data/<name>.pics.toml`.

Knows the file's shape; the device model that goes with it is in `device_model.py`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fuzz.errors import UsageError

DATA = Path(__file__).parent / "data"
_ENDING = ".pics.toml"


@dataclass(frozen=True, slots=True)
class Pics:
    """The answers of one PICS file. `connectors` holds the number of connectors of EVSE 1, 2 ...

    `items` maps an item of the PICS form, such as `C-13`, to yes or no.
    """

    name: str
    vendor: str
    model: str
    serial: str
    firmware: str
    connectors: tuple[int, ...]
    security_profiles: tuple[int, ...]
    cipher_suites: tuple[str, ...]
    triggers: frozenset[str]
    items: Mapping[str, bool]

    @property
    def evses(self) -> range:
        """The numbers of the EVSEs, from 1."""
        return range(1, len(self.connectors) + 1)

    def each_connector(self) -> tuple[tuple[int, int], ...]:
        """Every (evseId, connectorId), in order."""
        return tuple(
            (evse, connector)
            for evse in self.evses
            for connector in range(1, self.connectors[evse - 1] + 1)
        )


def known_pics() -> tuple[str, ...]:
    """The names of the PICS files that come with this product, sorted."""
    return tuple(sorted(path.name.removesuffix(_ENDING) for path in DATA.glob(f"*{_ENDING}")))


def load_pics(name: str) -> Pics:
    """The PICS file called `name`. Raises UsageError with the known names for any other."""
    if name not in known_pics():
        known = ", ".join(known_pics())
        raise UsageError(f"unknown PICS file {name!r}; known: {known}")
    read = tomllib.loads((DATA / f"{name}{_ENDING}").read_text("utf-8"))
    return Pics(
        name=name,
        vendor=read["vendor"],
        model=read["model"],
        serial=read["serial"],
        firmware=read["firmware"],
        connectors=tuple(read["connectors"]),
        security_profiles=tuple(read["security_profiles"]),
        cipher_suites=tuple(read["cipher_suites"]),
        triggers=frozenset(read["triggers"]),
        items=dict(read["items"]),
    )
