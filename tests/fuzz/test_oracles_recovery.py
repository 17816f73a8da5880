import pytest

from fuzz.records import Probes, Settle, Side
from fuzz.testing import case, note, scene, spoken, target, us
from strategies.labels import Expectation, Stance, Tier

CUT, BACK = note(0, "operator", "cut-network"), note(2, "operator", "restore-network")
CYCLE = note(1, "operator", "power-cycle")
OPENED = note(3, "open", "a new connection")
IN_VAIN = note(63, "note", "waited in vain for BootNotification")
BOOT = target(4, [2, "b", "BootNotification", {"reason": "PowerUp"}])
EVENT = target(5, [2, "t", "TransactionEvent", {"seqNo": 0, "offline": True}])
GONE = Probes(same_connection=False, new_connection=False)


def o29(obs):
    return [line for line in spoken(obs) if line.startswith("O29")]


def reset(payload, status):
    return us(0, [2, "r", "Reset", payload]), target(0.1, [3, "r", {"status": status}])


# --- the boot that is owed --------------------------------------------------------------------------------------


@pytest.mark.parametrize("waited", [[IN_VAIN], [EVENT, target(40, "x")]], ids=["asked", "seen"])
def test_a_restart_without_a_boot_notification_is_a_finding(waited):
    assert o29(scene(CUT, CYCLE, BACK, OPENED, *waited)) == ["O29 no BootNotification"]


@pytest.mark.parametrize(
    "entries",
    [
        [CUT, CYCLE, BACK, OPENED, BOOT, IN_VAIN],
        [CUT, BACK, OPENED, IN_VAIN],
        [CUT, CYCLE, BACK, OPENED, EVENT],
        [CUT, CYCLE, BACK, OPENED, note(4, "note", "waited in vain for BootNotification")],
        [CUT, CYCLE, BACK, OPENED, note(9, "close", "1006"), IN_VAIN],
        [CUT, CYCLE, BACK, IN_VAIN],
        [CYCLE, CUT, OPENED, IN_VAIN],
        [CUT, CYCLE, BACK, OPENED, note(20, "note", "waited in vain for Heartbeat")],
    ],
    ids=["booted", "no-restart", "too-soon", "at-once", "lost-again", "no-link", "no-network", "other"],
)  # fmt: skip
def test_a_boot_that_is_not_owed_or_could_not_be_told_is_none(entries):
    assert o29(scene(*entries)) == []


def test_an_accepted_reset_owes_a_boot_but_not_one_of_an_evse():
    opened, after = note(3, "open"), [CUT, BACK, note(4, "open"), IN_VAIN]
    assert o29(scene(CUT, BACK, *reset({"type": "Immediate"}, "Accepted"), opened, IN_VAIN)) == [
        "O29 no BootNotification"
    ]
    assert o29(scene(*reset({"type": "Immediate", "evseId": 1}, "Accepted"), *after)) == []
    assert o29(scene(*reset({"type": "Immediate"}, "Rejected"), *after)) == []


# --- who stays away ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "entries",
    [
        [note(1, "close", "1006")],
        [CUT, BACK],
        [CYCLE],
        [note(1, "close", "1006"), note(2, "open"), note(3, "close", "1000")],
    ],
    ids=["hung-up", "network", "power", "second-time"],
)
def test_a_station_that_never_comes_back_is_a_finding(entries):
    assert o29(scene(*entries, probes=GONE, restart_asked=True)) == ["O29 not back"]


@pytest.mark.parametrize(
    ("entries", "probes"),
    [
        ([note(1, "close", "1006"), note(2, "open")], Probes(same_connection=True)),
        ([note(1, "close", "1006")], Probes(same_connection=False, new_connection=True)),
        ([note(1, "close", "1006")], Probes(same_connection=True)),
        ([CUT], GONE),
        ([note(1, "close", "1006"), note(2, "open")], GONE),
        ([], GONE),
    ],
    ids=["back", "back-later", "not-asked", "no-network", "was-back", "never-away"],
)
def test_a_station_that_came_back_or_could_not_is_none(entries, probes):
    assert o29(scene(*entries, probes=probes, restart_asked=True)) == []


def test_a_csms_dials_nobody():
    played = case(
        Expectation(Stance.UNSPECIFIED, Tier.MODEL), side=Side.CSMS, action="", steps=[Settle()]
    )
    entries = [note(1, "close", "1006")]
    assert o29(scene(*entries, played=played, probes=GONE, restart_asked=True)) == []


def test_a_station_that_stays_away_after_a_half_open_connection_was_cut_is_a_finding():
    dead = note(0, "close", "0"), note(9, "note", "the half-open connection was cut")
    assert o29(scene(*dead, probes=GONE, restart_asked=True)) == ["O29 not back"]
    assert o29(scene(*dead, note(10, "open", "a new connection"))) == []
    dialled_again = dead[0], note(4, "open", "a new connection"), dead[1]
    assert o29(scene(*dialled_again)) == []
