import pytest

from fuzz.station.states import AFTER_BOOT_ANSWER, ANSWERS, MAY_SAY, Registration, may_say


def test_every_state_has_its_row_in_every_table():
    assert set(MAY_SAY) == set(ANSWERS) == set(Registration)


def test_every_status_that_the_schema_knows_leads_to_a_state():
    assert set(AFTER_BOOT_ANSWER) == {"Accepted", "Pending", "Rejected"}


@pytest.mark.parametrize(
    ("state", "boot", "own", "triggered"),
    [
        ("off", False, False, False),
        ("booting", True, False, False),
        ("pending", True, False, True),
        ("rejected", False, False, False),
        ("accepted", True, True, True),
    ],
)
def test_what_may_be_said_in_each_state(state, boot, own, triggered):
    registration = Registration(state)
    assert may_say(registration, "BootNotification", triggered=False) is boot
    assert may_say(registration, "Heartbeat", triggered=False) is own
    assert may_say(registration, "Heartbeat", triggered=True) is triggered
