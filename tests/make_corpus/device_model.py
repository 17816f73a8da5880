"""Device model: variables, EVSEs and connectors that are not there, and values that a variable must refuse."""

from __future__ import annotations

from functools import cache

from pieces import EVSE_1, KNOWN, get, gets, sets
from recipe import MAY_REFUSE, Recipe, call, maker, table

from fuzz.records import Case
from strategies.labels import JsonObject
from strategies.pool import Pool, PoolVariable
from strategies.variables import variable_breaks
from strategies.violations import Break

# Variables that every station has.
VARIABLES = (
    PoolVariable("AuthCtrlr", "Enabled", data_type="boolean", value="true"),
    PoolVariable("OCPPCommCtrlr", "HeartbeatInterval", data_type="integer", value="300"),
    PoolVariable("TxCtrlr", "EVConnectionTimeOut", data_type="integer", value="60"),
    PoolVariable("ClockCtrlr", "DateTime", data_type="dateTime", value="2026-01-01T00:00:00Z"),
)

WRONG_VALUES = """
= Part 2 section 2.1.4; B05: a value is of its variable's type
boolean-maybe | AuthCtrlr.Enabled#dataType:text | A boolean is set to maybe. | what is not true is false, silently
boolean-empty | AuthCtrlr.Enabled#dataType:empty | A boolean is set to nothing. | the empty text is stored, and the station does not start again
boolean-number | AuthCtrlr.Enabled#dataType:number | A boolean is set to 2. | numbers are booleans in the language of the store
integer-with-text-behind | OCPPCommCtrlr.HeartbeatInterval#dataType:text-after | An integer is set to digits and letters. | the conversion reads as far as it can
integer-fraction | OCPPCommCtrlr.HeartbeatInterval#dataType:fraction | An integer is set to a fraction. | the value that is stored is not the one that was accepted
integer-hexadecimal | OCPPCommCtrlr.HeartbeatInterval#dataType:hexadecimal | An integer is set to a number in hexadecimal. | the base is guessed
integer-empty | OCPPCommCtrlr.HeartbeatInterval#dataType:empty | An integer is set to nothing. | nothing is 0, and 0 is for ever, or all the time
integer-beyond-32-bits | OCPPCommCtrlr.HeartbeatInterval#dataType:2**31 | An integer is set to a value of 33 bits. | the value overflows to a negative one
integer-beyond-64-bits | TxCtrlr.EVConnectionTimeOut#dataType:2**64 | An integer is set to a value of 65 bits. | the conversion throws, and no answer comes
date-time-month-13 | ClockCtrlr.DateTime#dataType:month-13 | A time is set to the 13th month. | the clock is set to what the parser made of it
"""

BEYOND = 3

NEIGHBOURS: tuple[tuple[str, str, str, str, JsonObject, JsonObject], ...] = (
    (
        "evse-beyond-the-last-in-get-variables",
        "GetVariables",
        "/getVariableData/0/component/evse/id",
        "beyond-last",
        gets(get("EVSE", "AvailabilityState", evse={"id": BEYOND})),
        gets(get("EVSE", "AvailabilityState", evse=EVSE_1)),
    ),
    (
        "evse-beyond-the-last-in-trigger-message",
        "TriggerMessage",
        "/evse/id",
        "beyond-last",
        {
            "requestedMessage": "StatusNotification",
            "evse": {"id": BEYOND, "connectorId": 1},
        },
        {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
    ),
    (
        "evse-beyond-the-last-in-change-availability",
        "ChangeAvailability",
        "/evse/id",
        "beyond-last",
        {"operationalStatus": "Operative", "evse": {"id": BEYOND}},
        {"operationalStatus": "Operative", "evse": EVSE_1},
    ),
    (
        "connector-beyond-the-last",
        "ChangeAvailability",
        "/evse/connectorId",
        "beyond-last",
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 9}},
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}},
    ),
    (
        "unknown-variable-of-a-known-component",
        "GetVariables",
        "/getVariableData/0/variable/name",
        "unknown",
        gets(get("OCPPCommCtrlr", "LabVariable")),
        gets(KNOWN),
    ),
    (
        "unknown-component",
        "GetVariables",
        "/getVariableData/0/component/name",
        "unknown",
        gets(get("LabCtrlr", "HeartbeatInterval")),
        gets(KNOWN),
    ),
    (
        "known-variable-with-unknown-instance",
        "GetVariables",
        "/getVariableData/0/variable/instance",
        "unknown",
        gets(get("OCPPCommCtrlr", "HeartbeatInterval", instance="lab")),
        gets(KNOWN),
    ),
    (
        "same-variable-twice",
        "GetVariables",
        "/getVariableData/1",
        "repeated",
        gets(KNOWN, KNOWN),
        gets(KNOWN),
    ),
    (
        "attribute-that-the-variable-lacks",
        "GetVariables",
        "/getVariableData/0/attributeType",
        "absent",
        gets(get("OCPPCommCtrlr", "HeartbeatInterval", attributeType="MaxSet")),
        gets(KNOWN),
    ),
    (
        "set-what-is-read-only",
        "SetVariables",
        "/setVariableData/0",
        "read-only",
        sets(get("EVSE", "AvailabilityState", evse=EVSE_1, attributeValue="Available")),
        sets(get("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="300")),
    ),
    (
        "evse-0-with-a-connector",
        "ChangeAvailability",
        "/evse/id",
        "zero",
        {"operationalStatus": "Operative", "evse": {"id": 0, "connectorId": 1}},
        {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}},
    ),
    (
        "unlock-beyond-the-last",
        "UnlockConnector",
        "/evseId",
        "beyond-last",
        {"evseId": BEYOND, "connectorId": 1},
        {"evseId": 1, "connectorId": 1},
    ),
    (
        "reset-beyond-the-last",
        "Reset",
        "/evseId",
        "beyond-last",
        {"type": "OnIdle", "evseId": BEYOND},
        {"type": "OnIdle", "evseId": 1},
    ),
    (
        "start-beyond-the-last",
        "RequestStartTransaction",
        "/evseId",
        "beyond-last",
        {"evseId": BEYOND, "remoteStartId": 21, "idToken": {"idToken": "LAB1", "type": "Central"}},
        {"evseId": 1, "remoteStartId": 21, "idToken": {"idToken": "", "type": "NoAuthorization"}},
    ),
    (
        "name-in-another-case",
        "GetVariables",
        "/getVariableData/0/variable/name",
        "lower-case",
        gets(get("ocppcommctrlr", "heartbeatinterval")),
        gets(KNOWN),
    ),
    (
        "three-of-which-one-is-there",
        "GetVariables",
        "/getVariableData",
        "mixed",
        gets(get("LabCtrlr", "Lab"), KNOWN, get("OCPPCommCtrlr", "LabVariable")),
        gets(KNOWN),
    ),
    (
        "set-read-only-among-others",
        "SetVariables",
        "/setVariableData/1",
        "read-only",
        sets(
            get("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="300"),
            get("EVSE", "AvailabilityState", evse=EVSE_1, attributeValue="Available"),
            get("AuthCtrlr", "Enabled", attributeValue="true"),
        ),
        sets(get("OCPPCommCtrlr", "HeartbeatInterval", attributeValue="300")),
    ),
)

ABSENT = """
= B05, B06, E06: what is not there is answered by a status, and the station goes on
evse-beyond-the-last-in-get-variables | . | A variable of an EVSE that is not there. | the number indexes the EVSEs (CVE-2026-26008)
evse-beyond-the-last-in-trigger-message | . | The status of an EVSE that is not there. | a message is triggered before its target is looked for
evse-beyond-the-last-in-change-availability | . | An EVSE that is not there is made available. | an EVSE out of range throws, in the second module that has the same check to make
connector-beyond-the-last | . | A connector that is not there is made available. | only the EVSE is checked
evse-0-with-a-connector | . | The first connector of EVSE 0 is made available. | the station itself is indexed like an EVSE
unlock-beyond-the-last | . | A connector of an EVSE that is not there is unlocked. | the lock that is driven is the last one
reset-beyond-the-last | . | An EVSE that is not there is reset. | an unknown EVSE is taken for the whole station
start-beyond-the-last | . | A transaction is started on an EVSE that is not there. | a transaction without a place is begun, and never ends
unknown-variable-of-a-known-component | . | A variable that its component does not have. | the look-up gives an iterator past the end
unknown-component | . | A component that is not there. | a component is made by being asked for
known-variable-with-unknown-instance | . | An instance that its variable does not have. | the instance is left out of the comparison
name-in-another-case | . | A variable by its name in small letters. | names are compared in one place with regard to case, in the next without
same-variable-twice | . | One variable, asked for twice. | results are kept by name, and one of the two is missing
three-of-which-one-is-there | . | One item that is there between two that are not. | the first one that is not there ends the loop
attribute-that-the-variable-lacks | . | An attribute that the variable does not have. | an absent attribute is read through a null pointer
set-what-is-read-only | . | A read-only variable is set. | mutability is shown in the report, and looked at nowhere else
set-read-only-among-others | . | A read-only variable is set between two that may be. | one refusal undoes, or stops, what was accepted before
"""


@cache
def _breaks() -> dict[str, Break]:
    return {b.id: b for b in variable_breaks(Pool(variables=VARIABLES))}


def _wrong(id_: str) -> Case:
    return maker().broken("SetVariables", _breaks()[f"SetVariables.req/{id_}"])


def _absent(name: str) -> Case:
    (found,) = (row for row in NEIGHBOURS if row[0] == name)
    _, action, pointer, operator, payload, control = found
    # Numbers share the keyword of their boundaries, so that one cause makes one finding.
    keyword = "integer" if operator == "beyond-last" else "device-model"
    return call(action, payload, control, MAY_REFUSE, f"{pointer} {keyword}:{operator}")


CASES: list[Recipe] = [*table(_wrong, WRONG_VALUES), *table(_absent, ABSENT)]
