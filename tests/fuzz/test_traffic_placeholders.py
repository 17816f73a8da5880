import json

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.engine.validity import class_of
from fuzz.traffic.events import Secret
from fuzz.traffic.placeholders import PASSWORD, Placeholders
from strategies.labels import JsonObject, JsonValue, Kind
from strategies.payloads import payloads
from strategies.primitives import EXPIRED_CERTIFICATE, LAB_CSR
from strategies.version import version

CHAIN = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def fresh() -> Placeholders:
    return Placeholders(version())


def hide(action: str, payload: JsonValue, by: Placeholders | None = None) -> JsonValue:
    text = json.dumps(payload)
    return json.loads((by or fresh()).hidden(text, action, payload, ()))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("action", "payload", "hidden"),
    [
        (
            "Authorize",
            {"idToken": {"idToken": "04A2B3C4", "type": "ISO14443"}},
            {"idToken": {"idToken": "00000001", "type": "ISO14443"}},
        ),
        (
            "Authorize",
            {"idToken": {"idToken": "", "type": "NoAuthorization"}},
            {"idToken": {"idToken": "", "type": "NoAuthorization"}},
        ),
        (
            "BootNotification",
            {"chargingStation": {"serialNumber": "SN-77-88-99-00", "model": "m"}},
            {"chargingStation": {"serialNumber": "SERIAL00000001", "model": "m"}},
        ),
        (
            "CertificateSigned",
            {"certificateChain": CHAIN * 2},
            {"certificateChain": EXPIRED_CERTIFICATE * 2},
        ),
        ("InstallCertificate", {"certificate": "no PEM"}, {"certificate": "CERTIFICATE0001"}),
        ("SignCertificate", {"csr": CHAIN.replace("CATE", "CATE REQUEST")}, {"csr": LAB_CSR}),
        (
            "NotifyReport",
            {
                "reportData": [
                    {
                        "variable": {"name": "Identity"},
                        "variableAttribute": [{"value": "CS-0042-77"}],
                    }
                ]
            },
            {
                "reportData": [
                    {
                        "variable": {"name": "Identity"},
                        "variableAttribute": [{"value": "IDENTITY0001"}],
                    }
                ]
            },
        ),
        (
            "SetNetworkProfile",
            {
                "connectionData": {
                    "apn": {"apn": "a.b", "simPin": 1234},
                    "ocppCsmsUrl": "wss://u:p@h.example:1/x?y",
                }
            },
            {
                "connectionData": {
                    "apn": {"apn": "host0001.invalid", "simPin": 0},
                    "ocppCsmsUrl": "wss://host0002.invalid/",
                }
            },
        ),
        ("DataTransfer", {"data": {"password": "x"}}, {"data": {"password": "SECRET0001"}}),
        ("NotifyCustomerInformation", {"data": "Jane Doe"}, {"data": "TEXT0001"}),
        ("DataTransfer", {"data": "Jane Doe"}, {"data": "Jane Doe"}),
    ],
)
def test_what_must_not_leave_is_replaced_where_it_stands(
    action: str, payload: JsonValue, hidden: JsonValue
) -> None:
    assert hide(action, payload) == hidden


@pytest.mark.parametrize(("length", "slot"), [(15, False), (16, True), (40, True), (41, False)])
def test_a_new_password_of_a_proper_length_becomes_the_slot_that_keeps_us_able_to_get_in(
    length: int, slot: bool
) -> None:
    item = {"variable": {"name": "BasicAuthPassword"}, "attributeValue": "p" * length}
    hidden = hide("SetVariables", {"setVariableData": [item]})
    assert (PASSWORD in json.dumps(hidden)) is slot
    assert "ppp" not in json.dumps(hidden)


def test_a_value_has_one_placeholder_all_over_and_another_value_another() -> None:
    by = fresh()
    assert by.of(Secret.TOKEN, "one") == by.of(Secret.SERIAL, "one") == "TOKEN0001"
    assert by.of(Secret.TOKEN, "two") == "TOKEN0002"
    assert fresh().of(Secret.TOKEN, "two") == "TOKEN0001"


def test_what_is_known_is_replaced_in_free_text_and_in_names_of_members() -> None:
    by = fresh()
    by.learn(Secret.IDENTITY, "CS-0042")
    by.learn_from("Authorize", {"idToken": {"idToken": "AB12CD34EF"}})
    hidden = hide("DataTransfer", {"data": {"x-CS-0042-y": "token=AB12CD34EF, Accepted"}}, by)
    assert hidden == {"data": {"x-IDENTITY0001-y": "token=0000000001, Accepted"}}


def test_what_a_reader_drops_is_hidden_as_well() -> None:
    text = '{"a":{"idToken":"04AABBCCDD"},"a":1,"idToken":"11223344","idToken":""}'
    hidden = fresh().hidden(text, "DataTransfer", json.loads(text), ())
    assert hidden == '{"a":{"idToken":"0000000001"},"a":1,"idToken":"00000002","idToken":""}'


def test_words_of_the_schemas_stay_whatever_somebody_is_called() -> None:
    by = fresh()
    by.learn_from("Authorize", {"idToken": {"idToken": "Accepted"}})
    assert hide("StatusNotification", {"status": "Accepted"}, by) == {"status": "Accepted"}


def test_what_looks_like_a_slot_stays_text_and_fetches_nothing() -> None:
    text = '{"data":"{secret.password} {call.id} { plain }","{tx.id}":1}'
    hidden = fresh().hidden(text, "DataTransfer", json.loads(text), ())
    assert "{secret" not in hidden
    assert "{call" not in hidden
    assert "{tx" not in hidden
    assert json.loads(hidden) == json.loads(text)


def test_a_message_that_is_no_json_is_cleared_as_far_as_its_words_tell() -> None:
    by = fresh()
    by.learn(Secret.IDENTITY, "CS-0042")
    assert by.odd(b'[2,"1",{"idToken":"04AABB","x":"CS-0042\xff') == (
        b'[2,"1",{"idToken":"TOKEN0001","x":"IDENTITY0001\xff'
    )


def test_a_text_that_is_called_like_a_host_grows_no_longer() -> None:
    connection: JsonObject = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://lab.example/0",
        "messageTimeout": 1,
        "securityProfile": 1,
        "ocppInterface": "Wired0",
        "apn": {"apn": "home", "apnAuthentication": "CHAP", "preferredNetwork": "home"},
    }
    payload: JsonObject = {"configurationSlot": 1, "connectionData": connection}
    by = fresh()
    by.learn_from("SetNetworkProfile", payload)
    hidden = hide("SetNetworkProfile", payload, by)
    assert version().validator("SetNetworkProfile", Kind.REQUEST).is_valid(hidden)
    assert "home" not in str(hidden)


def test_a_text_that_is_the_same_as_a_secret_grows_no_longer() -> None:
    connection: JsonObject = {
        "ocppVersion": "OCPP20",
        "ocppTransport": "JSON",
        "ocppCsmsUrl": "wss://lab.example/0",
        "messageTimeout": 1,
        "securityProfile": 1,
        "ocppInterface": "Wired0",
        "apn": {"apn": "0", "apnAuthentication": "CHAP", "preferredNetwork": "0000"},
        "vpn": {"server": "0", "user": "0", "password": "0", "key": "0000", "type": "IKEv2"},
    }
    payload: JsonObject = {"configurationSlot": 1, "connectionData": connection}
    by = fresh()
    by.learn_from("SetNetworkProfile", payload)
    hidden = hide("SetNetworkProfile", payload, by)
    assert version().validator("SetNetworkProfile", Kind.REQUEST).is_valid(hidden)
    assert "0000" not in str(hidden)[-120:]


@settings(max_examples=250, deadline=None, database=None)
@given(st.data())
def test_any_valid_payload_stays_valid(data: st.DataObject) -> None:
    action = data.draw(st.sampled_from(sorted(version().actions)))
    kind = data.draw(st.sampled_from(list(Kind)))
    payload = data.draw(payloads(action, kind))
    by = fresh()
    by.learn_from(action, payload)
    hidden = hide(action, payload, by)
    assert not list(version().validator(action, kind).iter_errors(hidden)), hidden
    assert class_of(version(), action, hidden, kind) is not None
