"""Sessions: ways to begin, to go on, to end and to boot, and points of a transaction, crossed so that every two meet.

Knows what people, a CSMS and the network do while somebody charges, in parts that fit one behind another. Must not know
what a station makes of it. Scenarios hold what somebody thought of; here every two parts meet somewhere, since what goes
wrong behind one of them alone is mostly mended, and what needs three is rare.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, zip_longest
from typing import TypeAlias

from strategies.moves import Act, Answer, Ask, Await, Leave, Move, Pause
from strategies.sequences import (
    CHARGING,
    GLANCE_S,
    SETTLED_S,
    SHOWN_AGAIN_S,
    TIMED_OUT_S,
    Place,
    Scenario,
    booted_at_last,
    change_availability,
    judged,
    present,
    reset,
    settled,
    start_remotely,
    stop_remotely,
    tell_status,
    with_variable,
)

Flags: TypeAlias = frozenset[str]

PLUGGED, IN_CHARGE, WAITING, AWAY, BARRED = "plugged", "in charge", "waiting", "away", "barred"
"""What is so in between: an EV is there; it takes energy; somebody is let in and nobody came; no network; made Inoperative."""

OFF = frozenset({"reset", "power-cycle"})
"""The ends that a boot follows in any case."""

_TRIES = 200
"""How many rows are drawn around a pair before it is taken for one that cannot be."""

_DRAWN = 20
"""Of how many rows that hold a pair the best one is taken."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What happens next, where `needs` holds and `bars` does not; it makes `sets` true and `clears` untrue."""

    name: str
    moves: Sequence[Move] = ()
    needs: Flags = frozenset()
    bars: Flags = frozenset()
    sets: Flags = frozenset()
    clears: Flags = frozenset()

    def after(self, flags: Flags) -> Flags | None:
        """What is so behind it; None where it does not fit."""
        if not self.needs <= flags or self.bars & flags:
            return None
        return (flags - self.clears) | self.sets


def _part(
    name: str,
    *moves: Move,
    needs: Sequence[str] = (),
    bars: Sequence[str] = (),
    sets: Sequence[str] = (),
    clears: Sequence[str] = (),
) -> _Part:
    return _Part(name, moves, *map(frozenset, (needs, bars, sets, clears)))


# --- the parts ----------------------------------------------------------------------------------------------


Setting: TypeAlias = tuple[tuple[str, str], ...]
"""Variables, each with the value that it has while somebody charges."""


def _settings(place: Place) -> Iterator[Setting]:
    """What makes a transaction begin and end elsewhere; the first one changes nothing."""
    yield ()
    points = [_others(place, "TxCtrlr.TxStartPoint"), _others(place, "TxCtrlr.TxStopPoint")]
    for both in zip_longest(*points):
        yield tuple(point for point in both if point is not None)
    yield from ((goes_on,) for goes_on in _others(place, "TxCtrlr.StopTxOnInvalidId"))


def _others(place: Place, name: str) -> list[tuple[str, str]]:
    found = place.variable(name)
    if found is None:
        return []
    values = ("true", "false") if found.data_type == "boolean" else found.values
    return [(name, value) for value in values if value != found.value]


def _begins(place: Place) -> Iterator[_Part]:
    n, shown, asked = place.evses[0], present(place.tokens[0]), Await("Authorize")
    plug, power, start = Act(f"plug-in {n}"), Act(f"start-power {n}"), start_remotely(place)
    runs = (PLUGGED, IN_CHARGE)
    yield _part("plugged", plug, shown, power, CHARGING, sets=runs)
    yield _part("let-in", shown, asked, plug, power, CHARGING, sets=runs)
    yield _part("started", plug, start, power, CHARGING, sets=runs)
    yield _part("started-first", start, plug, power, CHARGING, sets=runs)
    gone = (Act("cut-network"), Pause(0.1))
    yield _part("offline", *gone, plug, shown, power, Pause(GLANCE_S), sets=(*runs, AWAY))
    yield _part("uninvited", plug, power, Pause(GLANCE_S), sets=(PLUGGED,))
    if place.variable("TxCtrlr.EVConnectionTimeOut") is not None:
        yield _part("let-in-alone", shown, asked, sets=(WAITING,))
        yield _part("started-alone", start, sets=(WAITING,))


def _turns(place: Place) -> Iterator[_Part]:
    """What happens meanwhile."""
    n, runs, away = place.evses[0], (IN_CHARGE,), (AWAY,)
    goes = (Act("cut-network"), Pause(GLANCE_S))
    comes = (Act("restore-network"), *tell_status(place))
    yield _part("nothing")
    still = (Act(f"stop-power {n}"), Pause(GLANCE_S))
    yield _part("suspended", *still, Act(f"start-power {n}"), Pause(GLANCE_S), needs=runs)
    yield _part("cut", Leave(1006), *tell_status(place), bars=away)
    yield _part("went", *goes, bars=away, sets=away)
    yield _part("came", *comes, needs=away, clears=away)
    yield _part("went-and-came", *goes, *comes, bars=away)
    barred = change_availability("Inoperative", n)
    yield _part("barred", barred, needs=runs, bars=away, sets=(BARRED,))
    unlock = Ask("UnlockConnector", {"evseId": n, "connectorId": 1})
    yield _part("unlocked", unlock, needs=runs, bars=away)
    if len(place.evses) > 1:
        m = place.evses[1]
        comes_too = (Act(f"plug-in {m}"), present(place.tokens[1]), Act(f"start-power {m}"))
        visit = (*comes_too, CHARGING, Act(f"unplug {m}"))
        yield _part("visited", *visit, needs=runs, bars=away)


def _ends(place: Place) -> Iterator[_Part]:
    n, runs, away = place.evses[0], (IN_CHARGE,), (AWAY,)
    yield _part("unplug", Act(f"unplug {n}"), needs=(PLUGGED,), clears=(PLUGGED, *runs))
    again = (Pause(SHOWN_AGAIN_S), present(place.tokens[0]))
    yield _part("token", *again, needs=runs, clears=runs)
    yield _part("stop", stop_remotely(), Pause(GLANCE_S), needs=runs, bars=away, clears=runs)
    invalid = (Answer("TransactionEvent", judged("Invalid")), Act(f"stop-power {n}"))
    yield _part("taken-back", *invalid, needs=runs, bars=away, clears=runs)
    fault = (Act(f"fault {n}"), Pause(GLANCE_S), Act(f"clear-fault {n}"))
    yield _part("fault", *fault, needs=(PLUGGED,), clears=runs)
    yield _part("reset", reset(), bars=away, clears=(WAITING, *runs))
    yield _part("power-cycle", Act("power-cycle"), clears=(WAITING, *runs))
    yield _part("nobody-comes", Pause(TIMED_OUT_S), needs=(WAITING,), clears=(WAITING,))


BOOTS = ("none", "Accepted", "Pending", "Rejected")
"""How the boot behind the end is answered, if there is one."""


def _lasts(place: Place) -> Iterator[_Part]:
    """What is tried once it is over."""
    n = place.evses[0]
    yield _part("leave")
    yield _part("start", start_remotely(place, number=8), Pause(GLANCE_S), bars=(AWAY,))
    yield _part("show", present(place.tokens[0]), Pause(GLANCE_S))
    # Whoever takes no energy is told of with the meter as it was.
    visit = (Act(f"plug-in {n}"), present(place.tokens[0]), Pause(GLANCE_S))
    yield _part("visit", Act(f"unplug {n}"), Pause(SETTLED_S), *visit)


# --- put together -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Session:
    """One row: a part of each kind."""

    setting: Setting
    begin: _Part
    turn: _Part
    end: _Part
    boot: str
    last: _Part

    @property
    def name(self) -> str:
        """What tells it from any other."""
        named = (self.begin.name, self.turn.name, self.boot.lower(), self.last.name)
        setting = ",".join(f"{name.partition('.')[2]}={value}" for name, value in self.setting)
        parts = (f"until-{self.end.name}", ",".join(named), setting)
        return "/".join(filter(None, parts))

    def flags(self) -> list[Flags] | None:
        """What is so behind each part; None where one does not fit."""
        found: list[Flags] = [frozenset()]
        for part in (self.begin, self.turn, self.end):
            after = part.after(found[-1])
            if after is None:
                return None
            found.append(after)
        if self.boot == "none" and self.end.name in OFF:
            return None
        if self.boot != "none":
            found.append(found[-1] - {AWAY, WAITING, IN_CHARGE})
        after = self.last.after(found[-1])
        return None if after is None else [*found, after]


def _moves(place: Place, row: _Session, flags: Sequence[Flags]) -> Iterator[Move]:
    """A row from an idle station to an idle station."""
    yield Ask("ClearCache", {})
    yield from row.begin.moves
    yield from row.turn.moves
    away = AWAY in flags[2]
    if row.boot == "none":
        yield from row.end.moves
    else:
        yield from _boot(place, row, away=away)
    yield from [Pause(SETTLED_S)] if AWAY in flags[-1] else settled(place)
    yield from row.last.moves
    if AWAY in flags[-1]:
        yield from (Act("restore-network"), *tell_status(place))
    if BARRED in flags[-1]:
        yield change_availability("Operative", place.evses[0])
    yield from (Act(f"unplug {place.evses[0]}"), *settled(place))


def _boot(place: Place, row: _Session, *, away: bool) -> Iterator[Move]:
    """The end, and a boot behind it or because of it; a station that is away is back for it."""
    back = [Act("restore-network")] if away else []
    if row.end.name in OFF:
        yield from booted_at_last(place, row.boot, (*row.end.moves, *back))
        return
    yield from row.end.moves
    cause = Act("power-cycle") if away else reset()
    yield from booted_at_last(place, row.boot, (cause, *back))


Row: TypeAlias = tuple[int, ...]
"""Which part of each kind."""


def sessions(place: Place) -> tuple[Scenario, ...]:
    """Sessions in which every two parts that may meet do meet."""
    settings, begins, turns = tuple(_settings(place)), tuple(_begins(place)), tuple(_turns(place))
    ends, lasts = tuple(_ends(place)), tuple(_lasts(place))

    def made(row: Row) -> _Session:
        a, b, c, d, e, f = row
        return _Session(settings[a], begins[b], turns[c], ends[d], BOOTS[e], lasts[f])

    def fits(row: Row) -> bool:
        return made(row).flags() is not None

    sizes = [len(kind) for kind in (settings, begins, turns, ends, BOOTS, lasts)]
    return tuple(_scenario(place, made(row)) for row in covering(sizes, fits))


def covering(sizes: Sequence[int], fits: Callable[[Row], bool]) -> Iterator[Row]:
    """Few rows, the same each time, in which every two values of two kinds meet that meet in any row that fits.

    `sizes` is how many values each kind has. A pair that `_TRIES` rows around it do not fit is left out.
    """
    rng = random.Random("covering")
    left = dict.fromkeys(pair for row in _each_two(sizes) for pair in row)
    while left:
        pair = next(iter(left))
        drawn = [_around(pair, sizes, rng) for _ in range(_TRIES)]
        found = [row for row in drawn if fits(row)][:_DRAWN]
        left.pop(pair)
        if found:
            best = max(found, key=lambda row: sum(p in left for p in _pairs(row)))
            for covered in _pairs(best):
                left.pop(covered, None)
            yield best


_Pair: TypeAlias = tuple[tuple[int, int], tuple[int, int]]
"""Two kinds, and the value of each."""


def _pairs(row: Row) -> Iterator[_Pair]:
    return combinations(enumerate(row), 2)


def _each_two(sizes: Sequence[int]) -> Iterator[Iterator[_Pair]]:
    for (a, many), (b, more) in combinations(enumerate(sizes), 2):
        yield (((a, i), (b, j)) for i in range(many) for j in range(more))


def _around(pair: _Pair, sizes: Sequence[int], rng: random.Random) -> Row:
    """A row by chance that holds a pair."""
    row = [rng.randrange(size) for size in sizes]
    for kind, value in pair:
        row[kind] = value
    return tuple(row)


def _scenario(place: Place, row: _Session) -> Scenario:
    moves = _moves(place, row, row.flags() or [])
    around = dict(row.setting)
    if row.begin.name.endswith("-alone"):
        around["TxCtrlr.EVConnectionTimeOut"] = "1"
    if row.begin.name == "offline":
        around["AuthCtrlr.OfflineTxForUnknownIdEnabled"] = "true"
    for name, value in around.items():
        moves = with_variable(place, name, value, moves)
    return Scenario(row.name, _text(row), tuple(moves), late=True)


def _text(row: _Session) -> str:
    return (
        f"Somebody charges: {row.begin.name}, {row.turn.name} meanwhile, {row.end.name} at the end, "
        f"boot {row.boot}, then {row.last.name}."
    )
