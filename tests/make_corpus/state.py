"""State: conversations in which the order is odd, and hostile messages in the middle of a conversation.

Each begins at an idle, booted station and leaves it so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recipe import Recipe, call, message, payload, recipe, scenario, scene, table, within

from fuzz.records import Case
from strategies.labels import Expectation, JsonObject, Stance, Tier
from strategies.moves import Again, Ask, Await, Move, Pause, Withhold
from strategies.sequences import (
    GLANCE_S,
    Place,
    answered,
    boot_answer,
    booted,
    charge,
    leave,
    reboot,
    start_remotely,
    tell_status,
    trigger,
)

SCENARIOS = """
= B01, B02, B03: booting
boot-pending | . | The boot is Pending, and this and that is asked meanwhile. | CALLs are served, or refused, as if the boot were accepted
boot-pending-and-somebody-comes | boot-pending-then-plugged | Somebody wants to charge while the boot is Pending. | transactions begin before the station is registered
boot-rejected | . | The boot is Rejected, and the CSMS asks all the same. | a rejected station answers what it should not
boot-rejected-and-somebody-comes | boot-rejected-in-use | Somebody wants to charge while the boot is Rejected. | events of an unregistered station end the process
boot-answered-late | . | The answer to the boot comes behind other CALLs. | CALLs before the stack has started meet what is not there yet
boot-answered-twice | . | The boot is Pending, and Accepted by a second answer. | an answer is not removed from what is awaited
boot-asked-for-again | boot-without-reset | A boot is asked for although one was accepted. | the station starts over, and forgets what runs
boot-answered-by-null | boot-garbled/null | The boot is answered by null. | a boot that cannot be read is never asked for again
boot-answered-in-short | boot-garbled/short | The boot is answered by an array that is too short. | the answer is read past its end, in the state where nothing else works
boot-answered-in-wrong-types | boot-garbled/wrong-type | The boot is answered with numbers for text and text for numbers. | an interval that is no number is 0, and the station boots in a loop
boot-answered-by-an-unknown-error | boot-garbled/error-unknown | The boot is answered by an unknown error. | after an error the boot is not retried
= C01 to C12: authorisation
token-blocked | authorization-refused/blocked | A blocked token. | any answer opens the contactor
token-of-a-concurrent-transaction | authorization-refused/concurrenttx | A token that charges elsewhere. | a status that is rare falls through to Accepted
token-for-another-evse | authorization-elsewhere | A token for another EVSE than this one. | the list of EVSEs is not looked at
token-carried-over | authorization-carried-over | Somebody is authorised and unplugs, and another EV comes. | the authorisation waits for whoever comes next
token-used-up | authorization-used-up | Somebody charged, and another EV comes without a token. | a second session runs on the authorisation of the first
token-carried-over-a-reset | authorization-over-a-reset | Somebody is authorised before a reset. | the authorisation is restored with the rest of the state
token-carried-over-a-cut | authorization-over-a-cut | Somebody is authorised, the connection is cut, and another EV comes. | a connection that is torn down leaves the authorisation
token-answered-late | authorization-late | The EV wants energy before the token's answer is there. | energy flows until the answer says otherwise
token-refused-and-then-accepted | authorization-changed-mind | A refusal is followed by an acceptance of the same CALL. | the last answer counts
token-answered-under-another-id | authorization-swapped | An acceptance comes under the messageId of the CALL before. | answers are matched by their order
token-answered-by-an-error | authorization-by-error | The token's question is answered by an error. | an error leaves the state as it was before
token-answered-by-null | authorization-garbled/null | The token's question is answered by null. | an answer that cannot be read ends the process
second-token | . | A stranger's token is shown while somebody charges. | any token ends any transaction
second-token-of-the-group | . | A token of the same group is shown while somebody charges. | groups are compared where there are none
token-taken-back | . | The token is refused in the answer to the first event. | the second answer about a token is not looked at
= E01 to E07: transactions
token-before-the-cable | token-first | A token is shown before the cable is there. | events in another order than usual have a branch of their own
two-transactions-and-a-reset | two-transactions | Somebody charges twice, with a reset between. | transactionIds begin again behind a reset
four-transactions | many-transactions | Somebody charges four times. | what one transaction leaves is in the way of the next one
connector-fails-while-charging | fault-while-charging | A connector fails while somebody charges. | the transaction is ended twice, or never
power-goes-while-charging | power-lost-while-charging | The power goes while somebody charges. | a transaction that was interrupted is resumed, or forgotten
status-of-a-transaction | transaction-status | The status of a transaction before, while and after it runs. | what runs and what is queued are mixed up
event-answered-late-and-again | event-answered-late | An event is answered late, and once more. | an answer that is awaited no longer ends the queue
= F01 to F03: remote start and stop
remote-start | . | A transaction is started and stopped remotely. | remote and local start race for one EVSE
remote-start-before-the-cable | remote-start-first | A transaction is started remotely before the EV is there. | the start waits for ever, and blocks the EVSE
remote-start-twice | . | A transaction is started where one runs. | two transactions on one EVSE
remote-start-while-a-token-is-asked-about | remote-start-while-authorizing and a reset | A transaction is started while an Authorize is open. | two authorisations are written to one place
remote-start-nowhere | . | A transaction is started where none can be. | a start without a place ends the process
= B11, B12: resets
reset-while-charging | . | The station is reset at once while somebody charges. | the last event is lost, and the station dials before it has gone down
reset-when-idle | . | The station is to be reset when idle, and somebody charges. | the reset is done at once, or never
reset-of-an-evse-while-charging | reset-of-an-evse | One EVSE is to be reset while somebody charges there. | one EVSE is not told from all
reset-while-a-log-goes-up | reset-while-uploading | The station is reset while it uploads a log. | a thread outlives what it works on
reset-while-firmware-comes-down | reset-while-updating | The station is reset while firmware is downloaded. | the update is resumed, and done twice
= G03, G04: availability
evse-unavailable-over-a-reboot | availability/evse | An EVSE is unavailable over a reboot. | the state is kept in memory alone
evse-unavailable-over-a-power-cut | availability-over-a-power-cut | An EVSE is unavailable when the power goes. | the state is written when the station goes down in order
unavailable-while-charging | unavailable-while-charging and a reset | An EVSE is to be unavailable when somebody charges there. | the transaction is ended, or the change is lost
= B07, N01, N09, L01: what is told in parts, and what is fetched or brought
report-over-a-reset | . | The station is reset while it tells a report. | the rest of the report comes behind the boot
firmware-from-nowhere | . | Firmware is to come from where there is none, twice. | a request is executed twice
firmware-while-charging | . | Firmware is to come while somebody charges. | the update does not wait for the transaction
log-to-nowhere | log/DiagnosticsLog | A log is to go where nobody takes it, and another one. | the second upload waits for the first, and the CSMS for both
customer-while-he-charges | customer-information | A customer's data are cleared while he charges. | data of a running transaction are deleted under it
= B04, E12, E13: offline and back
charged-offline | offline-session | Somebody charges and leaves without a network. | what was queued is told out of order
charged-offline-eight-times | offline-many-sessions and a reset | Eight charge without a network, and the power goes. | the queue is replayed, and the process ends
power-goes-offline | offline-power-cut | The power goes while somebody charges without a network. | the queue was never written
leaves-offline | offline-while-charging | The network is gone when somebody leaves. | the end of a transaction is told as if it happened now
charges-across-a-gap | offline-across | The network is gone for a moment. | the transaction is begun again under the same id
refused-after-the-gap | offline-refused | A token is refused when the network is back. | a late refusal has no effect
connection-refused-while-charging | cut-while-charging/1011 | The CSMS closes with an internal error. | a close code is taken for the end of everything
connection-cut-while-charging | cut-while-charging/1006 | The connection is cut while somebody charges. | the link that is gone is written to
cut-with-a-call-open | . | The answer to a CALL comes over the next connection. | what is awaited outlives its connection
cut-again-and-again | . | The connection is cut five times. | each connection leaves something behind
= Part 4 section 4.1.1: one CALL at a time, each way
calls-cross | crossing | A CALL comes while the station waits for an answer. | one flag says busy for both ways, and neither goes on
calls-cross-while-charging | crossing-while-charging | CALLs come while a TransactionEvent is open. | the transaction is changed under its own event
two-calls-at-once | . | A second CALL comes before the first one is answered. | handlers run beside each other on one state
answers-to-nothing | answer-to-nothing | Answers come to what was never asked, and was answered before. | a late answer is given to the CALL that is open now
= A02, A03: a new certificate
certificate-is-something-else | certificate-renewal | A certificate is asked for, and something else comes back. | a request that failed mutes all later ones
certificate-is-refused | certificate-refused | A request for a certificate is refused, and made again. | the flag that one is open is never taken back
"""

HERE = Place()

_TX_PROFILE: JsonObject = {
    "evseId": 1,
    "chargingProfile": {
        "id": 77,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Relative",
        "transactionId": "never-heard-of",
        "chargingSchedule": [
            {
                "id": 1,
                "chargingRateUnit": "W",
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 8.1}],
            }
        ],
    },
}
_PERIODIC: JsonObject = {
    "setMonitoringData": [
        {
            "value": 1,
            "type": "Periodic",
            "severity": 8,
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "HeartbeatInterval"},
        }
    ]
}
_INTERVAL: JsonObject = {
    "setVariableData": [
        {
            "attributeValue": "300",
            "component": {"name": "OCPPCommCtrlr"},
            "variable": {"name": "HeartbeatInterval"},
        }
    ]
}
_NO_TOKEN: JsonObject = {"idToken": "", "type": "NoAuthorization"}

TOLD: Mapping[str, Sequence[Move]] = {
    "monitor-and-then-set": (
        Ask("SetVariableMonitoring", _PERIODIC),
        Ask("SetVariables", _INTERVAL),
        *tell_status(HERE),
    ),
    "profile-without-its-transaction": (Ask("SetChargingProfile", _TX_PROFILE), *tell_status(HERE)),
    "profiles-cleared-twice": (
        Again((Ask("ClearChargingProfile", {"chargingProfileCriteria": {"evseId": 0}}),), 2),
        Ask("GetChargingProfiles", {"requestId": 71, "chargingProfile": {}}),
    ),
    "reservation-that-is-not-there": (
        Ask("CancelReservation", {"reservationId": 2147483647}),
        *charge(HERE),
        *leave(HERE),
    ),
    "start-while-the-boot-is-pending": (
        boot_answer("Pending", 60),
        *reboot(HERE),
        start_remotely(HERE),
        Ask("Reset", {"type": "OnIdle"}),
        booted(HERE),
        *tell_status(HERE),
    ),
    "triggers-without-a-pause": (
        Again((trigger("StatusNotification", (1, 1)), trigger("Heartbeat")), 10),
        *tell_status(HERE),
    ),
    "trigger-of-what-it-cannot-send": (
        trigger("SignV2GCertificate"),
        trigger("SignCombinedCertificate"),
        trigger("PublishFirmwareStatusNotification"),
        Pause(GLANCE_S),
        *tell_status(HERE),
    ),
    "start-without-authorisation": (
        Ask(
            "RequestStartTransaction",
            {"evseId": 1, "remoteStartId": 72, "idToken": _NO_TOKEN},
        ),
        *reboot(HERE),
        *tell_status(HERE),
    ),
    "report-within-a-report": (
        Withhold("NotifyReport"),
        Ask("GetBaseReport", {"requestId": 74, "reportBase": "FullInventory"}),
        Await("NotifyReport"),
        Ask("GetBaseReport", {"requestId": 75, "reportBase": "ConfigurationInventory"}),
        answered({}),
        *tell_status(HERE),
    ),
    "status-answered-twice-by-errors": (
        Withhold("StatusNotification"),
        trigger("StatusNotification", (1, 1)),
        Await("StatusNotification"),
        answered({}),
        answered({}),
        trigger("Heartbeat"),
        Await("Heartbeat"),
    ),
}

ORDERS = """
= N04: a monitor, and what it watches
monitor-and-then-set | . | A periodic monitor is set, and then its variable. | the reader of messages spins for ever: pings are answered, CALLs are not
= K01: a profile belongs to a transaction
profile-without-its-transaction | . | A profile for a transaction that is not there. | Accepted, and kept for the next transaction
profiles-cleared-twice | . | All profiles are cleared, and cleared again. | Accepted, and those of connectors stay
= H01, H02: reservations
reservation-that-is-not-there | . | A reservation that is not there is cancelled, and somebody charges. | a reservation is read where the feature is off, through a null pointer
= B02.FR.05: while the boot is Pending
start-while-the-boot-is-pending | . | A start and a reset come while the boot is Pending. | a start is kept until the boot is accepted
= F06: messages that are triggered
triggers-without-a-pause | . | Twenty messages are triggered without a pause. | what is triggered fills a queue of ten
trigger-of-what-it-cannot-send | . | Messages are triggered that the station cannot send. | Accepted, and nothing ever comes
= F01: a start without authorisation
start-without-authorisation | . | A start with an empty token of NoAuthorization. | a valid empty token is refused as malformed
= B07: a report is told in parts
report-within-a-report | . | A report is asked for while another one is told. | one requestId serves both
= Part 4 section 4.2.2: an answer comes once
status-answered-twice-by-errors | . | A StatusNotification is answered twice, late. | the second answer is taken for that of the next CALL
"""


def _told(name: str) -> Case:
    return scene(name, TOLD[name])


def _open_call() -> list[Move]:
    return [Withhold("Heartbeat"), trigger("Heartbeat"), Await("Heartbeat")]


def _closed_call() -> list[Move]:
    now = "{time.now}"
    return [answered({"currentTime": now}), trigger("Heartbeat"), Await("Heartbeat")]


def _pending() -> list[Move]:
    return [boot_answer("Pending", 60), *reboot(HERE)]


def _registered() -> list[Move]:
    return [trigger("BootNotification"), booted(HERE), *tell_status(HERE)]


def _report() -> list[Move]:
    return [Ask("GetBaseReport", {"requestId": 73, "reportBase": "FullInventory"})]


_UNKNOWN_STOP = call(
    "RequestStopTransaction",
    {"transactionId": "no-such-tx"},
    None,
    Expectation(Stance.UNSPECIFIED, Tier.MODEL),
    "/transactionId device-model:unknown",
)

CASES: list[Recipe] = [
    *table(scenario, SCENARIOS),
    *table(_told, ORDERS),
    recipe(
        "broken-text-while-a-call-is-open",
        within(_open_call(), message("text/truncated:payload"), _closed_call()),
        purpose="What cannot be read comes while the station waits for an answer.",
        clause='Part 4 section 4.2.3: the unreadable is answered under "-1"',
        mirrors="what cannot be read is taken for the answer that is awaited, and ends it",
    ),
    recipe(
        "broken-call-while-a-call-is-open",
        within(_open_call(), payload("Reset.req/type#type:integer"), _closed_call()),
        purpose="A broken CALL comes while the station waits for an answer.",
        clause="Part 4 sections 4.1.1 and 4.2.3",
        mirrors="the error for a CALL ends the CALL that goes the other way",
    ),
    recipe(
        "unknown-type-while-a-call-is-open",
        within(_open_call(), message("envelope/messageTypeId:9"), _closed_call()),
        purpose="A message of an unknown type comes while the station waits for an answer.",
        clause="Part 4 section 4.4",
        mirrors="whatever is no CALL is an answer",
    ),
    recipe(
        "error-of-nobody-while-a-call-is-open",
        within(_open_call(), message("unsolicited/callerror/reserved-id"), _closed_call()),
        purpose='A CALLERROR under "-1" comes while the station waits for an answer.',
        clause='Part 4 section 4.2.3: "-1" stands for a message whose id could not be read',
        mirrors="the CALL that is open is given up, and its answer is nobody's",
    ),
    recipe(
        "broken-text-while-the-boot-is-pending",
        within(_pending(), message("text/not-json:word"), _registered()),
        purpose="What cannot be read comes while the boot is Pending.",
        clause="B02; Part 4 section 4.2.3",
        mirrors="the error path needs what is made when the boot is accepted",
    ),
    recipe(
        "broken-call-while-the-boot-is-pending",
        within(
            _pending(), payload("GetVariables.req/getVariableData#minItems:empty"), _registered()
        ),
        purpose="A broken CALL comes while the boot is Pending.",
        clause="B02; Part 4 section 4.3",
        mirrors="checks are set up when the boot is accepted, handlers before",
    ),
    recipe(
        "unknown-action-while-the-boot-is-pending",
        within(_pending(), message("envelope/action:unknown"), _registered()),
        purpose="An unknown action is called while the boot is Pending.",
        clause="B02; Part 4 section 4.3",
        mirrors="the list of what is allowed while Pending is asked for what no list has",
    ),
    recipe(
        "broken-call-within-a-report",
        within(_report(), payload("GetReport.req/requestId#type:string"), tell_status(HERE)),
        purpose="A broken CALL comes while the station tells a report.",
        clause="B07; Part 4 section 4.3",
        mirrors="an exception in one handler ends the task that tells the report",
    ),
    recipe(
        "broken-text-while-charging",
        within(charge(HERE), message("text/utf-8:ff"), leave(HERE)),
        purpose="Bytes that are no text come while somebody charges.",
        clause="E; RFC 6455 section 8.1",
        mirrors="the connection ends without a close frame, and the transaction with it",
    ),
    recipe(
        "deep-text-while-charging",
        within(charge(HERE), message("text/number:1e999"), leave(HERE)),
        purpose="A number that no double holds comes while somebody charges.",
        clause="E; RFC 8259 section 6",
        mirrors="a message that cannot be read ends the process, and with it the meter's record",
    ),
    recipe(
        "broken-stop-while-charging",
        within(
            charge(HERE),
            payload("RequestStopTransaction.req/transactionId#maxLength:one-more"),
            leave(HERE),
        ),
        purpose="A stop with a transactionId that is too long comes while somebody charges.",
        clause="F03; Part 4 section 4.3",
        mirrors="an id that cannot be read stops the most recent transaction",
    ),
    recipe(
        "stop-of-a-stranger-while-charging",
        within(charge(HERE), _UNKNOWN_STOP, leave(HERE)),
        purpose="A transaction that never was is stopped while another one runs.",
        clause="F03",
        mirrors="an unknown transaction stops the one that runs",
    ),
    recipe(
        "broken-set-while-charging",
        within(
            charge(HERE),
            payload("SetVariables.req/setVariableData/0/attributeValue#type:integer"),
            leave(HERE),
        ),
        purpose="A broken SetVariables comes while somebody charges.",
        clause="B05; Part 4 section 4.3",
        mirrors="the store is locked when the exception leaves it, and the meter waits",
    ),
    recipe(
        "evse-far-away-while-charging",
        within(
            charge(HERE),
            payload("ChangeAvailability.req/evse/id#integer:2**31-1"),
            leave(HERE),
        ),
        purpose="EVSE 2147483647 is made unavailable while somebody charges.",
        clause="G03",
        mirrors="the number indexes EVSEs, and the transaction of another one ends",
    ),
]
