"""The hook before a build runs, or says in one line why nothing can be proven."""

import sys

import pytest

from fuzz.app.hooks import before, ready
from fuzz.config import RunOptions
from fuzz.errors import TargetUnavailable, UsageError


async def test_without_a_hook_nothing_is_done():
    await before(None)


async def test_a_command_that_ends_well_has_done_its_work(tmp_path):
    mark = tmp_path / "mark"
    await before(f'{sys.executable} -c \'open("{mark}", "w").write("x")\'')
    assert mark.read_text() == "x"


async def test_a_command_that_fails_is_told_with_its_last_words():
    with pytest.raises(TargetUnavailable, match="ended with 4: no such tenant"):
        await before("sh -c 'echo first; echo no such tenant; exit 4'")


@pytest.mark.parametrize(
    ("hook", "said"),
    [
        ("/no/such/command", "cannot start the hook '/no/such/command'"),
        ("sh 'x", "cannot be split into words"),
        (" ", "is empty"),
    ],
)
async def test_what_cannot_be_started_is_a_usage_error(hook, said):
    with pytest.raises(UsageError, match=said):
        await before(hook)


async def test_a_target_of_ours_is_not_waited_for():
    assert await ready(RunOptions(), 1.0, lambda _: None) is None
