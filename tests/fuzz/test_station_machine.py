"""The station under everything that drivers, the CSMS and the surroundings may do, in any order."""

import itertools
import json

import pytest
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fuzz.station.bench import Bench
from fuzz.station.events import (
    ClearFault,
    Connect,
    Connected,
    CutNetwork,
    DropConnection,
    Fault,
    PlugIn,
    PowerCycle,
    PowerOn,
    PresentToken,
    Reboot,
    RestoreNetwork,
    ShiftClock,
    StartPower,
    StopPower,
    Unplug,
)

NOW = "2026-01-01T00:00:00Z"
evses = st.integers(1, 2)
tokens = st.sampled_from(["AA01", "BB02", "CC03"])
starts = st.sets(
    st.sampled_from(["EVConnected", "Authorized", "PowerPathClosed", "EnergyTransfer"]), min_size=1
)
stops = st.sets(st.sampled_from(["EVConnected", "Authorized", "PowerPathClosed"]), min_size=1)
booleans = st.sampled_from(["true", "false"])
physical = st.sampled_from([PlugIn, Unplug, StartPower, StopPower, Fault, ClearFault])
statuses = st.sampled_from(["Accepted", "Accepted", "Invalid", "Blocked"])


class Station(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        numbers = itertools.count(1)
        self.ids = lambda: f"id{next(numbers)}"
        self.bench = Bench(ids=self.ids)
        self.said = []
        self.answered = set()
        self.let_in = False

    # --- the surroundings ---------------------------------------------------------------------------------

    def do(self, event):
        self.follow(self.bench.do(event))

    def follow(self, commands):
        for command in commands:
            match command:
                case Connect():
                    self.do(Connected())
                case DropConnection():
                    self.follow(self.bench.lose())
                case Reboot():
                    self.bench.lose()
                    self.do(PowerOn())

    @initialize(starts=starts, stops=stops, stop_invalid=booleans, offline=booleans)
    def begins(self, starts, stops, stop_invalid, offline):
        self.do(PowerOn())
        self.settle()
        for component, name, value in (
            ("TxCtrlr", "TxStartPoint", ",".join(starts)),
            ("TxCtrlr", "TxStopPoint", ",".join(stops)),
            ("TxCtrlr", "StopTxOnInvalidId", stop_invalid),
            ("AuthCtrlr", "OfflineTxForUnknownIdEnabled", offline),
        ):
            data = {
                "attributeValue": value,
                "component": {"name": component},
                "variable": {"name": name},
            }
            answer = self.ask("SetVariables", {"setVariableData": [data]})
            assert answer[2]["setVariableResult"][0]["attributeStatus"] == "Accepted"

    @rule(kind=physical, evse=evses)
    def somebody_does(self, kind, evse):
        self.do(kind(evse))

    @rule(evse=evses)
    def an_ev_comes_to_charge(self, evse):
        self.do(PlugIn(evse))
        self.do(StartPower(evse))

    @rule(token=tokens)
    def a_token_is_shown(self, token):
        self.let_in |= not self.bench.station._context.connected
        self.do(PresentToken(token))

    @rule(seconds=st.sampled_from([1, 35, 61, 400]))
    def time_passes(self, seconds):
        self.follow(self.bench.wait(seconds))

    @rule(event=st.sampled_from([CutNetwork(), RestoreNetwork(), PowerCycle(), ShiftClock(-5000)]))
    def surroundings_change(self, event):
        self.do(event)

    @rule()
    def the_process_is_killed_and_started(self):
        self.said += self.bench.said
        now, kept = self.bench.now, self.bench.kept
        # Counted ids go on: a transactionId is never used again.
        self.bench = Bench(ids=self.ids, lasting=json.loads(json.dumps(kept)))
        self.bench.now = now
        self.do(PowerOn())

    # --- the CSMS -----------------------------------------------------------------------------------------

    def ask(self, action, payload):
        calls = len(self.bench.said)
        commands = self.bench.hear(json.dumps([2, "q", action, payload]))
        answers = [frame for frame in self.bench.said[calls:] if frame[0] in (3, 4)]
        self.follow(commands)
        return answers[0] if answers else []

    @rule(status=statuses, group=st.booleans())
    def it_answers(self, status, group):
        self.reply(status, group=group)

    @rule()
    def it_answers_all(self):
        self.settle()

    @rule()
    def it_answers_with_an_error(self):
        if self.open_question:
            self.answered.add(self.bench.asked[1])
            error = [4, self.bench.asked[1], "InternalError", "", {}]
            self.follow(self.bench.hear(json.dumps(error)))

    @rule(evse=st.sampled_from([None, 1, 2, 3]), token=tokens)
    def it_starts(self, evse, token):
        request = {"remoteStartId": 1, "idToken": {"idToken": token, "type": "Central"}}
        chosen = {} if evse is None else {"evseId": evse}
        answer = self.ask("RequestStartTransaction", {**request, **chosen})
        self.let_in |= bool(answer) and answer[2]["status"] == "Accepted"

    @rule()
    def it_stops(self):
        running = self.bench.station._context.transactions.on(0)
        answer = self.ask("RequestStopTransaction", {"transactionId": running or "none"})
        assert not answer or answer[2]["status"] in ("Accepted", "Rejected")

    @rule(kind=st.sampled_from(["Immediate", "OnIdle"]))
    def it_resets(self, kind):
        self.ask("Reset", {"type": kind})

    @rule(evse=st.sampled_from([None, 1, 2]), word=st.sampled_from(["Operative", "Inoperative"]))
    def it_changes_availability(self, evse, word):
        place = {} if evse is None else {"evse": {"id": evse}}
        self.ask("ChangeAvailability", {"operationalStatus": word, **place})

    @property
    def open_question(self):
        return bool(self.bench.asked) and self.bench.asked[1] not in self.answered

    def reply(self, status="Accepted", *, group=False):
        if not self.open_question:
            return
        _, message_id, action, payload = self.bench.asked
        self.answered.add(message_id)
        info = {"status": status}
        if group:
            info["groupIdToken"] = {"idToken": "G", "type": "Central"}
        told = {"idTokenInfo": info} if "idToken" in payload else {}
        answers = {
            "BootNotification": {"status": "Accepted", "currentTime": NOW, "interval": 300},
            "Heartbeat": {"currentTime": NOW},
            "Authorize": {"idTokenInfo": info},
            "TransactionEvent": told,
        }
        self.let_in |= action == "Authorize" and status == "Accepted"
        self.follow(self.bench.hear(json.dumps([3, message_id, answers.get(action, {})])))

    def settle(self):
        while self.open_question:
            self.reply()

    # --- what always holds --------------------------------------------------------------------------------

    @invariant()
    def no_energy_flows_to_nobody(self):
        context = self.bench.station._context
        for number, evse in context.evses.items():
            assert not evse.flowing or (self.let_in and context.transactions.authorized(number))
            assert not evse.flowing or not evse.faulted
            assert not evse.flowing or context.transactions.on(number)

    def teardown(self):
        """In the end everything was told, once for each transaction and in order."""
        self.do(RestoreNetwork())
        for _ in range(60):
            # Shorter than the station waits for an answer: nothing fails any more.
            self.follow(self.bench.wait(20))
            self.settle()
        assert not self.bench.station._context.outboxes["transaction"].waiting
        told = {}
        for frame in [*self.said, *self.bench.said]:
            if frame[0] == 2 and frame[2] == "TransactionEvent":
                payload = frame[3]
                events = told.setdefault(payload["transactionInfo"]["transactionId"], {})
                again = events.setdefault(payload["seqNo"], payload)
                assert {**again, "offline": None} == {**payload, "offline": None}
        running = {s.transaction for s in self.bench.station._context.transactions._each()}
        for transaction, events in told.items():
            assert list(events) == list(range(len(events)))
            kinds = [event["eventType"] for event in events.values()]
            assert kinds[0] == "Started"
            assert set(kinds[1:-1]) <= {"Updated"}
            assert (kinds[-1] == "Ended") is (transaction not in running)
            assert sum("evse" in event for event in events.values()) <= 1


TestStation = pytest.mark.slow(Station.TestCase)
TestStation.settings = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
