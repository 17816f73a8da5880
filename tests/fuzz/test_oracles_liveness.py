from dataclasses import replace

import pytest

from fuzz.oracles.registry import judge
from fuzz.records import (
    ENDED_TO_RESTART,
    AnswerNext,
    Close,
    Disconnect,
    Operator,
    Preamble,
    Probes,
    ProcessEnd,
    RepeatSteps,
    SendText,
    Severity,
)
from fuzz.testing import (
    case,
    heard,
    mutation,
    note,
    observation,
    rejected,
    result,
    scene,
    spoken,
    target,
    us,
)
from strategies.labels import Channel, Expectation, Fault, Position, Stance, Tier

NOT_UTF8 = rejected(Tier.JSON, Fault.NOT_UTF8)
NOT_JSON = rejected(Tier.JSON, Fault.NOT_JSON)
MISSING = rejected(Tier.SCHEMA, Fault.MISSING)
BINARY = Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.BINARY, "text only")
HEAVY = Expectation(Stance.UNSPECIFIED, Tier.JSON, Fault.HEAVY, "no limit named")
BOOT_ANSWER = case(
    MISSING, action="BootNotification", position=Position.CALLRESULT, steps=[SendText(("[3]",))]
)


@pytest.mark.parametrize(
    ("code", "symptom", "cwe"),
    [
        (1, "exit 1", "CWE-248"),
        (0, "exit 0", "CWE-248"),
        (-11, "signal 11", "CWE-119"),
        (-6, "signal 6", "CWE-617"),
        (-9, "signal 9", "CWE-400"),
        (-99, "signal 99", "CWE-248"),
    ],
)
def test_the_end_of_the_process_is_critical_and_named_by_code_or_signal(code, symptom, cwe):
    (violation,) = judge(observation(process=ProcessEnd(code)))
    assert (violation.oracle, violation.symptom, violation.cwe) == ("O1", symptom, cwe)
    assert violation.severity is Severity.CRITICAL
    assert not violation.remark


@pytest.mark.parametrize(
    ("code", "spoke"),
    [(0, ["O1 gave up after a failed handshake (remark)"]), (1, ["O1 exit 1"])],
)
def test_a_client_that_gives_up_in_order_after_a_failed_handshake_is_a_remark(code, spoke):
    failed = note(0.1, "caller", "101-nonsense")
    lost = scene(failed, process=ProcessEnd(code), probes=Probes(), close=Close(1006))
    assert spoken(lost) == spoke


def test_a_process_that_ends_after_an_accepted_reset_is_no_violation():
    assert spoken(observation(process=ProcessEnd(0), restart_asked=True)) == []


def _two_resets(*between, end="exit 70", reason="RemoteReset", told="Scheduled"):
    """A Reset that is outlived, and one for which the process ends; `between` comes before that end."""
    return scene(
        us(1.0, [2, "r1", "Reset", {"type": "OnIdle"}]),
        target(1.1, [3, "r1", {"status": "Accepted"}]),
        target(3.0, [2, "b", "BootNotification", {"reason": reason}]),
        us(3.1, [3, "b", {"status": "Accepted", "interval": 300}]),
        us(5.0, [2, "r2", "Reset", {"type": "OnIdle"}]),
        target(5.1, [3, "r2", {"status": told}]),
        *between,
        note(9.0, "note", f"{ENDED_TO_RESTART}{end}"),
    )


@pytest.mark.parametrize("end", ["exit 70", "signal 11"])
def test_a_process_that_dies_of_a_reset_and_outlived_another_is_critical(end):
    (violation,) = judge(_two_resets(end=end))
    assert (violation.oracle, violation.symptom) == ("O1", end)
    assert violation.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    "obs",
    [
        _two_resets(end="exit 0"),
        _two_resets(reason="PowerUp"),
        _two_resets(told="Rejected"),
        _two_resets(note(7.0, "operator", "power-cycle")),
        scene(
            us(1.0, [2, "r1", "Reset", {"type": "OnIdle"}]),
            target(1.1, [3, "r1", {"status": "Accepted"}]),
            note(9.0, "note", f"{ENDED_TO_RESTART}exit 70"),
        ),
    ],
    ids=["in-order", "no-reset", "refused", "without-power", "always-so"],
)
def test_a_process_that_may_well_end_for_a_reset_is_no_violation(obs):
    assert [s for s in spoken(obs) if s.startswith("O1")] == []


def test_process_death_speaks_alone_although_everything_else_broke_too():
    obs = observation(
        replies=[heard("oops"), heard([3])],
        process=ProcessEnd(1),
        close=Close(1006),
        boots=1,
        probes=Probes(same_connection=False, new_connection=False),
    )
    assert spoken(obs) == ["O1 exit 1"]


def test_an_inconclusive_case_still_tells_that_the_process_ended():
    dead = observation(process=ProcessEnd(1), inconclusive="flooded")
    deaf = observation(close=Close(1011), boots=2, inconclusive="flooded")
    assert spoken(dead) == ["O1 exit 1"]
    assert spoken(deaf) == []


@pytest.mark.parametrize(
    ("reasons", "spoke"),
    [
        ((), ["O2 unasked BootNotification"]),
        (("PowerUp",), ["O2 unasked BootNotification"]),
        (("Watchdog", "RemoteReset"), ["O2 unasked BootNotification"]),
        (("RemoteReset",), ["O2 boot for a reset not asked for (remark)"]),
        (("Triggered",), []),
    ],
)
def test_a_boot_that_nobody_asked_for_is_a_silent_restart(reasons, spoke):
    assert spoken(observation(boots=max(1, len(reasons)), boot_reasons=reasons)) == spoke


def test_a_silent_restart_speaks_for_the_lost_connection_and_the_missing_answer():
    obs = observation(
        replies=[],
        boots=1,
        boot_reasons=["PowerUp"],
        close=Close(1006),
        probes=Probes(same_connection=False),
    )
    assert spoken(obs) == ["O2 unasked BootNotification"]


@pytest.mark.parametrize(
    "obs",
    [
        observation(boots=1, restart_asked=True),
        observation(case(preamble=Preamble.CONNECTED), boots=1),
        observation(boots=1, close=Close(1000, by_target=False)),
        observation(case(steps=[Disconnect()]), boots=1),
        observation(case(steps=[RepeatSteps((SendText(("x",)), Disconnect()), 2)]), boots=1),
        observation(case(steps=[AnswerNext("BootNotification", ("[3]",))]), boots=1),
        observation(BOOT_ANSWER, boots=1, replies=[]),
        observation(
            case(action="TriggerMessage"),
            boots=1,
            said=['[2,"c1","TriggerMessage",{"requestedMessage":"BootNotification"}]'],
        ),
    ],
    ids=[
        "reset",
        "booting",
        "we-hung-up",
        "disconnect",
        "repeated",
        "override",
        "answer",
        "trigger",
    ],
)
def test_a_boot_that_the_case_leads_to_is_no_restart(obs):
    assert spoken(obs) == []


def _reset(told: str, boot: str, *, by_hand: str = "unplug 1", status: str = "Accepted"):
    """A scene of one Reset and the boot behind it; the station boots once more when it is over."""
    asked = [
        us(0.0, [2, "r", "Reset", {"type": "OnIdle"}]),
        target(0.1, [3, "r", {"status": told}]),
    ]
    booted = [
        target(1.0, [2, "b", "BootNotification", {"reason": boot}]),
        us(1.1, [3, "b", {"status": status, "interval": 300}]),
    ]
    done = note(0.5, "operator", by_hand)
    return scene(*asked, done, *booted, boots=1, boot_reasons=("RemoteReset",))


@pytest.mark.parametrize("told", ["Accepted", "Scheduled"])
def test_a_reset_that_was_done_explains_no_second_boot(told):
    assert "O2 reset done again" in spoken(_reset(told, "RemoteReset"))


@pytest.mark.parametrize(
    "obs",
    [
        _reset("Rejected", "RemoteReset"),
        _reset("Accepted", "PowerUp"),
        _reset("Accepted", "RemoteReset", by_hand="power-cycle"),
        _reset("Accepted", "RemoteReset", status="Pending"),
        replace(_reset("Accepted", "RemoteReset"), boot_reasons=("PowerUp",)),
        replace(_reset("Accepted", "RemoteReset"), restart_asked=True),
    ],
    ids=["refused", "other-boot", "by-hand", "not-let-in", "other-reason", "asked-again"],
)
def test_a_boot_that_a_reset_may_explain_is_not_one_too_many(obs):
    assert "O2 reset done again" not in spoken(obs)


def test_a_case_that_answers_another_call_does_not_explain_a_boot():
    obs = observation(case(steps=[AnswerNext("Heartbeat", ("[3]",))]), boots=1)
    assert spoken(obs) == ["O2 unasked BootNotification"]


@pytest.mark.parametrize(
    ("event", "explained"),
    [("plug-in", False), ("present-token", False), ("power-cycle", True), ("tamper", True)],
)
def test_what_people_come_for_explains_no_boot(event, explained):
    obs = observation(case(steps=[Operator(event, "1")]), boots=1, close=Close(1006))
    assert ("O2 unasked BootNotification" in spoken(obs)) is not explained


@pytest.mark.parametrize(
    ("expectation", "code", "spoke"),
    [
        (NOT_UTF8, 1007, []),
        (NOT_UTF8, 1008, ["O3 close 1008 (remark)"]),
        (NOT_UTF8, 1011, ["O3 close 1011"]),
        (NOT_JSON, 1002, ["O3 close 1002 (remark)"]),
        (NOT_JSON, 4001, ["O3 close 4001 (remark)"]),
        (NOT_JSON, 1006, ["O3 close 1006"]),
        (BINARY, 1003, []),
        (BINARY, 1011, ["O3 close 1011"]),
        (HEAVY, 1009, []),
        (HEAVY, 1000, ["O3 close 1000 (remark)"]),
        (HEAVY, 1006, ["O3 close 1006"]),
        (MISSING, 1008, ["O3 close 1008"]),
        (rejected(Tier.SCHEMA, Fault.TYPE, disputed="drafts"), 1008, ["O3 close 1008 (remark)"]),
        (Expectation(Stance.ACCEPT, Tier.MODEL), 1000, ["O3 close 1000"]),
    ],
)
def test_a_close_code_is_judged_by_the_class_of_the_fault(expectation, code, spoke):
    assert spoken(observation(expectation, replies=[], close=Close(code))) == spoke


def test_abnormal_closes_are_worse_than_hanging_up_in_order():
    (abnormal,) = judge(observation(MISSING, replies=[], close=Close(1011)))
    (orderly,) = judge(observation(MISSING, replies=[], close=Close(1000)))
    assert abnormal.severity > orderly.severity > Severity.LOW


def test_who_hangs_up_and_never_comes_back_by_itself_is_critical():
    (gone,) = judge(observation(close=Close(1006), probes=Probes(new_connection=False)))
    assert (gone.oracle, gone.severity) == ("O3", Severity.CRITICAL)
    assert gone.text.endswith("did not come back by itself")


@pytest.mark.parametrize(
    ("probes", "boots", "spoke"),
    [
        (Probes(new_connection=True), 0, []),
        (Probes(new_connection=True, deaf_connection=True), 0, ["O5 deaf connection"]),
        (Probes(new_connection=True, deaf_connection=True), 1, []),
    ],
)
def test_a_connection_behind_a_rightful_close_must_serve(probes, boots, spoke):
    """One on which the target booted anew was busy with that."""
    seen = observation(
        case(mutations=[mutation(channel=Channel.HANDSHAKE)]),
        close=Close(1006),
        probes=probes,
        boots=boots,
    )
    assert [line for line in spoken(seen) if line.startswith("O5")] == spoke


@pytest.mark.parametrize(
    ("channel", "code", "spoke"),
    [
        (Channel.HANDSHAKE, 1006, []),
        (Channel.PAYLOAD, 1002, ["O3 close 1002"]),
    ],
)
def test_a_bad_handshake_may_end_a_connection_and_a_bad_payload_may_not(channel, code, spoke):
    played = case(MISSING, mutations=[mutation(channel=channel)])
    assert spoken(observation(played, replies=[], close=Close(code))) == spoke


@pytest.mark.parametrize(
    "obs",
    [
        observation(close=Close(1006), restart_asked=True),
        observation(close=Close(1011, by_target=False)),
    ],
    ids=["reset", "by-us"],
)
def test_a_connection_that_we_ended_is_no_violation(obs):
    assert spoken(obs) == []


def test_an_orderly_close_after_a_broken_answer_is_a_remark():
    assert spoken(observation(BOOT_ANSWER, replies=[], close=Close(1000))) == [
        "O3 close 1000 (remark)"
    ]


def test_a_target_that_serves_no_harmless_call_is_a_zombie():
    obs = observation(replies=[], probes=Probes(same_connection=False, ping=True, process=True))
    (violation,) = judge(obs)
    assert (violation.oracle, violation.symptom) == ("O5", "CALL unserved")
    assert violation.severity is Severity.HIGH
    assert "ping" in violation.text


def test_a_target_deaf_to_everyone_is_critical():
    obs = observation(
        probes=Probes(same_connection=False, new_connection=False, fresh_identity=False)
    )
    (violation,) = judge(obs)
    assert (violation.oracle, violation.severity) == ("O5", Severity.CRITICAL)


def test_a_target_that_hangs_up_as_it_may_and_never_comes_back_is_a_zombie():
    gone = Probes(new_connection=False)
    assert spoken(observation(BINARY, close=Close(1003), probes=gone)) == ["O5 not back"]
    assert spoken(observation(BINARY, close=Close(1003))) == []
    assert spoken(observation(BINARY, close=Close(1003), probes=gone, restart_asked=True)) == []


@pytest.mark.parametrize("served", [True, None])
def test_a_target_that_serves_the_probe_is_no_zombie(served):
    assert spoken(observation(probes=Probes(same_connection=served))) == []


def test_a_connection_closed_wrongly_speaks_for_what_was_heard_before():
    obs = observation(MISSING, replies=[result()], close=Close(1011))
    assert spoken(obs) == ["O3 close 1011"]


@pytest.mark.parametrize(
    ("entries", "spoke"),
    [
        ([note(60, "note", "waited in vain for BootNotification")], ["O5 CALL unserved"]),
        ([note(1, "close", "1001"), note(60, "note", "waited in vain for BootNotification")], []),
        ([], []),
    ],
    ids=["never-left", "left", "not-waited-for"],
)
def test_a_reset_that_is_accepted_and_never_carried_out_leaves_a_zombie(entries, spoke):
    obs = scene(*entries, restart_asked=True, probes=Probes(same_connection=False))
    assert spoken(obs) == spoke
