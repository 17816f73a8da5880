"""Did a text of ours do more than stand there (O24)?

Knows which address a case told inside an injection only. Must not know who waited there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from fuzz.oracles.registry import oracle, violation
from fuzz.records import Basis, Caught, Observation, Severity, Violation
from strategies.canaries import KEYWORD, WEAKNESSES, Weakness

HIT = "/hit/"
"""How the path of an address begins that stands inside injections only."""

_TOKEN = re.compile(r"[a-z]{6,}")
_UNKNOWN = Weakness("is run, expanded or rendered", "CWE-74")


@oracle("O24", name="injection", clause="OWASP A03:2021", cwe="CWE-74")
def injection(obs: Observation) -> Iterator[Violation]:
    """Nobody follows an address that stands inside an injection only.

    A command, a template or a piece of markup in a message names an address of ours that was told nobody before and
    stands nowhere else. A visit there proves that the text was run, expanded or rendered: the address belongs to this
    very case, so that nothing else can have led to it. Fetching or uploading to the location that a GetLog or
    UpdateFirmware properly names is lawful, whatever stands behind it in the same address.

    Seen: a string of a message that reached a system call (CVE-2024-23971); markup in an identity that an
    operator's page showed as it was (https://github.com/steve-community/steve/commit/88a86f9).

    Fix: hand what a peer says to no shell, template, parser or page as a part of its language: pass arguments as a
    list, switch lookups and external entities off, escape what is shown, refuse addresses with line breaks in them.
    """
    for visit in obs.caught:
        if told(obs, visit):
            known = _weakness(obs)
            yield violation(
                "O24",
                Basis.HARDENING,
                Severity.CRITICAL,
                "canary fetched",
                f"a text in a message {known.words}: the address inside it was called",
                cwe=known.cwe,
            )
            return


def told(obs: Observation, visit: Caught) -> bool:
    """True when the visit followed an address that this case told inside an injection."""
    if not visit.path.startswith(HIT):
        return False
    token = _TOKEN.match(visit.path, len(HIT))
    return token is not None and any(token[0] in text for text in obs.said)


def _weakness(obs: Observation) -> Weakness:
    for mutation in obs.case.mutations:
        if mutation.keyword == KEYWORD:
            for tongue, weakness in WEAKNESSES.items():
                if tongue.value == mutation.operator:
                    return weakness
    return _UNKNOWN
