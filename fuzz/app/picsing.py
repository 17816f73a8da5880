"""Waits for a station, lets it show what it is, and makes or checks a PICS file of that.

Knows which harmless questions show an answer of the form; attacks nothing. The answers themselves are judged in
`fuzz.pics`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

from fuzz.app import Row, Table
from fuzz.app.campaign import prepare
from fuzz.app.rig import rig
from fuzz.clock import SystemClock
from fuzz.config import RunOptions, host_and_port
from fuzz.engine.executor import Executor
from fuzz.engine.inventory import Inventory
from fuzz.errors import StoreError, UsageError
from fuzz.pics.checking import TRIGGER_OF
from fuzz.pics.comparing import differences
from fuzz.pics.drafting import ASSUMED, OBSERVED, Draft, Seen, draft
from fuzz.pics.form import answered, form
from fuzz.pics.loading import dump_pics, load_pics
from fuzz.records import EngineEvent, FrameKind, Heard
from fuzz.transport.hello import ClientHelloTap
from strategies.labels import JsonObject
from tlslab.wire import is_grease, suite_name

Sink = Callable[[EngineEvent], None]

ANSWERS = 5
"""So often a harmless CALL is timed."""

SIGNALLING = frozenset({0x00FF, 0x5600})
"""Values in a ClientHello's list of suites that are none (RFC 5746, RFC 7507)."""

_TRIGGERS = (*TRIGGER_OF.values(), "Heartbeat")
# Not SignChargingStationCertificate: it makes a station replace its key pair.


def draft_pics(options: RunOptions, file: Path, sink: Sink) -> Table:
    """Write a PICS file of what the station showed; a summary. Raises `TargetUnavailable` when nobody came."""
    if file.exists():
        raise UsageError(f"{file} exists; name a file that does not")
    made = draft(asyncio.run(_look(options, sink)), str(file))
    head = (
        "What a Charging Station showed of itself. Read every line that is assumed, and correct it."
    )
    try:
        file.write_text(dump_pics(made.pics, made.notes, head), "utf-8")
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}") from None
    return _summary(made, file)


def check_pics(file: str, options: RunOptions, sink: Sink) -> Table:
    """The answers of a PICS file that the station contradicts, one a row. Raises `TargetUnavailable`."""
    declared = load_pics(file)
    found = draft(asyncio.run(_look(options, sink)), "station")
    rows = tuple(
        Row((d.item, _question(d.item), d.declared, d.observed))
        for d in differences(declared, found)
    )
    seen = len(found.observed & set(answered()))
    note = f"{len(rows)} differences; {seen} of {len(answered())} lines were observed"
    return Table(
        f"{file} against the station", ("item", "question", "declared", "observed"), rows, note
    )


def _question(item: str) -> str:
    return form()[item].asks if item in form() else ""


def _summary(made: Draft, file: Path) -> Table:
    counts = {
        word: sum(n.startswith(word) for n in made.notes.values()) for word in (OBSERVED, ASSUMED)
    }
    rows = tuple(Row((word, str(count))) for word, count in counts.items())
    return Table(
        f"{file}", ("answers", "how many"), rows, note="read the assumed ones and correct them"
    )


async def _look(options: RunOptions, sink: Sink) -> Seen:
    if options.target is not None:
        raise UsageError("pics looks at stations that dial in: use --listen HOST:PORT")
    if options.listen is not None and options.pics is not None:
        raise UsageError("--pics is what our own station is built of; leave it out with --listen")
    if options.listen is None:
        return await _ask(options, None, sink)
    tap = ClientHelloTap(*host_and_port(options.listen))
    await tap.start()
    try:
        return await _ask(options, tap, sink)
    finally:
        await tap.aclose()


async def _ask(options: RunOptions, tap: ClientHelloTap | None, sink: Sink) -> Seen:
    """Everything that the form can be filled with; nothing that changes the station."""
    clock = SystemClock()
    async with rig(options, sink, behind=None if tap is None else tap.inner_port) as made:
        made.pace.come_back_s = made.pace.boot_s = options.wait_s
        executor = Executor(made.wiring, made.pace)
        inventory = await prepare(executor, sink)
        answers = [s for _ in range(ANSWERS) if (s := await _timed(executor, clock)) is not None]
        triggers = {t: await _trigger(executor, inventory, t) for t in _TRIGGERS}
        report = await _report(executor, clock)
        summary = await executor.proper_call(
            "GetBaseReport", {"requestId": 3, "reportBase": "SummaryInventory"}
        )
        await executor.serve(0.5)
        facts = executor.facts
        await executor.hang_up()
    boot = {
        "vendor": facts.vendor,
        "model": facts.model,
        "serial": facts.serial,
        "firmware": facts.firmware,
    }
    return Seen(
        boot={key: value for key, value in boot.items() if value},
        security_profile=options.security_profile,
        suites=tuple(_suites(tap)),
        variables=tuple(inventory.pool.variables),
        triggers=triggers,
        summary=_status(summary),
        answers_s=tuple(answers),
        reports_s=() if report is None else (report,),
    )


async def _timed(executor: Executor, clock: SystemClock) -> float | None:
    """Seconds until the answer to a harmless CALL; None when there was none."""
    began = clock.monotonic()
    variable: JsonObject = {"component": {"name": "ClockCtrlr"}, "variable": {"name": "DateTime"}}
    answer = await executor.proper_call("GetVariables", {"getVariableData": [variable]})
    return None if answer is None else clock.monotonic() - began


async def _report(executor: Executor, clock: SystemClock) -> float | None:
    """Seconds until a whole base report was there; None when there was none."""
    began = clock.monotonic()
    told = await Inventory().read(executor)
    return clock.monotonic() - began if told else None


async def _trigger(executor: Executor, inventory: Inventory, trigger: str) -> str:
    payload: JsonObject = {"requestedMessage": trigger}
    if trigger == "StatusNotification":
        # F06.FR.12: it is asked of one connector.
        places = sorted(
            (v.evse_id or 1, v.connector_id or 1)
            for v in inventory.pool.variables
            if v.connector_id
        )
        evse, connector = places[0] if places else (1, 1)
        payload["evse"] = {"id": evse, "connectorId": connector}
    return _status(await executor.proper_call("TriggerMessage", payload))


def _status(answer: Heard | None) -> str:
    if (
        answer is None
        or answer.kind is not FrameKind.CALLRESULT
        or not isinstance(answer.payload, dict)
    ):
        return ""
    status = answer.payload.get("status")
    return status if isinstance(status, str) else ""


def _suites(tap: ClientHelloTap | None) -> Iterator[str]:
    """The suites of the last ClientHello, as OpenSSL calls them where it knows them."""
    hellos = [seen.hello for seen in tap.seen if seen.hello is not None] if tap is not None else []
    if not hellos:
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("ALL:COMPLEMENTOFALL:@SECLEVEL=0")
    names = {cipher["id"] & 0xFFFF: cipher["name"] for cipher in context.get_ciphers()}
    for code in hellos[-1].cipher_suites:
        if code not in SIGNALLING and not is_grease(code):
            yield names.get(code, suite_name(code))
