import pytest

from fuzz.station.transaction import Session, begins, charging_state, limits_of, restored


@pytest.mark.parametrize(
    ("session", "flowing", "state"),
    [
        (Session(1), False, "Idle"),
        (Session(1, 1, 1), False, "EVConnected"),
        (Session(1, 1, 1, authorized=True), False, "EVConnected"),
        (Session(1, 1, 1, authorized=True), True, "Charging"),
        (Session(1, 1, 1, authorized=True, energised=True), False, "SuspendedEV"),
        (Session(1, 1, 1, authorized=True, denied=True), False, "SuspendedEVSE"),
    ],
)
def test_the_charging_state_follows_from_the_session(session, flowing, state):
    assert charging_state(session, flowing=flowing) == state


def test_a_start_point_that_nobody_knows_never_holds():
    assert not begins(["DataSigned", ""], Session(1, 1, 1, authorized=True), flowing=True)


def test_a_session_survives_with_its_number():
    session = Session(1, 2, 1, transaction="T", seq_no=4, evse_told=True)
    again = restored(9, session.lasting())
    assert (again.transaction, again.seq_no, again.evse, again.evse_told) == ("T", 4, 2, True)


@pytest.mark.parametrize(
    ("listed", "limits"), [(None, set()), ([], set()), ([2, 1.0, "x"], {1, 2}), ("x", set())]
)
def test_only_numbers_limit_the_evses(listed, limits):
    assert limits_of({"evseId": listed}) == limits
