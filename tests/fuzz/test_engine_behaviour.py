from dataclasses import replace

from fuzz.engine.behaviour import behaviours, shows_nothing, smallest
from fuzz.engine.stage import IN_VAIN
from fuzz.records import Basis, Close, Observation, Probes, ProcessEnd, Severity, Violation
from fuzz.testing import error, note, observation, result, scene, target, us


def seen(*replies: object) -> Observation:
    return observation(replies=replies)  # type: ignore[arg-type]


def test_two_answers_of_one_kind_and_status_are_one_behaviour() -> None:
    one, two = (
        result({"status": "Accepted"}, id_="a"),
        result({"status": "Accepted", "x": 1}, id_="b"),
    )
    assert behaviours(seen(one)) == behaviours(seen(two))
    assert behaviours(seen(one)) != behaviours(seen(result({"status": "Rejected"})))
    assert behaviours(seen(one)) != behaviours(seen(error("NotSupported")))


def test_states_ends_and_objections_count() -> None:
    plain = observation()
    violation = Violation("O4", "n", Basis.SHALL, Severity.HIGH, "no answer", "text")
    for changed in (
        replace(plain, close=Close(1002)),
        replace(plain, process=ProcessEnd(-11)),
        replace(plain, probes=Probes(same_connection=False)),
        replace(
            plain,
            entries=(us(0.1, [2, "1", "Reset", {}]), target(0.2, [3, "1", {"status": "Accepted"}])),
        ),
    ):
        assert behaviours(changed) > behaviours(plain)
    assert behaviours(plain, [violation]) - behaviours(plain) == {"oracle/O4/no answer"}


def test_what_waited_in_vain_or_proved_nothing_says_so() -> None:
    assert shows_nothing(observation()) == ""
    assert shows_nothing(observation(inconclusive="we hung up")) == "inconclusive"
    assert "did not send" in shows_nothing(scene(note(1.0, "note", f"{IN_VAIN} Heartbeat")))


def test_the_smallest_set_is_taken_in_order_beside_what_is_known() -> None:
    shown = {
        "small": frozenset("a"),
        "same": frozenset("a"),
        "both": frozenset("ab"),
        "new": frozenset("c"),
    }
    assert smallest(shown, ["small", "same", "both", "new"], ()) == ["small", "both", "new"]
    assert smallest(shown, ["both", "small", "same", "new"], "c") == ["both"]
    assert smallest(shown, [], "") == []
