import json

import pytest

from fuzz.station.bench import Bench
from fuzz.station.defects import defects
from fuzz.station.events import CloseConnection, Exit, SendText

NUMBERS = ["P01", "P02", "P03", "P04", "P05", "P06", "P07", "P08", "P19", "P20", "P23", "P62"]


def symptom(commands):
    """What one message brought about, in the words of the registry."""
    match commands:
        case []:
            return "silence"
        case [Exit(code)]:
            return f"exit {code}"
        case [CloseConnection(code)]:
            return f"close {code}"
    texts = [command.text for command in commands if isinstance(command, SendText)]
    return json.loads(texts[0])


def play(message, *names):
    plants = [defects()[name].plant for name in names]
    return symptom(Bench(*plants).boot().hear(message))


witnesses = [(number, message) for number in NUMBERS for message in defects()[number].witness]
sudden = [
    (n, m) for n, m in witnesses if defects()[n].symptom.startswith(("exit", "close", "silence"))
]


def test_the_registry_holds_these_and_every_one_is_found_by_its_name_too():
    numbers = [key for key, found in defects().items() if key == found.number]
    assert numbers == NUMBERS
    assert all(defects()[found.name] is found for found in defects().values())


@pytest.mark.parametrize("number", NUMBERS)
def test_a_defect_says_what_it_does_in_one_sentence(number):
    assert defects()[number].text.endswith(".")


@pytest.mark.parametrize(("number", "message"), sudden)
def test_a_witness_shows_the_symptom_and_without_the_defect_it_is_answered(number, message):
    assert play(message, number) == defects()[number].symptom
    assert isinstance(play(message), list)


@pytest.mark.parametrize(("number", "message"), witnesses)
def test_a_witness_does_nothing_to_a_station_with_the_other_defects(number, message):
    healthy = play(message)
    for other in set(NUMBERS) - {number}:
        # Texts of 1001 brackets and 4301 digits are heavy; only their own defects may notice.
        assert play(message, other) == healthy, other


ordinary = [
    '[2,"q","ClearCache",{}]',
    '[2,"q","ClearCache",{"customData":{"vendorId":"v","evseId":9,"text":"'
    + "9" * 5000
    + "[" * 2000
    + '"}}]',
    '[2,"q","Reset",{"type":"OnIdle","evseId":2}]',
    '[2,"q","Reset",{"type":"OnIdle","evseId":"3"}]',
    '[2,"q","ChangeAvailability",{"operationalStatus":"Operative","evse":{"id":2,"connectorId":9}}]',
    '[2,"q","FooBar",{}]',
    '[2,"q",5,{}]',
    '[2,"q","Reset",{},1]',
    '[3,"nothing",{}]',
    '[4,"nothing","GenericError","",{}]',
    "not JSON",
    "{}",
    "[]",
    b"binary",
    '[2,"q","SetVariables",{"setVariableData":[{"attributeValue":"true","component":{"name":"AuthCtrlr"},"variable":{"name":"Enabled"}}]}]',
    '[2,"q","SetVariables",{"setVariableData":[{"attributeValue":"x","component":{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}}]}]',
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("message", ordinary)
def test_a_defect_stays_hidden_without_its_trigger(number, message):
    healthy = play(message)
    if (
        number == "P62"
        and isinstance(healthy, list)
        and healthy[-3:-2] == ["OccurrenceConstraintViolation"]
    ):
        pytest.skip("a missing member is its trigger")
    assert play(message, number) == healthy


@pytest.mark.parametrize("raw", ["null", "7", "{}", '"' + "x" * 37 + '"', '["a"]'])
def test_p08_echoes_an_id_as_it_is(raw):
    assert play(f'[2,{raw},"ClearCache",{{}}]', "P08")[:2] == [3, json.loads(raw)]
    assert play(f'[2,{raw},"ClearCache",{{}}]')[:2] == [4, "-1"]


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 3}}),
        ("TriggerMessage", {"requestedMessage": "Heartbeat", "evse": {"id": 3}}),
        (
            "GetVariables",
            {
                "getVariableData": [
                    {"component": {"name": "EVSE", "evse": {"id": 3}}, "variable": {"name": "x"}}
                ]
            },
        ),
    ],
)
def test_p19_dies_wherever_an_evse_is_named(action, payload):
    assert play(json.dumps([2, "q", action, payload]), "P19") == "exit 70"


def test_p20_stores_false_for_what_is_no_boolean():
    bench = Bench(defects()["bool-coerce"].plant).boot()
    names = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "Enabled"}}
    (result,) = bench.ask(
        "SetVariables", {"setVariableData": [{**names, "attributeValue": "maybe"}]}
    )[2]["setVariableResult"]
    assert result["attributeStatus"] == "Accepted"
    (read,) = bench.ask("GetVariables", {"getVariableData": [names]})[2]["getVariableResult"]
    assert read["attributeValue"] == "false"


def test_p23_answers_an_identifier_with_a_space():
    (message,) = defects()["P23"].witness
    assert play(message, "P23")[0] == 3
    assert play(message)[2] == "PropertyConstraintViolation"


def test_p62_uses_the_code_of_another_version_for_a_missing_member_only():
    (message,) = defects()["P62"].witness
    assert play(message, "P62")[2] == "OccurenceConstraintViolation"
    assert (
        play('[2,"q","GetVariables",{"getVariableData":[]}]', "P62")[2]
        == "OccurrenceConstraintViolation"
    )


def test_p02_is_quiet_up_to_255_characters():
    text = '[2,"1","Reset",{"x":"' + "x" * 231 + '"}]'
    assert len(text) == 255
    assert play(text, "P02")[0] == 4
    assert play(text.replace("xx", "xxx", 1), "P02") == "exit 70"


def test_p06_counts_digits_of_integers_outside_strings_only():
    assert play("9" * 4300, "P06")[0] == 4
    assert (
        play('[2,"q","ClearCache",{"customData":{"vendorId":"v","n":-' + "9" * 4301 + "}}]", "P06")
        == "close 1011"
    )
    assert play("0." + "9" * 5000, "P06")[0] == 4
