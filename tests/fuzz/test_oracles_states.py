"""Scenes as transcripts: which make an oracle of states speak, and which must not; and a healthy station on random walks."""

import json
import random
from collections import deque
from dataclasses import replace

import pytest

from fuzz.oracles.registry import judge
from fuzz.oracles.states import objections
from fuzz.pics.loading import load_pics
from fuzz.records import Entry, Expect, Gauge, RepeatSteps, Severity, Side, Who
from fuzz.station.bench import BENCH_TIME
from fuzz.station.console import parse
from fuzz.station.core import Station
from fuzz.station.events import (
    CloseConnection,
    Connect,
    Connected,
    Disconnected,
    Download,
    DropConnection,
    Failure,
    PowerOn,
    Reboot,
    SendText as Said,
    TextReceived,
    Tick,
    TransferDone,
    Upload,
)
from fuzz.station.settings import Settings
from fuzz.testing import case, observation
from strategies.labels import Channel, Expectation, Mutation, Stance, Tier
from strategies.version import version

SCENE = Expectation(Stance.UNSPECIFIED, Tier.MODEL)
NOW = "2026-01-01T00:00:00Z"
ACTIONS = (
    "BootNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "NotifyCustomerInformation",
    "NotifyReport",
    "SignCertificate",
    "StatusNotification",
    "TransactionEvent",
)
EVERYTHING_MISSED = tuple(RepeatSteps((Expect(action, 40.0),), 100) for action in ACTIONS)
"""As if the scene had waited for every message, and for some in vain."""


class Walk:
    """A healthy station, a wire on which messages take their time, an operator and a CSMS that do as they please."""

    def __init__(self, seed, pics, plants=()):
        self.rng = random.Random(seed)
        self.now = BENCH_TIME
        self.entries = []
        self.to_us, self.to_station = deque(), deque()
        self.network = self.linked = True
        self.up_at = None
        self.numbers = 0
        self.waiting = deque()
        self.past = []
        self.transactions = []
        self.transfers = []
        self.pics = load_pics(pics)
        settings = Settings(random=lambda: 0.5, ids=self.id)
        self.station = Station(version(), self.pics, settings, plants=plants)
        self.linked = False
        self.do(PowerOn())
        self.quiet(5)
        self.entries.clear()
        self.began = self.now

    def id(self):
        self.numbers += 1
        return f"s{self.numbers}"

    def log(self, who, kind, text):
        self.entries.append(Entry(self.now - getattr(self, "began", self.now), who, kind, text))

    # --- the station ---

    def do(self, event):
        for command in self.station.handle(event, self.now):
            match command:
                case Said(text):
                    self.to_us.append(text)
                case Connect():
                    self.network_allows()
                case CloseConnection():
                    self.lose()
                case DropConnection():
                    self.to_us.clear()
                    self.lose()
                case Reboot(extra_s, abrupt):
                    if abrupt:
                        self.to_us.clear()
                    self.lose(tell=False)
                    self.up_at = self.now + 1.0 + extra_s
                case Download(transfer) | Upload(transfer):
                    self.transfers.append(transfer)
                case _:
                    pass

    def network_allows(self):
        if self.network:
            self.linked = True
            self.log(Who.HARNESS, "open", "a new connection")
            self.do(Connected())
        else:
            self.do(Disconnected(Failure.UNREACHABLE))

    def lose(self, *, tell=True):
        while self.to_us:
            self.receive(answer=False)
        self.to_station.clear()
        self.waiting.clear()
        if self.linked:
            self.linked = False
            self.log(Who.TARGET, "close", "1006")
        if tell:
            self.do(Disconnected())

    def wait(self, seconds):
        until = self.now + seconds
        while True:
            due = [at for at in (self.up_at, self.station.deadline) if at is not None]
            moment = min(due, default=until + 1)
            if moment > until:
                break
            self.now = max(self.now, moment)
            if self.up_at is not None and self.up_at <= self.now:
                self.up_at = None
                self.do(Disconnected())
                self.do(PowerOn())
            else:
                self.do(Tick())
        self.now = until

    # --- the wire ---

    def receive(self, *, answer=True):
        text = self.to_us.popleft()
        self.log(Who.TARGET, "text", text)
        frame = json.loads(text)
        if frame[0] != 2:
            return
        self.past.append(frame[1])
        if frame[2] == "TransactionEvent":
            self.transactions.append(frame[3]["transactionInfo"]["transactionId"])
        if answer:
            self.waiting.append(frame)

    def send(self, frame, who=Who.HARNESS):
        text = json.dumps(frame)
        self.log(who, "text", text)
        if self.linked:
            self.to_station.append(text)

    def deliver(self):
        self.do(TextReceived(self.to_station.popleft()))

    # --- the CSMS ---

    def proper(self, action, payload):
        match action:
            case "BootNotification":
                return {"currentTime": NOW, "interval": 300, "status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": NOW}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted"}}
            case "TransactionEvent" if "idToken" in payload:
                return {"idTokenInfo": {"status": "Accepted"}}
            case "SignCertificate":
                return {"status": "Accepted"}
            case _:
                return {}

    def answer(self):
        frame = self.waiting.popleft()
        self.send([3, frame[1], self.proper(frame[2], frame[3])])

    def answer_badly(self):
        frame, rng = self.waiting.popleft(), self.rng
        bad = rng.choice(("pending", "rejected", "error", "nothing", "late", "foreign", "blocked"))
        match bad:
            case "pending" | "rejected":
                answer = {
                    "currentTime": NOW,
                    "interval": rng.choice((0, 5, 60)),
                    "status": bad.title(),
                }
                self.send([3, frame[1], answer], Who.US)
            case "blocked":
                self.send([3, frame[1], {"idTokenInfo": {"status": "Blocked"}}], Who.US)
            case "error":
                self.send([4, frame[1], "InternalError", "", {}], Who.US)
            case "late":
                self.send([3, rng.choice(self.past), {"currentTime": NOW}], Who.US)
            case "foreign":
                self.send([3, "nobody's", {}], Who.US)
            case _:
                pass

    def ask(self):
        rng = self.rng
        evse = {"id": rng.randint(1, 3)}
        requests = {
            "RequestStartTransaction": {
                "remoteStartId": rng.randint(1, 3),
                "idToken": {"idToken": rng.choice("AB"), "type": "ISO14443"},
                **rng.choice(({}, {"evseId": evse["id"]})),
            },
            "RequestStopTransaction": {
                "transactionId": rng.choice([*self.transactions, "no such"])
            },
            "GetTransactionStatus": rng.choice(
                ({}, {"transactionId": rng.choice([*self.transactions, "no such"])})
            ),
            "Reset": {"type": rng.choice(("Immediate", "OnIdle"))},
            "ChangeAvailability": {
                "operationalStatus": rng.choice(("Operative", "Inoperative")),
                **rng.choice(({}, {"evse": evse}, {"evse": {**evse, "connectorId": 1}})),
            },
            "GetBaseReport": {"requestId": rng.randint(1, 3), "reportBase": "SummaryInventory"},
            "CustomerInformation": {
                "requestId": rng.randint(1, 3),
                "report": True,
                "clear": False,
                "customerIdentifier": "x",
            },
            "GetLog": {
                "requestId": rng.randint(1, 3),
                "logType": "DiagnosticsLog",
                "log": {"remoteLocation": "http://192.0.2.1/"},
            },
            "TriggerMessage": rng.choice(
                (
                    {"requestedMessage": "Heartbeat"},
                    {"requestedMessage": "BootNotification"},
                    {"requestedMessage": "SignChargingStationCertificate"},
                    {"requestedMessage": "StatusNotification", "evse": {**evse, "connectorId": 1}},
                )
            ),
            "SetVariables": {"setVariableData": [rng.choice(SETTABLE)]},
            "GetVariables": {"getVariableData": [_named(item) for item in SETTABLE]},
        }
        action = rng.choice(sorted(requests))
        self.send([2, self.id() + "q", action, requests[action]], Who.US)

    def operate(self):
        rng = self.rng
        evse = rng.randint(1, len(self.pics.evses))
        words = rng.choice(
            (
                f"plug-in {evse}",
                f"plug-in {evse}",
                f"start-power {evse}",
                f"start-power {evse}",
                f"stop-power {evse}",
                f"unplug {evse}",
                "present-token A",
                "present-token B",
                f"fault {evse}",
                f"clear-fault {evse}",
                "cut-network",
                "restore-network",
                "power-cycle",
            )
        )
        self.operated(words)

    def operated(self, words):
        self.log(Who.HARNESS, "operator", words)
        self.network = {"cut-network": False, "restore-network": True}.get(words, self.network)
        self.do(parse(words))

    def transfer(self):
        if self.transfers:
            self.do(TransferDone(self.transfers.pop(), b"", self.rng.choice(("", "denied"))))

    # --- going on ---

    def quiet(self, seconds):
        """Everything is answered as it should be for a while."""
        until = self.now + seconds
        while self.now < until:
            while self.to_us or self.to_station or self.waiting:
                if self.to_us:
                    self.receive()
                while self.waiting:
                    self.answer()
                while self.to_station:
                    self.deliver()
            self.wait(0.25)

    def idle(self, seconds):
        """Time passes; no message takes as long as a second, though we may leave one unanswered for long."""
        while seconds > 0:
            self.wait(min(seconds, 0.5))
            seconds -= 0.5
            while seconds > 0 and (self.to_us or self.to_station):
                if self.to_us:
                    self.receive()
                if self.to_station:
                    self.deliver()

    def step(self):
        rng = self.rng
        moves = [self.operate, self.ask, lambda: self.idle(rng.choice((0.01, 1.0, 10.0, 31.0)))]
        moves += [self.receive] * 6 if self.to_us else []
        moves += [self.deliver] * 6 if self.to_station else []
        moves += [self.answer] * 12 + [self.answer_badly] if self.waiting else []
        moves += [self.transfer]
        rng.choice(moves)()

    def over(self):
        self.operated("restore-network")
        self.quiet(400)
        return self.entries


def _named(item):
    return {key: item[key] for key in ("component", "variable")}


def _variable(component, name, value):
    return {"component": {"name": component}, "variable": {"name": name}, "attributeValue": value}


SETTABLE = (
    _variable("SecurityCtrlr", "OrganizationName", ""),
    _variable("SecurityCtrlr", "OrganizationName", "Acme"),
    _variable("TxCtrlr", "EVConnectionTimeOut", "20"),
    _variable("TxCtrlr", "TxStartPoint", "EVConnected"),
    _variable("TxCtrlr", "TxStartPoint", "Authorized"),
    _variable("TxCtrlr", "TxStartPoint", "EnergyTransfer"),
    _variable("TxCtrlr", "TxStopPoint", "EVConnected"),
    _variable("TxCtrlr", "TxStopPoint", "Authorized"),
    _variable("OCPPCommCtrlr", "OfflineThreshold", "1"),
)


def seen(entries, *steps):
    """What was seen of a scene with these steps."""
    made = observation(case(SCENE, steps=[*steps, Gauge("")]))
    return replace(made, entries=tuple(entries))


@pytest.mark.parametrize("pics", ["dc-2evse-ccs1", "ac-1evse-type2"])
@pytest.mark.parametrize("seed", range(50))
def test_nothing_is_objected_to_on_a_random_walk_of_a_healthy_station(seed, pics):
    walk = Walk(seed, pics)
    for _ in range(150):
        walk.step()
    entries = walk.over()
    assert objections(seen(entries, *EVERYTHING_MISSED)) == ()


# --- transcripts ------------------------------------------------------------------------------------------------


class Script:
    """A transcript line by line; every line takes three seconds."""

    def __init__(self):
        self.entries, self.now, self.numbers = [], 0.0, 0

    def _log(self, who, kind, text):
        self.now += 3.0
        self.entries.append(Entry(self.now, who, kind, text))
        return self

    def _id(self):
        self.numbers += 1
        return f"m{self.numbers}"

    def wait(self, seconds):
        self.now += seconds
        return self

    def done(self, words):
        return self._log(Who.HARNESS, "operator", words)

    def lost(self):
        return self._log(Who.TARGET, "close", "1006")

    def back(self):
        return self._log(Who.HARNESS, "open", "a new connection")

    def ask(self, action, payload, answer="Accepted", *, error="", id_=""):
        id_ = id_ or self._id()
        self._log(Who.US, "text", json.dumps([2, id_, action, payload]))
        if answer is None:
            return self
        told = {"status": answer} if isinstance(answer, str) else answer
        frame = [4, id_, error, "", {}] if error else [3, id_, told]
        return self._log(Who.TARGET, "text", json.dumps(frame))

    def call(self, action, payload, answer=None, *, who=Who.HARNESS):
        """A CALL of the station and our answer; with `answer` False there is none."""
        id_ = self._id()
        self._log(Who.TARGET, "text", json.dumps([2, id_, action, payload]))
        if answer is False:
            return self
        return self._log(who, "text", json.dumps([3, id_, answer or {}]))

    def boot(self, status="Accepted", interval=300, reason="PowerUp"):
        answer = {"currentTime": NOW, "interval": interval, "status": status}
        return self.call("BootNotification", {"reason": reason}, answer)

    def event(self, kind, seq, id_="t1", trigger="Authorized", answer=None, **more):
        info = {"transactionId": id_}
        for key in ("chargingState", "remoteStartId", "stoppedReason"):
            if key in more:
                info[key] = more.pop(key)
        payload = {"eventType": kind, "seqNo": seq, "triggerReason": trigger, "timestamp": NOW}
        payload["timestamp"] = f"2026-01-01T00:00:{self.numbers % 60:02}Z"
        return self.call("TransactionEvent", {**payload, "transactionInfo": info, **more}, answer)

    def authorize(self, token="A", status="Accepted"):
        asked = {"idToken": {"idToken": token, "type": "ISO14443"}}
        return self.call("Authorize", asked, {"idTokenInfo": {"status": status}})


EVSE = {"evse": {"id": 1, "connectorId": 1}}
TOKEN = {"idToken": {"idToken": "A", "type": "ISO14443"}}
START = {"remoteStartId": 1, "idToken": TOKEN["idToken"]}
WITH_TOKEN = {
    "eventType": "Started",
    "seqNo": 0,
    "triggerReason": "Authorized",
    "timestamp": NOW,
    "transactionInfo": {"transactionId": "t1"},
    **EVSE,
    **TOKEN,
}


def said(script, *steps):
    """What the oracles of states say of a transcript; its payloads are sketches, which O6 would object to."""
    spoken = [v for v in judge(seen(script.entries, *steps)) if v.oracle != "O6"]
    return [f"{v.oracle} {v.symptom}{' (remark)' if v.remark else ''}" for v in spoken]


def charging(script, id_="t1", token=TOKEN, **more):
    """A transaction that is told to charge."""
    script.event("Started", 0, id_, chargingState="EVConnected", **EVSE, **token, **more)
    return script.event("Updated", 1, id_, "ChargingStateChanged", chargingState="Charging", **more)


# O11: registration


@pytest.mark.parametrize("action", ["RequestStartTransaction", "RequestStopTransaction"])
def test_remote_control_accepted_while_pending_is_found(action):
    script = Script().boot("Pending").ask(action, START)
    assert said(script) == [f"O11 B02.FR.05 {action} accepted while Pending"]


@pytest.mark.parametrize("status", ["Rejected", "NotSupported"])
def test_remote_control_refused_while_pending_is_right(status):
    assert said(Script().boot("Pending").ask("RequestStartTransaction", START, status)) == []


def test_remote_control_accepted_after_a_broken_boot_answer_is_unknown():
    script = Script().boot("Perhaps").ask("RequestStartTransaction", START)
    assert said(script) == []


def test_a_call_served_while_rejected_is_found():
    script = Script().boot("Rejected").ask("GetVariables", {}, {})
    assert said(script) == ["O11 B03.FR.08 CALL served while Rejected"]


def test_what_a_station_was_told_before_its_reset_holds_no_more():
    script = Script().ask("Reset", {"type": "Immediate"}, None, id_="r").boot("Rejected")
    script._log(Who.TARGET, "text", json.dumps([3, "r", {"status": "Accepted"}])).lost().back()
    assert said(script.ask("GetVariables", {}, {})) == []


def test_a_call_refused_while_rejected_is_right():
    script = Script().boot("Rejected").ask("GetVariables", {}, error="SecurityError")
    assert said(script) == []


def test_get_variables_refused_while_pending_is_found():
    script = Script().boot("Pending").ask("GetVariables", {}, error="SecurityError")
    assert said(script) == ["O11 B02.FR.01 CALL refused while Pending"]


@pytest.mark.parametrize(
    ("status", "symptom"),
    [
        ("Pending", "B02.FR.02 CALL while Pending, not asked for"),
        ("Rejected", "B03.FR.02 CALL while Rejected"),
    ],
)
def test_a_call_of_a_station_that_is_not_accepted_is_found(status, symptom):
    assert said(Script().boot(status).call("Heartbeat", {})) == [f"O11 {symptom}"]


def test_a_triggered_call_while_pending_is_right():
    script = Script().boot("Pending").ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert said(script.call("Heartbeat", {})) == []


def test_a_report_that_was_asked_for_while_pending_is_right():
    script = Script().boot("Pending").ask("GetBaseReport", {"requestId": 1})
    assert said(script.call("NotifyReport", {"requestId": 1, "seqNo": 0})) == []


def test_a_call_before_the_boot_is_answered_is_found():
    script = Script().call("BootNotification", {"reason": "PowerUp"}, False).wait(40)
    assert said(script.call("Heartbeat", {})) == ["O11 B01.FR.08 CALL before the boot was answered"]


def test_a_call_of_a_station_whose_boot_was_not_seen_is_unknown():
    assert said(Script().call("Heartbeat", {}).call("StatusNotification", {})) == []


@pytest.mark.parametrize(("status", "rule"), [("Pending", "B02.FR.04"), ("Rejected", "B03.FR.02")])
def test_a_boot_before_the_interval_is_found(status, rule):
    script = Script().boot(status, 60).boot()
    assert said(script) == [f"O11 {rule} BootNotification before the interval was over"]


TRIGGERS_BOOT = {"requestedMessage": "BootNotification"}


def test_a_boot_after_the_interval_or_triggered_or_after_power_loss_is_right():
    assert said(Script().boot("Pending", 60).wait(60).boot()) == []
    pending = Script().boot("Pending", 60).ask("TriggerMessage", TRIGGERS_BOOT)
    assert said(pending.boot(reason="Triggered")) == []
    assert said(Script().boot("Rejected", 60).done("power-cycle").lost().back().boot()) == []


def test_a_boot_after_a_reset_that_tells_of_another_cause_is_found():
    script = Script().boot().ask("Reset", {"type": "Immediate"}).lost().back().boot()
    assert said(script) == ["O11 B01.FR.09 boot after Reset for another reason"]


def test_a_boot_after_a_reset_may_tell_of_a_power_cut_before_it_or_be_the_last_one_again():
    reset = {"type": "Immediate"}
    script = Script().boot().done("power-cycle").ask("Reset", reset).lost().back().boot()
    assert said(script) == []
    script = Script().call("BootNotification", {"reason": "PowerUp"}, False).ask("Reset", reset)
    assert said(script.lost().back().boot()) == []
    script = Script().boot().ask("Reset", reset).done("power-cycle").lost().back()
    script.boot(reason="RemoteReset").ask("Reset", reset).lost().back().boot()
    assert said(script) == []


@pytest.mark.parametrize("reason", ["RemoteReset", "ScheduledReset", "Unknown", "Watchdog"])
def test_a_boot_after_a_reset_may_say_so_in_several_words(reason):
    script = Script().boot().ask("Reset", {"type": "Immediate"}).lost().back()
    assert said(script.boot(reason=reason)) == []


def test_a_boot_triggered_although_the_last_one_was_accepted_is_found():
    script = Script().boot().ask("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert said(script) == ["O11 F06.FR.17 BootNotification triggered although accepted"]


# O11: messages that are owed

TRIGGER = {"requestedMessage": "SignChargingStationCertificate"}
IN_VAIN = Expect("SignCertificate", 5.0)


def test_a_trigger_that_is_accepted_and_followed_by_nothing_is_found():
    script = Script().ask("TriggerMessage", TRIGGER).wait(6).done("status")
    assert said(script, IN_VAIN) == ["O11 F06.FR.04 TriggerMessage accepted, nothing follows"]


def test_a_trigger_is_not_missed_where_nobody_waited_or_it_was_rejected_or_came_at_last():
    waited = Script().ask("TriggerMessage", TRIGGER).wait(6).done("status")
    assert said(waited) == []
    rejected = Script().ask("TriggerMessage", TRIGGER, "Rejected").wait(6).done("status")
    assert said(rejected, IN_VAIN) == []
    late = Script().ask("TriggerMessage", TRIGGER).wait(60).call("SignCertificate", {})
    assert said(late.done("status"), IN_VAIN, IN_VAIN) == []


STATUS = {"requestedMessage": "StatusNotification", "evse": {"id": 2, "connectorId": 1}}


@pytest.mark.parametrize(("evse", "found"), [(1, True), (2, False)])
def test_a_trigger_is_followed_by_the_status_of_the_place_that_was_asked_for(evse, found):
    script = Script().ask("TriggerMessage", STATUS)
    told = {"evseId": evse, "connectorId": 1, "connectorStatus": "Available"}
    script.call("StatusNotification", told).wait(6).done("status")
    wait = Expect("StatusNotification", 5.0, (("/evseId", "2"), ("/connectorId", "1")))
    wrong = ["O11 F06.FR.04 TriggerMessage accepted, nothing follows"]
    assert said(script, wait) == (wrong if found else [])


def test_a_report_is_told_although_the_boot_is_pending():
    script = Script().boot(status="Pending").ask("GetBaseReport", {"requestId": 1})
    script.wait(6).done("status")
    wrong = ["O11 B07 GetBaseReport accepted, no NotifyReport follows"]
    assert said(script, Expect("NotifyReport", 5.0)) == wrong


def test_a_report_is_told_to_its_end():
    last = Expect("NotifyReport", 5.0, (("/requestId", "1"), ("/tbc", "false")))
    part = {"requestId": 1, "seqNo": 0, "tbc": True}
    script = Script().ask("GetBaseReport", {"requestId": 1}).call("NotifyReport", part).wait(6)
    assert said(script.done("status"), last) == ["O11 B07, B08, N02, N09 report without an end"]
    script = Script().ask("GetBaseReport", {"requestId": 1}).call("NotifyReport", part)
    script.wait(6).call("NotifyReport", {**part, "seqNo": 1, "tbc": False})
    assert said(script.done("status"), last) == []


def test_a_remote_start_that_was_refused_as_malformed_is_not_carried_out():
    script = Script().ask("RequestStartTransaction", START, error="FormatViolation")
    script.event("Started", 0, remoteStartId=1, **EVSE)
    assert said(script) == ["O11 F01 remote start carried out although Rejected"]


def test_a_trigger_is_not_missed_while_a_call_of_the_station_waits_for_our_answer():
    script = Script().call("Heartbeat", {}, False).ask("TriggerMessage", TRIGGER).wait(6)
    assert said(script.done("status"), IN_VAIN) == []


def test_a_trigger_is_not_missed_after_the_connection_was_lost():
    script = Script().ask("TriggerMessage", TRIGGER).lost().back().wait(6).done("status")
    assert said(script, IN_VAIN) == []


def test_nothing_follows_from_an_action_that_the_station_denies():
    asked = {"requestId": 7}
    script = Script().ask("GetMonitoringReport", asked).wait(6).done("status")
    made = seen(script.entries, Expect("NotifyMonitoringReport", 5.0))
    assert [v.symptom for v in judge(made)] == [
        "N02 GetMonitoringReport accepted, no NotifyMonitoringReport follows"
    ]
    facts = replace(made.facts, denied=frozenset({"GetMonitoringReport"}))
    assert judge(replace(made, facts=facts)) == ()


def test_a_stop_that_is_accepted_and_followed_by_nothing_is_found():
    script = charging(Script().done("plug-in 1").done("present-token A"))
    script.ask("RequestStopTransaction", {"transactionId": "t1"}).wait(30).done("status")
    ended = Expect("TransactionEvent", 20.0, (("/eventType", "Ended"),))
    assert said(script, ended) == ["O11 F03 RequestStopTransaction accepted, nothing follows"]


def test_unplugging_that_is_never_told_is_found():
    script = charging(Script().done("plug-in 1").done("present-token A"))
    script.done("unplug 1").wait(30).done("status")
    ended = Expect("TransactionEvent", 20.0, (("/eventType", "Ended"),))
    assert said(script, ended) == ["O11 E09 unplugging never told"]


def test_unplugging_is_not_missed_while_an_event_that_was_refused_waits_to_be_sent_again():
    script = charging(Script().done("plug-in 1").done("present-token A"))
    info = {"transactionId": "t1", "chargingState": "SuspendedEV"}
    event = {"eventType": "Updated", "seqNo": 2, "transactionInfo": info}
    script.call("TransactionEvent", event, False)
    refused = [4, f"m{script.numbers}", "InternalError", "", {}]
    script._log(Who.US, "text", json.dumps(refused)).done("unplug 1").wait(30).done("status")
    ended = Expect("TransactionEvent", 20.0, (("/eventType", "Ended"),))
    assert said(script, ended) == []


@pytest.mark.parametrize(("answered", "found"), [(True, 1), (False, 0)])
def test_unplugging_is_not_missed_behind_an_event_that_nobody_answered(answered, found):
    script = Script().done("plug-in 1").done("present-token A")
    script.event("Started", 0, answer=None if answered else False, **EVSE, **TOKEN)
    script.done("unplug 1").wait(40).call("Heartbeat", {}).wait(30).done("status")
    ended = Expect("TransactionEvent", 12.0, (("/eventType", "Ended"),))
    assert said(script, ended) == ["O11 E09 unplugging never told"] * found


# O11: who is let in


def deauthorized(script):
    script.done("plug-in 1").done("present-token A").authorize()
    return charging(script).event("Ended", 2, trigger="Deauthorized")


def test_a_transaction_that_nobody_deauthorized_is_found():
    assert said(deauthorized(Script())) == ["O11 E05 deauthorized by nobody"]


@pytest.mark.parametrize("status", ["Invalid", "Blocked", "ConcurrentTx"])
def test_a_transaction_whose_token_was_refused_is_rightly_deauthorized(status):
    script = charging(Script().done("plug-in 1").done("present-token A").authorize("A", status))
    told = said(script.event("Ended", 2, trigger="Deauthorized"))
    assert "O11 E05 deauthorized by nobody" not in told


def test_a_transaction_may_be_deauthorized_by_what_the_station_was_told_before():
    script = Script().ask("SendLocalList", {"versionNumber": 1, "updateType": "Full"})
    assert said(deauthorized(script)) == []


# O11: transactions


def test_a_whole_transaction_is_right():
    script = charging(Script().done("plug-in 1").done("present-token A").authorize())
    script.done("unplug 1").event(
        "Ended", 2, trigger="EVCommunicationLost", stoppedReason="EVDisconnected"
    )
    assert said(script) == []


@pytest.mark.parametrize(
    ("kind", "seq", "symptom"),
    [
        ("Started", 2, "E01 Started twice"),
        ("Updated", 3, "E01 gap in seqNo"),
        ("Updated", 1, "E01 seqNo used twice"),
    ],
)
def test_events_that_do_not_fit_each_other_are_found(kind, seq, symptom):
    script = charging(Script().done("plug-in 1").done("present-token A"))
    assert said(script.event(kind, seq)) == [f"O11 {symptom}"]


@pytest.mark.parametrize("kind", ["Started", "Updated", "Ended"])
def test_an_event_whose_answer_was_lost_is_told_again_as_it_was(kind):
    def told(seq, number):
        script = Script()
        if number:
            script.event("Started", 0, trigger="RemoteStart", **EVSE)
        same = {**EVSE, "timestamp": NOW}
        script.event(kind, number, answer=False, **same).lost().back()
        return said(script.event(kind, seq, offline=True, **same))

    number = 0 if kind == "Started" else 1
    assert told(number, number) == []
    assert told(number + 1, number) == ["O14 E13 TransactionEvent told again as a new one"]


def test_two_changes_of_one_second_that_are_alike_are_two():
    script = Script().event("Started", 0, **EVSE)
    on, off = ({"timestamp": NOW, "chargingState": s} for s in ("Charging", "SuspendedEV"))
    script.event("Updated", 1, answer=False, **on).lost().back().event("Updated", 2, **off)
    assert said(script.event("Updated", 3, **on)) == []


@pytest.mark.parametrize("kind", ["Updated", "Ended"])
def test_events_after_the_end_are_found(kind):
    script = Script().event("Started", 0, **EVSE).event("Ended", 1).event(kind, 2)
    name = "Ended twice" if kind == "Ended" else "event after Ended"
    assert said(script) == [f"O11 E06 {name}"]


def test_a_gap_after_an_interruption_or_a_bad_answer_is_tolerated():
    interrupted = Script().event("Started", 0, **EVSE).lost().back().event("Updated", 5)
    assert said(interrupted) == []
    refused = Script().event("Started", 0, **EVSE)
    refused.call("StatusNotification", {}, {"odd": 1}, who=Who.US).event("Updated", 5)
    assert said(refused) == []


def test_an_event_that_nobody_acknowledged_may_be_told_again():
    script = Script().event("Started", 0, answer=False, **EVSE).wait(60)
    script.entries.append(replace(script.entries[-1], at_s=script.now))
    script.entries[-1] = replace(
        script.entries[-1], text=script.entries[-1].text.replace('"m1"', '"m9"')
    )
    assert said(script) == []


def test_a_transaction_without_a_beginning_is_found_where_it_began_in_the_scene():
    script = Script().done("plug-in 1").done("present-token A").event("Updated", 1, **EVSE)
    assert said(script) == ["O11 E01 transaction without Started"]


def test_a_transaction_that_may_have_begun_before_the_scene_is_unknown():
    assert said(Script().event("Updated", 7).event("Ended", 8)) == []


def test_two_transactions_on_one_evse_are_found():
    script = Script().event("Started", 0, **EVSE).event("Started", 0, "t2", **EVSE)
    assert said(script) == ["O11 E01.FR.14 two transactions on one EVSE"]


def test_an_ended_transaction_that_goes_on_is_found():
    script = Script().event("Started", 0, **EVSE).event("Ended", 1)
    goes_on = {"ongoingIndicator": True, "messagesInQueue": False}
    script.ask("GetTransactionStatus", {"transactionId": "T1"}, goes_on)
    assert said(script) == ["O11 E14 ended transaction goes on"]


def test_a_transaction_that_runs_is_not_unknown_to_its_station():
    script = Script().event("Started", 0, **EVSE)
    over = {"ongoingIndicator": False, "messagesInQueue": False}
    assert said(script.ask("GetTransactionStatus", {"transactionId": "t1"}, over)) == [
        "O11 E14 running transaction unknown"
    ]


GOES_ON = {"ongoingIndicator": True, "messagesInQueue": False}


def test_a_transaction_that_nobody_told_of_cannot_go_on():
    script = Script().ask("GetTransactionStatus", {"transactionId": "no such"}, GOES_ON)
    assert said(script) == ["O11 E14 unknown transaction goes on"]


def test_a_transaction_that_is_told_of_later_or_in_another_way_may_go_on():
    asked = {"transactionId": "T1"}
    later = Script().ask("GetTransactionStatus", asked, GOES_ON).event("Updated", 3, **EVSE)
    assert said(later) == []
    named = Script().ask(
        "RequestStartTransaction", START, {"status": "Accepted", "transactionId": "t1"}
    )
    assert said(named.ask("GetTransactionStatus", asked, GOES_ON)) == []
    unread = Script().lost().back().ask("GetTransactionStatus", asked, GOES_ON)
    assert said(unread) == []


def test_an_answer_that_says_nothing_of_the_transaction_is_found():
    script = Script().event("Started", 0, **EVSE)
    script.ask("GetTransactionStatus", {"transactionId": "t1"}, {"messagesInQueue": False})
    assert said(script) == ["O11 E14 nothing said of a transaction that was asked about"]


def scripted(script):
    """What was seen of a scene that answers for the CSMS."""
    made = seen(script.entries)
    scenario = Mutation(Channel.PAYLOAD, "", "scenario", "a scene")
    return replace(made, case=replace(made.case, mutations=(scenario,)))


@pytest.mark.parametrize(
    ("answer", "again"),
    [
        ({"idTokenInfo": {"status": "Accepted"}}, True),
        ({"idTokenInfo": {"status": "Perhaps"}}, False),
    ],
)
def test_a_whole_answer_of_a_scene_is_as_good_as_any_other(answer, again):
    script = Script().call("TransactionEvent", WITH_TOKEN, answer, who=Who.US)
    script.call("TransactionEvent", WITH_TOKEN, answer, who=Who.US)
    name = "acknowledged TransactionEvent told again"
    assert (name in [o.name for o in objections(scripted(script))]) is again
    assert name not in [o.name for o in objections(seen(script.entries))]


def test_a_verdict_on_no_token_is_no_whole_answer():
    without = {key: value for key, value in WITH_TOKEN.items() if key != "idToken"}
    info = {"idTokenInfo": {"status": "Accepted"}}
    script = Script().call("TransactionEvent", without, info, who=Who.US)
    assert objections(scripted(script.call("TransactionEvent", without, info, who=Who.US))) == ()


def test_a_status_of_no_transaction_in_particular_says_nothing_of_one():
    odd = Script().ask(
        "GetTransactionStatus", {}, {"ongoingIndicator": False, "messagesInQueue": True}
    )
    assert said(odd) == ["O11 E14 ongoingIndicator about no transaction"]
    assert said(Script().ask("GetTransactionStatus", {}, {"messagesInQueue": True})) == []


# O11: remote control and availability


def test_a_remote_stop_of_another_transaction_is_found():
    script = charging(Script().done("plug-in 1").done("present-token A"))
    script.ask("RequestStopTransaction", {"transactionId": "nobody"})
    script.event("Ended", 2, trigger="RemoteStop")
    assert said(script) == ["O11 F03 another transaction was stopped"]


def test_a_remote_stop_of_an_ended_transaction_is_found_and_its_refusal_right():
    for answer, found in (
        ("Accepted", ["O11 F03 RequestStopTransaction accepted for an ended transaction"]),
        ("Rejected", []),
    ):
        script = Script().event("Started", 0, **EVSE).event("Ended", 1)
        script.ask("RequestStopTransaction", {"transactionId": "t1"}, answer)
        assert said(script) == found


def test_a_remote_start_that_was_rejected_and_carried_out_is_found():
    script = Script().ask("RequestStartTransaction", START, "Rejected")
    script.event("Started", 0, trigger="RemoteStart", remoteStartId=1, **EVSE)
    assert said(script) == ["O11 F01 remote start carried out although Rejected"]


def test_availability_that_changes_at_once_under_a_transaction_is_found():
    script = Script().event("Started", 0, **EVSE)
    inoperative = {"operationalStatus": "Inoperative", "evse": {"id": 1}}
    assert said(script.ask("ChangeAvailability", inoperative, "Scheduled")) == []
    script = Script().event("Started", 0, **EVSE).ask("ChangeAvailability", inoperative)
    assert said(script) == [
        "O11 G03.FR.05, G04.FR.06 ChangeAvailability accepted during a transaction"
    ]


def test_a_start_on_an_inoperative_evse_is_found():
    script = Script().ask("ChangeAvailability", {"operationalStatus": "Inoperative"})
    assert said(script.ask("RequestStartTransaction", {**START, "evseId": 1})) == [
        "O11 F01 RequestStartTransaction accepted on an inoperative EVSE"
    ]


# O11: reports, and one CALL at a time


def test_parts_of_a_report_are_numbered_from_nought():
    script = Script().ask("GetBaseReport", {"requestId": 4})
    script.call("NotifyReport", {"requestId": 4, "seqNo": 0, "tbc": True})
    script.call("NotifyReport", {"requestId": 4, "seqNo": 1})
    assert said(script) == []
    script = Script().ask("GetBaseReport", {"requestId": 4})
    assert said(script.call("NotifyReport", {"requestId": 4, "seqNo": 1})) == [
        "O11 B07 parts of a report misnumbered"
    ]


def test_a_report_that_goes_on_after_its_end_is_found():
    script = Script().ask("GetReport", {"requestId": 4})
    script.call("NotifyReport", {"requestId": 4, "seqNo": 0, "tbc": False})
    script.call("NotifyReport", {"requestId": 4, "seqNo": 1})
    assert said(script) == ["O11 B07 part after the end of a report"]


def test_a_report_for_a_refused_request_is_found_and_one_for_an_unknown_request_is_not():
    script = Script().ask("GetReport", {"requestId": 4}, "NotSupported")
    assert said(script.call("NotifyReport", {"requestId": 4, "seqNo": 0})) == [
        "O11 B07 report although it was refused"
    ]
    assert said(Script().call("NotifyReport", {"requestId": 9, "seqNo": 3})) == []


def late_answer(gap):
    """A CALL that was not answered, another one, an answer to the first, and a third CALL after `gap` seconds."""
    script = Script().call("Heartbeat", {}, False).wait(31).call("Heartbeat", {}, False)
    script._log(Who.US, "text", json.dumps([3, "m1", {"currentTime": NOW}]))
    return script.wait(gap).call("Heartbeat", {})


def test_a_late_answer_that_is_taken_for_the_next_calls_is_found():
    # Two CALLs at once by themselves are O28's; it says nothing where we answered badly in between.
    assert said(late_answer(1)) == ["O11 FR.01 late answer taken for the next CALL's"]


def test_a_late_answer_that_is_dropped_is_right():
    assert said(late_answer(30)) == []


# O31


def test_charging_without_an_authorization_is_found():
    assert said(charging(Script().done("plug-in 1"))) == [
        "O31 C01.FR.01 Charging without an authorization"
    ]


def test_an_authorization_is_used_up_by_one_transaction():
    script = charging(Script().done("plug-in 1").done("present-token A").authorize())
    script.event("Ended", 2).done("unplug 1").done("plug-in 1")
    assert said(charging(script, "t2")) == ["O31 C01.FR.01 Charging without an authorization"]


def test_an_authorization_goes_with_the_ev_even_if_nothing_began():
    script = Script().done("plug-in 1").done("present-token A").authorize()
    script.done("unplug 1").done("plug-in 1")
    assert said(charging(script)) == ["O31 C01.FR.01 Charging without an authorization"]


def test_who_is_let_in_after_his_ev_left_may_bring_the_next():
    script = Script().done("plug-in 1").done("present-token A").done("unplug 1").authorize()
    assert said(charging(script.done("plug-in 1"))) == []


def test_an_answer_that_crosses_the_unplugging_may_come_after_it():
    script = Script().done("plug-in 1").done("present-token A").authorize()
    script.now -= 2.9  # a line takes three seconds
    assert said(charging(script.done("unplug 1").done("plug-in 1"))) == []


def test_charging_with_a_refused_token_is_found():
    script = Script().done("plug-in 1").done("present-token A").authorize(status="Blocked")
    assert said(charging(script)) == ["O31 C01.FR.01 Charging with a token that was refused"]


@pytest.mark.parametrize(
    "script",
    [
        Script().done("present-token A").authorize().done("plug-in 1"),
        Script().done("plug-in 1").done("present-token A"),
        Script().done("plug-in 1").authorize(),
        Script().done("plug-in 1").ask("RequestStartTransaction", START),
        Script(),
        Script()
        .ask("SetVariables", {"setVariableData": [{"component": {"name": "AuthCtrlr"}}]})
        .done("plug-in 1"),
    ],
    ids=["token first", "cache", "reader", "remote", "nobody known", "configured"],
)
def test_whoever_may_have_been_let_in_may_charge(script):
    assert said(charging(script)) == []


def test_what_was_offline_or_needs_no_token_is_not_judged():
    away = Script().done("plug-in 1").done("cut-network").done("restore-network")
    assert said(charging(away, offline=True)) == []
    nobody = {"idToken": {"idToken": "", "type": "NoAuthorization"}}
    assert said(charging(Script().done("plug-in 1"), token=nobody)) == []


# O14


def test_a_transaction_id_that_is_used_again_is_found():
    script = Script().event("Started", 0, **EVSE).event("Ended", 1).boot()
    assert said(script.event("Started", 0, **EVSE)) == ["O14 E01 transactionId used again"]


def test_another_transaction_id_after_a_boot_is_right():
    script = Script().event("Started", 0, **EVSE).event("Ended", 1).boot()
    assert said(script.event("Started", 0, "t2", **EVSE)) == []


def test_one_remote_start_that_is_carried_out_twice_is_found():
    script = Script().ask("RequestStartTransaction", START)
    script.event("Started", 0, remoteStartId=1, **EVSE)
    script.event("Started", 0, "t2", remoteStartId=1, evse={"id": 2})
    assert said(script) == ["O14 F01 one remote start carried out twice"]


def test_a_remote_start_that_was_sent_twice_with_one_id_and_carried_out_twice_is_a_remark():
    script = Script().ask("RequestStartTransaction", START, id_="x")
    script.ask("RequestStartTransaction", START, id_="x")
    script.event("Started", 0, remoteStartId=1, **EVSE)
    script.event("Started", 0, "t2", remoteStartId=1, evse={"id": 2})
    assert said(script) == ["O14 F01 one remote start carried out twice (remark)"]


def test_a_log_that_is_uploaded_twice_is_found():
    script = Script().ask("GetLog", {"requestId": 1})
    for _ in range(2):
        script.call("LogStatusNotification", {"status": "Uploaded", "requestId": 1})
    assert said(script) == ["O14 N01 one GetLog carried out twice"]


# O13

BOOT_IN_VAIN = Expect("BootNotification", 60.0)
VARIABLE = {"component": {"name": "TxCtrlr"}, "variable": {"name": "EVConnectionTimeOut"}}


def test_a_station_that_does_not_come_back_after_a_reset_is_found():
    script = (
        Script().ask("Reset", {"type": "Immediate"}).lost().wait(61)._log(Who.HARNESS, "note", "")
    )
    assert said(script, BOOT_IN_VAIN) == ["O13 B01.FR.03 no BootNotification after Reset"]


def test_a_station_is_not_missed_too_early_nor_after_a_refusal():
    early = (
        Script().ask("Reset", {"type": "Immediate"}).lost().wait(20)._log(Who.HARNESS, "note", "")
    )
    assert said(early, BOOT_IN_VAIN) == []
    refused = Script().ask("Reset", {"type": "Immediate"}, "Rejected").wait(61)
    assert said(refused._log(Who.HARNESS, "note", ""), BOOT_IN_VAIN) == []


def variables(before, after, *, name="EVConnectionTimeOut", status="Accepted", meanwhile=""):
    variable = {**VARIABLE, "variable": {"name": name}}
    script = Script().ask(
        "SetVariables",
        {"setVariableData": [{**variable, "attributeValue": before}]},
        {"setVariableResult": [{**variable, "attributeStatus": status}]},
    )
    read = {**variable, "attributeStatus": "Accepted", "attributeValue": after}
    if meanwhile:
        early = {**read, "attributeValue": meanwhile}
        script.ask("GetVariables", {}, {"getVariableResult": [early]})
    return script.boot().ask("GetVariables", {}, {"getVariableResult": [read]})


def test_a_variable_that_is_lost_over_a_boot_is_found():
    assert said(variables("20", "60")) == ["O13 B05 accepted variable lost over a reboot"]


def test_a_variable_that_is_kept_or_that_others_change_is_right():
    assert said(variables("20", "20")) == []
    assert said(variables("A, B", "a,b")) == []
    assert said(variables("20", "300", name="HeartbeatInterval")) == []


def test_a_variable_that_was_wrong_before_the_boot_is_not_lost_by_it():
    assert said(variables("20", "60", meanwhile="60")) == ["O12 accepted but stored otherwise"]


@pytest.mark.parametrize("meanwhile", ["20", "60"])
def test_a_variable_that_waits_for_the_boot_may_read_either_way_until_then(meanwhile):
    waits = {"status": "RebootRequired", "meanwhile": meanwhile}
    assert said(variables("20", "20", **waits)) == []
    assert said(variables("20", "60", **waits)) == ["O13 B05 accepted variable lost over a reboot"]


def test_a_variable_that_changes_by_itself_is_not_compared():
    made = seen(variables("20", "60").entries)
    facts = replace(made.facts, volatile=frozenset({"TxCtrlr.EVConnectionTimeOut"}))
    assert judge(replace(made, facts=facts)) == ()


ROOT = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "0c990002",
}


def roots(use, *serials):
    chains = [
        {"certificateType": use, "certificateHashData": {**ROOT, "serialNumber": serial}}
        for serial in serials
    ]
    return {"status": "Accepted", "certificateHashDataChain": chains}


def listings(before, after, *, asked=("MORootCertificate",), between=()):
    payload = {"certificateType": [*asked]} if asked else {}
    script = Script().ask("GetInstalledCertificateIds", payload, before)
    for action in between:
        script.ask(action, {}, "Accepted")
    return script.boot().ask("GetInstalledCertificateIds", payload, after)


@pytest.mark.parametrize("asked", [("MORootCertificate",), ()], ids=["one use", "all"])
def test_roots_that_are_listed_otherwise_after_a_boot_are_found(asked):
    listed = ["O13 M03 another list of certificates after a reboot"]
    before = roots("MORootCertificate", "0c990002")
    for after in (roots("MORootCertificate", "211353602"), {"status": "NotFound"}):
        assert said(listings(before, after, asked=asked)) == listed


def test_roots_that_are_kept_or_that_something_else_may_change_are_right():
    use = "MORootCertificate"
    before, other = roots(use, "0c990002", "1"), roots(use, "2")
    assert said(listings(before, roots(use, "1", "C990002"))) == []
    for action in ("InstallCertificate", "DeleteCertificate", "UpdateFirmware"):
        assert said(listings(before, other, between=(action,))) == []
    # The fallback for a new root goes once that one has proved itself (M05.FR.12).
    use = "CSMSRootCertificate"
    assert said(listings(roots(use, "1", "2"), roots(use, "2"), asked=(use,))) == []
    assert said(listings(before, "InternalError")) == []


def test_availability_that_is_lost_over_a_boot_is_found():
    place = {"evseId": 1, "connectorId": 1}
    inoperative = {"operationalStatus": "Inoperative", "evse": {"id": 1}}
    kept = {"connectorStatus": "Unavailable", **place}
    script = Script().ask("ChangeAvailability", inoperative).call("StatusNotification", kept)
    assert said(script.boot().call("StatusNotification", kept)) == []
    lost = {"connectorStatus": "Available", **place}
    assert said(script.call("StatusNotification", lost)) == [
        "O13 B01.FR.07 availability lost over a reboot"
    ]


@pytest.mark.parametrize("before", [None, "Available"])
def test_availability_that_was_perhaps_never_changed_is_not_lost_over_a_boot(before):
    place = {"evseId": 1, "connectorId": 1}
    script = Script().ask("ChangeAvailability", {"operationalStatus": "Inoperative"})
    if before:
        script.call("StatusNotification", {"connectorStatus": before, **place})
    script.boot().call("StatusNotification", {"connectorStatus": "Available", **place})
    assert said(script) == [
        "O11 B01.FR.07, G03.FR.08, G04.FR.09 Inoperative connector is Available"
    ]


def test_a_beginning_that_is_lost_while_it_waits_is_found():
    script = Script().done("cut-network").lost().done("plug-in 1").done("present-token A")
    script.done("power-cycle").done("restore-network").back().boot()
    script.event("Updated", 1, offline=True, chargingState="Charging")
    assert said(script) == ["O13 E04 beginning of a transaction lost"]


def test_an_end_that_is_lost_while_it_waits_is_found():
    script = charging(Script().done("plug-in 1").done("present-token A"))
    script.done("cut-network").lost().done("unplug 1").done("restore-network").back()
    ended = Expect("TransactionEvent", 20.0, (("/eventType", "Ended"),))
    assert said(script.wait(30).done("status"), ended) == ["O13 E09 unplugging never told"]


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("Charging", ["O13 E09 unplugging never told"]),
        ("SuspendedEV", ["O13 E09 unplugging never told"]),
        ("Idle", []),
    ],
)
def test_what_waited_to_be_sent_from_before_tells_of_no_unplugging(state, told):
    script = charging(Script().done("plug-in 1").done("present-token A"))
    script.done("cut-network").lost().done("unplug 1").done("restore-network").back()
    script.event("Updated", 2, "t1", "ChargingStateChanged", chargingState=state, offline=True)
    ended = Expect("TransactionEvent", 20.0, (("/eventType", "Ended"),))
    assert said(script.wait(30).done("status"), ended) == told


def test_a_station_that_never_came_back_lost_nothing_yet():
    script = charging(Script().done("plug-in 1").done("present-token A"))
    script.done("cut-network").lost().done("unplug 1").done("restore-network")
    ended = Expect("TransactionEvent", 20.0, (("/eventType", "Ended"),))
    assert said(script.wait(30).done("status"), ended) == []


# whose findings these are


def test_the_severity_is_that_of_the_rule():
    found = judge(seen(charging(Script().done("plug-in 1")).entries))
    assert [(v.severity, v.clause) for v in found] == [(Severity.CRITICAL, "C01.FR.01")]


def test_stateless_cases_and_other_sides_are_left_alone():
    entries = Script().boot("Pending").ask("RequestStartTransaction", START).entries
    assert judge(replace(observation(), entries=tuple(entries))) == ()
    made = seen(entries)
    assert objections(replace(made, facts=replace(made.facts, side=Side.CSMS))) == ()


@pytest.mark.parametrize(
    "text", ["[" * 900 + "]" * 900, "[2,{},[]]", '[2,"a","TransactionEvent",7]']
)
def test_whatever_the_station_sends_is_survived(text):
    nested = f'[2,"b","TransactionEvent",{{"eventType":"Started","seqNo":1,"transactionInfo":{{"transactionId":"t","x":{"[" * 400}{"]" * 400}}}}}]'
    script = Script()
    for line in (text, nested, nested, text):
        script._log(Who.TARGET, "text", line)
    assert objections(seen(script.entries)) == ()
