"""Schema: payloads that break one rule of their schema, or of a primitive type, and allowed values at the edge."""

from __future__ import annotations

from dataclasses import replace

from recipe import Recipe, maker, payload, recipe, table

from fuzz.records import Case, Effect
from strategies.labels import Kind
from strategies.schema import message_schema
from strategies.violations import Break, violations

VIOLATIONS = """
= Part 4 section 4.3; the schema's required
missing-member | Reset.req/type#required:missing | A Reset without its type. | an optional is read without a look whether it is there
missing-list | GetVariables.req/getVariableData#required:missing | A GetVariables that asks for nothing at all. | a loop over null
missing-member-of-an-item | SetVariables.req/setVariableData/0/variable#required:missing | An item without the variable that it is about. | items of a list are not validated, only the list is
missing-member-deep-inside | SetNetworkProfile.req/connectionData/securityProfile#required:missing | A network profile without a security profile. | a missing number is 0, and 0 is the profile without any security
missing-duration | GetCompositeSchedule.req/duration#required:missing | A schedule is asked for without a duration. | a bad access to an optional that is empty
= Part 4 section 4.1.2; the schema's additionalProperties
extra-member | TriggerMessage.req#additionalProperties:extra-member | A member that the schema does not know. | what is not known is passed on to the next system
extra-member-of-another-case | Reset.req#additionalProperties:extra-case | A member that differs from a known one in its case only. | members are bound without regard to case, and the last one wins
extra-member-proto | DataTransfer.req#additionalProperties:extra-proto | A member called __proto__ in a payload. | payloads are merged into objects of the process
extra-member-without-a-name | GetReport.req#additionalProperties:extra-empty-name | A member whose name is empty. | an empty name ends a list of names
= Part 4 section 4.3; the schema's minItems and maxItems
list-empty | GetVariables.req/getVariableData#minItems:empty | A list of no items. | the first item is read without a look at the length
list-of-ids-empty | ClearVariableMonitoring.req/id#minItems:empty | Monitors to be cleared: none. | an empty list means all
list-too-long | SetChargingProfile.req/chargingProfile/chargingSchedule#maxItems:one-more | Four schedules where three may be. | lists go into arrays of fixed size
= Part 4 section 4.3; the schema's type
number-instead-of-string | DataTransfer.req/vendorId#type:integer | A number where text is due. | the number is used as a pointer to text
string-instead-of-number | TriggerMessage.req/evse/id#type:string | Text where a number is due. | the text is converted, and what is no number becomes 0: all EVSEs
null-instead-of-object | TriggerMessage.req/evse#type:null | Null where an object is due. | null is told from absent in one layer only
null-instead-of-string | SetVariables.req/setVariableData/0/attributeValue#type:null | A variable is set to null. | null is stored, and read back as the text null
object-instead-of-list | GetVariables.req/getVariableData#type:object | An object where a list is due. | a single item passes for a list of one
list-instead-of-object | TriggerMessage.req/evse#type:array | A list where an object is due. | an empty list passes for an empty object
list-instead-of-string | DataTransfer.req/vendorId#type:array | A list where text is due. | the exception of the conversion ends the server's process
fraction-instead-of-integer | Reset.req/evseId#type:number | A fraction where a whole number is due. | it is cut down to an EVSE that is there
integral-float-instead-of-integer | TriggerMessage.req/evse/id#type:integral-float | A whole number that is written 1.0. | two readers in one product disagree whether 1.0 is a whole number
boolean-instead-of-number | UnlockConnector.req/connectorId#type:boolean | A boolean where a number is due. | true is 1, and a lock opens
string-instead-of-boolean | CustomerInformation.req/clear#type:string | Text where a boolean is due. | any text that is not empty is true, and data is cleared
= Part 4 section 4.3; the schema's enum
enum-unknown | Reset.req/type#enum:unknown | A kind of Reset that does not exist. | the conversion to an enum throws, and the process ends
enum-in-wrong-case | TriggerMessage.req/requestedMessage#enum:wrong-case | A message to be triggered in the wrong case. | the enum is found without regard to case
enum-empty | ChangeAvailability.req/operationalStatus#enum:empty | An empty status. | the empty text is the first of the enum
enum-padded | SetVariables.req/setVariableData/0/attributeType#enum:padded | An attribute type with a blank behind it. | it is trimmed for the check, and not for the look-up
= Part 4 section 4.3; the schema's maxLength
string-one-too-long | GetVariables.req/getVariableData/0/component/name#maxLength:one-more | A name that is one character too long. | the assignment to a type of fixed length throws, uncaught
string-far-too-long | DataTransfer.req/vendorId#maxLength:far-more | A name that is thousands of characters long. | an over-long field overruns the stack
transaction-id-one-too-long | GetTransactionStatus.req/transactionId#maxLength:one-more | A transactionId of 37 characters. | it is cut to 36, and is another transaction
location-one-too-long | GetLog.req/log/remoteLocation#maxLength:one-more | An address that is one character too long. | a cut address names another host
= Part 4 section 4.3; the schema's format date-time
date-time-text | GetLog.req/log/oldestTimestamp#format:text | A word where a time is due. | an ill-formed time throws out of its parser
date-time-number | UpdateFirmware.req/firmware/retrieveDateTime#format:unix-seconds | Seconds since 1970, as text, where a time is due. | the year has ten digits, and is read into four
date-time-without-zone | GetLog.req/log/latestTimestamp#format:no-zone | A time of no zone. | the local zone is put in its place
date-time-30-february | GetLog.req/log/oldestTimestamp#format:day-30-of-february | The 30th of February. | days that are not there become days of the next month
date-time-offset-24 | GetLog.req/log/oldestTimestamp#format:offset-24 | A zone 24 hours away. | the offset is not checked before it is subtracted
"""

PRIMITIVES = """
= Part 2 section 2.1.4: integers have 32 bits
integer-beyond-32-bits | GetBaseReport.req/requestId#integer:2**31 | A requestId that needs 33 bits. | the number wraps around, and the report carries another one
integer-beyond-64-bits | GetBaseReport.req/requestId#integer:2**64 | A requestId that needs 65 bits. | the number becomes a double, and is written back with an exponent
integer-beyond-a-double | GetReport.req/requestId#integer:2**53+1 | A requestId that no double holds. | the last digit is lost on the way
integer-least | Reset.req/evseId#integer:-2**31 | The least EVSE that 32 bits hold. | its absolute value is itself
request-id-greatest | GetBaseReport.req/requestId#integer:2**31-1 | The greatest requestId. | one more is counted, and it is the least
evse-id-negative | TriggerMessage.req/evse/id#integer:-1 | EVSE -1. | -1 means none, or indexes from the end
evse-id-greatest | ChangeAvailability.req/evse/id#integer:2**31-1 | EVSE 2147483647. | the number indexes a vector without a check (CVE-2026-26008)
connector-id-zero | UnlockConnector.req/connectorId#integer:0 | Connector 0. | 0 minus 1 indexes the connectors
connector-id-negative | ChangeAvailability.req/evse/connectorId#integer:-1 | Connector -1. | negative numbers are taken as unsigned
= Part 2 section 2.1.4: an identifierString has letters, digits and a few signs
identifier-with-space | GetVariables.req/getVariableData/0/component/name#identifierString:space | A name with a blank in it. | the character set of names is not looked at
identifier-not-ascii | GetVariables.req/getVariableData/0/variable/name#identifierString:not-ascii | A name with a letter that is not ASCII. | bytes are counted as characters
identifier-with-punctuation | GetVariables.req/getVariableData/0/component/name#identifierString:punctuation | A name of the signs that are allowed. | the pattern is escaped twice, and valid names are refused
identifier-with-nul | GetTransactionStatus.req/transactionId#identifierString:nul | A transactionId with a NUL in it. | the comparison ends at the NUL, and finds another transaction
identifier-with-newline | GetTransactionStatus.req/transactionId#identifierString:newline | A transactionId with a newline in it. | a pattern that ends in $ lets a newline through
identifier-with-slash | GetTransactionStatus.req/transactionId#identifierString:slash | A transactionId that climbs out of a folder. | ids become names of files
= Part 2 section 2.1.4: decimals
decimal-of-7-places | CostUpdated.req/totalCost#decimal:7-decimals | A cost with seven places. | places are checked by a remainder of binary fractions, and valid ones are refused
decimal-of-6-places | CostUpdated.req/totalCost#number:6-decimals | A cost with the six places that are allowed. | 0.1 is not a multiple of 0.1 in binary, and a valid number is refused
decimal-huge | CostUpdated.req/totalCost#number:1e308 | A cost that a double just holds. | the sum is infinite
decimal-negative | CostUpdated.req/totalCost#number:-1 | A cost below zero. | what may not be negative is never compared with zero
= Part 2 section 2.1.4; RFC 3339: times
date-time-no-date | GetLog.req/log/oldestTimestamp#format:date-only | A day where a time is due. | the part behind the day is read all the same
date-time-9-fraction-digits | GetLog.req/log/oldestTimestamp#dateTime:9-fraction-digits | A time to the nanosecond. | the digits are read past the end of a field
date-time-40-fraction-digits | GetLog.req/log/latestTimestamp#dateTime:40-fraction-digits | A time of forty fraction digits. | the fraction is an integer, and overflows
date-time-leap-second | GetLog.req/log/oldestTimestamp#dateTime:leap-second | A time within a leap second. | second 60 throws
date-time-year-9999-west | GetLog.req/log/latestTimestamp#dateTime:year-9999-west | The last hour of the year 9999, west of Greenwich. | the conversion to UTC leaves the range of the type
date-time-before-epoch | GetLog.req/log/oldestTimestamp#dateTime:before-epoch | A time before 1970. | times are unsigned
date-time-lower-case | GetLog.req/log/oldestTimestamp#dateTime:lower-case-t | A time with a small t. | valid text is refused by a pattern of one's own
= P01, P02: data is of any type
data-empty-array | DataTransfer.req/data#any:empty-array | Data that is an empty array. | data is converted to text without a look at its type
data-nested-object | DataTransfer.req/data#any:nested | Data that is an object of objects. | an implicit conversion to text throws, and the module dies
data-null | DataTransfer.req/data#any:null | Data that is null. | null and absent are stored alike, and answered differently
data-beyond-64-bits | DataTransfer.req/data#any:2**64 | Data that is a number of 65 bits. | the number is cut where nobody declared a type
= Part 4 section 4.3; the schema's maxLength, at the edge
string-longest-astral | DataTransfer.req/vendorId#maxLength:at-astral | A name of the greatest length, each character beyond the basic plane. | code units or bytes are counted instead of characters, and a valid name is refused
string-of-control-characters | DataTransfer.req/messageId#text:control-characters | A text of control characters. | an operator's terminal does what the text says
string-empty | DataTransfer.req/vendorId#maxLength:empty | An empty name. | the empty text is taken for absent
everything-optional | SetVariables.req#properties:everything | A SetVariables with every optional member. | optional members are parsed by code that nobody ever ran
"""


def _longer(name: str, found: Break, asked: dict[str, object], after: str) -> Case:
    """A refusal of a long text: an error text that quotes it must be cut to 255 characters (Part 4 section 4.2.3)."""
    action = found.id.partition(".")[0]
    mutation = replace(found.mutation, operator=name, after=after)
    return maker().drawn("", action, asked, found.control, found.expectation, mutation)  # type: ignore[arg-type]


def _broken(id_: str) -> Break:
    schema = message_schema(id_.partition(".")[0], Kind.REQUEST)
    return next(b for b in violations(schema, full=True) if b.id == id_)


def _long_name() -> Case:
    found = _broken("Reset.req#additionalProperties:extra-member")
    case = _longer("long-name", found, {**found.control, "x" * 240: 0}, "x * 240")
    return replace(case, effect=Effect.PERSISTENT)


def _long_enum() -> Case:
    found = _broken("TriggerMessage.req/requestedMessage#enum:unknown")
    return _longer("long", found, {"requestedMessage": "x" * 300}, "x * 300")


CASES: list[Recipe] = [
    *table(payload, VIOLATIONS),
    *table(payload, PRIMITIVES),
    recipe(
        "extra-member-with-a-long-name",
        _long_name(),
        purpose="A member that the schema does not know, with a name of 240 characters.",
        clause="Part 4 section 4.2.3: an errorDescription has at most 255 characters",
        mirrors="the error text quotes the peer, is too long, and throws (CVE-2025-59398)",
    ),
    recipe(
        "enum-of-300-characters",
        _long_enum(),
        purpose="A message to be triggered whose name has 300 characters.",
        clause="Part 4 section 4.2.3: an errorDescription has at most 255 characters",
        mirrors="the answer to a bad value is longer than the value, several times over",
    ),
]
