"""Who does things at a target: a command, an HTTP hook, a class, a person; all may say no, none may break a campaign."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from fuzz.errors import TargetUnavailable, UsageError
from fuzz.records import Ability
from fuzz.target.command import CommandTarget
from fuzz.target.nothing import NoTarget
from fuzz.target.operators import Operated, PersonHand, hand, rescue


def nobody(_: str = "") -> str:
    raise AssertionError("nobody was to be asked")


def silent(how: str) -> Operated:
    return Operated(NoTarget(), hand(how, say=nobody, hear=nobody))


@pytest.fixture
def relay() -> Iterator[tuple[str, list[object]]]:
    """A relay that knows how to switch power and to restart, and nothing else."""
    posted: list[object] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            posted.append(asked)
            self.send_response(204 if asked["event"] in ("power-cycle", "restart") else 501)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/relay", posted
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_relay_over_http_does_what_it_can_and_refuses_the_rest(
    relay: tuple[str, list[object]],
) -> None:
    url, posted = relay
    target = silent(url)
    assert Ability.OPERATOR in target.abilities
    assert await target.operator("power-cycle") is True
    assert await target.operator("plug-in", "1") is False
    assert posted == [
        {"event": "power-cycle", "argument": ""},
        {"event": "plug-in", "argument": "1"},
    ]


async def test_a_restart_may_be_asked_for_over_http(relay: tuple[str, list[object]]) -> None:
    url, posted = relay
    target = CommandTarget(restart=url)
    assert (target.owned, target.abilities) == (False, {Ability.START, Ability.LOG})
    await target.start()
    assert posted == [{"event": "restart", "argument": ""}]


async def test_a_restart_hook_that_refuses_says_so_and_is_for_targets_of_others_only() -> None:
    with pytest.raises(TargetUnavailable, match="did not answer with 2xx"):
        await CommandTarget(restart="http://127.0.0.1:9/restart").start()
    with pytest.raises(UsageError, match="a target of yours"):
        CommandTarget(start="true", restart="http://127.0.0.1:9/restart")


async def test_a_hook_that_is_not_there_did_nothing() -> None:
    assert await silent("http://127.0.0.1:9/relay").operator("power-cycle") is False


@pytest.mark.parametrize(
    ("command", "done"), [("true", True), ("false", False), ("/no/such", False)]
)
async def test_a_command_did_it_when_it_ends_with_zero(command: str, *, done: bool) -> None:
    assert await silent(f"cmd:{command}").operator("plug-in", "1") is done


async def test_a_command_gets_the_words_one_by_one() -> None:
    checks = """sh -c 'test "$1" = present-token && test "$2" = 04A1 && test $# = 2' sh"""
    assert await silent(f"cmd:{checks}").operator("present-token", "04A1") is True


class Rig:
    def operate(self, event: str, argument: str) -> bool:
        return (event, argument) == ("plug-in", "2")


class SlowRig:
    async def operate(self, event: str, argument: str) -> bool:
        return event == "unplug"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> str:
    import sys
    import types

    made = types.ModuleType("a_users_rig")
    made.Rig, made.SlowRig, made.Nothing = Rig, SlowRig, object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_users_rig", made)
    return "a_users_rig"


async def test_a_class_of_the_user_s_may_wait_or_not(module: str) -> None:
    assert await silent(f"class:{module}:Rig").operator("plug-in", "2") is True
    assert await silent(f"class:{module}:Rig").operator("plug-in", "1") is False
    assert await silent(f"class:{module}:SlowRig").operator("unplug") is True


@pytest.mark.parametrize(
    "how",
    ["", "cmd:", "cmd:'", "ftp://x/y", "class:x", "class:no_such_module_at_all:X", "somebody"],
)
def test_what_nobody_can_be_is_refused_in_one_line(how: str) -> None:
    with pytest.raises(UsageError, match="operator") as refused:
        silent(how)
    assert "\n" not in str(refused.value)


def test_a_class_without_operate_is_refused(module: str) -> None:
    with pytest.raises(UsageError, match="operate"):
        silent(f"class:{module}:Nothing")


def person(*answers: str, unattended: bool = False) -> tuple[Operated, list[str]]:
    said: list[str] = []
    waiting = list(answers)

    def hear() -> str:
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    return Operated(NoTarget(), PersonHand(said.append, hear, unattended)), said


async def test_a_person_is_asked_once_for_what_belongs_together() -> None:
    target, said = person("\n")
    await target.announce(["plug-in 1", "present-token 04A1"])
    assert await target.operator("plug-in", "1") is True
    assert await target.operator("present-token", "04A1") is True
    assert sum("Enter when done" in line for line in said) == 1
    assert any("hold token 04A1" in line for line in said)


async def test_a_person_may_pass_a_thing_over_or_leave_for_good() -> None:
    target, said = person("s", "q")
    assert await target.operator("tamper") is False
    assert await target.operator("tamper") is False
    before = len(said)
    assert await target.operator("tamper") is False
    assert len(said) == before


async def test_a_person_who_is_not_there_any_more_is_asked_no_more() -> None:
    target, said = person()
    assert await target.operator("dance", "wildly") is False
    assert any("dance wildly" in line for line in said)
    before = len(said)
    assert await target.operator("tamper") is False
    assert len(said) == before


async def test_unattended_means_that_nobody_is_asked() -> None:
    target, said = person(unattended=True)
    assert Ability.OPERATOR not in target.abilities
    await target.announce(["plug-in 1", "unplug 1"])
    assert await target.operator("plug-in", "1") is False
    assert said == []


async def test_everything_else_is_the_target_s_own() -> None:
    target, _ = person()
    assert (target.name, target.owned) == (NoTarget().name, False)
    assert (target.memory(), target.figures(), target.log_lines()) == (None, None, ())
    assert target.log_since(0) == (0, ())
    assert await target.ended(0.0) is None
    await target.stop()
    await target.kill()


async def test_a_rescue_over_http_tells_who_is_stuck(relay: tuple[str, list[object]]) -> None:
    url, posted = relay
    assert await rescue(url, "CS-1")() is False
    assert posted == [{"event": "stuck", "argument": "CS-1"}]


@pytest.mark.parametrize(("command", "done"), [("true", True), ("false", False), ("/none", False)])
async def test_a_rescue_by_command_gets_no_words_of_ours(command: str, *, done: bool) -> None:
    assert await rescue(f"""sh -c 'test $# = 0 && {command}'""", "CS-1")() is done


@pytest.mark.parametrize("command", ["'", " "])
def test_a_rescue_that_is_no_command_is_refused(command: str) -> None:
    with pytest.raises(UsageError, match="--on-stuck"):
        rescue(command, "CS-1")
