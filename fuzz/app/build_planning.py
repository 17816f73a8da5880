"""Tells what a build in CI would play and about how long, before it begins; nothing is sent.

Knows the plans of campaigns and of the lab. Must not know the wire, nor policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fuzz.app import Plan, PlanRow
from fuzz.app.handshaking import NO_TLS, in_the_list, lab_of, left_for_night
from fuzz.app.planning import in_words, plan
from fuzz.app.shortening import for_the_night, told
from fuzz.app.tls_planning import plan_tls
from fuzz.app.tlsing import side_of
from fuzz.config import RegressOptions, RunOptions
from fuzz.records import Note, Side

HANDSHAKES = "handshakes"


def plan_build(options: RunOptions, wanted: RegressOptions) -> Plan:
    """The list by phase, handshakes first. What a baseline accepts is not counted: each entry is played once more."""
    shaken, later, notes = _handshakes(options, wanted)
    if wanted.self_test == "csms":
        made = Plan("our CSMS endpoint", shaken, max_time_s=options.max_time_s)
    else:
        made = plan(options, shaken, for_the_night(options, wanted))
    night = {"handshakes": later, **made.night}
    limit = () if made.held else (_sentence(_limit(made)),)
    left = (_sentence(told(night)),) if told(night) else ()
    return replace(made, night=night, notes=(*limit, *left, *notes, *made.notes))


def foretold(made: Plan) -> Iterator[Note]:
    """What a build tells at its start, a line each: how much, how long, whether the time will do, what is not asked."""
    sizes = [row for row in made.rows if row.phase != HANDSHAKES]
    cases = sum(row.cases or 0 for row in sizes)
    shaken = sum(row.cases or 0 for row in made.rows if row.phase == HANDSHAKES)
    # The first connection is none that a case ended.
    ended = max(0, sum(row.reconnects or 0 for row in sizes) - 1)
    more = f", and {shaken:,} handshakes" if shaken else ""
    limit = "there is no time limit" if made.max_time_s is None else _limit(made)
    size = f"the list: {cases:,} messages, {ended:,} of which end the connection{more}"
    pace = f" with {made.pace}" if made.pace else ""
    long = f"about {in_words(made.seconds)}{pace}"
    yield Note(f"{size}: {long}; {limit}", "info" if made.held else "warning")
    if left := told(made.night):
        yield Note(left)
    for why, count in made.not_asked:
        yield Note(f"not asked, {count:,} cases: {why}")


def _limit(made: Plan) -> str:
    """Whether the time will do, and what to do where it will not."""
    limit = f"the time limit of {in_words(made.max_time_s or 0.0)}"
    if made.held:
        return f"{limit} holds it"
    fewer = "--handshakes none, " if made.rows[0].phase == HANDSHAKES else ""
    return (
        f"{limit} will not hold it: raise --max-time, ask for less ({fewer}--phases systematic, --only ACTION), "
        "or let the target come back sooner"
    )


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _handshakes(
    options: RunOptions, wanted: RegressOptions
) -> tuple[tuple[PlanRow, ...], int, tuple[str, ...]]:
    """The row of the handshakes, where there are any, how many are left for the night, and why there are none."""
    asking, lab = lab_of(options, wanted, {})
    ids = in_the_list(wanted, Side(side_of(asking, lab).value), ())
    if not ids:
        return (), 0, ()
    if options.security_profile < 2:
        return (), 0, (_sentence(NO_TLS),)
    made = plan_tls(asking, replace(lab, only=ids))
    guess = made.estimate
    cut = options.max_time_s is not None and guess.seconds > options.max_time_s
    note = f"about {in_words(guess.seconds)}" + ("; the budget may end here" if cut else "")
    row = PlanRow(
        HANDSHAKES, len(made.cases), guess.reconnects, guess.operator_actions, note, guess.seconds
    )
    return (row,), left_for_night(asking, lab, wanted, ids), ()
