"""The words of this product, each in a line: what `ocppfuzz show words` prints and the README holds as a table.

Knows words only. Backticks mark what is typed; a test holds the README to it.
"""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "target": "the Charging Station or CSMS under attack",
    "case": "steps to play, the state they need, and what a correct peer may do; one JSON file",
    "control": "the same case with only the fault undone",
    "site": "one place of one message that can be broken in one way",
    "boundary": "a value at or just inside the edge of what is allowed",
    "phase": "a part of a campaign: `replay`, `systematic`, `frames`, `stateful`, `answers`, `injection`, `twins`, `resource`, `generated`",
    "tier (of validity)": "JSON, OCPP-J, schema, Part 2 primitives, state model: a message is broken at the lowest it breaks",
    "`--tier`": "how much of the site table is played: `sites` (one operator each) or `full`",
    "oracle": "one rule of judgement, such as `unanswered-call (O4)`",
    "violation": "one oracle's objection to one observation",
    "finding": "a violation repeated k of n times, with its control 0 of n; exit code 1",
    "remark": "a tolerated deviation; listed, never an exit code unless `--strict`",
    "inconclusive": "something disturbed the case: no verdict",
    "basis": "what a finding rests on: SHALL broken, schema broken, stopped serving, leak, hardening",
    "fingerprint": "oracle, position, symptom, class of mutation: what makes two findings the same",
    "blocked by": "cases held back because their class already killed the target",
    "effect": "what a case may leave behind: none, volatile, persistent, lock-out, energise, one-way",
    "canary": "a text that makes whatever runs, expands or renders it call an address of ours, where `--catcher` waits",
    "baseline": "findings that are accepted for a while, with reason and expiry",
    "lock": "which checks and cases count, so that an upgrade turns no build red",
    "quirk": "one check that is muted for one target, with a reason",
    "pack": "a finding sealed in one zip, with a manifest",
    "defect / decoy": "a planted bug of the reference station that must be found / odd but correct behaviour that must not",
    "PICS file": "what a station claims to have: the questions of the certification's form, answered",
    "security profile": "1 Basic authentication, 2 the same over TLS, 3 TLS with client certificate (0: none, for the laboratory)",
    "edition": "which text of the specification decides: `ed3` or `2025-09`",
    "offer, knock": "what the lab shows to a station that dials in; how it comes to a CSMS",
    "stage": "how far a connection went, S0 to S6",
    "not observed / not asked / n/a": "nothing can be said / something is missing here / says nothing about this peer, with the PICS line",
}


def plain(text: str) -> str:
    """A text without the marks of Markdown."""
    return text.replace("`", "")
