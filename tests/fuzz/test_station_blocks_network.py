import pytest
from hypothesis import given, strategies as st

from fuzz.station.bench import Bench
from fuzz.station.device_model import Variable
from fuzz.station.events import Connect, Connected, Failure, Persist, PowerOn

CSMS = "CSMSRootCertificate"


@pytest.fixture(scope="module")
def root(mint):
    return mint("root", ca=True)


def profile(url="ws://other.test/ocpp", level=1, **changes):
    return {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": url,
        "messageTimeout": 45,
        "securityProfile": level,
        "ocppInterface": "Wired0",
        **changes,
    }


def set_profile(bench, slot=1, **changes):
    payload = {"configurationSlot": slot, "connectionData": profile(**changes)}
    answer = bench.ask("SetNetworkProfile", payload)[2]
    return answer["status"], answer.get("statusInfo", {}).get("reasonCode")


def prioritise(bench, value):
    item = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "NetworkConfigurationPriority"},
        "attributeValue": value,
    }
    (result,) = bench.ask("SetVariables", {"setVariableData": [item]})[2]["setVariableResult"]
    return result["attributeStatus"], result.get("attributeStatusInfo", {}).get("reasonCode")


def read(bench, component, name, **instance):
    item = {"component": {"name": component}, "variable": {"name": name, **instance}}
    (result,) = bench.ask("GetVariables", {"getVariableData": [item]})[2]["getVariableResult"]
    return result["attributeValue"]


def dialled(commands):
    return [
        (command.endpoint.url, command.endpoint.security_profile)
        for command in commands
        if isinstance(command, Connect)
    ]


def attempts(bench, count):
    """Where a station that starts dials, when nothing answers."""
    found = dialled(bench.do(PowerOn()))
    for _ in range(count - 1):
        bench.lose(Failure.UNREACHABLE)
        found += dialled(bench.wait(400))
    return [url for url, _ in found]


# --- SetNetworkProfile ------------------------------------------------------------------------------------


def test_a_sound_profile_is_stored_and_not_used_before_it_is_chosen():
    bench = Bench().boot()
    assert set_profile(bench) == ("Accepted", None)
    assert attempts(bench, 3) == ["ws://localhost"] * 3


@pytest.mark.parametrize("slot", [2, 999, -1, 2**31 - 1])
def test_a_slot_that_the_list_of_values_lacks_is_rejected(slot):
    assert set_profile(Bench().boot(), slot) == ("Rejected", "InvalidConfSlot")


def test_a_lower_security_profile_is_rejected():
    bench = Bench(security_profile=2, csms="wss://localhost").boot()
    assert set_profile(bench, level=1) == ("Rejected", "NoSecurityDowngrade")
    assert set_profile(bench, level=-3) == ("Rejected", "NoSecurityDowngrade")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ocppVersion": "OCPP16"},
        {"ocppTransport": "SOAP"},
        {"ocppInterface": "Wired3"},
        {"messageTimeout": 0},
        {"messageTimeout": -1},
        {"messageTimeout": 10**9},
        {"level": 4, "url": "wss://x"},
        {"level": 2},
        {"level": 1, "url": "wss://x"},
        {"url": "http://x"},
        {"url": "ws://"},
        {"url": "ws://x:0/"},
        {"url": "ws://x:99999/"},
        {"url": "ws://user:secret@x/"},
        {"url": "ws://x/?a=b"},
        {"url": "ws://x/ y"},
        {"url": "ws://x/\r\nHost: y"},
        {"url": "ws://\u00e4.test"},
        {"url": "ws://[::1"},
        {"vpn": {"server": "s", "user": "u", "password": "p", "key": "k", "type": "IPSec"}},
    ],
)
def test_content_that_the_station_cannot_use_is_rejected(wrong):
    bench = Bench().boot()
    assert set_profile(bench, **wrong) == ("Rejected", "InvalidNetworkConf")
    assert prioritise(bench, "1") == ("Rejected", "InvalidConfSlot")


@given(
    st.text(max_size=40).map("ws://".__add__) | st.text(max_size=40),
    st.integers(-(2**31), 2**31 - 1),
)
def test_whatever_the_profile_says_the_station_finds_back(url, timeout):
    bench = Bench().boot()
    status, _ = set_profile(bench, url=url, messageTimeout=timeout)
    chosen, _ = prioritise(bench, "1")
    assert (chosen == "RebootRequired") is (status == "Accepted")
    assert attempts(bench, 6)[-1] == "ws://localhost"


# --- NetworkConfigurationPriority -------------------------------------------------------------------------


def test_only_slots_that_hold_a_profile_can_be_chosen():
    bench = Bench().boot()
    assert prioritise(bench, "0,1") == ("Rejected", "InvalidConfSlot")
    assert prioritise(bench, "0,2") == ("Rejected", "InvalidValue")
    set_profile(bench)
    assert prioritise(bench, "1,0") == ("RebootRequired", None)
    assert read(bench, "OCPPCommCtrlr", "NetworkConfigurationPriority") == "1,0"


def test_tls_needs_a_root_and_security_profile_3_a_certificate_too(mint, root):
    for level, settings, expected in (
        (2, {}, "Rejected"),
        (2, {"roots": ((CSMS, mint("old", ca=True, days=(-9, -1)).pem),)}, "Rejected"),
        (2, {"roots": ((CSMS, root.pem),)}, "RebootRequired"),
        (3, {"roots": ((CSMS, root.pem),)}, "Rejected"),
        (3, {"roots": ((CSMS, root.pem),), "certificate": "none"}, "Rejected"),
        (3, {"roots": ((CSMS, root.pem),), "certificate": mint().pem}, "RebootRequired"),
    ):
        bench = Bench(**settings).boot()
        assert set_profile(bench, url="wss://other.test", level=level)[0] == "Accepted"
        assert prioritise(bench, "1,0")[0] == expected


@pytest.mark.parametrize(
    ("edition", "allowed", "expected"),
    [
        ("ed3", "true", "Rejected"),
        ("2025-09", "false", "Rejected"),
        ("2025-09", "true", "Accepted"),
    ],
)
def test_3_to_2_needs_the_errata_and_the_variable(edition, allowed, expected):
    bench = Bench(security_profile=3, csms="wss://x", edition=edition).boot()
    variable = Variable("SecurityCtrlr", "AllowSecurityProfileDowngrade", "boolean", access="RW")
    bench.station._context.model.redefine(variable)
    bench.station._context.model.write(variable, allowed)
    assert set_profile(bench, url="wss://other.test", level=2)[0] == expected
    assert set_profile(bench, level=1) == ("Rejected", "NoSecurityDowngrade")
    if expected == "Accepted":
        assert prioritise(bench, "1,0") == ("RebootRequired", None)
        bench.station._context.model.write(variable, "false")
        assert prioritise(bench, "1") == ("Rejected", "NoSecurityDowngrade")


# --- another CSMS -----------------------------------------------------------------------------------------


def moved(**changes):
    bench = Bench().boot()
    set_profile(bench, **changes)
    prioritise(bench, "1,0")
    bench.do(PowerOn())
    bench.do(Connected())
    bench.settle()
    return bench


def test_after_a_reboot_the_first_slot_is_dialled_and_tells_its_number_and_its_timeout():
    bench = moved()
    assert bench.asked[2] == "BootNotification"
    bench.answer({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    assert read(bench, "OCPPCommCtrlr", "ActiveNetworkProfile") == "1"
    assert read(bench, "OCPPCommCtrlr", "MessageTimeout", instance="Default") == "45"
    assert dialled(bench.lose() + bench.wait(60)) == [("ws://other.test/ocpp", 1)]


def test_each_slot_has_its_attempts_then_the_last_that_worked_is_dialled():
    bench = Bench().boot()
    set_profile(bench)
    prioritise(bench, "1,0")
    first, second = "ws://other.test/ocpp", "ws://localhost"
    assert attempts(bench, 8) == [first] * 3 + [second] * 5


def test_a_higher_security_profile_is_for_good(root):
    bench = Bench(roots=((CSMS, root.pem),)).boot()
    set_profile(bench, url="wss://other.test", level=2)
    prioritise(bench, "1,0")
    assert read(bench, "SecurityCtrlr", "SecurityProfile") == "1"
    bench.do(PowerOn())
    state = [c.state for c in bench.do(Connected()) if isinstance(c, Persist)][-1]
    bench.answer({"status": "Accepted", "currentTime": "2026-01-01T00:00:00Z", "interval": 300})
    assert read(bench, "SecurityCtrlr", "SecurityProfile") == "2"
    assert read(bench, "OCPPCommCtrlr", "NetworkConfigurationPriority") == "1"
    (line,) = [x for x in bench.station._context.logbook.security if "Reconfiguration" in x]
    assert line.endswith("SecurityProfile 2")
    assert set_profile(bench, slot=0) == ("Rejected", "NoSecurityDowngrade")
    assert prioritise(bench, "0")[0] == "Rejected"
    again = Bench(roots=((CSMS, root.pem),), lasting=state)
    assert attempts(again, 5) == ["wss://other.test"] * 5


def test_by_the_errata_another_slot_after_a_lost_connection_is_greeted_anew():
    bench = Bench(edition="2025-09").boot()
    set_profile(bench)
    prioritise(bench, "1,0")
    bench.lose()
    assert dialled(bench.wait(60)) == [("ws://other.test/ocpp", 1)]
    bench.said.clear()
    bench.do(Connected())
    assert bench.asked[2] == "BootNotification"


def test_the_profile_in_use_changes_at_the_next_reboot_only():
    bench = Bench().boot()
    assert set_profile(bench, slot=0, url="ws://new.test") == ("Accepted", None)
    bench.lose()
    assert dialled(bench.wait(60)) == [("ws://localhost", 1)]
    assert attempts(bench, 5) == ["ws://new.test"] * 3 + ["ws://localhost"] * 2
