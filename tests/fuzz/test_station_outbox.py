import itertools
import json

import pytest
from hypothesis import given, strategies as st

from fuzz.ocppj.peer import Answered, Peer, Refused, Unanswered
from fuzz.pics.loading import load_pics
from fuzz.station.context import Context
from fuzz.station.device_model import check_value, load_model
from fuzz.station.outbox import Outbox
from fuzz.station.settings import Settings
from fuzz.station.states import Registration
from strategies.version import version

ATTEMPTS, INTERVAL_S = 3, 60


def event(number, kind="Updated"):
    return {
        "eventType": kind,
        "timestamp": "2026-01-01T00:00:00Z",
        "triggerReason": "MeterValuePeriodic",
        "seqNo": number,
        "transactionInfo": {"transactionId": "t"},
    }


class Post:
    """One outbox, and a CSMS that does with each message what it is told to."""

    def __init__(self, action="TransactionEvent", stored=None, **limits):
        ids = itertools.count()
        settings = Settings(ids=lambda: f"m{next(ids)}", random=lambda: 0.5)
        pics = load_pics("dc-2evse-ccs1")
        peer = Peer(version(), ids=settings.ids)
        model = load_model(pics.name)
        self.context = Context(pics, settings, model, peer, check_value, {})
        self.heard = []
        self.sent = []
        self.box = Outbox(self.context, lambda payload, out: self.heard.append(payload), **limits)
        self.action = action
        self.box.restore(stored)

    def link(self):
        self.context.connected, self.context.registration = True, Registration.ACCEPTED
        self.box.pump()
        return self

    def lose(self):
        self.context.connected = False
        self.context.drop_queue()
        self.box.link_lost()

    def put(self, *numbers, kind="Updated"):
        for number in numbers:
            self.box.put(self.action, event(number, kind))
        return self

    def react(self, how):
        """What is said meanwhile is answered, refused or ignored; True when there was something."""
        context = self.context
        text = context.peer.pump(context.now) if context.connected else None
        if text is None:
            return False
        self.sent.append((context.now, json.loads(text)[3]))
        call = context.peer.forget()[0]
        outcomes = {
            "answer": Answered(call, {}),
            "refuse": Refused(call, "InternalError"),
            "ignore": Unanswered(call),
        }
        context.now += 30 if how == "ignore" else 0
        context.conclude(call, outcomes[how])
        return True

    def pass_time(self):
        """Until the next timer."""
        due = self.context.next_timer()
        if due is not None:
            self.context.now = max(self.context.now, due)
            self.context.run_timers()

    def finish(self):
        self.link()
        while self.box.waiting:
            self.react("answer") or self.pass_time()

    @property
    def delivered(self):
        return [payload["seqNo"] for payload in self.heard]


@given(
    st.lists(
        st.sampled_from(["put", "answer", "refuse", "ignore", "lose", "link", "wait", "restart"])
    )
)
def test_every_letter_arrives_exactly_once_and_in_order(steps):
    post, numbers, delivered = Post(), itertools.count(), []
    put = 0
    for step in steps:
        match step:
            case "put":
                post.put(next(numbers))
                put += 1
            case "lose":
                post.lose()
            case "link":
                post.link()
            case "wait":
                post.pass_time()
            case "restart":
                delivered += post.delivered
                post = Post(stored=json.loads(json.dumps(post.box.lasting())))
            case how:
                post.react(how)
    post.finish()
    assert delivered + post.delivered == list(range(put))


@given(st.lists(st.sampled_from(["refuse", "ignore"]), max_size=ATTEMPTS - 1))
def test_attempts_stop_at_the_first_answer_and_wait_longer_each_time(failures):
    post = Post().link().put(0, 1)
    ended = []
    for how in failures:
        post.react(how)
        ended.append(post.context.now)
        post.pass_time()
    post.finish()
    times = [moment for moment, payload in post.sent if payload["seqNo"] == 0]
    assert len(times) == len(failures) + 1
    waits = [later - over for later, over in zip(times[1:], ended, strict=True)]
    assert waits == [INTERVAL_S * (n + 1) for n in range(len(waits))]


@pytest.mark.parametrize("how", ["refuse", "ignore"])
def test_a_transaction_event_is_given_up_after_all_attempts_and_the_next_one_goes(how):
    post = Post().link().put(0, 1)
    for _ in range(ATTEMPTS):
        post.react(how)
        post.pass_time()
    assert post.delivered == [0]
    post.finish()
    assert [p["seqNo"] for _, p in post.sent] == [0] * ATTEMPTS + [1]


def test_other_messages_are_repeated_until_they_are_answered_even_with_a_callerror():
    post = Post("SecurityEventNotification").link()
    post.box.put(post.action, {"type": "X", "timestamp": "2026-01-01T00:00:00Z"})
    for _ in range(2 * ATTEMPTS):
        post.react("ignore")
        post.pass_time()
    assert len(post.box.waiting) == 1
    post.react("refuse")
    assert (post.box.waiting, len(post.heard)) == ((), 1)
    assert "offline" not in post.heard[0]


def test_what_waits_when_the_link_is_lost_was_told_offline_and_what_came_later_was_not():
    post = Post().link().put(0)
    post.react("answer")
    post.put(1, 2)
    post.lose()
    post.put(3)
    post.link().put(4)
    post.finish()
    assert [p.get("offline") for p in post.heard] == [None, True, True, True, None]


def test_a_lost_connection_is_no_attempt():
    post = Post().link().put(0)
    for _ in range(5):
        post.context.peer.pump(0)
        post.lose()
        post.link()
    assert [letter.failures for letter in post.box.waiting] == [0]


def test_nothing_is_sent_before_the_boot_is_accepted():
    post = Post()
    post.context.connected, post.context.registration = True, Registration.PENDING
    post.put(0)
    assert not post.react("answer")
    assert post.link().react("answer")


def test_only_every_second_event_between_beginning_and_end_is_dropped():
    post = Post(max_waiting=8).put(0, kind="Started").put(1, 2, 3, 4, 5, 6)
    assert not post.box.full
    post.put(7, kind="Ended").put(8, kind="Started")
    assert [letter.payload["seqNo"] for letter in post.box.waiting] == [0, 1, 3, 5, 7, 8]


@given(st.lists(st.sampled_from(["Started", "Updated", "Ended"]), max_size=60))
def test_a_beginning_or_an_end_is_never_dropped(kinds):
    post = Post(max_waiting=10)
    for number, kind in enumerate(kinds):
        post.put(number, kind=kind)
    kept = [letter.payload["seqNo"] for letter in post.box.waiting]
    bounds = [number for number, kind in enumerate(kinds) if kind != "Updated"]
    assert set(bounds) <= set(kept)
    assert kept == sorted(kept)
    assert len(kept) <= max(10, len(bounds) + 2)


def test_a_flood_of_other_messages_leaves_out_the_oldest():
    post = Post("SecurityEventNotification", max_waiting=5)
    for number in range(20):
        post.box.put(post.action, {"type": str(number), "timestamp": "2026-01-01T00:00:00Z"})
    types = [letter.payload["type"] for letter in post.box.waiting]
    assert types == ["0", "16", "17", "18", "19"]


def test_a_full_queue_of_calls_only_delays():
    post = Post().link()
    while post.context.ask("Heartbeat", {}):
        pass
    post.put(0)
    assert post.sent == []
    post.context.peer.forget()
    post.pass_time()
    post.react("answer")
    assert post.delivered == [0]


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        5,
        {},
        [None],
        [{}],
        [{"action": "None", "payload": {}}],
        [{"action": "TransactionEvent", "payload": {"eventType": 5}}],
        [{"action": [], "payload": []}],
    ],
)
def test_nonsense_in_a_stored_state_is_left_out(nonsense):
    assert Post(stored=nonsense).box.waiting == ()


def test_what_is_restored_is_what_was_kept():
    post = Post().link().put(0, 1)
    post.react("refuse")
    post.lose()
    again = Post(stored=json.loads(json.dumps(post.box.lasting())))
    assert again.box.waiting == post.box.waiting
