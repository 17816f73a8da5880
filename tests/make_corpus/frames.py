"""Frames: the envelope of a message, in all positions.

Our CALLs, CALLRESULTs and CALLERRORs that nobody waits for, and bad answers to what the station asks.
"""

from __future__ import annotations

from recipe import Recipe, answer, maker, message, recipe, table

from fuzz.engine.cases import call_text
from fuzz.engine.line import PROBES
from fuzz.records import Case, Effect, Side
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    Mutation,
    Position,
    Stance,
    Tier,
    Utterance,
    spell,
)

CALLS = """
= Part 4 section 4.2.1: a CALL has four elements
empty-array | envelope/arity:0 | An array without an element. | the first element is read before the length is looked at
type-alone | envelope/arity:1 | An array that holds the message type only. | the messageId is read from behind the end of the array
type-and-id-alone | envelope/arity:2 | A CALL that ends behind its messageId. | a missing element becomes a null pointer
call-without-payload | envelope/arity:3 | A CALL without its payload. | the missing payload is taken for an empty one, and the CALL is executed
call-with-five-elements | envelope/arity:5 | A CALL with an element too many. | the length is only compared downwards, and what is behind is served
payload-array | envelope/payload:array | A CALL whose payload is an array. | members are looked up in what is no object
payload-null | envelope/payload:null | A CALL whose payload is null. | null is read as an empty payload, and every check of members passes
payload-string | envelope/payload:string | A CALL whose payload is a string. | the payload is indexed like an object, and the exception ends the reader
payload-true | envelope/payload:true | A CALL whose payload is true. | a payload that is no object is replaced by an empty one, silently
= Part 4 section 4.4: an unknown message type is answered or ignored, never executed
message-type-0 | envelope/messageTypeId:0 | A message of the type 0. | zero is the value that a failed conversion gives, and has a branch of its own
message-type-1 | envelope/messageTypeId:1 | A message of the type 1, which other versions reserve. | a reserved type falls through to the branch of CALL
message-type-5 | envelope/messageTypeId:5 | A message of a type that a later version has. | an unknown type is dropped without an answer, and the peer waits
message-type-minus-1 | envelope/messageTypeId:-1 | A message of the type -1. | a negative type indexes the table of handlers
message-type-null | envelope/messageTypeId:null | A message whose type is null. | null becomes zero in one place and an exception in the next
message-type-true | envelope/messageTypeId:true | A message whose type is true. | a boolean is an integer in the language of the reader
message-type-array | envelope/messageTypeId:array | A message whose type is an array. | an array with one element compares equal to that element
message-type-string | envelope/messageTypeId:string | A message whose type is the string 2. | a loose comparison takes the text for the number
message-type-fraction | envelope/messageTypeId:fraction | A message of the type 2.5. | the type is cut down to an integer before it is compared
message-type-float | envelope/messageTypeId:2.0 | A message of the type 2.0. | equal numbers, different types: two readers in one product disagree
message-type-beyond-64-bits | envelope/messageTypeId:2**64 | A message whose type needs 65 bits. | the number wraps around to a valid type
message-type-beyond-a-double | envelope/messageTypeId:1e400 | A message whose type is beyond every double. | the conversion of infinity to an integer is undefined
= Part 4 sections 4.1.6, 4.1.7 and 4.3: the action is a known name, in its own case
action-array | envelope/action:array | A CALL whose action is an array. | what cannot be hashed is looked up in a table, and the handler task dies
action-object | envelope/action:object | A CALL whose action is an object. | the action is used as a key before its type is looked at
action-number | envelope/action:number | A CALL whose action is a number. | the number is taken for a pointer to text
action-null | envelope/action:null | A CALL whose action is null. | a missing name and a null name are told apart too late
action-empty | envelope/action:empty | A CALL with an empty action. | the empty name is the prefix of every handler
action-padded | envelope/action:padded | A CALL whose action has a blank in front. | names are trimmed for the look-up, but not for the permission
action-of-10000-characters | envelope/action:10000 | A CALL whose action has 10000 characters. | the unknown name is copied into a buffer of fixed size for the error text
action-lone-surrogate | envelope/action:surrogate | A CALL whose action is half a surrogate pair. | the name of an unknown action is quoted, and cannot be encoded
action-unknown | envelope/action:unknown | A CALL of an action that does not exist. | an unknown action has no handler, and no answer either
action-lower-case | envelope/action:lower | A CALL whose action is in lower case. | handlers are found without regard to case, permissions with it
action-of-the-other-direction | envelope/action:direction/BootNotification | A CALL that only a Charging Station makes. | one table serves both directions, and the station boots itself
action-sign-certificate-to-a-station | envelope/action:direction/SignCertificate | A Charging Station is asked to sign. | a handler of the other side is linked in, and runs without its state
action-transaction-event-to-a-station | envelope/action:direction/TransactionEvent | A Charging Station is told of a transaction. | a message of the other direction passes the schema check, and reaches a handler that was never made
= Part 4 section 4.1.4: a messageId is a string of at most 36 characters, not used before
message-id-36-characters | envelope/messageId:36 | The longest messageId that is allowed. | the limit is off by one, and proper UUIDs are refused
message-id-37-characters | envelope/messageId:37 | A messageId that is one character too long. | the id is stored in a field of 36 characters, and the answer carries a cut one
message-id-number | envelope/messageId:number | A messageId that is a number. | the number is echoed as it came, and no peer can match the answer
message-id-null | envelope/messageId:null | A messageId that is null. | null goes into a string comparison
message-id-object | envelope/messageId:object | A messageId that is an object. | an object cannot be hashed, and the table of pending CALLs throws
message-id-array | envelope/messageId:array | A messageId that is an array. | the id is printed into the log before it is looked at
message-id-true | envelope/messageId:true | A messageId that is true. | a boolean is echoed as the text True
message-id-empty | envelope/messageId:empty | A messageId of no characters. | the empty id means none inside, and the answer is never sent
message-id-lone-surrogate | envelope/messageId:surrogate | A messageId that is half a surrogate pair. | the answer cannot be encoded, and the exception ends the connection
message-id-minus-1 | envelope/messageId:reserved | A CALL under the messageId that is kept for errors. | the id of unreadable messages is also a key of pending ones
"""

UNASKED = """
= Part 4 sections 4.1.3 and 4.2.2: a CALLRESULT answers the CALL of its messageId
result-nobody-asked-for | unsolicited/callresult/unknown-id | A CALLRESULT for a CALL that was never made. | answers that nobody waits for are kept for the life of the connection
result-under-minus-1 | unsolicited/callresult/reserved-id | A CALLRESULT under the messageId of unreadable messages. | the reserved id finds the CALL that was made last
result-of-one-element | unsolicited/callresult/arity:1 | A CALLRESULT that is nothing but its type. | the answer path trusts what the CALL path would check
result-of-two-elements | unsolicited/callresult/arity:2 | A CALLRESULT without a payload. | a missing element of an answer becomes a null pointer
result-of-four-elements | unsolicited/callresult/arity:4 | A CALLRESULT with an element too many. | the number of elements decides which kind of message it is
result-with-null-id | unsolicited/callresult/id:null | A CALLRESULT whose messageId is null. | an id that is no string is compared with those of pending CALLs
result-with-number-as-id | unsolicited/callresult/id:number | A CALLRESULT whose messageId is a number. | the id is converted on the way in, and matches a CALL that it does not answer
result-with-object-as-id | unsolicited/callresult/id:object | A CALLRESULT whose messageId is an object. | an object is looked up in a table of strings
result-with-null-as-payload | unsolicited/callresult/payload:null | A CALLRESULT whose payload is null. | the payload is handed on before anybody knows whose answer it is
result-with-array-as-payload | unsolicited/callresult/payload:array | A CALLRESULT whose payload is an array. | the first element of the array is read as the status
= Part 4 section 4.2.3: a CALLERROR has a code, a description and details
error-nobody-asked-for | unsolicited/callerror/unknown-id | A CALLERROR for a CALL that was never made. | an unknown messageId in an error is itself answered with an error, and so on
error-under-minus-1 | unsolicited/callerror/reserved-id | A CALLERROR under the messageId of unreadable messages. | the reserved id takes the pending CALL with it
error-of-three-elements | unsolicited/callerror/arity:3 | A CALLERROR that ends behind its code. | description and details are read although they are not there
error-without-description | unsolicited/callerror/no-description | A CALLERROR whose details follow its code. | the description is dereferenced without a look
error-with-null-as-description | unsolicited/callerror/description:null | A CALLERROR whose description is null. | null is appended to a log line
error-with-number-as-code | unsolicited/callerror/code:number | A CALLERROR whose code is a number. | the code is cast to a string type
error-with-array-as-code | unsolicited/callerror/code:array | A CALLERROR whose code is an array. | the code is a key in a table of known errors
error-with-unknown-code | unsolicited/callerror/code:unknown | A CALLERROR of a code that does not exist. | an unknown code becomes an enum value out of range
error-with-256-characters | unsolicited/callerror/description:256 | A CALLERROR whose description is one character too long. | the limit is enforced by an exception that nobody catches (CVE-2025-59398)
error-with-details-as-string | unsolicited/callerror/details:string | A CALLERROR whose details are a string. | the details are parsed once more
error-with-null-as-details | unsolicited/callerror/details:null | A CALLERROR whose details are null. | details are merged into the own ones
"""

ANSWERS = """
= Part 4 section 4.2.3: what a CALLERROR may be
heartbeat-error-without-description | Heartbeat/callerror/errorDescription:missing | A Heartbeat is answered by a CALLERROR of four elements. | the optional text is dereferenced, in the only place that reads it
heartbeat-error-null-description | Heartbeat/callerror/errorDescription:null | A Heartbeat is answered by a CALLERROR whose description is null. | a null description is copied into a string
heartbeat-error-code-object | Heartbeat/callerror/errorCode:object | A Heartbeat is answered by a CALLERROR whose code is an object. | only the CALLs of others are checked, answers to own ones are believed
heartbeat-error-details-number | Heartbeat/callerror/errorDetails:number | A Heartbeat is answered by a CALLERROR whose details are a number. | details are iterated over
heartbeat-error-20000-characters | Heartbeat/callerror/errorDescription:20000-characters | A Heartbeat is answered by a CALLERROR of 20000 characters. | the text is copied into a log line of fixed size
heartbeat-error-with-formats | Heartbeat/callerror/errorDescription:format | A Heartbeat is answered by a CALLERROR full of format characters. | the peer's text is the format of a log line
heartbeat-error-deep-details | Heartbeat/callerror/errorDetails:deep | A Heartbeat is answered by a CALLERROR whose details are 60 objects deep. | details are copied recursively
status-error-one-element | StatusNotification/callerror/arity:1-elements | A StatusNotification is answered by an error of one element. | a short answer is read to the length of a long one
sign-error-of-unknown-code | SignCertificate/callerror/errorCode:unknown | A SignCertificate is refused with a code that does not exist. | an unknown code leaves the request pending for ever
= Part 4 section 4.2.2: what a CALLRESULT may be
heartbeat-result-null-payload | Heartbeat/callresult/payload:null | A Heartbeat is answered by null. | the time is read out of nothing
heartbeat-result-string-payload | Heartbeat/callresult/payload:string | A Heartbeat is answered by a string. | a malformed answer throws where no handler is around it
heartbeat-result-two-elements | Heartbeat/callresult/arity:2-elements | A Heartbeat is answered without a payload. | a missing payload is a null pointer while a CALL is pending
heartbeat-result-null-id | Heartbeat/callresult/messageId:null | A Heartbeat is answered under null. | while a CALL is pending its id is compared with a null pointer
heartbeat-result-id-in-an-array | Heartbeat/callresult/messageId:array | A Heartbeat is answered under its id in an array. | the id is found all the same, by a loose comparison
heartbeat-result-id-padded | Heartbeat/callresult/messageId:padded | A Heartbeat is answered under its id and a blank. | ids are compared by the length of the shorter one
heartbeat-result-id-with-nul | Heartbeat/callresult/messageId:nul-behind | A Heartbeat is answered under its id and a NUL. | the comparison ends at the NUL
heartbeat-result-type-string | Heartbeat/callresult/messageTypeId:string | A Heartbeat is answered by a message of the type "3". | a text that looks like the type is the type
heartbeat-result-cut-off | Heartbeat/callresult/text:cut-off | A Heartbeat is answered by half a text. | the error for unreadable text takes the pending CALL for the culprit
heartbeat-result-twice-in-one | Heartbeat/callresult/text:twice | A Heartbeat is answered by two answers in one text. | the reader stops at the end of the first value
heartbeat-meaning-of-another-action | Heartbeat/meaning:another-action | A Heartbeat is answered with what belongs to other CALLs. | answers are dispatched by their members
= FR.03; Part 4 section 4.1.7: an answer fits the schema of its action
heartbeat-time-missing | Heartbeat.res/currentTime#required:missing | A Heartbeat is answered without a time. | a required member of an answer is taken for granted
heartbeat-time-number | Heartbeat.res/currentTime#type:integer | A Heartbeat is answered with a number for the time. | the conversion to text throws in the timer's task
heartbeat-time-no-zone | Heartbeat.res/currentTime#format:no-zone | A Heartbeat is answered with a time of no zone. | a text that is no date-time throws out of the parser
heartbeat-time-year-10000 | Heartbeat/meaning/currentTime:year-10000 | A Heartbeat is answered with the year 10000. | four digits are read, and the fifth shifts all others
heartbeat-time-year-1 | Heartbeat/meaning/currentTime:year-1 | A Heartbeat is answered with the year 1. | the clock is set to before its epoch
heartbeat-time-leap-second | Heartbeat/meaning/currentTime:leap-second | A Heartbeat is answered within a leap second. | second 60 is refused, and the answer with it
authorize-info-missing | Authorize.res/idTokenInfo#required:missing | An Authorize is answered without idTokenInfo. | a bad answer leaves the token's state as it was: accepted
authorize-status-unknown | Authorize.res/idTokenInfo/status#enum:unknown | An Authorize is answered with a status that does not exist. | an unknown enum falls back to the first one, which is Accepted
authorize-status-number | Authorize.res/idTokenInfo/status#type:integer | An Authorize is answered with a number as status. | a malformed answer ends the station's process
authorize-evses-none | Authorize/meaning/idTokenInfo:no-evse | An Authorize is answered with an empty list of EVSEs. | an empty list is read at index 0
authorize-evse-far | Authorize/meaning/idTokenInfo:evse-far | An Authorize is answered for EVSE 2147483647. | the number indexes the station's own EVSEs
authorize-personal-message-markup | Authorize/meaning/idTokenInfo:markup | An Authorize is answered with a message full of markup. | a text for the driver is rendered as markup
authorize-group-of-itself | Authorize/meaning/idTokenInfo:group-of-itself | An Authorize is answered with an empty group token. | the empty group fits every other empty group
transaction-cost-not-a-number | TransactionEvent/meaning/totalCost:not-a-number | A TransactionEvent is answered with a cost that is no number. | what is not JSON in an answer is read, and shown to the driver
transaction-cost-infinite | TransactionEvent/meaning/totalCost:1e400 | A TransactionEvent is answered with a cost beyond a double. | infinity goes into sums
transaction-priority-beyond-32-bits | TransactionEvent/meaning/chargingPriority:2**31 | A TransactionEvent is answered with a priority beyond 32 bits. | the number wraps to the highest priority
transaction-status-unknown | TransactionEvent.res/idTokenInfo/status#enum:unknown | A TransactionEvent is answered with a status that does not exist. | a transaction's answer that cannot be read is retried for ever, and the queue stalls
transaction-result-array | TransactionEvent/callresult/payload:array | A TransactionEvent is answered by an array. | a persistent message is dropped, or never again
sign-status-missing | SignCertificate.res/status#required:missing | A SignCertificate is answered without a status. | the request for a certificate stays pending, and mutes all later ones
report-result-array | NotifyReport/callresult/payload:array | A part of a report is answered by an array. | the rest of the report is never told
boot-interval-minus-one | BootNotification/meaning/interval:minus-one | A boot is accepted with an interval of -1. | a negative interval makes Heartbeats without a pause
boot-pending-at-once | BootNotification/meaning/interval:pending-zero | A boot is Pending, to be asked again after 0 seconds. | zero is taken literally, and the station boots in a loop
"""


def _unwritable() -> Case:
    """A message to be refused whose text has no UTF-8 form: whoever writes it into the answer stumbles."""
    action, payload = PROBES[Side.STATION]
    good = spell(call_text(action, payload))
    said = Utterance(
        id="",
        action="",
        position=Position.CALL,
        expectation=Expectation(
            Stance.REJECT, Tier.RPC, Fault.NOT_ARRAY, "RFC 8259 section 8.2: unpaired surrogates"
        ),
        text=('["\\ud800"]',),
        control=(good,),
        mutation=Mutation(Channel.ENVELOPE, "/0", "messageTypeId", "surrogate"),
    )
    return maker().utterance(said, Effect.NONE)


CASES: list[Recipe] = [
    *table(message, CALLS),
    recipe(
        "message-id-in-use",
        maker().twice(*PROBES[Side.STATION]),
        purpose="The same CALL twice under one messageId.",
        clause="Part 4 section 4.1.4: a messageId is not used again on a connection",
        mirrors="the second CALL overwrites the first one's place, and is executed again",
    ),
    recipe(
        "id-that-cannot-be-written-back",
        _unwritable(),
        purpose="A text to be refused that cannot be written into an answer.",
        clause="Part 4 section 4.2.3; RFC 8259 section 8.2",
        mirrors="the error path re-encodes what it could not decode (CVE-2025-59399)",
    ),
    *table(message, UNASKED),
    *table(answer, ANSWERS),
]
