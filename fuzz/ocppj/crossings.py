"""CALLs of both ends that cross: one is made while one of the other end's is open, or is on its way.

Knows histories. Must not know what an end may do then: oracles do.
"""

from __future__ import annotations

from collections.abc import Sequence

from fuzz.ocppj.history import Deed, Happening, History

EVER_S = float("inf")
BREAKS = (Deed.OPENED, Deed.CLOSED, Deed.ENDED)
"""What ends every CALL that is open."""

_ON_THE_WAY_S = 0.3
_GIVEN_UP = 0.9
"""The part of the target's MessageTimeout after which a CALL of its own may be over although nobody answered it."""


def open_before(whole: Sequence[Happening], index: int, within_s: float) -> Happening | None:
    """The target's CALL that was open at `index`, and that nothing we said could have closed."""
    for at in range(index - 1, -1, -1):
        h = whole[at]
        if h.deed in BREAKS or whole[index].at_s - h.at_s > within_s:
            return None
        if h.ours and h.case and h.deed in (Deed.OTHER, Deed.ANSWERED):
            return None  # perhaps a bad answer: whoever cannot read it may take it for one
        if h.deed is Deed.CALLED:
            return h if not 0 <= h.partner < index else None
    return None


def unanswered_crossing(seen: History, within_s: float) -> tuple[int, Happening] | None:
    """Where the first of our CALLs that was never answered stands, and the target's that it crossed; None if it did not.

    Where nothing was served before, there is no need of a crossing. How long one of the target's counts as open is
    `within_s`.
    """
    whole = seen.happenings
    first = next((i for i, h in enumerate(whole) if h.deed is Deed.ASKED and h.partner < 0), None)
    if first is None:
        return None
    crossed = open_before(whole, first, within_s) or _met(whole, first, within_s)
    return None if crossed is None else (first, crossed)


def _met(whole: Sequence[Happening], index: int, within_s: float) -> Happening | None:
    """The target's CALL that was on its way when ours at `index` was; none if the target made another one soon after.

    Whoever does has heard the answer to the first (FR.01), so that it waits for nothing, and is silent for another reason.
    """
    met: Happening | None = None
    for h in whole[index + 1 :]:
        if met is None and (h.deed in BREAKS or h.at_s - whole[index].at_s > _ON_THE_WAY_S):
            return None
        if met is not None and (h.deed in BREAKS or h.at_s - met.at_s >= _GIVEN_UP * within_s):
            return met
        if h.deed is Deed.CALLED:
            if met is not None:
                return None
            met = h
    return met
