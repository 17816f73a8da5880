import pytest

from fuzz.station.device_model import Variable, check_value, load_model

MODEL = "dc-2evse-ccs1"


@pytest.fixture
def model():
    return load_model(MODEL)


def reason(text, **members):
    return check_value(Variable(component="C", name="V", **members), text).reason


@pytest.mark.parametrize(
    ("data_type", "good", "bad"),
    [
        ("boolean", ["true", "false"], ["True", "maybe", "", "1", " true"]),
        (
            "integer",
            ["0", "-1", "2147483647", "-2147483648"],
            ["01", "+1", "1.0", "-0", "", "1 ", "12abc", "٣"],
        ),
        ("decimal", ["0", "-1.5", "0.000001"], ["1.", ".5", "1e3", "0.0000001", "NaN", ""]),
        ("identifierString", ["aZ09*-_=:+|@."], ["a b", "\N{SNOWMAN}"]),
        ("string", ["", "any thing"], ["x" * 1001]),
    ],
)
def test_a_value_must_have_the_form_of_its_type(data_type, good, bad):
    assert [reason(text, data_type=data_type) for text in good] == [""] * len(good)
    assert [reason(text, data_type=data_type) for text in bad] == ["InvalidValue"] * len(bad)


def test_a_number_must_be_inside_its_limits():
    limits = {"data_type": "integer", "minimum": 1, "maximum": 10}
    assert [reason(text, **limits) for text in ("0", "1", "10", "11")] == [
        "ValueTooLow",
        "",
        "",
        "ValueTooHigh",
    ]
    assert reason("9999999999", data_type="integer") == "ValueOutOfRange"


def test_a_list_holds_each_allowed_member_at_most_once():
    members = {"data_type": "MemberList", "values": ("A", "B")}
    texts = ["A", "B,A", "A,A", "C", "A,", "", "A, B"]
    assert [reason(text, **members) for text in texts] == ["", "", *["InvalidValue"] * 5]


def test_an_option_is_one_of_the_list():
    assert [reason(text, data_type="OptionList", values=("A", "B")) for text in ("A", "A,B")] == [
        "",
        "InvalidValue",
    ]


def test_a_string_has_at_most_the_length_of_its_limit():
    assert [reason("x" * n, data_type="string", maximum=3) for n in (3, 4)] == ["", "InvalidValue"]


def test_every_value_from_the_factory_is_one_that_may_be_set(model):
    wrong = [
        variable.label
        for variable in model
        if variable.writable
        and variable.access != "WO"
        and check_value(variable, model.read(variable)).reason
    ]
    assert wrong == []


def test_lists_tell_what_they_may_hold(model):
    lists = [v for v in model if v.data_type.endswith("List")]
    assert [v.label for v in lists if not v.values] == []


def test_names_are_found_in_any_case_and_tiers_are_told_apart(model):
    find = model.find
    assert find({"name": "authctrlr"}, {"name": "ENABLED"}).label == "AuthCtrlr.Enabled"
    assert find({"name": "EVSE", "evse": {"id": 2}}, {"name": "Power"}).label == "EVSE[2/0].Power"
    assert find({"name": "EVSE"}, {"name": "Power"}) == "UnknownComponent"
    assert find({"name": "EVSE", "evse": {"id": 3}}, {"name": "Power"}) == "UnknownComponent"
    assert find({"name": "AuthCtrlr", "evse": {"id": 1}}, {"name": "Enabled"}) == "UnknownComponent"
    assert find({"name": "AuthCtrlr", "instance": "x"}, {"name": "Enabled"}) == "UnknownComponent"
    assert find({"name": "AuthCtrlr"}, {"name": "None"}) == "UnknownVariable"


def test_an_instanced_variable_is_unknown_without_its_instance(model):
    component = {"name": "OCPPCommCtrlr"}
    assert model.find(component, {"name": "MessageTimeout"}) == "UnknownVariable"
    assert (
        model.find(component, {"name": "MessageTimeout", "instance": "default"}).name
        == "MessageTimeout"
    )


def test_only_what_was_changed_is_kept_and_it_comes_back(model):
    variable = model.named("TxCtrlr", "EVConnectionTimeOut")
    model.write(variable, "7")
    other = load_model(MODEL)
    other.restore(model.changed())
    assert other.changed() == {"TxCtrlr.EVConnectionTimeOut": "7"}


def test_nonsense_in_a_stored_state_is_left_out(model):
    model.restore(
        {
            "TxCtrlr.EVConnectionTimeOut": "many",
            "TxCtrlr.StopTxOnEVSideDisconnect": "false",
            "No.Such": "1",
        }
    )
    assert model.changed() == {}


REQUIRED = {
    "ChargingStation": "Available AvailabilityState SupplyPhases",
    "EVSE": "Available AvailabilityState SupplyPhases Power",
    "Connector": "Available AvailabilityState ConnectorType SupplyPhases",
    "TokenReader": "Available Enabled",
    "OCPPCommCtrlr": """ActiveNetworkProfile FileTransferProtocols HeartbeatInterval! MessageTimeout[Default]
        MessageAttempts[TransactionEvent]! MessageAttemptInterval[TransactionEvent]! NetworkConfigurationPriority!
        NetworkProfileConnectionAttempts! OfflineThreshold! ResetRetries! RetryBackOffRepeatTimes!
        RetryBackOffRandomRange! RetryBackOffWaitMinimum! WebSocketPingInterval! UnlockOnEVSideDisconnect""",
    "DeviceDataCtrlr": """ItemsPerMessage[GetReport] ItemsPerMessage[GetVariables] ItemsPerMessage[SetVariables]
        BytesPerMessage[GetReport] BytesPerMessage[GetVariables] BytesPerMessage[SetVariables]""",
    "ClockCtrlr": "DateTime TimeSource! TimeZone! NtpSource! NtpServerUri[1]!",
    "SecurityCtrlr": "OrganizationName! CertificateEntries SecurityProfile BasicAuthPassword! Identity",
    "AuthCtrlr": """Enabled! AuthorizeRemoteStart LocalAuthorizeOffline! LocalPreAuthorize!
        OfflineTxForUnknownIdEnabled!""",
    "TxCtrlr": """EVConnectionTimeOut! StopTxOnEVSideDisconnect StopTxOnInvalidId! TxStartPoint! TxStopPoint!""",
    "SampledDataCtrlr": """TxStartedMeasurands! TxUpdatedMeasurands! TxUpdatedInterval! TxEndedMeasurands!
        TxEndedInterval!""",
    "AlignedDataCtrlr": "Measurands! Interval! TxEndedMeasurands! TxEndedInterval!",
}
"""What every station has, by component; ! marks what can be set."""

ABSENT = {
    "TxCtrlr": "MaxEnergyOnInvalidId TxBeforeAcceptedEnabled",
    "OCPPCommCtrlr": "QueueAllMessages PublicKeyWithSignedMeterValue",
    "ClockCtrlr": "TimeOffset NextTimeOffsetTransitionDateTime",
    "SecurityCtrlr": "CertSigningWaitMinimum CertSigningRepeatTimes",
    "AuthCtrlr": "MasterPassGroupId DisableRemoteAuthorization AdditionalInfoItemsPerMessage",
    "SampledDataCtrlr": "SignReadings",
    "AlignedDataCtrlr": "SignReadings SendDuringIdle",
    "ChargingStation": "AllowNewSessionsPendingFirmwareUpdate",
}


def named(variable):
    instance = f"[{variable.instance}]" if variable.instance else ""
    return f"{variable.name}{instance}{'!' if variable.writable else ''}"


@pytest.mark.parametrize("component", sorted(REQUIRED))
def test_every_required_variable_is_there_and_can_be_set_or_not(model, component):
    tiers = {v.key[:3] for v in model if v.component == component}
    assert tiers
    for tier in tiers:
        present = {named(v) for v in model if v.key[:3] == tier}
        assert set(REQUIRED[component].split()) - present == set()


@pytest.mark.parametrize("component", sorted(ABSENT))
def test_what_the_product_lacks_has_no_variable(model, component):
    names = {v.name for v in model if v.component == component}
    assert names & set(ABSENT[component].split()) == set()


@pytest.mark.parametrize(
    ("component", "name", "instance", "value", "maximum"),
    [
        ("DeviceDataCtrlr", "ItemsPerMessage", "GetReport", "1000", None),
        ("DeviceDataCtrlr", "BytesPerMessage", "GetReport", "1000", None),
        ("DeviceDataCtrlr", "BytesPerMessage", "SetVariables", "1000000", None),
        ("OCPPCommCtrlr", "MessageAttemptInterval", "TransactionEvent", "60", 3600),
        ("OCPPCommCtrlr", "WebSocketPingInterval", "", "120", 86400),
        ("OCPPCommCtrlr", "OfflineThreshold", "", "300", 86400),
        ("OCPPCommCtrlr", "FileTransferProtocols", "", "HTTP,HTTPS", None),
        ("SecurityCtrlr", "CertificateEntries", "", "0", 20),
        ("SecurityCtrlr", "BasicAuthPassword", "", "", 40),
        ("TxCtrlr", "TxStopPoint", "", "EVConnected,Authorized", None),
        ("ChargingStation", "SupplyPhases", "", "3", None),
    ],
)
def test_values_and_limits_are_those_of_the_product(
    model, component, name, instance, value, maximum
):
    variable = model.named(component, name, instance)
    assert (model.read(variable), variable.maximum) == (value, maximum)
