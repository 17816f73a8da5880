"""Fills the slots of a case's texts when they are said, and hides what was filled in when it is secret.

Knows the slot names; must not know what a message means.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from strategies.labels import Text, spell

_CALL_ID = re.compile(r"\{call\.id(?::(\d{1,2}))?\}")
_SLOT = re.compile(r"\{([a-z]+\.[a-z0-9.-]+)\}")


def message_ids(token: str) -> Iterator[str]:
    """Ids that never repeat within a run: `token`, a dash, a number (OCPP-J 4.1.4 allows 36 characters).

    All are equally long: a case that fails by its length alone must fail again under another id.
    """
    return (f"{token}-{n:08x}" for n in itertools.count(1))


@dataclass(slots=True)
class Slots:
    """Values for the slots of one play.

    `{call.id}` is a fresh id for each message (`{call.id:36}` padded to 36 characters), `{call.previous}` the id of
    the message before. `named` are what the target named last (`{asked.id}` and `{asked.previous}`, the ids of its
    latest CALLs, `{tx.id}`, `{root.serial}` of the certificate that it listed), the addresses of our catcher
    (`{canary.url}`), `{csms.url}`, where the target called us first, without its identity, and `{time.now}`, the
    present time in scenes. All others are looked up in `values`, and left as they are when unknown.
    """

    ids: Iterator[str]
    values: Mapping[str, str] = field(default_factory=dict)
    last_id: str = ""
    named: dict[str, str] = field(default_factory=dict)

    def fill(self, text: Text) -> str:
        """The text as it goes on the wire."""
        spelled = spell(text)
        if "{call.previous}" in spelled:
            spelled = spelled.replace("{call.previous}", self.last_id)
        if "{call.id" in spelled:
            self.last_id = next(self.ids)
            spelled = _CALL_ID.sub(lambda m: self.last_id.ljust(int(m.group(1) or 0), "x"), spelled)
        return self.fill_values(spelled)

    def fill_values(self, spelled: str) -> str:
        """The text with every slot filled but those for ids of its own."""
        if "{" not in spelled or not (self.values or self.named):
            return spelled
        return _SLOT.sub(lambda m: self._value(m.group(1), m.group(0)), spelled)

    def _value(self, name: str, as_it_is: str) -> str:
        found = self.values.get(name)
        return self.named.get(name, as_it_is) if found is None else found
