from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from strategies.labels import JsonValue, Kind
from strategies.payloads import payloads, plausible_values
from strategies.pool import CertificateHash, Pool, PoolVariable
from strategies.primitives import primitive_faults
from strategies.version import version

MESSAGES = [(a, k) for a in version().actions for k in Kind]
POOL = Pool(
    variables=(
        PoolVariable("EVSE", "Power", evse_id=7, data_type="decimal", value="5.5"),
        PoolVariable("OCPPCommCtrlr", "HeartbeatInterval", data_type="integer", value="300"),
    ),
    evse_ids=(7,),
    connector_ids=(5,),
    request_ids=(4711,),
    transaction_ids=("tx-9",),
    id_tokens=(("ISO14443", "AABBCCDD"),),
    certificate_hashes=(CertificateHash("SHA256", "11", "22", "33"),),
)
# A clock is no property: every other health check stays on.
QUICK = settings(
    max_examples=20, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)


def drawn(action: str, pool: Pool, count: int = 60) -> list[JsonValue]:
    found: list[JsonValue] = []

    @settings(QUICK, max_examples=count, derandomize=True)
    @given(payloads(action, Kind.REQUEST, pool=pool))
    def collect(payload: JsonValue) -> None:
        found.append(payload)

    collect()
    return found


@pytest.mark.parametrize(("action", "kind"), MESSAGES)
@QUICK
@given(data=st.data())
def test_every_payload_is_valid_by_two_readers_and_by_every_primitive(
    action: str, kind: Kind, data: st.DataObject
) -> None:
    pool = data.draw(st.sampled_from([Pool(), POOL]))
    payload = data.draw(payloads(action, kind, pool=pool))
    version().validator(action, kind).validate(payload)
    assert jsonschema.Draft4Validator(version().raw_schema(action, kind)).is_valid(payload)
    assert primitive_faults(action, kind, payload) == []
    assert json.loads(json.dumps(payload)) == payload
    assert len(json.dumps(payload)) < 60_000


@pytest.mark.parametrize(
    ("action", "token"),
    [
        ("GetVariables", '"HeartbeatInterval"'),
        ("SetVariables", '"5.5"'),
        ("ChangeAvailability", '{"id": 7'),
        ("ChangeAvailability", '"connectorId": 5'),
        ("GetBaseReport", "4711"),
        ("GetTransactionStatus", '"tx-9"'),
        ("RequestStartTransaction", '"AABBCCDD"'),
        ("DeleteCertificate", '"serialNumber": "33"'),
        ("GetMonitoringReport", '"EVSE"'),
    ],
)
def test_the_pool_is_named_often_but_not_always(action: str, token: str) -> None:
    texts = [json.dumps(p) for p in drawn(action, POOL)]
    assert any(token in t for t in texts)
    assert not all(token in t for t in texts)


def test_an_empty_pool_names_nothing_of_another() -> None:
    assert not any("HeartbeatInterval" in json.dumps(p) for p in drawn("GetVariables", Pool()))


def test_a_customer_is_named_in_exactly_one_way() -> None:
    ways = {"idToken", "customerCertificate", "customerIdentifier"}
    for payload in drawn("CustomerInformation", Pool()):
        assert isinstance(payload, dict)
        assert len(ways & set(payload)) == 1


def test_no_authorization_has_an_empty_token() -> None:
    tokens = [p["idToken"] for p in drawn("Authorize", Pool(), 300) if isinstance(p, dict)]
    without = [t for t in tokens if isinstance(t, dict) and t["type"] == "NoAuthorization"]
    assert without
    assert {t["idToken"] for t in without} == {""}  # type: ignore[index]


def test_optional_members_come_and_go() -> None:
    members = [frozenset(p) for p in drawn("Reset", Pool()) if isinstance(p, dict)]
    assert frozenset({"type"}) in members
    assert frozenset({"type", "evseId"}) in members


def test_two_pools_give_two_strategies() -> None:
    other = replace(POOL, request_ids=(99,))
    assert payloads("Reset", Kind.REQUEST, pool=POOL) is payloads("Reset", Kind.REQUEST, pool=POOL)
    assert any("99" in json.dumps(p) for p in drawn("GetBaseReport", other))


@pytest.mark.parametrize(
    ("known", "values"),
    [
        (PoolVariable("C", "V", data_type="boolean", value="true"), ("true", "true", "false")),
        (PoolVariable("C", "V", data_type="integer", min_limit=1, max_limit=9), ("1", "9")),
        (PoolVariable("C", "V", data_type="OptionList", values=("a", "b")), ("a", "b")),
        (PoolVariable("C", "V"), ("1",)),
    ],
)
def test_a_variable_is_given_what_it_would_take(known: PoolVariable, values: tuple[str]) -> None:
    assert plausible_values(known) == values


def test_an_unknown_action_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        payloads("Nonsense", Kind.REQUEST)
