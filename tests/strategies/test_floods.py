from __future__ import annotations

import json

import pytest

from strategies.floods import FAILURES, Flood, Growth, floods, growths
from strategies.labels import Sender, spell
from strategies.version import version

UNREADABLE = {"not-json"}


@pytest.mark.parametrize("flood", floods(), ids=lambda f: f.name)
def test_a_flood_is_what_its_name_says(flood: Flood) -> None:
    text = spell(flood.text)
    if flood.name in UNREADABLE:
        with pytest.raises(ValueError, match="Unterminated"):
            json.loads(text)
    else:
        json.loads(text)
    assert (text[:3] in ("[3,", "[4,")) == flood.unasked
    assert flood.times > 0


@pytest.mark.parametrize("growth", growths(), ids=lambda g: g.name)
def test_a_growth_is_a_call_of_any_length(growth: Growth) -> None:
    one, two, three = (len(spell(growth.text(n))) for n in (1, 2, 3))
    assert three - two == two - one > 0
    call = json.loads(spell(growth.text(3)))
    assert call[0] == 2
    assert growth.action in ("", call[2])


def test_names_are_used_once_and_actions_exist_for_their_sender() -> None:
    for table in (floods(), growths()):
        names = [one.name for one in table]
        assert len(set(names)) == len(names)
        for one in table:
            senders = [Sender.CSMS, Sender.STATION] if one.sender is Sender.BOTH else [one.sender]
            assert not one.action or all(one.action in version().sent_by(s) for s in senders)
    assert len(set(FAILURES)) == len(FAILURES)
