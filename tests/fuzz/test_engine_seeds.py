import json
from dataclasses import replace

import pytest

from fuzz.engine.seeds import MAX_SEED_CHARS, MAX_SEEDS, Seeds, valid_payload
from fuzz.records import Case, Observation, SendText, Side, TargetFacts
from fuzz.testing import error, result
from strategies.labels import Expectation, Fault, Stance, Tier
from strategies.version import version

ACCEPT = Expectation(Stance.ACCEPT, Tier.MODEL)


def _case(payload: str = '{"vendorId":"lab"}', action: str = "DataTransfer") -> Case:
    text = f'[2,"{{call.id}}","{action}",{payload}]'
    return Case("one", Side.STATION, (SendText((text,)),), ACCEPT, action=action)


def _seen(case: Case, *replies: object) -> Observation:
    return Observation(case, TargetFacts(Side.STATION), replies=tuple(replies))  # type: ignore[arg-type]


def _seeds(*cases: Case) -> Seeds:
    made = Seeds(version())
    made.add(cases)
    return made


def test_a_valid_call_gives_its_payload() -> None:
    assert valid_payload(_case(), version()) == {"vendorId": "lab"}


@pytest.mark.parametrize(
    "case",
    [
        replace(_case(), expectation=Expectation(Stance.REJECT, Tier.SCHEMA, Fault.MISSING)),
        _case("{}"),
        _case("[]"),
        replace(_case(), action="Reset"),
        replace(_case(), steps=()),
        replace(_case(), steps=(SendText(('["not a call"]',)),)),
        _case(
            '{"setVariableData":[{"component":{"name":"SecurityCtrlr"},'
            '"variable":{"name":"BasicAuthPassword"},"attributeValue":"0123456789abcdef"}]}',
            "SetVariables",
        ),
    ],
    ids=["hostile", "broken", "no object", "other action", "no step", "no call", "credential"],
)
def test_anything_else_gives_none(case: Case) -> None:
    assert valid_payload(case, version()) is None


def test_equal_payloads_are_kept_once() -> None:
    assert _seeds(_case(), _case('{ "vendorId" : "lab" }')).snapshot() == {
        "DataTransfer": ({"vendorId": "lab"},)
    }


def test_long_payloads_are_not_kept() -> None:
    long = _case('{"vendorId":"lab","data":"' + "x" * MAX_SEED_CHARS + '"}')
    assert _seeds(long).snapshot().get("DataTransfer", ()) == ()


def test_no_action_gets_more_than_its_share() -> None:
    many = [_case(f'{{"vendorId":"lab{n}"}}') for n in range(MAX_SEEDS + 5)]
    assert len(_seeds(*many).snapshot()["DataTransfer"]) == MAX_SEEDS


def test_what_makes_the_target_do_something_new_is_kept() -> None:
    seeds = Seeds(version())
    seeds.learn(_seen(_case('{"vendorId":"a"}'), result({"status": "Rejected"})))
    seeds.learn(_seen(_case('{"vendorId":"b"}'), result({"status": "Rejected"})))
    seeds.learn(_seen(_case('{"vendorId":"c"}'), result({"status": "Accepted"})))
    seeds.learn(_seen(_case('{"vendorId":"d"}'), error("InternalError")))
    seeds.learn(_seen(_case('{"vendorId":"e"}')))
    kept = [p["vendorId"] for p in seeds.snapshot()["DataTransfer"]]  # type: ignore[index,call-overload]
    assert kept == ["a", "c", "d", "e"]


def test_the_statuses_of_items_count_as_well() -> None:
    seeds = Seeds(version())
    for n, status in enumerate(("Accepted", "UnknownVariable", "Accepted")):
        item = {"component": {"name": f"A{n}"}, "variable": {"name": "B"}}
        payload = json.dumps({"getVariableData": [item]})
        answer = result({"getVariableResult": [{"attributeStatus": status}]})
        seeds.learn(_seen(_case(payload, "GetVariables"), answer))
    assert len(seeds.snapshot()["GetVariables"]) == 2


def test_what_proves_nothing_is_not_kept() -> None:
    seeds = Seeds(version())
    seeds.learn(replace(_seen(_case(), result({})), inconclusive="it was about to restart"))
    assert seeds.snapshot() == {}


def test_a_snapshot_stays_as_it_was() -> None:
    seeds = _seeds(_case())
    before = seeds.snapshot()
    seeds.add([_case('{"vendorId":"other"}')])
    assert len(before["DataTransfer"]) == 1
