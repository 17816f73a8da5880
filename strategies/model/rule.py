"""What each topic of the model looks like to the model.

Knows when a rule is asked. Must not know any.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strategies.model.events import Event, Missed, Objection


class Rule:
    """One topic: takes in each event, and looks back at all of them when nothing more is seen."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with the next event; the facts take note of it only afterwards."""
        yield from ()

    def over(self, end_s: float, missed: Sequence[Missed]) -> Iterator[Objection]:
        """What is wrong with the whole, when nothing more is seen after `end_s`; `missed` was waited for in vain."""
        yield from ()
