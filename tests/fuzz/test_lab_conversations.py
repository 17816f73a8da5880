"""Both conversations of the lab, speaking to each other over a pipe: a Charging Station's and a CSMS's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fuzz.clock import SystemClock
from fuzz.lab.caller import StationCaller, StationDialogue
from fuzz.lab.session import StationSession
from fuzz.station.voice import StationVoice
from tlslab.pki import Lab
from tlslab.seen import Connection
from tlslab.session import AnsweredWithError, NotAnswered, NotSeen

IDENTITY = "CS-1"
PASSWORD = "a-long-enough-password"
EVENT = {"type": "InvalidCsmsCertificate", "timestamp": "2026-01-01T00:00:00Z", "techInfo": "x"}


class Pipe:
    """One end of a pair; implements `tlslab.session.Stream`."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[bytes] = asyncio.Queue()
        self.peer = self
        self.closed = False

    async def read(self) -> bytes:
        if self.closed and self.inbox.empty():
            return b""
        return await self.inbox.get()

    async def write(self, data: bytes) -> None:
        self.peer.inbox.put_nowait(data)

    async def close(self) -> None:
        if not self.closed:
            self.closed = self.peer.closed = True
            self.peer.inbox.put_nowait(b"")
            self.inbox.put_nowait(b"")


def pipe() -> tuple[Pipe, Pipe]:
    one, other = Pipe(), Pipe()
    one.peer, other.peer = other, one
    return one, other


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab.create(tmp_path_factory.mktemp("pki"), now=datetime.now(UTC))


@pytest.fixture
async def session(lab: Lab, tmp_path: Path) -> AsyncIterator[StationSession]:
    async def nobody(event: str, argument: str) -> bool:
        return event == "plug-in"

    made = StationSession(
        SystemClock(),
        lab,
        tmp_path,
        identity=IDENTITY,
        security_profile=2,
        password=PASSWORD,
        operator=nobody,
    )
    await made.start()
    yield made
    await made.aclose()


@contextlib.asynccontextmanager
async def talking(
    session: StationSession, *, password: str = PASSWORD, identity: str = IDENTITY
) -> AsyncIterator[StationDialogue]:
    theirs, ours = pipe()
    connection = Connection(1, 0.0, datetime.now(UTC))
    serving = asyncio.create_task(session.serve(ours, connection))
    caller = StationCaller(lambda: StationVoice(SystemClock()))
    dialogue = await caller.dial(
        theirs, host="localhost", path=f"/ocpp/{identity}", basic=(identity, password)
    )
    try:
        yield dialogue
    finally:
        await dialogue.close()
        await asyncio.wait_for(serving, 10)


async def boot(dialogue: StationDialogue) -> str:
    station = {"vendorName": "V", "model": "M", "serialNumber": "S", "firmwareVersion": "1"}
    answer = await dialogue.call(
        "BootNotification", {"chargingStation": station, "reason": "PowerUp"}
    )
    return str(answer["status"])


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came about")


async def test_a_station_boots_over_any_stream(session: StationSession) -> None:
    async with talking(session) as dialogue:
        assert dialogue.status == 101
        assert await boot(dialogue) == "Accepted"
        assert session.connected
        assert session.booted == 1
    await until(lambda: not session.connected)


async def test_a_wrong_password_gets_no_further_than_http(session: StationSession) -> None:
    async with talking(session, password="wrong-password-0001") as dialogue:
        assert (dialogue.status, dialogue.open) == (401, False)
        with pytest.raises(NotAnswered):
            await boot(dialogue)
    assert not session.connected


async def test_an_identity_that_was_not_named_is_turned_away(session: StationSession) -> None:
    async with talking(session, identity="CS-2") as dialogue:
        assert dialogue.status == 404


async def test_the_session_asks_and_the_station_answers(session: StationSession) -> None:
    async with talking(session) as dialogue:
        await boot(dialogue)
        dialogue.answer("GetVariables", {"getVariableResult": [variable("Accepted", "30")]})
        await until(lambda: session.connected)
        assert await session.get_variable("OCPPCommCtrlr", "HeartbeatInterval") == "30"
        dialogue.answer("GetVariables", {"getVariableResult": [variable("UnknownVariable", None)]})
        assert await session.get_variable("OCPPCommCtrlr", "HeartbeatInterval") is None


async def test_what_was_set_is_set_back(session: StationSession) -> None:
    async with talking(session) as dialogue:
        await boot(dialogue)
        await until(lambda: session.connected)
        dialogue.answer("GetVariables", {"getVariableResult": [variable("Accepted", "30")]})
        dialogue.answer("SetVariables", {"setVariableResult": [variable("Accepted", None)]})
        assert await session.set_variable("OCPPCommCtrlr", "HeartbeatInterval", "1") == "Accepted"
        assert await session.restore() == []
        asked = await dialogue.wait_for("SetVariables", within=5)
        again = await dialogue.wait_for("SetVariables", within=5)
        assert [a["setVariableData"][0]["attributeValue"] for a in (asked, again)] == ["1", "30"]


async def test_what_cannot_be_set_back_is_told(session: StationSession) -> None:
    async with talking(session) as dialogue:
        await boot(dialogue)
        await until(lambda: session.connected)
        dialogue.answer("GetVariables", {"getVariableResult": [variable("Accepted", "30")]})
        dialogue.answer("SetVariables", {"setVariableResult": [variable("Rejected", None)]})
        await session.set_variable("OCPPCommCtrlr", "HeartbeatInterval", "1")
        assert await session.restore() == ["OCPPCommCtrlr.HeartbeatInterval"]


async def test_a_payload_that_breaks_the_schema_is_said_all_the_same(
    session: StationSession,
) -> None:
    async with talking(session) as dialogue:
        await boot(dialogue)
        await until(lambda: session.connected)
        with pytest.raises(AnsweredWithError):
            await session.call("CertificateSigned", {"certificateChain": 7}, within=5)


async def test_security_events_are_kept_in_order(session: StationSession) -> None:
    async with talking(session) as dialogue:
        await boot(dialogue)
        await dialogue.call("SecurityEventNotification", EVENT)
        await dialogue.call("SecurityEventNotification", EVENT | {"type": "InvalidTLSVersion"})
    assert [kind for kind, _ in session.events()] == ["InvalidCsmsCertificate", "InvalidTLSVersion"]


async def test_an_answer_can_be_changed_withheld_and_restored(session: StationSession) -> None:
    request = {"csr": "x", "certificateType": "ChargingStationCertificate"}
    async with talking(session) as dialogue:
        await boot(dialogue)
        session.answer("SignCertificate", {"status": "Accepted"}, times=1)
        assert (await dialogue.call("SignCertificate", request))["status"] == "Accepted"
        assert (await dialogue.call("SignCertificate", request))["status"] == "Rejected"
        session.mute("SignCertificate")
        with pytest.raises(NotAnswered):
            await dialogue.call("SignCertificate", request, within=0.2)
        session.answer_properly("SignCertificate")
        assert (await dialogue.call("SignCertificate", request))["status"] == "Rejected"
        heard = session.heard("SignCertificate")
        assert len(heard) == 4


async def test_what_does_not_come_is_told(session: StationSession) -> None:
    async with talking(session) as dialogue:
        await boot(dialogue)
        await until(lambda: session.connected)
        with pytest.raises(NotSeen):
            await session.wait_for("SignCertificate", within=0.1)
        with pytest.raises(NotSeen):
            await dialogue.wait_for("CertificateSigned", within=0.1)


async def test_a_dropped_conversation_ends_at_both_ends(session: StationSession) -> None:
    async with talking(session) as dialogue:
        await boot(dialogue)
        await until(lambda: session.connected)
        await session.drop()
        assert not session.connected
        await until(lambda: not dialogue.open)


async def test_somebody_at_the_station_is_asked(session: StationSession) -> None:
    assert await session.operator("plug-in", "1")
    assert not await session.operator("power-cycle")


def variable(status: str, value: str | None) -> dict[str, object]:
    told = {
        "attributeStatus": status,
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "HeartbeatInterval"},
    }
    return told if value is None else told | {"attributeValue": value}
