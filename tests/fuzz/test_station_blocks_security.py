import pytest
from hypothesis import given, strategies as st

from fuzz.station.bench import Bench
from fuzz.station.blocks.security import CRITICAL
from fuzz.station.events import (
    CloseConnection,
    Connected,
    Failure,
    MaintenanceLogin,
    PowerOn,
    SendText,
    ShiftClock,
    Tamper,
)

SECRET = "a-new-password-of-mine"
SET_PASSWORD = (
    '[2,"p","SetVariables",{"setVariableData":[{"component":{"name":"SecurityCtrlr"},'
    f'"variable":{{"name":"BasicAuthPassword"}},"attributeValue":"{SECRET}"}}]}}]'
)


def events(bench):
    return [f[3]["type"] for f in bench.said if f[0] == 2 and f[2] == "SecurityEventNotification"]


def test_an_event_that_was_not_confirmed_is_told_again_on_the_next_connection():
    bench = Bench().start()
    bench.answer({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    bench.answer({})
    bench.answer({})
    assert events(bench) == ["StartupOfTheDevice"]
    bench.lose()
    bench.do(Connected())
    bench.settle()
    assert events(bench) == ["StartupOfTheDevice"] * 2


def test_an_event_that_was_refused_is_not_told_again():
    bench = Bench().start()
    bench.answer({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    bench.answer({})
    bench.answer({})
    bench.hear(f'[4,"{bench.asked[1]}","NotSupported","",{{}}]')
    bench.lose()
    bench.do(Connected())
    bench.settle()
    assert events(bench) == ["StartupOfTheDevice"]


def test_a_jump_of_the_clock_is_an_event_and_a_small_step_is_not():
    for moment, expected in (("2026-01-01T00:00:19Z", 1), ("2026-01-02T00:00:00Z", 2)):
        bench = Bench().start()
        bench.answer({"status": "Accepted", "currentTime": moment, "interval": 300})
        bench.settle()
        assert len(events(bench)) == expected


def log(bench):
    """The types of the events in the security log."""
    return [line.split(" ")[1] for line in bench.station._context.logbook.security]


def set_password(bench, value):
    item = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": value,
    }
    (result,) = bench.ask("SetVariables", {"setVariableData": [item]})[2]["setVariableResult"]
    return result["attributeStatus"]


# --- what becomes an event --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "kind", "pushed"),
    [
        (Failure.CSMS_CERTIFICATE, "InvalidCsmsCertificate", True),
        (Failure.TLS_VERSION, "InvalidTLSVersion", True),
        (Failure.CIPHER_SUITE, "InvalidTLSCipherSuite", True),
        (Failure.REFUSED, "FailedToAuthenticateAtCsms", False),
    ],
)
def test_what_keeps_the_station_from_connecting_is_one_event_however_often_it_fails(
    failure, kind, pushed
):
    bench = Bench().boot()
    for _ in range(2):
        bench.lose()
        for _ in range(3):
            bench.lose(failure)
        assert kind not in events(bench) or pushed
        bench.do(Connected())
        bench.settle()
    assert log(bench).count(kind) == 2
    assert events(bench).count(kind) == (2 if pushed else 0)


def test_an_unreachable_csms_is_no_event():
    bench = Bench().boot()
    before = log(bench)
    bench.lose()
    bench.lose(Failure.UNREACHABLE)
    assert log(bench) == before


def test_a_reboot_that_was_asked_for_is_told_apart_from_a_start():
    bench = Bench().boot()
    bench.ask("Reset", {"type": "Immediate"})
    bench.do(PowerOn())
    assert log(bench) == ["StartupOfTheDevice", "ResetOrReboot"]


def test_tampering_and_maintenance_are_events_and_a_login_names_the_user():
    bench = Bench().boot()
    for event in (Tamper(), MaintenanceLogin("eve"), MaintenanceLogin("eve", accepted=False)):
        bench.do(event)
        bench.settle()
    assert events(bench)[1:] == [
        "TamperDetectionActivated",
        "MaintenanceLoginAccepted",
        "MaintenanceLoginFailed",
    ]
    assert bench.asked[3]["techInfo"] == "{'user': 'eve', 'origin': 'local'}"


@given(st.text(max_size=400))
def test_any_user_name_makes_one_line_and_a_proper_message(user):
    bench = Bench().boot()
    bench.do(MaintenanceLogin(user))
    assert len(bench.asked[3]["techInfo"]) <= 255
    line = bench.station._context.logbook.security[-1]
    assert len(line.splitlines()) == 1


def test_the_station_s_own_setting_of_its_clock_is_an_event():
    bench = Bench().boot()
    bench.do(ShiftClock(3600))
    assert events(bench)[-1] == "SettingSystemTime"


def test_invalid_messages_are_logged_without_being_told_and_do_not_fill_the_log():
    bench = Bench().boot()
    for _ in range(5):
        bench.hear("nonsense")
        bench.ask("ClearCache", {"unknown": 1})
    assert log(bench).count("InvalidMessages") == 1
    bench.wait(60)
    bench.hear('[2,"q","ClearCache",[]]')
    assert log(bench).count("InvalidMessages") == 2
    assert "InvalidMessages" not in events(bench)


def test_a_message_that_is_in_order_but_not_served_is_no_event():
    bench = Bench().boot()
    assert bench.ask("ReserveNow", {})[0] == 4
    assert "InvalidMessages" not in log(bench)


def test_every_event_is_logged_and_the_critical_ones_are_told():
    bench = Bench().boot()
    told = len(events(bench))
    for kind in (*sorted(CRITICAL), "AttemptedReplayAttacks"):
        bench.station._context.security_event(kind, "")
    bench.do(Connected())
    bench.settle()
    assert log(bench)[1:] == [*sorted(CRITICAL), "AttemptedReplayAttacks"]
    assert events(bench)[told:] == sorted(CRITICAL)


# --- the password (A01) -----------------------------------------------------------------------------------


def test_a_new_password_is_answered_then_used_on_a_new_connection_and_never_shown():
    bench = Bench(password="the-first-password").boot()
    assert bench.station.credentials.password == "the-first-password"
    bench.said.clear()
    commands = bench.hear(SET_PASSWORD)
    kinds = [type(command) for command in commands]
    assert kinds.index(SendText) < kinds.index(CloseConnection)
    assert bench.station.credentials.password == SECRET
    assert log(bench)[-1] == "ReconfigurationOfSecurityParameters"
    logbook = bench.station._context.logbook
    assert SECRET not in "".join([*logbook.security, *logbook.diagnostics, str(bench.said)])


@pytest.mark.parametrize(
    ("edition", "value", "status"),
    [
        ("ed3", "x" * 15, "Rejected"),
        ("ed3", "x" * 16, "Accepted"),
        ("ed3", "x" * 40, "Accepted"),
        ("ed3", "x" * 41, "Rejected"),
        ("ed3", "ä" * 20, "Rejected"),
        ("2025-09", "ä b" * 8, "Accepted"),
        ("2025-09", "ä" * 15, "Rejected"),
        ("2025-09", "ä" * 41, "Rejected"),
    ],
)
def test_a_password_has_the_length_and_characters_of_its_edition(edition, value, status):
    bench = Bench(password="the-first-password", edition=edition).boot()
    assert set_password(bench, value) == status
    expected = value if status == "Accepted" else "the-first-password"
    assert bench.station.credentials.password == expected


def test_with_security_profile_3_a_new_password_closes_no_connection():
    bench = Bench(security_profile=3, csms="wss://localhost").boot()
    commands = bench.hear(SET_PASSWORD)
    assert bench.station.credentials.password == SECRET
    assert not any(isinstance(command, CloseConnection) for command in commands)
