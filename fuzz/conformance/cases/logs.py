"""Block N: getting logs, and clearing what is known of a customer."""

from __future__ import annotations

from fuzz.conformance.depot import Depot, depot
from fuzz.conformance.script import Csms, station_test
from fuzz.conformance.states import id_token
from fuzz.conformance.view import View
from strategies.labels import JsonObject

_FAILURES = ("UploadFailure", "BadMessage", "PermissionDenied", "NotSupportedOperation")


async def _get_log(
    s: Csms, store: Depot, kind: str, *, status: str = "Accepted", **further: int
) -> tuple[int, View]:
    """The requestId of a GetLog to the depot, and the answer."""
    request_id = s.request_id()
    log: JsonObject = {"remoteLocation": f"{store.url}/logs/"}
    request: JsonObject = {"logType": kind, "requestId": request_id, "log": log, **further}
    return request_id, await s.accepted("GetLog", request, status=status)


async def _told(s: Csms, request_id: int, *statuses: str) -> View:
    """The next LogStatusNotification of the request with one of these."""
    return await s.expect(
        "LogStatusNotification",
        lambda v: v["requestId"] == request_id and v["status"] in statuses,
        what=f"LogStatusNotification {' or '.join(statuses)} of request {request_id}",
    )


async def _uploads(s: Csms, kind: str) -> None:
    """A log of the kind is uploaded as the answer named it."""
    with depot(s.port.host, s.port.name) as store:
        request_id, answer = await _get_log(s, store, kind)
        s.require(answer.text("filename"), "the answer names the file", answer.payload)
        await _told(s, request_id, "Uploading")
        await _told(s, request_id, "Uploaded")
        names = list(store.taken)
        s.require(len(names) == 1, "one file is uploaded", names)


@station_test("TC_N_25")
async def diagnostics_are_uploaded(s: Csms) -> None:
    """The diagnostics log is uploaded, and the CSMS told so from beginning to end."""
    await _uploads(s, "DiagnosticsLog")


@station_test("TC_N_35")
async def the_security_log_is_uploaded(s: Csms) -> None:
    """The security log is uploaded, and the CSMS told so from beginning to end."""
    await _uploads(s, "SecurityLog")


@station_test("TC_N_26", slow=True)
async def an_upload_fails(s: Csms) -> None:
    """A log that cannot be uploaded is tried again as often as asked, then told as failed."""
    with depot(s.port.host, s.port.name) as store:
        store.refuses = True
        request_id, _ = await _get_log(s, store, "DiagnosticsLog", retries=3, retryInterval=1)
        failed = [await _told(s, request_id, *_FAILURES)]
        await s.until(lambda: store.uploads >= 4, "the upload is tried once and three times again")
        await s.sleep(1.5)
        failed += [h.view for h in s.untaken("LogStatusNotification") if h["status"] in _FAILURES]
        s.require(
            len(failed) in (1, 4),
            "the failure is told once, or at each attempt",
            [v.payload for v in failed],
        )
        s.require(store.uploads == 4, "no further attempt is made", store.uploads)


@station_test("TC_N_36")
async def a_second_log_takes_the_place_of_the_first(s: Csms) -> None:
    """A GetLog during an upload cancels it, and only the second log is told as uploaded."""
    with depot(s.port.host, s.port.name) as store:
        store.gate.clear()
        first, _ = await _get_log(s, store, "DiagnosticsLog")
        await _told(s, first, "Uploading")
        second, _ = await _get_log(s, store, "DiagnosticsLog", status="AcceptedCanceled")
        await _told(s, first, "AcceptedCanceled")
        store.gate.set()
        await _told(s, second, "Uploading")
        await _told(s, second, "Uploaded")
        late = s.untaken("LogStatusNotification", where={"requestId": first})
        s.require(not late, "nothing more of the first log", [h.view.payload for h in late])


@station_test("TC_N_32")
async def what_is_known_of_a_customer_is_cleared(s: Csms) -> None:
    """What is known of a customer is cleared, and one message says so."""
    request_id = s.request_id()
    token = id_token()
    request: JsonObject = {"requestId": request_id, "clear": True, "report": False}
    await s.accepted("CustomerInformation", {**request, "idToken": token})
    told = await s.expect("NotifyCustomerInformation", {"requestId": request_id})
    s.require(
        (told["seqNo"], told["tbc"]) in ((0, False), (0, None)), "it is one part", told.payload
    )
