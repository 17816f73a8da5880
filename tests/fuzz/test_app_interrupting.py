"""An interrupt that was ignored when we were started is heard when it must be, and only then."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from fuzz.app.interrupting import interrupts_held_back

SIGINT = {signal.SIGINT}


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGINT)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.signal(signal.SIGINT, handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def test_what_was_ignored_waits_and_is_forgotten() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts_held_back():
        signal.raise_signal(signal.SIGINT)
        assert signal.sigpending() == SIGINT
    assert not signal.sigpending()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_tasks_end_in_order_at_an_interrupt_that_is_let_through_later() -> None:
    ended = []

    async def main() -> None:
        try:
            asyncio.get_running_loop().call_soon(let_through)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("in order")
            raise

    def let_through() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGINT)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts_held_back(), pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert ended == ["in order"]


def test_a_handler_that_is_set_stays_and_hears_at_once() -> None:
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    with interrupts_held_back():
        signal.raise_signal(signal.SIGINT)
    assert heard == [signal.SIGINT]
