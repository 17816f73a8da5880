"""The reasons that transactions give are those that were seen, or they are objected to."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Operated, Told

TOKEN = {"idToken": "A", "type": "ISO14443"}


class Scene:
    """A scene in which each thing happens a second after the one before."""

    def __init__(self):
        self.model, self.now, self.said = Model(), 0.0, []

    def _saw(self, event):
        self.now += 1.0
        self.said += [o.name for o in self.model.saw(event)]

    def done(self, words):
        self._saw(Operated(self.now, words))
        return self

    def ask(self, action, answer, **payload):
        asked = Asked(self.now, action, payload, f"q{self.now}")
        self._saw(asked)
        self._saw(Told(self.now, asked, answer, "" if answer else "FormatViolation"))
        return self

    def called(self, action, payload, answer):
        called = Called(self.now, action, payload, f"c{self.now}")
        self._saw(called)
        self._saw(Answered(self.now, called, answer))
        return self

    def authorize(self, token, group="", status="Accepted"):
        info = {"status": status, "groupIdToken": {"idToken": group, "type": "Central"}}
        asked = {"idToken": {"idToken": token, "type": "ISO14443"}}
        return self.called("Authorize", asked, {"idTokenInfo": info})

    def event(self, kind, seq, trigger, token=None, answer=None, **info):
        payload = {
            "eventType": kind,
            "seqNo": seq,
            "triggerReason": trigger,
            "transactionInfo": {"transactionId": "t1", **info},
            "evse": {"id": 1, "connectorId": 1},
            **({"idToken": token} if token else {}),
        }
        return self.called("TransactionEvent", payload, answer or {})


def charging():
    scene = Scene().done("plug-in 1").done("present-token A ISO14443").authorize("A", "G")
    return scene.event("Started", 0, "Authorized", TOKEN, chargingState="Charging")


@pytest.mark.parametrize(
    ("trigger", "reason", "cause"),
    [
        ("ResetCommand", "ImmediateReset", "a restart"),
        ("AbnormalCondition", "PowerLoss", "a restart"),
        ("EVCommunicationLost", "EVDisconnected", "the EV that left"),
        ("EVConnectTimeout", "Timeout", "an EV that did not come"),
        ("RemoteStop", "Remote", "RequestStopTransaction"),
    ],
)
def test_a_reason_of_which_nothing_was_seen_is_found(trigger, reason, cause):
    scene = charging().event("Ended", 1, trigger, stoppedReason=reason)
    assert scene.said == [f"transaction ended by {cause}, which was not"]


def test_what_was_seen_may_be_the_reason():
    ended = charging().done("unplug 1").done("plug-in 1")
    assert not ended.event("Ended", 1, "EVCommunicationLost", stoppedReason="EVDisconnected").said
    ended = charging().ask("Reset", {"status": "Accepted"}, type="Immediate")
    assert not ended.event("Ended", 1, "ResetCommand", stoppedReason="ImmediateReset").said
    stop = {"status": "Accepted"}
    ended = charging().ask("RequestStopTransaction", stop, transactionId="t1")
    assert not ended.event("Ended", 1, "RemoteStop", stoppedReason="Remote").said


@pytest.mark.parametrize("answer", [{"status": "Rejected"}, None])
def test_a_stop_that_was_refused_is_no_reason(answer):
    ended = charging().ask("RequestStopTransaction", answer, transactionId="t1")
    said = ended.event("Ended", 1, "RemoteStop", stoppedReason="Remote").said
    assert said[-1:] == ["transaction ended by RequestStopTransaction, which was not"]


def test_nothing_is_said_after_what_may_have_reasons_of_its_own():
    ended = charging().ask("UnlockConnector", {"status": "UnlockFailed"}, evseId=1, connectorId=1)
    assert not ended.event("Ended", 1, "EVDeparted", stoppedReason="EVDisconnected").said
    scene = charging()
    scene._saw(Closed(scene.now))
    assert not scene.event("Ended", 1, "ResetCommand", stoppedReason="ImmediateReset").said


@pytest.mark.parametrize(
    ("group", "status", "wrong"),
    [
        ("G", "Accepted", False),
        ("H", "Accepted", True),
        ("", "Accepted", True),
        ("G", "Blocked", True),
    ],
)
def test_only_a_token_of_the_group_that_is_accepted_ends_it_for_another(group, status, wrong):
    scene = charging().done("present-token B ISO14443").authorize("B", group, status)
    said = scene.event("Ended", 1, "StopAuthorized", stoppedReason="Local").said
    assert said == (["transaction ended by a token of somebody else"] if wrong else [])


def test_the_token_that_began_it_ends_it_and_so_may_one_that_nobody_was_asked_about():
    scene = charging().done("present-token A ISO14443")
    assert not scene.event("Ended", 1, "StopAuthorized", stoppedReason="Local").said
    scene = charging().done("present-token M KeyCode")
    assert not scene.event("Ended", 1, "StopAuthorized", stoppedReason="MasterPass").said


@pytest.mark.parametrize(("reason", "wrong"), [("EVDisconnected", 0), ("Local", 1), ("Other", 0)])
def test_one_cause_alone_is_the_reason(reason, wrong):
    said = charging().done("unplug 1").event("Ended", 1, "EVDeparted", stoppedReason=reason).said
    assert said == ["transaction ended for another reason than it says"] * wrong


@pytest.mark.parametrize(("words", "wrong"), [("present-token A", 0), ("start-power 1", 1)])
def test_a_token_may_end_what_was_started_from_afar(words, wrong):
    scene = Scene().done("plug-in 1")
    scene.ask("RequestStartTransaction", {"status": "Accepted"}, remoteStartId=7, evseId=1)
    scene.event("Started", 0, "RemoteStart", TOKEN, chargingState="Charging", remoteStartId=7)
    ended = scene.done(words).done("unplug 1")
    said = ended.event("Ended", 1, "StopAuthorized", stoppedReason="Local").said
    assert said == ["transaction ended for another reason than it says"] * wrong


def remote(answer, told, **more):
    scene = Scene().done("plug-in 1")
    scene.ask("RequestStartTransaction", answer, remoteStartId=7, idToken=TOKEN, evseId=1)
    info = {"chargingState": "Charging", **({"remoteStartId": told} if told else {})}
    scene.event("Started", 0, "RemoteStart", TOKEN, **info).done("unplug 1")
    return scene.event("Ended", 1, "EVDeparted", stoppedReason="EVDisconnected").said


@pytest.mark.parametrize(
    ("answer", "told", "wrong"),
    [
        ({}, 7, []),
        ({}, 0, ["remote start never named"]),
        ({}, 8, ["remoteStartId that nobody gave"]),
        ({"transactionId": "t1"}, 7, []),
        ({"transactionId": "t2"}, 7, ["remote start answered with another transactionId"]),
    ],
)
def test_a_remote_start_is_named_as_it_was_asked_for(answer, told, wrong):
    assert remote({"status": "Accepted", **answer}, told) == wrong


def started(trigger, state, *deeds, token=TOKEN, **info):
    scene = Scene().done("plug-in 1")
    answer = {"status": "Accepted"}
    scene.ask("RequestStartTransaction", answer, remoteStartId=7, idToken=TOKEN, evseId=1)
    for deed in deeds:
        scene.done(deed)
    info |= {"chargingState": state} if state else {}
    return scene.event("Started", 0, trigger, token, remoteStartId=7, **info)


@pytest.mark.parametrize(
    ("trigger", "state", "deeds", "wrong"),
    [
        ("RemoteStart", "EVConnected", [], 0),
        ("Authorized", "EVConnected", [], 1),
        ("Trigger", "", [], 1),
        ("ChargingStateChanged", "Charging", [], 0),
        ("ChargingStateChanged", "SuspendedEVSE", [], 0),
        ("CablePluggedIn", "EVConnected", ["unplug 1", "plug-in 1"], 0),
    ],
)
def test_the_first_that_is_told_of_a_remote_start_is_that_it_was_one(trigger, state, deeds, wrong):
    scene = started(trigger, state, *deeds)
    assert scene.said == ["remote start told as something else"] * wrong
    assert (
        scene.event(
            "Updated", 1, "ChargingStateChanged", chargingState="Charging", remoteStartId=7
        ).said
        == scene.said
    )


@pytest.mark.parametrize(
    ("token", "deeds", "wrong"),
    [
        ({"idToken": "B", "type": "ISO14443"}, [], 1),
        ({"idToken": "a", "type": "ISO14443"}, [], 0),
        (None, [], 0),
        ({"idToken": "B", "type": "ISO14443"}, ["present-token B ISO14443"], 0),
    ],
)
def test_a_remote_start_is_for_whom_it_was_asked_for(token, deeds, wrong):
    said = started("RemoteStart", "Charging", *deeds, token=token).said
    assert said == ["remote start for somebody else"] * wrong


@pytest.mark.parametrize(
    ("reasons", "deeds", "wrong"),
    [
        (["RemoteStop"], [], 0),
        (["RemoteStop", "ChargingStateChanged"], [], 0),
        (["ChargingStateChanged"], [], 1),
        (["Trigger"], [], 1),
        (["ChargingStateChanged"], ["stop-power 1"], 0),
    ],
)
def test_a_remote_stop_is_told_as_one(reasons, deeds, wrong):
    scene = charging().ask("RequestStopTransaction", {"status": "Accepted"}, transactionId="t1")
    for deed in deeds:
        scene.done(deed)
    for seq, reason in enumerate(reasons[:-1], 1):
        scene.event("Updated", seq, reason, chargingState="EVConnected")
    ended = {"stoppedReason": "Remote", "chargingState": "EVConnected"}
    scene.event("Ended", len(reasons), reasons[-1], **ended)
    assert scene.said == ["remote stop never told"] * wrong


ANOTHER = "transaction ended for another reason than it says"


@pytest.mark.parametrize(
    ("reason", "found"),
    [("Local", True), ("EVDisconnected", True), ("Reboot", False), ("ImmediateReset", False)],
)
def test_a_transaction_that_a_restart_ended_says_so(reason, found):
    reset = charging().ask("Reset", {"status": "Accepted"}, type="Immediate")
    reset.event("Ended", 1, "ResetCommand", stoppedReason=reason)
    cycled = charging().done("power-cycle").event("Ended", 1, "TxResumed", stoppedReason=reason)
    assert (ANOTHER in reset.said) is (ANOTHER in cycled.said) is found


@pytest.mark.parametrize("status", ["Rejected", "Scheduled"])
def test_a_reset_that_does_not_come_at_once_is_no_reason(status):
    scene = charging().ask("Reset", {"status": status}, type="Immediate")
    assert ANOTHER not in scene.event("Ended", 1, "ChargingStateChanged").said


def test_a_reset_is_not_the_reason_where_the_driver_left_too():
    scene = charging().ask("Reset", {"status": "Accepted"}, type="Immediate").done("unplug 1")
    scene.event("Ended", 1, "EVCommunicationLost", stoppedReason="EVDisconnected")
    assert ANOTHER not in scene.said


@pytest.mark.parametrize(("reason", "found"), [("Local", True), ("DeAuthorized", False)])
def test_a_transaction_whose_token_was_refused_says_so(reason, found):
    refused = {"idTokenInfo": {"status": "Invalid"}}
    scene = Scene().done("plug-in 1").done("present-token A ISO14443").authorize("A")
    scene.event("Started", 0, "Authorized", TOKEN, refused, chargingState="Charging")
    scene.event("Ended", 1, "Deauthorized", stoppedReason=reason)
    assert (ANOTHER in scene.said) is found


BY_FAULT = "transaction ended by a fault, which it does not say"


@pytest.mark.parametrize("reason", ["StopAuthorized", "RemoteStop", "EVCommunicationLost"])
def test_a_fault_is_not_somebody_who_does_something(reason):
    assert BY_FAULT in charging().done("fault 1").event("Ended", 1, reason).said
    for deeds in (["fault 2"], ["fault 1", "unplug 1"], ["unplug 1"], []):
        scene = charging()
        for deed in deeds:
            scene.done(deed)
        assert BY_FAULT not in scene.event("Ended", 1, reason).said


def test_a_fault_may_be_told_as_one():
    assert BY_FAULT not in charging().done("fault 1").event("Ended", 1, "AbnormalCondition").said


@pytest.mark.parametrize(
    ("asked", "times", "wrong"),
    [({"evseId": 2}, 1, 1), ({"evseId": 1}, 1, 0), ({}, 1, 0), ({"evseId": 2}, 2, 0)],
)
def test_a_remote_start_is_carried_out_where_it_was_asked_for(asked, times, wrong):
    scene = Scene().done("plug-in 1")
    for _ in range(times):
        answer = {"status": "Accepted"}
        scene.ask("RequestStartTransaction", answer, remoteStartId=7, idToken=TOKEN, **asked)
    scene.event("Started", 0, "RemoteStart", TOKEN, chargingState="EVConnected", remoteStartId=7)
    assert scene.said == ["remote start carried out on another EVSE"] * wrong


NOBODY = "token of an event that nobody showed"


def ended_by_reset(token):
    reset = charging().ask("Reset", {"status": "Accepted"}, type="Immediate")
    return reset.event("Ended", 1, "ResetCommand", token, stoppedReason="ImmediateReset").said


def test_a_token_of_nobody_at_an_end_that_takes_none_is_found():
    assert ended_by_reset({"idToken": "Local", "type": "Local"}) == [NOBODY]


@pytest.mark.parametrize("token", [None, TOKEN, {"idToken": "a", "type": "ISO14443"}])
def test_whoever_began_it_may_be_named_at_its_end(token):
    assert ended_by_reset(token) == []


def test_tokens_that_were_asked_about_or_named_are_known():
    for known in (
        charging().authorize("B"),
        charging().done("present-token B ISO14443"),
        charging().ask("RequestStartTransaction", None, idToken={"idToken": "B"}),
        charging().authorize("C", "B"),
    ):
        known.ask("Reset", {"status": "Accepted"}, type="Immediate")
        token = {"idToken": "B", "type": "ISO14443"}
        known.event("Ended", 1, "ResetCommand", token, stoppedReason="ImmediateReset")
        assert NOBODY not in known.said


@pytest.mark.parametrize("trigger", ["StopAuthorized", "Deauthorized"])
def test_who_stopped_it_with_a_token_is_not_judged_here(trigger):
    token = {"idToken": "B", "type": "ISO14443"}
    assert NOBODY not in charging().event("Ended", 1, trigger, token, stoppedReason="Local").said
