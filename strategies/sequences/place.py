"""What a station has that a scenario is played at.

Knows what the station said of itself, and stands in with defaults where it said nothing. Must not know any scenario.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from strategies.pool import Pool, PoolVariable

TOKEN = ("04A1B2C3", "ISO14443")
OTHER_TOKEN = ("04D4E5F6", "ISO14443")


@dataclass(frozen=True, slots=True)
class Place:
    """The station that a scenario is played at: its EVSEs, tokens and variables.

    `boot_s` is how long its boot may take, `prompt_s` what it was told to say (36 s in the certificate).
    """

    pool: Pool = field(default_factory=Pool)
    boot_s: float = 30.0
    prompt_s: float = 12.0

    @property
    def evses(self) -> tuple[int, ...]:
        """Its EVSEs; one where it named none."""
        return self.pool.evse_ids or (1,)

    @property
    def connectors(self) -> Sequence[tuple[int, int]]:
        """Its connectors as pairs of EVSE and connector; the first of each EVSE where it named none."""
        named = {(v.evse_id, v.connector_id) for v in self.pool.variables}
        pairs = sorted((e, c) for e, c in named if e and c)
        return pairs or [(evse, 1) for evse in self.evses]

    @property
    def tokens(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Two different tokens, as pairs of idToken and type."""
        known = [t for t in self.pool.id_tokens if t[0] and " " not in t[0]]
        first, second, *_ = (*known, TOKEN, OTHER_TOKEN)
        return first, second

    def variable(self, name: str) -> PoolVariable | None:
        """The writable variable of this name (`TxCtrlr.TxStartPoint`, an instance behind a slash), if its value is known."""
        for v in self.pool.variables:
            if v.name == name and v.mutability == "ReadWrite" and v.value is not None:
                return v
        return None

    def value(self, name: str, default: str) -> str:
        """The value of a variable, whether or not it is writable."""
        found = (v.value for v in self.pool.variables if v.name == name)
        return next((v for v in found if v is not None), default)
