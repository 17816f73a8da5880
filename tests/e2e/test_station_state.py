"""What a station has to tell survives its sudden death: kill -9 while it is offline, and while it delivers."""

import asyncio
import contextlib
import json
import sys
from collections import Counter
from datetime import UTC, datetime

import pytest
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

from fuzz.station.state import StateDir

PATIENCE_S = 20.0


def answer(action):
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    boot = {"status": "Accepted", "currentTime": now, "interval": 300}
    token = {"idTokenInfo": {"status": "Accepted"}}
    known = {"BootNotification": boot, "Heartbeat": {"currentTime": now}, "Authorize": token}
    return known.get(action, {})


class Csms:
    """Notes every CALL; kills the station, instead of answering, at the queued messages named in `deadly`."""

    def __init__(self, port):
        self.port = port
        self.heard = []
        self.deadly = set()
        self.kill = None
        self.answered = []
        self._socket = None
        self._server = None

    async def open(self):
        self._server = await serve(
            self._serve, "127.0.0.1", self.port, subprotocols=["ocpp2.0.1"], close_timeout=0.1
        )

    async def close(self):
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def ask(self, action, payload):
        """What the station answers."""
        before = len(self.answered)
        await self._socket.send(json.dumps([2, f"ask-{before}", action, payload]))
        await until(lambda: len(self.answered) > before, lambda: self.heard)
        return self.answered[-1]

    def queued(self):
        """The messages of guaranteed delivery that arrived, in order."""
        return [told(action, payload) for action, payload in self.heard if action in QUEUED]

    async def _serve(self, socket):
        self._socket = socket
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                kind, id_, action, payload = [*json.loads(text), None][:4]
                if kind != 2:
                    self.answered.append(action)
                    continue
                self.heard.append((action, payload))
                if action in QUEUED and len(self.queued()) in self.deadly:
                    self.kill()
                    return
                await socket.send(json.dumps([3, id_, answer(action)]))


QUEUED = ("SecurityEventNotification", "TransactionEvent")


def told(action, payload):
    """What makes a message itself; whether it waited offline does not."""
    return json.dumps([action, {**payload, "offline": None}], sort_keys=True)


class StationProcess:
    """The real station, started again and again on one state folder."""

    def __init__(self, port, folder, log):
        self._words = [
            f"--csms=ws://127.0.0.1:{port}",
            f"--state={folder}",
            "--console",
            "--backoff-min-s=0.05",
            "--backoff-range-s=0",
            "--boot-delay-s=0",
        ]
        self._folder = folder
        self._log = log
        self._process = None

    async def start(self):
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "fuzz.station",
                *self._words,
                stdin=asyncio.subprocess.PIPE,
                stderr=log,
            )

    def do(self, *lines):
        self._process.stdin.write("".join(f"{line}\n" for line in lines).encode())

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def dead(self):
        self.kill()
        await asyncio.wait_for(self._process.wait(), PATIENCE_S)

    def waiting(self):
        """What a dead station would still deliver, in order for each action."""
        with StateDir(self._folder) as kept:
            state = kept.read()
        boxes = [state[name] for name in sorted(state) if name.startswith("outbox-")]
        return [told(letter["action"], letter["payload"]) for box in boxes for letter in box]

    def letters(self):
        """How much waits in a living station."""
        boxes = sorted(self._folder.glob("outbox-*.station.json"))
        return sum(len(json.loads(path.read_text())) for path in boxes)


async def until(true, what):
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not true():  # noqa: ASYNC110 - it happens in another process, which tells nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"not within {PATIENCE_S:g} s; instead: {what()}")


@pytest.fixture
async def csms(port):
    csms = Csms(port)
    yield csms
    await csms.close()


@pytest.fixture
async def station(port, tmp_path, csms):
    station = StationProcess(port, tmp_path / "state", tmp_path / "log")
    csms.kill = station.kill
    await csms.open()
    await station.start()
    await until(lambda: csms.queued(), lambda: (tmp_path / "log").read_text())
    yield station
    await station.dead()


def in_order(parts, whole):
    """Whether the members of `parts` come first in `whole` in the same order."""
    moments = [whole.index(part) for part in parts]
    return moments == sorted(moments)


async def test_every_queued_event_survives_kill_9_and_only_the_one_in_flight_is_repeated(
    station, csms, tmp_path
):
    await csms.close()
    for _ in range(3):
        before = station.letters()
        station.do("tamper", "failed-login Eve", "tamper")
        await until(lambda least=before + 2: station.letters() >= least, station.letters)
        await station.dead()
        assert len(station.waiting()) >= before + 2
        await station.start()
    await station.dead()
    waiting = station.waiting()
    assert len(waiting) >= 6

    delivered = len(csms.queued())
    csms.deadly = {delivered + 1, delivered + 4}
    await csms.open()
    for _ in csms.deadly:
        await station.start()
        await asyncio.wait_for(station._process.wait(), PATIENCE_S)
    await station.start()
    await until(lambda: set(waiting) <= set(csms.queued()), lambda: (tmp_path / "log").read_text())
    await until(lambda: station.letters() == 0, station.letters)

    arrived = csms.queued()[delivered:]
    repeated = Counter({told: count - 1 for told, count in Counter(arrived).items() if count > 1})
    in_flight = Counter(csms.queued()[number - 1] for number in csms.deadly)
    assert repeated <= in_flight
    assert in_order(waiting, arrived)


async def test_what_the_csms_configured_is_there_after_kill_9(station, csms):
    variable = {
        "component": {"name": "OCPPCommCtrlr"},
        "variable": {"name": "ResetRetries"},
    }
    change = {**variable, "attributeValue": "4"}
    answer = await csms.ask("SetVariables", {"setVariableData": [change]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
    for _ in range(3):
        before = len(csms.heard)
        station.do("tamper")
        await station.dead()
        await station.start()
        await until(lambda least=before: len(csms.heard) > least, str)
    told = await csms.ask("GetVariables", {"getVariableData": [variable]})
    assert told["getVariableResult"][0]["attributeValue"] == "4"


def transactions(queued):
    """The distinct events of each transaction, in order of arrival."""
    events = [json.loads(one)[1] for one in dict.fromkeys(queued) if "TransactionEvent" in one]
    found = {}
    for event in events:
        found.setdefault(event["transactionInfo"]["transactionId"], []).append(event)
    return found


async def test_a_transaction_goes_offline_through_kill_9_without_a_gap(station, csms, tmp_path):
    # An EV that is plugged in begins a transaction, authorised or not, so that one begins offline as well.
    start = {
        "component": {"name": "TxCtrlr"},
        "variable": {"name": "TxStartPoint"},
        "attributeValue": "EVConnected",
    }
    answer = await csms.ask("SetVariables", {"setVariableData": [start]})
    assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
    deadly = set()
    for _ in range(2):
        delivered = len(csms.queued())
        station.do("plug-in 1", "present-token A", "start-power 1")
        # Whoever goes offline before the token was accepted charges nobody, and has nothing to tell.
        await until(lambda least=delivered: len(csms.queued()) >= least + 2, lambda: csms.heard)
        await csms.close()
        station.do("stop-power 1", "start-power 1", "stop-power 1", "unplug 1", "plug-in 1")
        await until(lambda: station.letters() >= 3, station.letters)
        for _ in range(2):
            await station.dead()
            await station.start()
            station.do("tamper")
        await station.dead()
        waiting = station.waiting()
        assert len(waiting) >= 3

        csms.deadly = {len(csms.queued()) + 2}
        deadly |= csms.deadly
        await csms.open()
        await station.start()
        await asyncio.wait_for(station._process.wait(), PATIENCE_S)
        await station.start()
        await until(lambda must=waiting: set(must) <= set(csms.queued()), station.letters)
        await until(lambda: station.letters() == 0, station.letters)
    station.do("unplug 1")

    repeated = [told for told, count in Counter(csms.queued()).items() if count > 1]
    assert set(repeated) <= {csms.queued()[number - 1] for number in deadly}
    found = transactions(csms.queued())
    assert len(found) >= 2
    for events in found.values():
        assert [event["seqNo"] for event in events] == list(range(len(events)))
        assert [events[0]["eventType"], events[-1]["eventType"]] == ["Started", "Ended"]
        assert {event["eventType"] for event in events[1:-1]} <= {"Updated"}
