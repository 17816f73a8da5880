"""A station comes back with the password, the identity and to the address that were agreed; the unknown is not wrong."""

import json

import pytest

from fuzz.ocppj.history import arrival
from fuzz.records import Misbehave
from fuzz.testing import case, note, scene, spoken, target, us
from strategies.labels import Expectation, Stance, Tier

REFUSED, NOT_NEW = ["O29 a refused password"], ["O29 not the new password"]
ELSEWHERE = ["O29 another address"]


def o29(*parts, obs=None):
    entries = [entry for part in parts for entry in part]
    return [line for line in spoken(obs or scene(*entries)) if line.startswith("O29")]


def opened(secret="", path="/ocpp/CS-1"):
    return [note(1, "open", arrival(path, secret))]


def set_to(value, status, *, name="BasicAuthPassword", component="SecurityCtrlr"):
    """SetVariables of one variable; no answer where there is no status, a CALLERROR where it is one of its codes."""
    item = {"component": {"name": component}, "variable": {"name": name}}
    asked = [2, "s", "SetVariables", {"setVariableData": [{**item, "attributeValue": value}]}]
    if not status:
        return [us(0, asked)]
    result = [3, "s", {"setVariableResult": [{**item, "attributeStatus": status}]}]
    return [us(0, asked), target(0, [4, "s", status, "", {}] if "Error" in status else result)]


# --- passwords --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "parts",
    [
        [opened("a"), set_to("b", "Rejected"), opened("b")],
        [opened("a"), set_to("b", "InternalError"), opened("b")],
        [set_to("a", "Accepted"), opened("a"), set_to("b", "Rejected"), opened("b")],
        [set_to("a", "Accepted"), set_to("b", "Rejected"), opened("b")],
        [set_to("a", "RebootRequired"), set_to("b", "Rejected"), opened("b")],
        [opened("a"), set_to("b", "Rejected"), opened("a"), opened("b")],
    ],
    ids=["rejected", "error", "after another", "at once", "before the reboot", "later"],
)
def test_a_refused_password_that_is_used_is_a_finding(parts):
    assert o29(*parts) == REFUSED


@pytest.mark.parametrize(("size", "how"), [(12, "short"), (15, "short"), (65, "long")])
@pytest.mark.parametrize("status", ["Accepted", "RebootRequired"])
def test_a_password_of_a_length_that_nobody_allows_is_a_finding(size, how, status):
    taken = set_to(f"{{secret.password.{size}}}", status)
    assert o29(opened("a"), taken) == [f"O29 a password that is too {how}"]


@pytest.mark.parametrize(("size", "status"), [(12, "Rejected"), (16, "Accepted"), (64, "Accepted")])
def test_a_password_that_is_refused_or_may_be_as_long_is_right(size, status):
    assert o29(opened("a"), set_to(f"{{secret.password.{size}}}", status)) == []


def test_a_new_password_that_is_not_used_is_a_finding():
    assert o29(opened("a"), set_to("b", "Accepted"), opened("a")) == NOT_NEW


@pytest.mark.parametrize(
    "parts",
    [
        [opened("a"), set_to("b", "Rejected"), opened("a")],
        [opened("a"), set_to("b", "Accepted"), opened("b"), opened("b")],
        [opened("a"), set_to("b", "Rejected"), set_to("b", "Accepted"), opened("b")],
        [opened("a"), set_to("b", "RebootRequired"), opened("a"), opened("b")],
        [opened("a"), set_to("b", None), opened("b")],
        [set_to("b", "Rejected"), opened("b")],
        [opened("b"), set_to("b", "Rejected"), opened("b")],
        [opened("a"), set_to("b", "Rejected"), opened()],
        [opened("a"), set_to("b", "Rejected", name="Other"), opened("b")],
        [opened("a"), set_to("b", "Rejected", component="Other"), opened("b")],
        [opened("a"), set_to("{secret.password}", "Accepted"), opened("{secret.password.20}")],
    ],
)
def test_the_agreed_password_and_what_nobody_knows_are_right(parts):
    assert o29(*parts) == []


def test_two_passwords_at_once_settle_nothing():
    item = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    asked = [{**item, "attributeValue": value} for value in "bc"]
    told = [{**item, "attributeStatus": "Rejected"}] * 2
    both = [
        us(0, [2, "s", "SetVariables", {"setVariableData": asked}]),
        target(0, [3, "s", {"setVariableResult": told}]),
    ]
    assert o29(opened("a"), both, opened("b")) == []


def test_nothing_is_said_of_a_station_that_was_received_badly():
    entries = [*opened("a"), *set_to("b", "Rejected"), *opened("b")]
    seen = scene(*entries)
    badly = case(Expectation(Stance.UNSPECIFIED, Tier.MODEL), steps=[Misbehave("503", 1)])
    assert o29(obs=type(seen)(badly, seen.facts, entries=entries)) == []


def test_a_refused_identity_that_is_used_is_a_finding():
    refused = set_to("CS:2", "Rejected", name="Identity")
    assert o29(opened(), refused, opened(path="/ocpp/cs%3A2")) == ["O29 a refused identity"]
    assert o29(opened(), refused, opened()) == []
    taken = set_to("CS-2", "Accepted", name="Identity")
    assert o29(opened(), taken, opened()) == []


# --- addresses --------------------------------------------------------------------------------------------------

BOOT = [target(2, [2, "b", "BootNotification", {"reason": "RemoteReset"}])]
HOME, OTHER = "/ocpp/CS-1", "/other/CS-1"


def profile(url, status="Accepted", slot=1):
    asked = {"configurationSlot": slot, "connectionData": {"ocppCsmsUrl": url}}
    return [us(0, [2, "p", "SetNetworkProfile", asked]), target(0, [3, "p", {"status": status}])]


def uses(slot):
    variable = {"name": "ActiveNetworkProfile"}
    told = {"variable": variable, "attributeStatus": "Accepted", "attributeValue": str(slot)}
    answer = {"getVariableResult": [told]}
    return [us(3, [2, "g", "GetVariables", {}]), target(3, [3, "g", answer])]


SET = profile("ws://csms.test/other")


@pytest.mark.parametrize(
    "parts",
    [
        [SET, opened(path=HOME), BOOT, uses(1)],
        [opened(path=HOME), uses(0), SET, opened(path=OTHER), BOOT, uses(0)],
        [opened(path=HOME), uses(0), SET, opened(path=OTHER), BOOT, uses(1), opened(path=OTHER), BOOT, uses(0)],
        [profile("wss://csms.test"), opened(path=HOME), BOOT, uses(1)],
    ],
    ids=["never used", "said wrongly", "not gone back", "at the top"],
)  # fmt: skip
def test_another_address_than_that_of_the_profile_in_use_is_a_finding(parts):
    assert o29(*parts) == ELSEWHERE


@pytest.mark.parametrize(
    "parts",
    [
        [SET, opened(path=OTHER), BOOT, uses(1)],
        [profile("ws://csms.test/other/CS-1"), opened(path=OTHER), BOOT, uses(1)],
        [profile("ws://csms.test/other/"), opened(path=OTHER), BOOT, uses(1)],
        [profile("ws://csms.test"), opened(path="/CS-1"), BOOT, uses(1)],
        [opened(path=HOME), uses(0), SET, opened(path=OTHER), BOOT, uses(1), opened(path=HOME), BOOT, uses(0)],
        [SET, opened(path=HOME), BOOT, uses(0)],
        [SET, opened(path=HOME), uses(1)],
        [SET, uses(1)],
        [SET, BOOT, uses(1)],
        [profile("ws://csms.test/other", "Rejected"), opened(path=HOME), BOOT, uses(1)],
        [SET, profile("ws://csms.test/ocpp", "Rejected"), opened(path=HOME), BOOT, uses(1)],
        [profile("http://csms.test/other"), opened(path=HOME), BOOT, uses(1)],
        [profile("ws://csms.test/other?a=b"), opened(path=HOME), BOOT, uses(1)],
        [profile("ws://[/other"), opened(path=HOME), BOOT, uses(1)],
        [SET, opened(path=HOME), BOOT, uses("none")],
        [SET, opened(path=""), BOOT, uses(1)],
    ],
)  # fmt: skip
def test_the_address_of_the_profile_and_what_nobody_knows_are_right(parts):
    assert o29(*parts) == []


def test_what_the_transcript_tells_is_plain_text():
    assert json.dumps(arrival("/ocpp/CS-1", "x")) == (
        '"a new connection to /ocpp/CS-1 with the password x"'
    )
