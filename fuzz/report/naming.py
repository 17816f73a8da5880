"""The words that name a finding's target again, and those that play it there, for a shell.

Knows how a target was named and what a case may leave behind. Must not know who types the words, nor any secret.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

from fuzz.config import RunOptions
from fuzz.records import Effect, Finding, Naming, Side, TargetFacts
from fuzz.report.safe import safe
from fuzz.report.words import attacked

WORD_LIMIT = 200
_PASSWORD, _TLS, _ROOT = (
    " --user {user} --password",
    " --cert CHAIN.pem --key KEY.pem",
    " --ca ROOT.pem",
)
_PAPERS = {
    Side.STATION: ("", _PASSWORD, _TLS + _PASSWORD, _TLS + _ROOT),
    Side.CSMS: ("", _PASSWORD, _ROOT + _PASSWORD, _TLS + _ROOT),
}
"""What `repro.py` needs in security profiles 0 to 3, where it stands in for the other side of a target."""

_PLACE = re.compile(r"wss?://([^/\s]+)")
_HARMLESS = (Effect.NONE, Effect.VOLATILE)
_SIDES = {Side.STATION: "reference station", Side.CSMS: "CSMS"}


def target_words(facts: TargetFacts) -> str:
    """The flags that name a target again; "" for our own station as it is, HOST:PORT where nobody kept the address."""
    naming = facts.naming
    if naming is None:
        naming = _guessed(facts)
    usual = RunOptions().security_profile
    told = naming.own and facts.security_profile == usual
    return _spelt(
        ("--listen", naming.listen),
        ("--target", naming.target),
        ("--identity", "" if naming.own else naming.identity),
        ("--security-profile", "" if told else str(facts.security_profile)),
        ("--pics", naming.pics),
        ("--defect", ",".join(naming.defects)),
        ("--decoy", ",".join(naming.decoys)),
    )


def _guessed(facts: TargetFacts) -> Naming:
    """How a target of somebody's own is named, for a finding that does not say how it was."""
    if facts.side is Side.CSMS:
        return Naming(target=facts.url or "URL")
    return Naming(listen="HOST:PORT", identity=facts.identity)


def script_words(facts: TargetFacts) -> str:
    """The words with which `repro.py` takes the place of a target's other side; names of `.pem` files are to be filled in."""
    station = facts.side is Side.STATION
    place = _spelt(("--listen", _door(facts))) if station else _quoted(facts.url) or "URL"
    papers = _PAPERS[facts.side][facts.security_profile % 4]
    return f"{place}{papers.format(user=_quoted(facts.identity) or 'IDENTITY')}"


def _door(facts: TargetFacts) -> str:
    """Where a station was listened for: at the port that was drawn where none was named."""
    if facts.naming is None:
        return "HOST:PORT"
    drawn = _PLACE.match(facts.url)
    named = facts.naming.listen
    return drawn[1] if drawn and (not named or named.endswith(":0")) else named or "HOST:PORT"


def policy_words(finding: Finding) -> str:
    """The flags without which a finding's case would not be played, or be judged by another text."""
    own = finding.facts.naming is not None and finding.facts.naming.own
    # Our own one suffers everything unasked, but no password of it is changed without leave.
    own = own and finding.case.effect is not Effect.LOCK_OUT
    return policy_flags(finding.case.effect, finding.facts.edition, own=own)


def policy_flags(effect: Effect, edition: str, *, own: bool) -> str:
    """The same for what leaves an effect behind on a target, our own or not."""
    return _spelt(
        ("--allow", "" if own or effect in _HARMLESS else effect.value),
        ("--edition", "" if edition == RunOptions().edition else edition),
    )


def replay_words(finding: Finding) -> str:
    """All flags with which `ocppfuzz replay` meets the same target in the same way."""
    return " ".join(filter(None, (target_words(finding.facts), policy_words(finding))))


def whom(options: RunOptions, sides: Iterable[Side]) -> str:
    """Whom a command attacks, in one line, before anybody came; `sides` are those that its cases attack."""
    if options.listen is not None:
        who = f"the Charging Station {safe(options.identity, 60)}".rstrip()
        who += f" that dials {safe(options.listen, WORD_LIMIT)}"
    elif options.target is not None:
        who = f"the CSMS at {safe(options.target, WORD_LIMIT)}"
    else:
        ours = " and ".join(dict.fromkeys(_SIDES[side] for side in sides)) or "reference station"
        who = f"our own embedded {ours}, {_planted(options)}"
    return f"{who}, security profile {options.security_profile}"


def _planted(options: RunOptions) -> str:
    planted = [
        f"{kind} {safe(', '.join(names), WORD_LIMIT)}"
        for kind, names in (("defect", options.defects), ("decoy", options.decoys))
        if names
    ]
    return " and ".join(planted) or "no defect planted"


def found_elsewhere(path: str, finding: Finding) -> str:
    """Why a finding is not played on our own station unasked, and what to say instead."""
    again = replay_words(finding)
    who = safe(attacked(finding.facts), 300)
    return (
        f"{path} was found on another target, and none is named: name that one again with {again}, or play it on our own "
        f"embedded station with --self-test or --defect NAME; found on {who}"
    )


def _spelt(*given: tuple[str, str]) -> str:
    return " ".join(f"{flag} {_quoted(v)}" for flag, v in given if v)


def _quoted(word: str) -> str:
    return shlex.quote(safe(word, WORD_LIMIT)) if word else ""
