import asyncio
import itertools
import json
import tracemalloc
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close

from fuzz.csms.voice import CsmsVoice
from fuzz.records import (
    AnswerNext,
    Disconnect,
    Expect,
    Operator,
    RepeatSteps,
    SendText as Say,
    TlsStep,
    Wait,
)
from fuzz.station.bench import Bench
from fuzz.station.console import parse
from fuzz.station.defects import LAYERS, NOT_CARRIED, defects
from fuzz.station.events import (
    CloseConnection,
    Connect,
    Connected,
    CutNetwork,
    Disconnected,
    Download,
    DropConnection,
    Exit,
    Failure,
    Persist,
    PowerOn,
    Reboot,
    RestoreNetwork,
    SendText,
    TextReceived,
    Tick,
    Upload,
)
from fuzz.station.planting import find_wire
from fuzz.station.wire import HEALTHY
from strategies.labels import spell

SURVEY = range(1, 63)
OF_OUR_OWN, UNSEEN = (*range(63, 99), 140, 141), (*range(120, 135), *range(150, 243))
CSMS_ONLY = {14, 16, 17, 25, 27, 31, 32, 33, 34, 49, 50, 54, 55, 56, 57}
EVERY = [found for key, found in defects().items() if key == found.number]
ON_THE_WIRE = {found.number for found in EVERY if found.rewire(HEALTHY) != HEALTHY}
FOR_THE_LAB = {found.number for found in EVERY if isinstance(found.witness[0], TlsStep)}
IN_THE_CORE = [found.number for found in EVERY if found.number not in ON_THE_WIRE]
PASSWORD = "a-password-of-old"
CANARY = "http://127.0.0.1:9/canary"
STRAY = '[3,"nothing",{}]'
FIVE_ELEMENTS = '[2,"q","Reset",{},1]'


class Player:
    """Plays a witness: a station on the bench, a proper CSMS, an operator, and a shell that does as it is told."""

    def __init__(self, *names, profile=1):
        plants = [defects()[name].plant for name in names]
        self.bench = Bench(
            *plants,
            password=PASSWORD,
            security_profile=profile,
            backoff_min_s=0.1,  # as campaigns have it
            backoff_range_s=0.0,
        )
        self.seen = []
        self._voice = CsmsVoice(self)
        self._ids = (f"c{n}" for n in itertools.count(1))
        self._replies = {}
        self._asked = ["", ""]
        self._expected = 0
        self._network, self._dead = True, False
        self.do(PowerOn())
        self.seen.clear()

    def now(self):
        return datetime.fromtimestamp(self.bench.now, UTC)

    def play(self, steps):
        for step in steps:
            match step:
                case Say(text):
                    said = spell(text).replace("{canary.url}", CANARY)
                    said = said.replace("{tx.id}", (started(self) or ["none"])[-1])
                    self.do(TextReceived(said.replace("{call.id}", next(self._ids))))
                case AnswerNext(action, text):
                    self._replies[action] = spell(text)
                case Expect(action, timeout_s):
                    self._expect(action, timeout_s)
                case Wait(seconds):
                    self.wait(seconds)
                case Disconnect():
                    self.do(Disconnected())
                case Operator(event, argument):
                    self._operate(parse(f"{event} {argument}"))
                case RepeatSteps(inner, times):
                    for _ in range(times):
                        self.play(inner)
            self.wait(0)
        return self

    def wait(self, seconds):
        until = self.bench.now + seconds
        while not self._dead and (due := self.bench.station.deadline) is not None and due <= until:
            self.bench.now = max(due, self.bench.now)
            self.do(Tick())
        self.bench.now = until

    def do(self, event):
        pending = deque([event])
        while pending and not self._dead:
            for command in self.bench.do(pending.popleft()):
                pending.extend(self._follow(command))

    @property
    def answers(self):
        return [said for said in self.seen if isinstance(said, list) and said[0] in (3, 4)]

    def calls(self, action):
        return [said[3] for said in self.seen if isinstance(said, list) and said[2:3] == [action]]

    @property
    def status(self):
        """The status of the last answer, its first result's for a list; what it says instead for a CALLERROR."""
        last = self.answers[-1]
        if last[0] == 4:
            return last[2]
        for listed in ("setVariableResult", "getVariableResult"):
            if listed in last[2]:
                return last[2][listed][0]["attributeStatus"]
        return last[2]["status"]

    def _expect(self, action, timeout_s):
        until = self.bench.now + timeout_s
        while not any(
            isinstance(s, list) and s[2:3] == [action] for s in self.seen[self._expected :]
        ):
            due = self.bench.station.deadline
            if self._dead or due is None or due > until:
                self.bench.now = max(self.bench.now, until)
                break
            self.wait(max(0, due - self.bench.now))
        self._expected = len(self.seen)

    def _operate(self, event):
        match event:
            case CutNetwork():
                self._network = False
            case RestoreNetwork():
                self._network = True
        self.do(event)

    def _follow(self, command):
        match command:
            case SendText(text):
                return self._heard_text(text)
            case Exit(code):
                self._dead = True
                self.seen.append(f"exit {code}")
            case CloseConnection(code):
                self.seen.append(f"close {code}")
                return [Disconnected()]
            case DropConnection():
                return [Disconnected()]
            case Reboot():
                return [Disconnected(), PowerOn()]
            case Connect():
                return [Connected() if self._network else Disconnected(Failure.UNREACHABLE)]
            case Download() | Upload():
                self.seen.append(command)
        return []

    def _heard_text(self, text):
        try:
            return self._heard(json.loads(text))
        except json.JSONDecodeError:
            self.seen.append(text)
            return []

    def _heard(self, frame):
        self.seen.append(frame)
        if frame[0] != 2:
            return []
        self._asked.append(frame[1])
        if frame[2] in self._replies:
            text = self._replies.pop(frame[2]).replace("{call.id}", frame[1])
            text = text.replace("{asked.previous}", self._asked[-2])
            return [TextReceived(text)] if text else []
        answer = self._voice.answer(frame[2], frame[3])
        if answer.payload is None:
            return [TextReceived(json.dumps([4, frame[1], answer.error_code, "", {}]))]
        return [TextReceived(json.dumps([3, frame[1], answer.payload]))]


def played(number, *names, witness=None):
    """The station with the defects `names` after the witness of `number`."""
    steps = defects()[number].witness if witness is None else witness
    return Player(*names, profile=defects()[number].security_profile).play(steps)


def says(text):
    return (Say((text,)),)


def started(player):
    ids = [
        event["transactionInfo"]
        for event in player.calls("TransactionEvent")
        if event["eventType"] == "Started"
    ]
    return [info["transactionId"] for info in ids]


def ended(player):
    return [e for e in player.calls("TransactionEvent") if e["eventType"] == "Ended"]


def energies(player):
    """The highest energy register that each event of a transaction tells, of those that tell one."""
    told = [
        [
            sample["value"]
            for value in event.get("meterValue", ())
            for sample in value["sampledValue"]
            if sample.get("measurand") == "Energy.Active.Import.Register"
        ]
        for event in player.calls("TransactionEvent")
    ]
    return [max(values) for values in told if values]


def registers(player):
    """Every energy register that events of a transaction tell, in their order."""
    return [
        sample["value"]
        for event in player.calls("TransactionEvent")
        for value in event.get("meterValue", ())
        for sample in value["sampledValue"]
        if sample.get("measurand") == "Energy.Active.Import.Register"
    ]


def reported(player):
    """The variables of all reports, and whether more were promised at the end."""
    parts = player.calls("NotifyReport")
    names = [one["variable"]["name"] for part in parts for one in part["reportData"]]
    return names, parts[-1]["tbc"]


def serials(player):
    """The serial numbers of the roots that were told last."""
    chains = player.answers[-1][2]["certificateHashDataChain"]
    return [chain["certificateHashData"]["serialNumber"] for chain in chains]


def states(player):
    events = player.calls("TransactionEvent")
    return [event["transactionInfo"].get("chargingState") for event in events]


def numbers_used_again(player):
    events = player.calls("TransactionEvent")
    used = [(event["transactionInfo"]["transactionId"], event["seqNo"]) for event in events]
    return len(set(used)) < len(used)


def repeated(player):
    events = [json.dumps(event) for event in player.calls("TransactionEvent")]
    return len(set(events)) < len(events)


def in_a_row(ids):
    """Whether there are several, each the number after the one before."""
    if len(ids) < 2 or not all(one.isdecimal() for one in ids):
        return False
    return all(int(later) == int(one) + 1 for one, later in itertools.pairwise(ids))


def boots(player):
    """Every BootNotification with its messageId."""
    said = (one for one in player.seen if isinstance(one, list))
    return [one for one in said if one[2:3] == ["BootNotification"]]


def firmware(player):
    return [payload["status"] for payload in player.calls("FirmwareStatusNotification")]


def statuses(player):
    return [payload["connectorStatus"] for payload in player.calls("StatusNotification")]


def triggers(player):
    return [event["triggerReason"] for event in player.calls("TransactionEvent")]


def metered(player):
    """The EVSEs whose MeterValues were told."""
    return [payload["evseId"] for payload in player.calls("MeterValues")]


def tokens(player):
    """What the ends of transactions name as an idToken."""
    return [event["idToken"]["idToken"] for event in ended(player) if "idToken" in event]


def told_serials(player):
    return [boot[3]["chargingStation"]["serialNumber"] for boot in boots(player)]


def event_ids(player):
    """The messageId of every TransactionEvent."""
    said = (one for one in player.seen if isinstance(one, list))
    return [one[1] for one in said if one[2:3] == ["TransactionEvent"]]


def uploaded(player):
    return b"".join(said.content for said in player.seen if isinstance(said, Upload))


SHOWN = {
    "exit 70": lambda p: p.seen[-1:] == ["exit 70"],
    "close 1011": lambda p: "close 1011" in p.seen,
    "close 1000": lambda p: "close 1000" in p.seen and not p.answers,
    "silence": lambda p: not p.answers,
    "id echoed": lambda p: p.answers[0][:2] == [3, None],
    "Accepted": lambda p: p.status == "Accepted",
    "CALLRESULT": lambda p: p.answers[0][0] == 3,
    "code OccurenceConstraintViolation": lambda p: p.status == "OccurenceConstraintViolation",
    "late answer taken for the next CALL's": lambda p: len(p.calls("Heartbeat")) == 3,
    "charging without Authorize": lambda p: "Charging" in json.dumps(p.calls("TransactionEvent")),
    "Accepted, then silence": lambda p: p.status == "Accepted" and not p.calls("SignCertificate"),
    "no BootNotification": lambda p: not p.calls("BootNotification"),
    "no reboot, no answers": lambda p: not p.calls("BootNotification"),
    "transactionId used again": lambda p: len(started(p)) == 2 and len(set(started(p))) == 1,
    "first TransactionEvent lost": lambda p: p.calls("TransactionEvent") and not started(p),
    "no answer to either": lambda p: "crossing" not in [answer[1] for answer in p.answers],
    "sent again at once": repeated,
    "answer 4x the request": lambda p: len(json.dumps(p.answers[0])) > 400_000,
    "password told": lambda p: PASSWORD in json.dumps(p.answers),
    "canary fetched": lambda p: [s.url for s in p.seen if isinstance(s, Download)] == [CANARY],
    "escape sequence echoed": lambda p: p.answers[0][0] == 4 and "\x1b[2J" in p.answers[0][3],
    "a result is missing": lambda p: len(p.answers[0][2]["getVariableResult"]) == 1,
    "another attributeType": lambda p: '"Target"' not in json.dumps(p.answers[0]),
    "stack told": lambda p: p.answers[0][3].startswith("Traceback"),
    "refused and stored": lambda p: (
        p.answers[0][0] == 4 and p.answers[1][2]["getVariableResult"][0]["attributeValue"] == "77"
    ),
    "report ends early": lambda p: "OrganizationName" not in reported(p)[0] and not reported(p)[1],
    "one BootNotification": lambda p: len(p.calls("BootNotification")) == 1,
    "another password": lambda p: p.bench.station.credentials.password == "a-better",
    "Occupied": lambda p: p.status == "Occupied",
    "no Ended": lambda p: p.calls("BootNotification") and not ended(p),
    "less energy than before": lambda p: energies(p) != sorted(energies(p)),
    "password in the log": lambda p: b"a-better-password-1" in uploaded(p),
    "restart unasked": lambda p: p.calls("BootNotification"),
    "still Available": lambda p: (
        p.status == "Accepted"
        and p.calls("StatusNotification")[-1]["connectorStatus"] == "Available"
    ),
    "asked again and again": lambda p: len(p.calls("SignCertificate")) > 1,
    "charging with a blocked token": lambda p: (
        "Charging" in json.dumps(p.calls("TransactionEvent"))
    ),
    "ended twice": lambda p: len({event["seqNo"] for event in ended(p)}) == 2,
    "never back": lambda p: not p.calls("StatusNotification"),
    "requestId of another report": lambda p: (
        p.status == "Accepted" and {part["requestId"] for part in p.calls("NotifyReport")} == {1}
    ),
    "InternalError": lambda p: p.status == "InternalError",
    "CertificateEntries 1": lambda p: (
        p.answers[-1][2]["getVariableResult"][0]["attributeValue"] == "1"
    ),
    "a refused password": lambda p: p.bench.station.credentials.password == "too-short",
    "nobody deauthorized": lambda p: [e["triggerReason"] for e in ended(p)] == ["Deauthorized"],
    "two BootNotifications": lambda p: len(p.calls("BootNotification")) == 2,
    "the end is lost": lambda p: started(p) and not ended(p),
    "seqNo used again": numbers_used_again,
    "serialNumber in decimal": lambda p: serials(p) == [str(0x50520001)],
    "Authorize while Pending": lambda p: p.calls("Authorize"),
    "no more answers": lambda p: [answer[0] for answer in p.answers] == [3],
    "the old URL dialled": lambda p: p.bench.endpoint.url == "ws://localhost",
    "one Authorize": lambda p: len(p.calls("Authorize")) == 1,
    "the end is not told again": lambda p: len(ended(p)) == 1,
    "told while Pending": ended,
    "told after the end": lambda p: (
        ended(p) and p.calls("TransactionEvent")[-1]["eventType"] == "Updated"
    ),
    "begun again": lambda p: len(started(p)) == 2,
    "no Downloading": lambda p: p.status == "Accepted" and not firmware(p),
    "Installed": lambda p: firmware(p)[-1:] == ["Installed"],
    "Available though plugged in": lambda p: statuses(p)[-1] == "Available",
    "no MeterValues": lambda p: p.status == "Accepted" and not p.calls("MeterValues"),
    "Rejected": lambda p: p.status == "Rejected",
    "code FormationViolation": lambda p: p.status == "FormationViolation",
    "booted again and again": lambda p: len(p.calls("BootNotification")) == 2,
    "unlocked to its end": lambda p: [e["triggerReason"] for e in ended(p)] == ["UnlockCommand"],
    "an answer refused": lambda p: ["SecurityError"] in [a[2:3] for a in p.answers],
    "status while Pending": statuses,
    "another transaction ended": lambda p: (
        [e["transactionInfo"]["transactionId"] for e in ended(p)] == ["-1"]
    ),
    "failed while downloading": lambda p: firmware(p) == ["Downloading", "InstallationFailed"],
    "an answer without its end": lambda p: p.seen and not p.answers and isinstance(p.seen[-1], str),
    "less at the end": lambda p: registers(p) != sorted(registers(p)),
    "refused, then exit 70": lambda p: p.status.endswith("Violation") and p.seen[-1] == "exit 70",
    "TypeConstraintViolation": lambda p: p.status == "TypeConstraintViolation",
    "PropertyConstraintViolation": lambda p: p.answers[-1][2] == "PropertyConstraintViolation",
    "FormatViolation": lambda p: p.status == "FormatViolation",
    "SecurityError": lambda p: p.status == "SecurityError",
    "transactionIds in a row": lambda p: in_a_row(started(p)),
    "an empty answer": lambda p: p.answers[0][0] == 3 and not p.answers[0][2],
    "Accepted, no RemoteStop": lambda p: p.status == "Accepted" and "RemoteStop" not in triggers(p),
    "no StatusNotification": lambda p: not statuses(p),
    "MeterValues of EVSE 0 alone": lambda p: metered(p) == [0],
    "a token that nobody showed": lambda p: "ImmediateReset" in tokens(p),
    "firmwareVersion cut short": lambda p: (
        boots(p)[0][3]["chargingStation"]["firmwareVersion"] == "1.0"
    ),
    "another serialNumber": lambda p: told_serials(p) == ["CS-BASIC-00001"],
    "messageId used again": lambda p: len(event_ids(p)) == 2 and len(set(event_ids(p))) == 1,
    "nothing said any more": lambda p: p.status == "Accepted" and len(p.calls("Heartbeat")) == 1,
    "Accepted, still charging": lambda p: (
        p.status == "Accepted" and states(p)[-1] == "Charging" and not ended(p)
    ),
    "no triggerReason": lambda p: any(
        "triggerReason" not in event for event in p.calls("TransactionEvent")
    ),
}
_STOPPED = says('[2,"q","RequestStopTransaction",{"transactionId":"{tx.id}"}]')
SEEN = [
    number
    for number in IN_THE_CORE
    if defects()[number].symptom in SHOWN and number not in FOR_THE_LAB
]


def test_the_registry_holds_all_of_the_survey_that_a_station_can_have_and_some_of_our_own():
    carried = {found.number for found in EVERY}
    surveyed = {f"P{n:02}" for n in SURVEY if n not in CSMS_ONLY}
    assert surveyed - carried == set(NOT_CARRIED)
    assert carried - surveyed == {f"P{n}" for n in (*OF_OUR_OWN, *UNSEEN)}


def test_what_was_planted_unseen_mirrors_bugs_that_nothing_mirrored_before():
    unseen = {f"P{n}" for n in UNSEEN}
    before = {bug for found in EVERY if found.number not in unseen for bug in found.mirrors}
    new = [bug for found in EVERY if found.number in unseen for bug in found.mirrors]
    assert len(set(new)) == len(new) == len(unseen)
    assert not before & set(new)


def test_defects_are_listed_in_the_order_of_their_numbers():
    assert [int(found.number[1:]) for found in EVERY] == sorted(
        int(found.number[1:]) for found in EVERY
    )


def test_every_layer_has_a_defect_and_every_defect_is_found_by_its_name_too():
    assert {found.layer for found in EVERY} == {
        layer.__name__.rpartition(".")[2] for layer in LAYERS
    }
    assert all(defects()[found.name] is found for found in EVERY)


@pytest.mark.parametrize("found", EVERY, ids=lambda found: found.number)
def test_a_defect_says_what_it_does_in_one_sentence_and_has_a_witness(found):
    assert found.text.endswith(".")
    assert found.witness
    assert found.symptom
    assert found.oracle.startswith("O")
    number = int(found.number[1:])
    assert bool(found.mirrors) == (number <= 62 or number == 71 or number in UNSEEN)


def test_every_symptom_is_looked_for_here_unless_it_is_measured_below_or_by_the_tls_lab():
    assert set(IN_THE_CORE) - set(SEEN) - FOR_THE_LAB == {"P42", "P71", "P123", "P218", "P222"}


def test_what_shows_in_the_tls_lab_names_the_case_that_catches_it_first():
    cases = {number: defects()[number].caught_by for number in FOR_THE_LAB - {"P43"}}
    assert all(defects()[number].witness == (TlsStep(cases[number][0]),) for number in cases)
    assert all(len(set(found.caught_by)) == len(found.caught_by) for found in EVERY)


@pytest.mark.parametrize("number", SEEN)
def test_a_witness_shows_the_symptom_and_nothing_of_it_without_the_defect(number):
    shown = SHOWN[defects()[number].symptom]
    assert shown(played(number, number))
    assert not shown(played(number))


ordinary = [
    '[2,"q","ClearCache",{}]',
    '[2,"q","ClearCache",{"customData":{"vendorId":"v","evseId":9,"text":"'
    + "9" * 5000
    + "[" * 2000
    + '"}}]',
    '[2,"q","Reset",{"type":"OnIdle","evseId":2}]',
    '[2,"q","Reset",{"type":"OnIdle","evseId":"3"}]',
    '[2,"q","ChangeAvailability",{"operationalStatus":"Operative","evse":{"id":2,"connectorId":9}}]',
    '[2,"q","FooBar",{}]',
    '[2,"q",5,{}]',
    FIVE_ELEMENTS,
    STRAY,
    '[4,"nothing","GenericError","",{}]',
    "not JSON",
    "{}",
    "[]",
    b"binary",
    '[2,"q","SetVariables",{"setVariableData":[{"attributeValue":"true","component":{"name":"AuthCtrlr"},"variable":{"name":"Enabled"}}]}]',
    '[2,"q","SetVariables",{"setVariableData":[{"attributeValue":"x","component":{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}}]}]',
    '[2,"q","GetVariables",{"getVariableData":[{"component":{"name":"TxCtrlr"},"variable":{"name":"EVConnectionTimeOut"}}]}]',
    '[2,"q","TriggerMessage",{"requestedMessage":"SignChargingStationCertificate"}]',
    '[2,"q","DataTransfer",{"vendorId":"somebody"}]',
    '[2,"q","GetLog",{"logType":"SecurityLog","requestId":1,"log":{"remoteLocation":"http://127.0.0.1:9/a?b=1"}}]',
    '[2,"q","GetInstalledCertificateIds",{}]',
]


def outcome(message, *names, **settings):
    bench = Bench(*(defects()[name].plant for name in names), **settings).boot()
    return [command for command in bench.hear(message) if not isinstance(command, Persist)]


@pytest.mark.slow
@pytest.mark.parametrize("number", IN_THE_CORE)
def test_a_defect_stays_hidden_without_its_trigger(number):
    for message in ordinary:
        healthy = outcome(message)
        if not is_triggered_by(number, message, healthy):
            assert outcome(message, number) == healthy, message


def is_triggered_by(number, message, healthy):
    """Whether one of the ordinary faults is what a defect is about."""
    match number:
        case "P62":
            return "Occurrence" in str(healthy)
        case "P180":
            return message == FIVE_ELEMENTS
        case "P189":
            return "ConstraintViolation" in str(healthy) or "FormatViolation" in str(healthy)
        case "P200":
            return "FormatViolation" in str(healthy)
        case "P201":
            return "none of the listed" in str(healthy)
        case "P213":
            return message == STRAY
        case "P220":
            return "RFC 3339" in str(healthy)
        case "P226":
            return "not defined" in str(healthy)
        case "P208":
            return "UnknownVariable" in str(healthy) or "UnknownComponent" in str(healthy)
        case _:
            return False


single = [
    (found.number, spell(found.witness[0].text))
    for found in EVERY
    if found.number in IN_THE_CORE and len(found.witness) == 1 and isinstance(found.witness[0], Say)
]


@pytest.mark.slow
@pytest.mark.parametrize(("number", "message"), [one for one in single if len(one[1]) < 10_000])
def test_a_witness_does_nothing_to_a_station_with_the_other_defects(number, message):
    healthy = outcome(message)
    shared = {"P51", "P53"} if "InstallCertificate" in message else {number}
    shared |= {other for other in IN_THE_CORE if is_triggered_by(other, message, healthy)}
    if "BasicAuthPassword" in message and "SetVariables" in message:
        shared |= {"P59"}  # answers none of them
    for other in set(IN_THE_CORE) - shared:
        assert outcome(message, other) == healthy, other


@pytest.mark.slow
def test_a_charging_station_works_a_day_with_every_defect_of_depth_in_it():
    """What needs several steps must not be met by chance in a session in which nobody does anything wrong."""
    deep = [found.number for found in EVERY if found.number in IN_THE_CORE and found.depth > 0]
    day = [
        Operator("plug-in", "1"), Operator("present-token", "04A1B2C3"), Operator("start-power", "1"),
        Wait(600), Operator("present-token", "04A1B2C3"), Operator("unplug", "1"), Wait(3600),
    ]  # fmt: skip
    healthy = [frame[2:] for frame in Player().play(day).seen]
    ids = {number: [frame[2:] for frame in Player(number).play(day).seen] for number in deep}
    for number, said in ids.items():
        assert nameless(said) == nameless(healthy), number


def nameless(said):
    """What was said without the ids of transactions."""
    return [{**payload, "transactionInfo": None} for _, payload in said]


# --- one by one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("raw", ["null", "7", "{}", '"' + "x" * 37 + '"', '["a"]'])
def test_p08_echoes_an_id_as_it_is(raw):
    witness = says(f'[2,{raw},"ClearCache",{{}}]')
    assert played("P08", "P08", witness=witness).answers[0][:2] == [3, json.loads(raw)]
    assert played("P08", witness=witness).answers[0][:2] == [4, "-1"]


@pytest.mark.parametrize(
    "answer", ['[4,"{call.id}","GenericError"]', '[4,"{call.id}","GenericError",null,{}]']
)
def test_p10_dies_of_a_description_that_is_null_or_not_there(answer):
    witness = (AnswerNext("Heartbeat", (answer,)), defects()["P10"].witness[1])
    assert played("P10", "P10", witness=witness).seen[-1] == "exit 70"


def test_p10_takes_a_callerror_with_a_description():
    answer = AnswerNext("Heartbeat", ('[4,"{call.id}","GenericError","",{}]',))
    assert played("P10", "P10", witness=(answer, defects()["P10"].witness[1])).answers


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 3}}),
        ("TriggerMessage", {"requestedMessage": "Heartbeat", "evse": {"id": 3}}),
        (
            "GetVariables",
            {
                "getVariableData": [
                    {"component": {"name": "EVSE", "evse": {"id": 3}}, "variable": {"name": "x"}}
                ]
            },
        ),
    ],
)
def test_p19_dies_wherever_an_evse_is_named(action, payload):
    witness = says(json.dumps([2, "q", action, payload]))
    assert played("P19", "P19", witness=witness).seen == ["exit 70"]


def set_and_read(number, component, name, value):
    """What a variable is once it was set to a value on a station with a defect."""
    bench = Bench(defects()[number].plant).boot()
    names = {"component": {"name": component}, "variable": {"name": name}}
    item = {**names, "attributeValue": value}
    (result,) = bench.ask("SetVariables", {"setVariableData": [item]})[2]["setVariableResult"]
    (read,) = bench.ask("GetVariables", {"getVariableData": [names]})[2]["getVariableResult"]
    return result["attributeStatus"], read["attributeValue"]


def test_p20_stores_false_for_what_is_no_boolean():
    assert set_and_read("P20", "AuthCtrlr", "Enabled", "maybe") == ("Accepted", "false")


@pytest.mark.parametrize(
    ("value", "stored"), [("12abc", "12"), ("-5", "-5"), ("2147483648", "-2147483648"), ("7", "7")]
)
def test_p21_stores_what_is_left_of_an_integer(value, stored):
    told = set_and_read("P21", "TxCtrlr", "EVConnectionTimeOut", value)
    assert told == ("Accepted", stored)


@pytest.mark.parametrize(("item", "names"), [(0, ["DateTime"]), (1, ["x"])])
def test_p140_answers_for_what_is_asked_alone(item, names):
    asked = json.loads(spell(defects()["P140"].witness[0].text).replace("{call.id}", "q"))[3]
    alone = json.dumps(
        [2, "q", "GetVariables", {"getVariableData": [asked["getVariableData"][item]]}]
    )
    results = played("P140", "P140", witness=says(alone)).answers[0][2]["getVariableResult"]
    assert [result["variable"]["name"] for result in results] == names


def test_p23_answers_an_identifier_with_a_space():
    assert played("P23").status == "PropertyConstraintViolation"


def test_p62_uses_the_code_of_another_version_for_a_missing_member_only():
    witness = says('[2,"q","GetVariables",{"getVariableData":[]}]')
    assert played("P62", "P62", witness=witness).status == "OccurrenceConstraintViolation"


def test_p02_is_quiet_up_to_255_characters():
    text = '[2,"1","Reset",{"x":"' + "x" * 231 + '"}]'
    assert len(text) == 255
    assert played("P02", "P02", witness=says(text)).answers[0][0] == 4
    longer = says(text.replace("xx", "xxx", 1))
    assert played("P02", "P02", witness=longer).seen == ["exit 70"]


def test_p06_counts_digits_of_integers_outside_strings_only():
    number = '[2,"q","ClearCache",{"customData":{"vendorId":"v","n":-' + "9" * 4301 + "}}]"
    assert outcome(number, "P06") == [CloseConnection(1011)]
    for text in ("9" * 4300, "0." + "9" * 5000):
        assert outcome(text, "P06") == outcome(text)


def test_p35_asks_again_when_nobody_was_authorised_before_the_unplugging():
    steps = (Operator("plug-in", "1"), Operator("unplug", "1"), *defects()["P35"].witness[4:])
    assert not SHOWN["charging without Authorize"](played("P35", "P35", witness=steps))


def test_p36_is_never_followed_by_a_request_again():
    name = '"component":{"name":"SecurityCtrlr"},"variable":{"name":"OrganizationName"}'
    mended = says(f'[2,"q","SetVariables",{{"setVariableData":[{{"attributeValue":"x",{name}}}]}}]')
    *jam, wait = defects()["P36"].witness
    witness = (*jam, *mended, jam[-1], wait)
    assert not played("P36", "P36", witness=witness).calls("SignCertificate")
    assert played("P36", witness=witness).calls("SignCertificate")


def test_p37_boots_with_a_short_queue():
    cut, sessions, *rest = defects()["P37"].witness
    witness = (cut, replace(sessions, times=1), *rest)
    assert played("P37", "P37", witness=witness).calls("BootNotification")


def test_p41_does_not_see_the_answer_to_its_own_call_either():
    bench = Bench(defects()["P41"].plant).boot()
    bench.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
    assert bench.hear('[2,"crossing","ClearCache",{}]') == []
    bench.answer({"currentTime": "2026-01-01T00:00:00Z"})
    assert bench.ask("ClearCache", {}) == []
    bench.wait(31)
    assert bench.ask("ClearCache", {})[0] == 3


def test_p42_keeps_every_answer_that_nobody_asked_for():
    def stray():
        return (f'[3,"x{number}",{{"x":"{"x" * 100_000}"}}]' for number in range(20))

    assert grown(stray(), "P42") > 2_000_000
    assert grown(stray()) < 500_000


def grown(messages, *names):
    """How many bytes a station holds more after these messages, which are made one by one."""
    bench = Bench(*(defects()[name].plant for name in names)).boot()
    tracemalloc.start()
    for message in messages:
        bench.hear(message)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


def test_p123_keeps_what_every_certificate_was_worked_on_in():
    (witness,) = defects()["P123"].witness
    message = spell(witness.steps[0].text)
    assert grown([message] * 20, "P123") > 20 * 250_000
    assert grown([message] * 20) < 500_000


def test_p120_looks_up_what_is_on_this_machine_whatever_the_protocol_and_nothing_else():
    def fetched(vendor):
        witness = says(json.dumps([2, "q", "DataTransfer", {"vendorId": vendor}]))
        seen = played("P120", "P120", witness=witness).seen
        return [said.url for said in seen if isinstance(said, Download)]

    assert fetched("a ${jndi:ldap://127.0.0.1:9/x} b") == ["http://127.0.0.1:9/x"]
    assert fetched("${jndi:ldap://192.0.2.1/x}") == []
    assert fetched("http://127.0.0.1:9/x") == []


def test_p122_stores_nothing_that_is_itself_against_the_rules():
    set_, get = defects()["P122"].witness
    low = says(spell(set_.text).replace("77", "-7"))
    assert played("P122", "P122", witness=(*low, get)).status == "Accepted"
    assert not SHOWN["refused and stored"](played("P122", "P122", witness=(*low, get)))


def test_p124_takes_any_answer_while_it_waits_for_none():
    witness = says("[3,null,{}]")
    assert played("P124", "P124", witness=witness).seen == []


def test_p125_answers_once_it_has_booted():
    _, *rest = defects()["P125"].witness
    witness = (*rest, *says('[2,"after","ClearCache",{}]'))
    assert played("P125", "P125", witness=witness).answers[-1][:2] == [3, "after"]


def test_p126_boots_after_an_answer_that_is_broken_or_none():
    _, *rest = defects()["P126"].witness
    broken = AnswerNext("BootNotification", ('[3,"{call.id}",{}]',))
    assert len(played("P126", "P126", witness=(broken, *rest)).calls("BootNotification")) == 2


def test_p127_reports_everything_while_nothing_was_emptied():
    _, *rest = defects()["P127"].witness
    names, more = reported(played("P127", "P127", witness=rest))
    assert "OrganizationName" in names
    assert not more


def test_p128_takes_a_password_without_a_colon_as_it_is():
    witness = says(spell(defects()["P59"].witness[0].text))
    player = played("P128", "P128", witness=witness)
    assert player.bench.station.credentials.password == "a-better-password-1"


def test_p129_takes_the_same_request_when_nothing_is_under_way():
    race, plug, *_ = defects()["P129"].witness
    witness = (plug, *says(spell(race.text)))
    assert played("P129", "P129", witness=witness).status == "Accepted"


def test_p130_still_refuses_an_evse_that_does_not_exist():
    *charge, start = defects()["P130"].witness
    other = says(spell(start.text).replace('"evseId":1', '"evseId":3'))
    assert played("P130", "P130", witness=(*charge, *other)).status == "Rejected"


def test_p131_accepts_for_a_connector_that_is_free():
    assert played("P131", "P131", witness=defects()["P131"].witness[3:]).status == "Accepted"


def test_p132_tells_the_end_when_the_cable_is_taken_out():
    witness = (*defects()["P132"].witness[:4], Operator("unplug", "1"))
    assert ended(played("P132", "P132", witness=witness))


def test_p133_tells_a_transaction_that_was_all_offline():
    cut, restore = Operator("cut-network"), Operator("restore-network")
    charge, unplug = defects()["P133"].witness[:3], Operator("unplug", "1")
    last = Expect("TransactionEvent", 60.0)
    player = played("P133", "P133", witness=(cut, *charge, unplug, restore, last, Wait(1)))
    assert ended(player)
    assert "exit 70" not in player.seen


def test_p134_keeps_the_registers_over_a_reset():
    witness = [
        Say(('[2,"r","Reset",{"type":"Immediate"}]',)) if step == Operator("power-cycle") else step
        for step in defects()["P134"].witness
    ]
    assert not SHOWN["less energy than before"](played("P134", "P134", witness=witness))


@pytest.mark.parametrize("data", ['"text"', "7", "null"])
def test_p150_takes_data_that_is_neither_object_nor_array(data):
    witness = says(f'[2,"q","DataTransfer",{{"vendorId":"somebody","data":{data}}}]')
    assert played("P150", "P150", witness=witness).status == "UnknownVendorId"


@pytest.mark.parametrize("text", ["{", '"a', "[3,", "[2,5]"])
def test_p151_answers_all_else_that_it_cannot_read(text):
    assert (
        played("P151", "P151", witness=says(text)).answers
        == played("P151", witness=says(text)).answers
    )


@pytest.mark.parametrize("evse", ["0", "3"])
def test_p152_still_refuses_evses_that_are_not_there(evse):
    (start,) = defects()["P152"].witness
    other = says(spell(start.text).replace("-1", evse))
    assert played("P152", "P152", witness=other).status == "Rejected"


def test_p153_uploads_one_log_after_the_other():
    player = Player("P153").play(defects()["P153"].witness[:1])
    player.bench.finish()
    player.play(defects()["P153"].witness[1:])
    assert player.status == "Accepted"
    assert not player.calls("BootNotification")


@pytest.mark.parametrize("evse", [{"id": 1}, {"id": 1, "connectorId": 1}])
def test_p154_changes_what_is_named(evse):
    _, *rest = defects()["P154"].witness
    named = {"operationalStatus": "Inoperative", "evse": evse}
    change = says(json.dumps([2, "q", "ChangeAvailability", named]))
    player = played("P154", "P154", witness=(*change, *rest))
    assert player.calls("StatusNotification")[-1]["connectorStatus"] == "Unavailable"


def test_p155_asks_no_more_once_it_was_refused():
    _, *rest = defects()["P155"].witness
    assert len(played("P155", "P155", witness=(*rest, Wait(10))).calls("SignCertificate")) == 1


def test_p156_takes_a_cable_that_is_taken_out_after_the_answer():
    _, *rest = defects()["P156"].witness
    assert "exit 70" not in played("P156", "P156", witness=rest).seen


@pytest.mark.parametrize("word", ["Invalid", "Unknown"])
def test_p157_refuses_a_token_that_nobody_knows(word):
    blocked, *rest = defects()["P157"].witness
    witness = (AnswerNext("Authorize", (spell(blocked.text).replace("Blocked", word),)), *rest)
    assert not SHOWN["charging with a blocked token"](played("P157", "P157", witness=witness))


def test_p158_says_nothing_twice_that_was_answered():
    witness = [step for step in defects()["P158"].witness if not isinstance(step, AnswerNext)]
    assert len(ended(played("P158", "P158", witness=witness))) == 1


def test_p158_goes_on_counting_after_what_it_renumbered():
    charge, last = defects()["P158"].witness[:3], Expect("TransactionEvent", 10.0)
    cut, restore = Operator("cut-network"), Operator("restore-network")
    lost = (AnswerNext("TransactionEvent"), Operator("stop-power", "1"))
    witness = (*charge, *lost, cut, restore, last, Wait(1), Operator("unplug", "1"))
    events = played("P158", "P158", witness=witness).calls("TransactionEvent")
    numbers = [event["seqNo"] for event in events]
    assert numbers == [*range(len(numbers))]


def test_p159_comes_back_at_the_first_attempt():
    cut, plug, _, restore, expect = defects()["P159"].witness
    assert played("P159", "P159", witness=(cut, plug, restore, expect)).calls("StatusNotification")


def test_p159_dials_again_after_a_reboot():
    *lost, expect = defects()["P159"].witness
    witness = (*lost, Wait(5), Operator("power-cycle"), expect)
    assert played("P159", "P159", witness=witness).calls("StatusNotification")


@pytest.mark.parametrize(("signs", "dies"), [(255, False), (256, True), (512, True)])
def test_p160_dies_of_what_its_field_cannot_hold(signs, dies):
    location = f"http://127.0.0.1:9/{'a' * (signs - 19)}"
    asked = {"logType": "SecurityLog", "requestId": 1, "log": {"remoteLocation": location}}
    witness = says(json.dumps([2, "q", "GetLog", asked]))
    assert ("exit 70" in played("P160", "P160", witness=witness).seen) is dies
    assert played("P160", witness=witness).status == "Accepted"


def test_p161_tells_each_report_under_its_own_id_one_after_the_other():
    _, first, *_ = defects()["P161"].witness
    second = says(spell(first.text).replace('"requestId":1', '"requestId":2'))
    parts = played("P161", "P161", witness=(first, *second)).calls("NotifyReport")
    assert {part["requestId"] for part in parts} == {1, 2}


def test_p162_changes_what_it_is_asked_to_once_all_is_answered():
    _, change, _ = defects()["P162"].witness
    back = says('[2,"q","ChangeAvailability",{"operationalStatus":"Operative"}]')
    assert played("P162", "P162", witness=(change, *back)).status == "Accepted"


def test_p162_changes_what_it_is_asked_to_while_a_single_notification_waits():
    crossing, _, expect = defects()["P162"].witness
    witness = (crossing, Operator("plug-in", "1"), expect)
    assert played("P162", "P162", witness=witness).status == "Accepted"


def test_p163_ends_the_transaction_of_somebody_else():
    assert ended(played("P163", "P163"))
    assert not ended(played("P163"))


def test_p163_still_knows_when_nothing_runs():
    *_, stop = defects()["P163"].witness
    assert played("P163", "P163", witness=(stop,)).status == "Rejected"


def test_p164_has_no_room_left_after_as_many_as_there_are_places():
    install, delete, _ = defects()["P164"].witness
    witness = (RepeatSteps((install, delete), 20), install)
    player = played("P164", "P164", witness=witness)
    assert [answer[2]["status"] for answer in player.answers[:40]] == ["Accepted"] * 40
    assert player.status == "Rejected"
    assert played("P164", witness=witness).status == "Accepted"


def test_p164_counts_what_is_installed():
    install, _, read = defects()["P164"].witness
    player = played("P164", "P164", witness=(install, read))
    assert player.answers == played("P164", witness=(install, read)).answers


def test_p165_says_that_it_refused_the_password_and_takes_a_proper_one():
    refused, *_ = defects()["P165"].witness
    assert played("P165", "P165", witness=(refused,)).status == "Rejected"
    proper = says(spell(refused.text).replace("too-short", "a-better-password-1"))
    credentials = played("P165", "P165", witness=proper).bench.station.credentials
    assert credentials.password == "a-better-password-1"


def test_p166_charges_with_a_token():
    _, plug, power, expect = defects()["P166"].witness
    token = Operator("present-token", "04A1B2C3")
    player = played("P166", "P166", witness=(plug, token, power, expect))
    assert "Charging" in json.dumps(player.calls("TransactionEvent"))
    assert not ended(player)


def test_p166_lets_nobody_charge_where_everybody_may():
    assert states(played("P166")) == ["EVConnected", "Charging"]
    assert states(played("P166", "P166")) == ["EVConnected", "EVConnected"]


def test_p167_is_done_with_a_reset_that_need_not_wait():
    _, _, _, _, _, _, *boots = defects()["P167"].witness
    witness = (*says('[2,"q","Reset",{"type":"OnIdle"}]'), *boots)
    assert len(played("P167", "P167", witness=witness).calls("BootNotification")) == 1


def test_p167_resets_no_third_time():
    witness = (*defects()["P167"].witness, Wait(600))
    assert len(played("P167", "P167", witness=witness).calls("BootNotification")) == 2


def test_p168_keeps_the_first_sixteen():
    def offline(*names):
        events = played("P168", *names).calls("TransactionEvent")
        return [event["seqNo"] for event in events if event.get("offline")]

    assert offline("P168") == offline()[:16]
    assert len(offline()) == 17


def test_p169_counts_in_the_first_transaction():
    witness = defects()["P169"].witness[:6]
    events = played("P169", "P169", witness=witness).calls("TransactionEvent")
    assert [event["seqNo"] for event in events] == [0, 1, 2]


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_p170_takes_what_is_no_number_and_no_other_text(word):
    (witness,) = defects()["P170"].witness
    as_it_is = says(spell(witness.text).replace("NaN", word))
    assert played("P170", "P170", witness=as_it_is).answers[0][0] == 3
    quoted = says(spell(witness.text).replace("NaN", f'"{word}"'))
    assert played("P170", "P170", witness=quoted).seen == played("P170", witness=quoted).seen
    broken = says(spell(witness.text).replace("NaN", f"{word}!"))
    assert played("P170", "P170", witness=broken).seen == played("P170", witness=broken).seen


def test_p170_takes_none_for_a_whole_number():
    witness = says('[2,"q","Reset",{"type":"Immediate","evseId":NaN}]')
    assert played("P170", "P170", witness=witness).answers[0][0] == 4


def test_p172_refuses_a_signer_whose_issuer_is_not_installed():
    _, update = defects()["P172"].witness
    assert played("P172", "P172", witness=(update,)).status == "InvalidCertificate"


def test_p172_takes_a_signer_of_the_manufacturer():
    install, update = defects()["P172"].witness
    proper = says(spell(install.text).replace("CSMSRoot", "ManufacturerRoot"))
    player = played("P172", "P172", witness=(*proper, update))
    assert player.status == "Accepted"
    assert "exit 70" not in player.seen


def test_p173_begins_where_no_cable_is_and_where_the_meter_is_on():
    off, plug, token = defects()["P173"].witness
    on = says(spell(off.text).replace("false", "true"))
    for witness in ((plug, token), (*on, plug, token), (off, token)):
        assert "exit 70" not in played("P173", "P173", witness=witness).seen


def test_p174_tells_in_hex_what_was_never_read_back():
    install, *_, ids = defects()["P174"].witness
    assert serials(played("P174", "P174", witness=(install, ids))) == ["50520001"]


def test_p174_deletes_what_it_calls_by_its_proper_name_only():
    *listing, ids = defects()["P174"].witness
    player = Player("P174").play((*listing, ids))
    told = player.answers[-1][2]["certificateHashDataChain"][0]["certificateHashData"]
    delete = [2, "q", "DeleteCertificate", {"certificateHashData": told}]
    assert player.play(says(json.dumps(delete))).status == "NotFound"
    told["serialNumber"] = "50520001"
    assert player.play(says(json.dumps(delete))).status == "Accepted"


def test_p175_is_silent_while_nothing_is_plugged_in():
    pending, reset, boot, _, token, expect = defects()["P175"].witness
    witness = (pending, reset, boot, token, expect)
    assert not played("P175", "P175", witness=witness).calls("Authorize")


def test_p175_lets_nobody_charge():
    assert not played("P175", "P175").calls("TransactionEvent")


def test_p176_answers_before_it_restarts():
    player = played("P176", "P176")
    (answer,) = player.answers
    assert answer[2]["status"] == "OngoingAuthorizedTransaction"
    assert [end["transactionInfo"]["stoppedReason"] for end in ended(player)] == ["PowerLoss"]


@pytest.mark.parametrize("evse", ["1", "2"])
def test_p176_stays_up_where_nobody_charges(evse):
    *_, unlock, boot = defects()["P176"].witness
    other = says(spell(unlock.text).replace('"evseId":1', f'"evseId":{evse}'))
    player = played("P176", "P176", witness=(*other, boot))
    assert player.status == "UnlockFailed"
    assert not player.calls("BootNotification")


def test_p177_goes_on_with_its_own_calls_and_hears_again_after_a_reboot():
    deaf = defects()["P177"].witness
    player = Player("P177").play((*deaf, Operator("unplug", "1")))
    assert ended(player)
    assert SHOWN["no more answers"](player)
    boot = (Operator("power-cycle"), Expect("BootNotification", 60.0), deaf[-1])
    assert player.play(boot).status == "Rejected"


def test_p177_hears_after_what_it_did_not_set_and_outside_of_transactions():
    *charge, set_, clear = defects()["P177"].witness
    refused = says(spell(set_.text).replace('"60"', '"x"'))
    other = spell(set_.text).replace("SampledDataCtrlr", "AlignedDataCtrlr")
    other = says(other.replace("TxUpdatedInterval", "Interval"))
    for before in ((*charge, *refused), (*charge, *other), (set_,)):
        assert len(played("P177", "P177", witness=(*before, clear)).answers) == 2


def test_p178_says_that_it_uses_the_new_slot():
    active = says(
        '[2,"q","GetVariables",{"getVariableData":[{"component":{"name":"OCPPCommCtrlr"},'
        '"variable":{"name":"ActiveNetworkProfile"}}]}]'
    )
    player = played("P178", "P178", witness=(*defects()["P178"].witness, *active))
    assert player.answers[-1][2]["getVariableResult"][0]["attributeValue"] == "1"
    assert player.bench.endpoint.url == "ws://localhost"
    assert played("P178").bench.endpoint.url == "ws://127.0.0.1:9/"


def test_p178_comes_back_to_where_it_was_after_any_loss():
    cut, restore = Operator("cut-network"), Operator("restore-network")
    plug, told = Operator("plug-in", "1"), Expect("StatusNotification", 10.0)
    witness = (cut, plug, restore, told)
    assert played("P178", "P178", witness=witness).seen == played("P178", witness=witness).seen


def test_p179_tells_all_when_nobody_asks():
    witness = [step for step in defects()["P179"].witness if not isinstance(step, Say)]
    assert len(ended(played("P179", "P179", witness=witness))) == 2


def test_p179_says_that_messages_wait_once():
    *until_asked, _, _, _ = defects()["P179"].witness
    player = Player("P179").play((*until_asked, until_asked[-1]))
    assert [answer[2] for answer in player.answers] == [
        {"messagesInQueue": True},
        {"messagesInQueue": False},
    ]


def test_p179_keeps_what_belongs_to_a_transaction_that_goes_on():
    *charge, mute, _, _, ask_, cut, restore, _ = defects()["P179"].witness
    stop, told = Operator("stop-power", "1"), Expect("TransactionEvent", 10.0)
    witness = (*charge, mute, stop, ask_, cut, restore, told, Wait(1), Operator("unplug", "1"))
    events = played("P179", "P179", witness=witness).calls("TransactionEvent")
    assert nameless([("", event) for event in events]) == nameless(
        [("", event) for event in played("P179", witness=witness).calls("TransactionEvent")]
    )
    assert [event["seqNo"] for event in events] == [0, 1, 2, 2, 3]


@pytest.mark.parametrize("rest", ["{},{},[]", '{},"Reset",{}'])
def test_p180_looks_at_the_first_four_elements_alone(rest):
    def answer(*defect):
        return played("P180", *defect, witness=says(f'[2,"q","ClearCache",{rest}]')).answers[0]

    assert answer("P180")[0] == 3
    assert answer()[:3] == [4, "q", "RpcFrameworkError"]


@pytest.mark.parametrize(("length", "dies"), [(36, False), (37, True), (5_000, True)])
def test_p181_dies_of_what_is_too_long_and_refuses_all_else(length, dies):
    witness = says(f'[2,"q","RequestStopTransaction",{{"transactionId":"{"t" * length}"}}]')
    assert (played("P181", "P181", witness=witness).seen == ["exit 70"]) == dies
    other = says('[2,"q","RequestStopTransaction",{"transactionId":7}]')
    assert played("P181", "P181", witness=other).status == "TypeConstraintViolation"


def test_p181_takes_long_strings_in_answers_for_what_they_are():
    answer = AnswerNext(
        "Authorize",
        ('[3,"{call.id}",{"idTokenInfo":{"status":"Accepted","language1":"123456789"}}]',),
    )
    witness = (answer, Operator("present-token", "04A1B2C3"), Expect("Authorize"))
    assert "exit 70" not in played("P181", "P181", witness=witness).seen


@pytest.mark.parametrize(
    ("length", "dies"), [(344, False), (512, False), (516, True), (9_999, True)]
)
def test_p182_dies_of_a_signature_that_its_buffer_cannot_hold(length, dies):
    message = spell(defects()["P182"].witness[0].text).replace("A" * 516, "A" * length)
    assert (played("P182", "P182", witness=says(message)).seen == ["exit 70"]) == dies
    assert played("P182", witness=says(message)).answers


@pytest.mark.parametrize("kind", ['"Immediate"', '"OnIdle"', "7", "null"])
def test_p183_answers_what_is_proper_or_no_word_at_all(kind):
    witness = says(f'[2,"q","Reset",{{"type":{kind}}}]')
    assert (
        played("P183", "P183", witness=witness).answers == played("P183", witness=witness).answers
    )


def test_p185_asks_again_after_a_reboot_and_when_the_answer_is_late_only():
    mute, token, told, cut, restore, wait, _, _ = defects()["P185"].witness
    reset = says('[2,"r","Reset",{"type":"Immediate"}]')
    for between in ((cut, restore, wait, *reset, Expect("BootNotification")), (Wait(31.0),)):
        witness = (mute, token, told, *between, wait, token, Expect("Authorize", 5.0))
        assert len(played("P185", "P185", witness=witness).calls("Authorize")) == 2


def test_p186_restarts_while_it_is_connected_and_when_it_is_so_again():
    *until_asked, cut, wait, unplug = defects()["P186"].witness
    for between in ((), (cut, wait, Operator("restore-network"), Wait(10.0))):
        player = played("P186", "P186", witness=(*until_asked, *between, unplug, Wait(5.0)))
        assert len(player.calls("BootNotification")) == 1


def test_p186_outlives_a_loss_of_power_without_a_network():
    cut, power = Operator("cut-network"), Operator("power-cycle")
    witness = (cut, Wait(1.0), power, Operator("restore-network"), Expect("BootNotification"))
    assert played("P186", "P186", witness=witness).calls("BootNotification")


def test_p187_refuses_what_never_was_and_counts_on_each_time():
    *ended_once, stop, wait = defects()["P187"].witness
    player = played("P187", "P187", witness=(*ended_once, stop, stop, wait))
    first, *again = [event["seqNo"] for event in ended(player)]
    assert again == [first + 1, first + 2]
    assert {e["transactionInfo"]["stoppedReason"] for e in ended(player)[1:]} == {"Remote"}
    never = says('[2,"q","RequestStopTransaction",{"transactionId":"nobody-has-this-one"}]')
    assert played("P187", "P187", witness=(*ended_once, *never)).status == "Rejected"


def test_p187_refuses_as_it_should_without_the_defect():
    assert played("P187").status == "Rejected"


@pytest.mark.parametrize("raw", ["[]", "7", '"{}"', "false"])
def test_p188_refuses_payloads_that_are_something(raw):
    witness = says(f'[2,"q","ClearCache",{raw}]')
    assert played("P188", "P188", witness=witness).status == "FormatViolation"


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("Reset", '{"type":"OnIdle","evseId":"1"}', "Rejected"),
        ("ChangeAvailability", "{}", "OccurrenceConstraintViolation"),
        ("GetVariables", '{"getVariableData":[7]}', None),
        ("TriggerMessage", '{"requestedMessage":"Anything"}', "NotImplemented"),
        ("SetVariables", '{"setVariableData":{}}', None),
        ("RequestStartTransaction", "{}", "OccurrenceConstraintViolation"),
    ],
)
def test_p189_handles_what_it_can_and_refuses_the_rest(action, payload, answer):
    player = played("P189", "P189", witness=says(f'[2,"q","{action}",{payload}]'))
    assert len(player.answers) == 1
    assert answer is None or player.status == answer


def test_p189_still_judges_what_schemas_do_not_know():
    (witness,) = defects()["P23"].witness
    assert played("P189", "P189", witness=(witness,)).status == "PropertyConstraintViolation"


def test_p190_tells_each_event_once_however_the_boot_goes_on():
    player = played("P190", "P190", witness=(*defects()["P190"].witness, Wait(400.0)))
    assert len(player.calls("BootNotification")) == 2
    assert [event["seqNo"] for event in player.calls("TransactionEvent")] == [0, 1, 2]


def test_p191_goes_on_with_an_update_that_was_not_being_downloaded():
    install, update, _, reset, *rest = defects()["P191"].witness
    later = says(spell(update.text).replace("2026-01-01T00", "2026-01-01T01"))
    player = played("P191", "P191", witness=(install, *later, reset, *rest, Wait(3600.0)))
    assert firmware(player) == ["DownloadScheduled", "Downloading"]


@pytest.mark.parametrize(
    ("answer", "boots"),
    [
        ('[3,"{call.id}",{"status":"Pending","interval":2,"currentTime":"2026-01-01T00:00:00Z"}]', 1),
        ('[3,"{call.id}",{"status":"Rejected","interval":0,"currentTime":"2026-01-01T00:00:00Z"}]', 2),
        ('[4,"{call.id}","InternalError","",{}]', 1),
        ("", 1),
    ],
)  # fmt: skip
def test_p192_tries_again_at_once_only_when_it_is_told_no_interval(answer, boots):
    _, reset, boot, _ = defects()["P192"].witness
    witness = (AnswerNext("BootNotification", (answer,)), reset, boot, Wait(1.0))
    assert len(played("P192", "P192", witness=witness).calls("BootNotification")) == boots


def test_p193_counts_on_and_ends_all_other_transactions_as_it_should():
    *charging, _, wait = defects()["P193"].witness
    late = played("P193", "P193").calls("TransactionEvent")
    assert [event["seqNo"] for event in late] == [0, 1, 2, 3]
    assert "meterValue" not in late[-2]
    for end in (Operator("present-token", "04A1B2C3"), Operator("unplug", "1")):
        events = played("P193", "P193", witness=(*charging, end, wait)).calls("TransactionEvent")
        assert events[-1]["eventType"] == "Ended"
        assert events[-1]["meterValue"]


def test_p194_takes_the_slot_after_a_reboot_and_any_other_before():
    other_slot, other_first = defects()["P194"].witness
    reset = (*says('[2,"r","Reset",{"type":"Immediate"}]'), Expect("BootNotification"))
    same = says(spell(other_first.text).replace('"1,0"', '"0"'))
    for witness in ((other_slot, *reset, other_first), (other_slot, *same)):
        assert played("P194", "P194", witness=witness).status == "RebootRequired"


@pytest.mark.parametrize(
    "ends",
    [
        (Operator("present-token", "04A1B2C3"),),
        (*defects()["P195"].witness[-2:-1], Operator("unplug", "1"), Operator("plug-in", "1")),
        says('[2,"q","RequestStopTransaction",{"transactionId":"nobody-has-this-one"}]'),
    ],
)
def test_p195_begins_nothing_with_another_ev_or_after_another_end(ends):
    *charging, _, wait = defects()["P195"].witness
    assert len(started(played("P195", "P195", witness=(*charging, *ends, wait)))) == 1


def test_p195_begins_again_after_every_stop():
    *charging, stop, wait = defects()["P195"].witness
    player = played("P195", "P195", witness=(*charging, stop, wait, stop, wait))
    assert len(started(player)) == 3


def test_p196_gives_every_other_end_its_reason():
    start_point, token, event, _ = defects()["P196"].witness
    again = Operator("present-token", "04A1B2C3")
    player = played("P196", "P196", witness=(start_point, token, event, again, Wait(61.0)))
    assert [e["triggerReason"] for e in player.calls("TransactionEvent")] == ["Authorized", "StopAuthorized"]  # fmt: skip


def test_p197_follows_what_was_set_before_the_boot():
    set_interval, _ = defects()["P197"].witness
    reset = (*says('[2,"r","Reset",{"type":"Immediate"}]'), Expect("BootNotification"))
    player = played("P197", "P197", witness=(set_interval, *reset, Wait(65.0)))
    assert [told["evseId"] for told in player.calls("MeterValues")] == [0, 1, 2]
    told = '[2,"q","GetVariables",{"getVariableData":[{"component":{"name":"AlignedDataCtrlr"},"variable":{"name":"Interval"}}]}]'
    read = played("P197", "P197", witness=(set_interval, *says(told))).answers[-1][2]
    assert read["getVariableResult"][0]["attributeValue"] == "60"


def test_p198_tells_how_a_download_ended():
    player = played("P198", "P198")
    player.bench.finish(failure="unreachable")
    assert [said[3]["status"] for said in player.bench.said[-1:]] == ["DownloadFailed"]


@pytest.mark.parametrize(
    "after",
    [
        (Operator("present-token", "04A1B2C3"),),
        (Operator("unplug", "1"), Operator("plug-in", "1")),
        (*defects()["P199"].witness[-2:-1], Operator("unplug", "1"), Operator("plug-in", "1")),
        (*defects()["P199"].witness[-2:-1], *defects()["P199"].witness[1:3]),
    ],
)
def test_p199_tells_of_any_other_cable_that_it_is_occupied(after):
    *charging, _, _ = defects()["P199"].witness
    player = played("P199", "P199", witness=(*charging, *after, Wait(1.0)))
    assert statuses(player)[-1] == "Occupied"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        ('"ClearCache",[]', "FormationViolation"),
        ('"Reset",{}', "OccurrenceConstraintViolation"),
        ('"Reset",{"type":7}', "TypeConstraintViolation"),
        ('"FooBar",{}', "NotImplemented"),
    ],
)
def test_p200_renames_one_code_and_no_other(call, code):
    assert played("P200", "P200", witness=says(f'[2,"q",{call}]')).status == code


@pytest.mark.parametrize(
    ("call", "dies"),
    [
        ('"Reset",{"type":"Whenever"}', True),
        ('"Reset",{"type":7}', False),
        ('"Reset",{}', False),
        ('"Reset",{"type":"OnIdle","evseId":7}', False),
        ('"GetBaseReport",{"requestId":1,"reportBase":"NoInventory"}', True),
    ],
)
def test_p201_dies_of_words_that_are_not_listed_and_of_no_other_fault(call, dies):
    seen = played("P201", "P201", witness=says(f'[2,"q",{call}]')).seen
    assert (seen == ["exit 70"]) == dies


def test_p201_outlives_such_words_in_answers():
    answer = AnswerNext("Authorize", ('[3,"{call.id}",{"idTokenInfo":{"status":"Perhaps"}}]',))
    witness = (answer, Operator("present-token", "04A1B2C3"), Expect("Authorize"))
    assert "exit 70" not in played("P201", "P201", witness=witness).seen


def test_p202_says_the_very_message_every_ten_seconds_until_a_reboot():
    *ended_badly, _ = defects()["P202"].witness
    player = played("P202", "P202", witness=(*ended_badly, Wait(35.0)))
    assert len(boots(player)) == 4
    assert {json.dumps(boot) for boot in boots(player)} == {json.dumps(boots(player)[0])}
    reset = (*says('[2,"r","Reset",{"type":"Immediate"}]'), Expect("BootNotification"))
    player = played("P202", "P202", witness=(*ended_badly, *reset, Wait(35.0)))
    assert [boot[3]["reason"] for boot in boots(player)][-1] == "RemoteReset"
    assert len({boot[1] for boot in boots(player)}) == len(boots(player)) == 2


def test_p202_boots_once_when_anything_but_an_end_is_refused():
    token = Operator("present-token", "04A1B2C3")
    *_, unplug, event, wait = defects()["P202"].witness
    refused = AnswerNext("TransactionEvent", ('[4,"{call.id}","InternalError","",{}]',))
    witness = (Operator("plug-in", "1"), refused, token, event, Wait(200.0), unplug, event, wait)
    assert not boots(played("P202", "P202", witness=witness))


@pytest.mark.parametrize("place", ['"evseId":2,"connectorId":1', '"evseId":1,"connectorId":2'])
def test_p203_leaves_what_is_elsewhere_alone(place):
    *charging, _, wait = defects()["P203"].witness
    witness = (*charging, *says(f'[2,"q","UnlockConnector",{{{place}}}]'), wait)
    player = played("P203", "P203", witness=witness)
    assert not ended(player)
    assert player.answers == played("P203", witness=witness).answers


def test_p204_takes_answers_when_the_boot_is_accepted_and_refusals_always():
    pending, reset, boot, report, told = defects()["P204"].witness
    refused = AnswerNext("NotifyReport", ('[4,"{call.id}","InternalError","",{}]',))
    clock = says(
        '[2,"q","GetReport",{"requestId":1,"componentVariable":[{"component":{"name":"ClockCtrlr"}}]}]'
    )
    for witness in ((report, told), (pending, reset, boot, refused, *clock, told)):
        player = played("P204", "P204", witness=witness)
        assert player.calls("NotifyReport")
        assert "SecurityError" not in json.dumps(player.answers)


def test_p205_tells_what_has_changed_and_all_of_it_when_the_boot_is_accepted():
    player = played("P205", "P205", witness=(*defects()["P205"].witness, Wait(301.0)))
    places = [(one["evseId"], one["connectorStatus"]) for one in player.calls("StatusNotification")]
    assert places == [(1, "Occupied"), (1, "Occupied"), (2, "Available")]
    unchanged = (*defects()["P205"].witness[:-2], Operator("unplug", "1"), Wait(5.0))
    assert not statuses(played("P205", "P205", witness=unchanged))


@pytest.mark.parametrize(
    "end", [Operator("present-token", "04A1B2C3"), Operator("unplug", "1"), *_STOPPED]
)
def test_p206_ends_others_under_their_own_id(end):
    plug_in, _, token, event, wait = defects()["P206"].witness
    player = played("P206", "P206", witness=(plug_in, token, event, end, wait))
    assert [e["transactionInfo"]["transactionId"] for e in ended(player)] == started(player)


def test_p207_takes_the_next_update_which_fails_as_well():
    install, update, told = defects()["P207"].witness
    player = played("P207", "P207", witness=(install, update, told, update, told))
    assert player.status == "Accepted"
    assert firmware(player) == ["Downloading", "InstallationFailed"] * 2
    assert not player.bench.transfers


def test_p208_answers_in_full_when_it_knows_what_it_is_asked_for():
    (unknown,) = defects()["P208"].witness
    known = says(spell(unknown.text).replace("Nothing", "DateTime"))
    assert played("P208", "P208", witness=known).status == "Accepted"
    one = spell(unknown.text).partition("[{")[2].partition("]}]")[0]
    both = spell(unknown.text).replace("[{", "[{" + one.replace("Nothing", "DateTime") + ",{", 1)
    assert (
        played("P208", "P208", witness=says(both))
        .seen[-1]
        .endswith('"variable":{"name":"Nothing"}}]')
    )


def test_p209_takes_one_watt_hour_from_the_last_value_where_none_flowed_and_there_is_one():
    healthy, planted = registers(played("P209")), registers(played("P209", "P209"))
    assert [round(there - here, 3) for there, here in zip(healthy, planted, strict=True)] == [0, 0, 0, 0, 0, 1]  # fmt: skip
    nothing = registers(played("P209", "P209", witness=(*defects()["P209"].witness[:2], Operator("unplug", "1"))))  # fmt: skip
    assert nothing == [0, 0, 0]


def get_log(oldest):
    log = {"remoteLocation": "http://127.0.0.1:9/", "oldestTimestamp": oldest}
    return says(json.dumps([2, "q", "GetLog", {"logType": "SecurityLog", "requestId": 1, "log": log}]))  # fmt: skip


@pytest.mark.parametrize(
    ("fraction", "dies"),
    [(".", True), (".Z", True), (".5", True), (".5Z", False), (".500Z", False), ("Z", False), ("", False)],
)  # fmt: skip
def test_p210_dies_of_what_ends_too_early_after_the_point(fraction, dies):
    witness = get_log(f"2026-01-01T00:00:00{fraction}")
    assert (played("P210", "P210", witness=witness).seen == ["exit 70"]) == dies
    assert played("P210", witness=witness).answers


def test_p210_reads_the_time_in_answers_too_and_no_other_text():
    answer = AnswerNext("Heartbeat", ('[3,"{call.id}",{"currentTime":"2026-01-01T00:00:00.Z"}]',))
    heartbeat = says('[2,"q","TriggerMessage",{"requestedMessage":"Heartbeat"}]')
    assert played("P210", "P210", witness=(answer, *heartbeat)).seen[-1] == "exit 70"
    stray = says('[3,"nothing",{"currentTime":"2026-01-01T00:00:00.Z"}]')
    vendor = says('[2,"q","DataTransfer",{"vendorId":"2026-01-01T00:00:00.Z"}]')
    unserved = says('[2,"q","ReserveNow",{"validFrom":"2026-01-01T00:00:00.Z"}]')
    for witness in (stray, vendor, unserved):
        assert "exit 70" not in played("P210", "P210", witness=witness).seen


@pytest.mark.parametrize(("message", "dies"), [("", True), (b"", True), (" ", False), ("[]", False), (b"[]", False)])  # fmt: skip
def test_p211_dies_of_nothing_at_all_be_it_text_or_bytes(message, dies):
    assert (outcome(message, "P211") == [Exit(70)]) == dies
    assert outcome(message) != [Exit(70)]


@pytest.mark.parametrize(
    ("code", "dies"),
    [("7", True), ("null", True), ("{}", True), ('["InternalError"]', True), ('"Whatever"', False)],
)
def test_p212_dies_of_codes_that_are_no_text(code, dies):
    answer = AnswerNext("Heartbeat", (f'[4,"{{call.id}}",{code},"",{{}}]',))
    player = played("P212", "P212", witness=(answer, defects()["P212"].witness[1]))
    assert (player.seen[-1] == "exit 70") == dies
    assert not played("P212", "P212", witness=says('[4,"nothing",7,"",{}]')).seen


def test_p213_dies_of_a_late_answer_and_takes_one_that_is_in_time():
    mute = AnswerNext("Heartbeat", ('[4,"nothing","GenericError","",{}]',))
    heartbeat = says('[2,"q","TriggerMessage",{"requestedMessage":"Heartbeat"}]')
    late = AnswerNext("Heartbeat", ('[3,"{asked.previous}",{}]',))
    in_time = played("P213", "P213", witness=(*heartbeat, Expect("Heartbeat", 5.0)))
    assert in_time.calls("Heartbeat")
    assert "exit 70" not in in_time.seen
    witness = (mute, *heartbeat, Wait(31.0), late, *heartbeat)
    assert played("P213", "P213", witness=witness).seen[-1] == "exit 70"


@pytest.mark.parametrize(
    ("action", "payload", "dies"),
    [
        ("RequestStartTransaction", "{}", True),
        ("GetLog", '{"logType":"SecurityLog","requestId":1}', True),
        ("DeleteCertificate", "{}", True),
        ("SetNetworkProfile", '{"configurationSlot":1}', True),
        ("GetLog", '{"log":{"remoteLocation":"http://127.0.0.1:9/"}}', False),
        ("UpdateFirmware", '{"requestId":1,"firmware":{}}', False),
        ("UpdateFirmware", "[]", False),
        ("Reset", "{}", False),
    ],
)
def test_p214_refuses_and_dies_where_an_object_is_missing_alone(action, payload, dies):
    player = played("P214", "P214", witness=(*says(f'[2,"q","{action}",{payload}]'), Wait(1.0)))
    assert player.answers[0][0] == 4
    assert (player.seen[1:] == ["exit 70"]) == dies


@pytest.mark.parametrize(
    ("token", "dies"),
    [
        ("null", True),
        ('{"idToken":["04A1B2C3"],"type":"ISO14443"}', True),
        ('{"idToken":"04A1B2C3","type":{}}', True),
        ('{"idToken":7,"type":"ISO14443"}', False),
        ('"04A1B2C3"', False),
        ("{}", False),
    ],
)
def test_p215_dies_of_what_is_no_token_at_all(token, dies):
    message = f'[2,"q","RequestStartTransaction",{{"remoteStartId":1,"idToken":{token}}}]'
    assert (played("P215", "P215", witness=says(message)).seen == ["exit 70"]) == dies
    assert played("P215", witness=says(message)).answers[0][0] == 4


def test_p217_takes_whole_numbers_where_fractions_may_be_and_reads_answers_the_same_way():
    profile = (
        '{"id":1,"stackLevel":0,"chargingProfilePurpose":"TxProfile","chargingProfileKind":"Relative",'
        '"chargingSchedule":[{"id":1,"chargingRateUnit":"A","chargingSchedulePeriod":[{"startPeriod":0,"limit":8.0}]}]}'
    )
    start = '[2,"q","RequestStartTransaction",{"remoteStartId":1,"idToken":{"idToken":"1","type":"Local"},"chargingProfile":%s}]'
    assert played("P217", "P217", witness=says(start % profile)).status == "Accepted"
    odd = profile.replace('"stackLevel":0', '"stackLevel":0.0')
    assert played("P217", "P217", witness=says(start % odd)).status == "TypeConstraintViolation"
    assert played("P217", witness=says(start % odd)).status == "Accepted"
    answer = AnswerNext(
        "BootNotification",
        ('[3,"{call.id}",{"status":"Accepted","interval":300.0,"currentTime":"2026-01-01T00:00:00Z"}]',),
    )  # fmt: skip
    reset = says('[2,"r","Reset",{"type":"Immediate"}]')
    witness = (answer, *reset, Expect("BootNotification"), Wait(15.0))
    assert len(boots(played("P217", "P217", witness=witness))) == 2
    assert len(boots(played("P217", witness=witness))) == 1


def test_p218_keeps_a_validator_for_every_payload():
    message = spell(defects()["P218"].witness[0].steps[0].text)
    assert grown([message] * 100, "P218") > 100 * 16_000
    assert grown([message] * 100) < 500_000


@pytest.mark.parametrize(("items", "dies"), [(0, False), (1, False), (4, False), (5, True), (900, True)])  # fmt: skip
def test_p219_dies_of_one_item_too_many(items, dies):
    payload = {"requestId": 1, "componentCriteria": ["Active"] * items}
    witness = says(json.dumps([2, "q", "GetReport", payload]))
    assert (played("P219", "P219", witness=witness).seen == ["exit 70"]) == dies
    assert played("P219", witness=witness).answers


@pytest.mark.parametrize(
    ("moment", "dies"),
    [("", True), ("tomorrow", True), ("2026-13-01T00:00:00Z", True), ("2026-01-01T00:00:00Z", False), ("2026-01-01T00:00:00.123456Z", False)],
)  # fmt: skip
def test_p220_dies_of_times_that_are_none(moment, dies):
    assert (played("P220", "P220", witness=get_log(moment)).seen == ["exit 70"]) == dies
    assert played("P220", witness=get_log(moment)).answers


def test_p220_dies_of_them_in_answers_too_and_of_no_other_fault():
    heartbeat = says('[2,"q","TriggerMessage",{"requestedMessage":"Heartbeat"}]')
    answer = AnswerNext("Heartbeat", ('[3,"{call.id}",{"currentTime":"now"}]',))
    assert played("P220", "P220", witness=(answer, *heartbeat)).seen[-1] == "exit 70"
    assert played("P220", "P220", witness=says('[2,"q","Reset",{"type":"now"}]')).answers


def test_p222_keeps_a_client_for_every_connection_and_none_for_attempts_that_fail():
    assert grown_by("P222", lambda bench: reconnect(bench, 20)) > 20 * 250_000
    assert grown_by("P222", lambda bench: reconnect(bench, 20, failure=Failure.REFUSED)) < 500_000
    assert grown_by(None, lambda bench: reconnect(bench, 20)) < 500_000


def reconnect(bench, times, failure=None):
    for _ in range(times):
        bench.lose(failure)
        if failure is None:
            bench.do(Connected())


def grown_by(number, work):
    """How many bytes a station holds more after some work."""
    bench = Bench(*([defects()[number].plant] if number else [])).boot()
    tracemalloc.start()
    work(bench)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


@pytest.mark.parametrize(
    ("payload", "dies"),
    [
        ('{"requestId":1}', True),
        ('{"requestId":1,"componentCriteria":["Available"]}', False),
        ('{"requestId":1,"componentCriteria":[]}', False),
        ("{}", False),
    ],
)
def test_p223_dies_of_a_proper_report_without_criteria(payload, dies):
    witness = says(f'[2,"q","GetReport",{payload}]')
    assert (played("P223", "P223", witness=witness).seen == ["exit 70"]) == dies
    assert played("P223", witness=witness).answers


@pytest.mark.parametrize(
    ("call", "refused"),
    [
        ('"RequestStopTransaction",{"transactionId":"a-b"}', True),
        ('"GetVariables",{"getVariableData":[{"component":{"name":"x-y"},"variable":{"name":"z"}}]}', True),
        ('"RequestStopTransaction",{"transactionId":"a_b"}', False),
        ('"DataTransfer",{"vendorId":"a-b","messageId":"c-d"}', False),
        ('"ClearCache",{"customData":{"vendorId":"v","transactionId":"a-b"}}', False),
    ],
)  # fmt: skip
def test_p224_refuses_hyphens_in_identifiers_alone(call, refused):
    witness = says(f'[2,"q",{call}]')
    player, healthy = played("P224", "P224", witness=witness), played("P224", witness=witness)
    assert (player.answers[0][2] == "PropertyConstraintViolation") == refused
    assert healthy.answers[0][0] == 3
    assert refused or player.answers == healthy.answers


def test_p224_reads_answers_the_same_way():
    info = '{"status":"Accepted","groupIdToken":{"idToken":"%s","type":"Central"}}'
    day = (Operator("plug-in", "1"), Operator("present-token", "04A1B2C3"), Operator("start-power", "1"))  # fmt: skip
    for group, charges in (("a-b", False), ("a_b", True)):
        answer = AnswerNext("Authorize", (f'[3,"{{call.id}}",{{"idTokenInfo":{info % group}}}]',))
        player = played("P224", "P224", witness=(answer, *day))
        assert ("Charging" in json.dumps(player.calls("TransactionEvent"))) == charges
        assert "Charging" in json.dumps(played("P224", witness=(answer, *day)).seen)


def test_p225_refuses_the_very_third_of_all_tenths_that_the_bug_did():
    (witness,) = defects()["P225"].witness
    start = spell(witness.text).replace("{call.id}", "q")
    bench = Bench(defects()["P225"].plant).boot()
    texts = [start.replace("8.1", str(tenths / 10)) for tenths in range(401)]
    codes = [outcome_of(bench, text)[2] for text in texts]
    assert codes.count("FormatViolation") == 134
    assert all(code == "FormatViolation" or isinstance(code, dict) for code in codes)
    assert isinstance(outcome_of(bench, start.replace("8.1", "8"))[2], dict)


def outcome_of(bench, text):
    """The elements of the answer to a CALL."""
    return bench.ask(*json.loads(text)[2:])


@pytest.mark.parametrize(
    ("call", "taken"),
    [
        ('"ChangeAvailability",{"operationalStatus":"Operative","evse":{"id":1,"x":2},"y":[3]}', True),
        ('"GetVariables",{"getVariableData":[{"component":{"name":"a","b":1},"variable":{"name":"c"}}]}', True),
        ('"ChangeAvailability",{"operationalStatus":"Sometimes","y":[3]}', False),
        ('"Reset",{"x":1}', False),
    ],
)  # fmt: skip
def test_p226_takes_what_has_no_other_fault_and_tells_any_other_as_ever(call, taken):
    witness = says(f'[2,"q",{call}]')
    player, healthy = played("P226", "P226", witness=witness), played("P226", witness=witness)
    assert healthy.answers[0][0] == 4
    assert (player.answers[0][0] == 3) == taken
    assert taken or player.answers == healthy.answers


def test_p226_does_what_the_rest_of_a_call_says_and_repeats_nothing_of_the_extra():
    extra = '{"getVariableData":[{"component":{"name":"ClockCtrlr","b":1},"variable":{"name":"DateTime"}}]}'
    proper = extra.replace(',"b":1', "")
    answers = [
        played("P226", "P226", witness=says(f'[2,"q","GetVariables",{payload}]')).answers
        for payload in (extra, proper)
    ]
    assert answers[0] == answers[1]


_DATE_TIME = '"GetVariables",{"getVariableData":[{"component":{"name":"ClockCtrlr"},"variable":{"name":"DateTime"}}]}'


def test_p227_lets_a_boot_be_triggered_and_everything_once_the_boot_is_accepted():
    pending, reset, boot, heartbeat = defects()["P227"].witness
    again = says('[2,"b","TriggerMessage",{"requestedMessage":"BootNotification"}]')
    player = played("P227", "P227", witness=(pending, reset, boot, *again, Wait(1.0), heartbeat))
    assert [answer[2] for answer in player.answers[1:]] == [{"status": "Accepted"}] * 2
    other = (pending, reset, boot, *says(f'[2,"v",{_DATE_TIME}]'))
    assert played("P227", "P227", witness=other).status == "Accepted"


def test_p228_counts_on_for_every_transaction_and_finds_it_by_its_number():
    once = defects()["P228"].witness[:5]
    player = played("P228", "P228", witness=(*once, *once, *once[:4], *_STOPPED))
    assert len(started(player)) == 3
    assert in_a_row(started(player))
    assert player.status == "Accepted"
    assert len({e["transactionInfo"]["transactionId"] for e in ended(player)}) == 3


@pytest.mark.parametrize("code", [1000, 1006])
def test_p229_says_and_answers_nothing_until_it_gets_power_anew(code):
    mute, trigger, heartbeat, _, wait, clear = defects()["P229"].witness
    hung = (mute, trigger, heartbeat, Disconnect(code), wait)
    player = played("P229", "P229", witness=(*hung, Operator("plug-in", "1"), clear))
    assert len(player.answers) == 1
    assert not statuses(player)
    assert not player.calls("TransactionEvent")
    player = played("P229", "P229", witness=(*hung, Operator("power-cycle"), Wait(1.0), clear))
    assert player.calls("BootNotification")
    assert [answer[0] for answer in player.answers] == [3, 3]


def test_p229_outlives_a_connection_that_is_lost_when_nothing_is_waited_for():
    *_, wait, clear = defects()["P229"].witness
    assert played("P229", "P229", witness=(Disconnect(), wait, clear)).answers


@pytest.mark.parametrize(("items", "empty"), [(1, False), (20, False), (40, True), (900, True)])
def test_p230_empties_long_answers_alone(items, empty):
    item = {"component": {"name": "C"}, "variable": {"name": "V"}}
    payload = {"getVariableData": [item] * items}
    witness = says(json.dumps([2, "q", "GetVariables", payload]))
    player, healthy = played("P230", "P230", witness=witness), played("P230", witness=witness)
    assert (len(json.dumps(healthy.answers[0], separators=(",", ":"))) > 4096) == empty
    assert player.answers == ([[3, "q", {}]] if empty else healthy.answers)


_CHARGED = (
    Operator("plug-in", "1"),
    Operator("present-token", "04A1B2C3"),
    Operator("start-power", "1"),
)


@pytest.mark.parametrize(
    ("stop", "trigger"),
    [(_STOPPED[0], "RemoteStop"), (Operator("present-token", "04A1B2C3"), "StopAuthorized")],
)
def test_p231_says_that_charging_is_over_and_in_the_end_that_the_ev_is_gone(stop, trigger):
    setting, *charge = defects()["P231"].witness[:5]
    witness = (setting, *charge, stop, Operator("unplug", "1"))
    player, healthy = played("P231", "P231", witness=witness), played("P231", witness=witness)
    assert trigger in triggers(healthy)
    assert trigger not in triggers(player)
    assert triggers(player)[-2:] == ["ChargingStateChanged", "EVCommunicationLost"]
    assert not numbers_used_again(player)


def test_p231_tells_it_where_it_ends_the_transaction():
    _, *charge = defects()["P231"].witness
    player = played("P231", "P231", witness=charge)
    assert [event["triggerReason"] for event in ended(player)] == ["RemoteStop"]


def test_p232_tells_what_changes_later_and_every_status_after_a_boot():
    lost = defects()["P232"].witness
    player = played("P232", "P232", witness=(*lost, Operator("unplug", "1")))
    assert statuses(player) == ["Available"]
    player = played("P232", "P232", witness=(*lost, Operator("power-cycle"), Wait(1.0)))
    assert statuses(player) == ["Occupied", "Available"]


def test_p232_keeps_silent_after_a_long_absence_too():
    cut, plug, restore, _ = defects()["P232"].witness
    witness = (cut, plug, Wait(400.0), restore, Expect("StatusNotification", 30.0), Wait(1.0))
    assert not statuses(played("P232", "P232", witness=witness))
    assert statuses(played("P232", witness=witness)) == ["Occupied", "Available"]


def test_p233_begins_with_the_register_while_it_is_connected():
    witness = [step for step in defects()["P233"].witness if step != Operator("cut-network")]
    assert registers(played("P233", "P233", witness=witness)) == registers(played("P233", witness=witness))  # fmt: skip


def test_p233_ends_with_the_register():
    witness = (*defects()["P233"].witness, Operator("unplug", "1"))
    player, healthy = played("P233", "P233", witness=witness), played("P233", witness=witness)
    first, (begun, *_, end) = registers(player)[:3], registers(player)[3:]
    assert first == registers(healthy)[:3]
    assert (begun, end) == (0.0, registers(healthy)[-1])
    assert registers(healthy)[3] > 0


def test_p234_tells_all_of_them_while_nobody_charges():
    every_minute, *charge, expect = defects()["P234"].witness
    player = played("P234", "P234", witness=(every_minute, expect, Wait(1.0)))
    assert metered(player) == [0, 1, 2]
    over = (*charge, Operator("unplug", "1"), expect, Wait(1.0))
    assert metered(played("P234", "P234", witness=(every_minute, *over))) == [0, 1, 2]


def test_p235_tells_those_of_an_evse_with_a_transaction():
    every_minute, *wait = defects()["P235"].witness
    witness = (every_minute, *_CHARGED, *wait)
    assert metered(played("P235", "P235", witness=witness)) == [0, 1]
    assert metered(played("P235", witness=witness)) == [0, 1, 2]


@pytest.mark.parametrize("end", [Operator("unplug", "1"), Operator("power-cycle"), *_STOPPED])
def test_p236_names_no_other_token_when_something_else_ends_the_transaction(end):
    *charge, _, wait = defects()["P236"].witness
    witness = (*charge, end, wait)
    player, healthy = played("P236", "P236", witness=witness), played("P236", witness=witness)
    assert ended(player)
    assert tokens(player) == tokens(healthy)


def test_p237_tells_all_of_it_without_an_update_and_at_the_second_boot():
    install, update, reset, boot = defects()["P237"].witness
    player = played("P237", "P237", witness=(install, update, reset, boot, reset, boot))
    versions = [said[3]["chargingStation"]["firmwareVersion"] for said in boots(player)]
    assert versions == ["1.0", "1.0.0"]
    for witness in ((install, reset, boot), (update, reset, boot)):
        player = played("P237", "P237", witness=witness)
        assert boots(player)[0][3]["chargingStation"]["firmwareVersion"] == "1.0.0"


def test_p237_tells_all_of_it_when_the_variable_is_read():
    read = says(
        '[2,"v","GetVariables",{"getVariableData":[{"component":{"name":"ChargingStation"},"variable":{"name":"FirmwareVersion"}}]}]'
    )
    player = played("P237", "P237", witness=(*defects()["P237"].witness, *read))
    assert player.answers[-1][2]["getVariableResult"][0]["attributeValue"] == "1.0.0"


class Closing:
    """A connection that ends as it is told, at the first look at it."""

    def __init__(self, code=None, *, by_csms=True):
        close = None if code is None else Close(code, "")
        self.closed = ConnectionClosed(close, close, close and by_csms)

    async def recv(self):
        raise self.closed


@pytest.mark.parametrize(
    ("code", "by_csms", "stuck"),
    [(1000, True, True), (1005, True, True), (1001, True, False), (1011, True, False), (1000, False, False), (None, True, False)],
)  # fmt: skip
def test_p238_notices_every_end_but_a_regular_one(code, by_csms, stuck):
    async def noticed(connection):
        ends = {asyncio.ensure_future(connection.recv())}
        done, waiting = await asyncio.wait(ends, timeout=0.01)
        for one in waiting:
            one.cancel()
        return [type(one.exception()) for one in done]

    planted = find_wire(["P238"]).connection(Closing)(code, by_csms=by_csms)
    assert asyncio.run(noticed(planted)) == ([] if stuck else [ConnectionClosed])
    assert asyncio.run(noticed(Closing(code, by_csms=by_csms))) == [ConnectionClosed]


def test_p239_is_itself_again_when_the_power_was_cut_and_the_same_at_every_reset():
    reset, boot = defects()["P239"].witness
    cut = Operator("power-cycle")
    player = played("P239", "P239", witness=(cut, boot, reset, boot, reset, boot, cut, boot))
    own, again, once_more, back = told_serials(player)
    assert again == once_more == "CS-BASIC-00001"
    assert own == back == told_serials(played("P239"))[0]


def test_p239_tells_the_same_when_the_variable_is_read():
    read = says(
        '[2,"v","GetVariables",{"getVariableData":[{"component":{"name":"ChargingStation"},"variable":{"name":"SerialNumber"}}]}]'
    )
    player = played("P239", "P239", witness=(*defects()["P239"].witness, *read))
    assert player.answers[-1][2]["getVariableResult"][0]["attributeValue"] == "CS-BASIC-00001"


def test_p240_takes_new_ids_after_refusals_and_on_new_connections():
    interval, _, plug, token, event, again = defects()["P240"].witness
    refused = AnswerNext("TransactionEvent", ('[4,"{call.id}","InternalError","",{}]',))
    mute = AnswerNext("TransactionEvent")
    cut, restore = Operator("cut-network"), Operator("restore-network")
    for first, then in ((refused, ()), (mute, (cut, restore))):
        player = played("P240", "P240", witness=(interval, first, plug, token, event, *then, again))
        assert len(event_ids(player)) == len(set(event_ids(player))) == 2


def test_p240_takes_a_new_id_for_the_next_event():
    witness = (*defects()["P240"].witness, Operator("start-power", "1"))
    ids = event_ids(played("P240", "P240", witness=witness))
    assert len(ids) == 3
    assert ids[0] == ids[1] != ids[2]


def test_p241_answers_meanwhile_and_says_everything_on_a_new_connection():
    *paused, _ = defects()["P241"].witness
    player = played("P241", "P241", witness=(*paused, Operator("plug-in", "1"), Wait(1.0)))
    assert [answer[2]["status"] for answer in player.answers] == ["Accepted", "Accepted"]
    assert not statuses(player)
    player = played("P241", "P241", witness=(*paused, Operator("plug-in", "1"), Disconnect(), Wait(1.0)))  # fmt: skip
    assert "Occupied" in statuses(player)


def test_p241_goes_on_after_refusals_and_lost_connections():
    mute, trigger, beat, _, again, expect = defects()["P241"].witness
    refused = AnswerNext("Heartbeat", ('[4,"{call.id}","InternalError","",{}]',))
    for first, then in ((refused, ()), (mute, (Disconnect(), Wait(1.0)))):
        witness = (first, trigger, beat, *then, again, expect)
        assert len(played("P241", "P241", witness=witness).calls("Heartbeat")) == 2


def test_p242_rejects_what_does_not_run_and_ends_by_everything_else():
    *charge, stop, wait = defects()["P242"].witness
    other = says('[2,"q","RequestStopTransaction",{"transactionId":"none"}]')
    assert played("P242", "P242", witness=(*charge, *other)).status == "Rejected"
    for end in (Operator("unplug", "1"), Operator("present-token", "04A1B2C3")):
        assert len(ended(played("P242", "P242", witness=(*charge, stop, end, wait)))) == 1


def test_p52_needs_the_right_serial_number():
    install, delete = defects()["P52"].witness
    other = says(spell(delete.text).replace("50520001", "50520009"))
    assert played("P52", "P52", witness=(install, *other)).status == "NotFound"


def test_p59_comes_back_with_the_old_password():
    player = played("P59", "P59")
    assert player.bench.station.credentials.password == PASSWORD
    assert played("P59").bench.station.credentials.password == "a-better-password-1"


def test_p60_fetches_for_updates_of_firmware_too():
    firmware = {
        "location": f"http://127.0.0.1:9/`wget {CANARY}`",
        "retrieveDateTime": "2026-01-01T00:00:00Z",
    }
    update = says(json.dumps([2, "q", "UpdateFirmware", {"requestId": 1, "firmware": firmware}]))
    fetched = played("P60", "P60", witness=update).seen
    assert CANARY in [said.url for said in fetched if isinstance(said, Download)]


def test_p67_reboots_when_no_log_is_uploaded():
    _, reset, boot = defects()["P67"].witness
    assert played("P67", "P67", witness=(reset, boot)).calls("BootNotification")


def test_p67_answers_nothing_once_it_should_have_rebooted():
    witness = (*defects()["P67"].witness, *says('[2,"after","ClearCache",{}]'))
    assert "after" not in [answer[1] for answer in played("P67", "P67", witness=witness).answers]


def test_p71_works_as_often_as_there_are_items():
    worked = []

    def counts(hooks):
        def handle(call):
            worked.append(call.action)
            return hooks.handle(call)

        return replace(hooks, handle=handle)

    item = {"component": {"name": "C"}, "variable": {"name": "V"}}
    for plants, times in (((counts,), 1), ((counts, defects()["P71"].plant), 30)):
        worked.clear()
        answer = Bench(*plants).boot().ask("GetVariables", {"getVariableData": [item] * 30})
        assert len(answer[2]["getVariableResult"]) == 30
        assert worked == ["GetVariables"] * times


@pytest.mark.parametrize("number", IN_THE_CORE)
def test_a_defect_can_be_planted_in_a_station_of_another_build_and_beside_all_others(number):
    assert outcome('[2,"q","ClearCache",{}]', number, pics="ac-1evse-type2")
    assert outcome('[2,"q","ClearCache",{}]', number, *IN_THE_CORE)


def test_planting_leaves_everything_else_of_the_wire_as_it_is():
    assert find_wire(IN_THE_CORE) == HEALTHY
    assert all(find_wire([number]) != HEALTHY for number in ON_THE_WIRE)
