"""What both benches share: writing facts down, and saying why a case cannot go on.

Knows `Seen`. Must not know a peer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tlslab.registry import Need
from tlslab.seen import Check, Seen


class NotAsked(Exception):
    """What the case needs is not there; the text says what."""


class Unfinished(Exception):
    """The case could not be played to its end, and nothing is known of the peer because of it."""


@dataclass(slots=True, eq=False)
class Notes:
    """The facts of the case that is being played, and what there is to play it with.

    Attributes:
        seen: the facts so far; a new one for every case.
        available: what is there beyond a connection.
        memo: what one case leaves for later ones, such as that a control was accepted.
    """

    seen: Seen = field(default_factory=Seen, kw_only=True)
    available: frozenset[Need] = field(default=frozenset(), kw_only=True)
    memo: dict[str, object] = field(default_factory=dict, kw_only=True)

    def require(self, holds: object, what: str, came: object = "", *, remark: bool = False) -> None:
        """`what` must hold; it says so without values, which belong into `came`. A `remark` fails nothing."""
        self.seen.checks.append(Check(what, bool(holds), str(came), remark=remark))

    def record(self, name: str, value: object) -> None:
        """A fact for the report that nothing is expected of."""
        self.seen.records[name] = str(value)

    def remark(self, text: str) -> None:
        """Something worth a look, and no failure."""
        self.seen.remarks.append(text)

    def need(self, *needs: Need) -> None:
        """These are there. Raises `NotAsked` for the first that is not."""
        for need in needs:
            if need not in self.available:
                raise NotAsked(need)
