"""Is what was accepted kept, and what was refused left alone (O12)?

Knows who follows what is written and read back: variables, certificates, lists. What a scene did not read is unknown,
and nothing unknown is a violation. Must not judge whether a value should have been accepted (O8 does).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from fuzz.ocppj.history import Deed, Happening, History
from fuzz.oracles.keeping import OTHER, Certificates, Entries, LocalList, Mismatch, Variables
from fuzz.oracles.listing import MESSAGES, PROFILES, Listed
from fuzz.oracles.reading import scene
from fuzz.oracles.registry import oracle, violation
from fuzz.oracles.roots import Lists, Roots
from fuzz.records import Basis, Observation, Severity, Violation

_STIRS = ("TransactionEvent", "StatusNotification", "MeterValues")


class Keeper(Protocol):
    """Follows one kind of thing that is written and read back."""

    def take(self, call: Happening, answer: Happening | None) -> Iterator[Mismatch]:
        """Take note of one exchange; tell what does not fit those before."""
        ...

    def forget(self) -> None:
        """Nothing is known any more."""
        ...


@oracle("O12", name="read-back", clause="B05; B06", cwe="CWE-684")
def read_back(obs: Observation) -> Iterator[Violation]:
    """What was accepted reads back as it was written, and what was refused changed nothing.

    After a SetVariables that was answered Accepted, GetVariables tells the value that was asked for (B05, B06); after any
    other status, a CALLERROR, or about another variable, the value from before. A certificate that was not to be deleted is
    still listed (M03, M04); a root of ours that was accepted is listed, by the hash data that RFC 6960 makes of it
    (M05.FR.02), and one that no list has cannot be deleted (M04); a list has the types that were asked for, and that of all
    what those of each type have (M03). The local list has the version of the last list that was accepted (D01, D02), and a
    charging profile or display message is listed from when it is accepted until it is cleared (K09, K10, O03, O05).
    CertificateEntries is no greater when what was installed is deleted again. Spellings of one value count as equal,
    variables that change by themselves are left out, RebootRequired settles nothing, and anything else that happens between
    (another kind of CALL, a boot, a person) makes the earlier reading worthless.

    Seen: a certificate that was deleted although its hashes did not fit
    (https://github.com/EVerest/libocpp/commit/05d3211); cleared charging profiles that stayed on the connectors
    (https://github.com/EVerest/EVerest/commit/0080665).

    Fix: check a message as a whole before anything of it is stored, store exactly what was checked, and answer after
    it is stored.
    """
    happened = scene(obs)
    if happened is None:
        return
    # While energy flows, or a place changes its state, other values may change by themselves.
    told = {OTHER} if any(any(happened.called(action)) for action in _STIRS) else set()
    for found in _mismatches(happened, _keepers(obs)):
        if found.symptom not in told:
            told.add(found.symptom)
            yield violation(
                "O12",
                Basis.SHALL,
                Severity.LOW if found.minor else Severity.MEDIUM,
                found.symptom,
                found.text,
                clause=found.clause,
            )


def _keepers(obs: Observation) -> tuple[Keeper, ...]:
    volatile = frozenset(name.lower() for name in obs.facts.volatile)
    keepers: tuple[tuple[str, Keeper], ...] = (
        ("SetVariables", Variables(volatile)),
        ("InstallCertificate", Certificates()),
        ("InstallCertificate", Roots()),
        ("GetInstalledCertificateIds", Lists()),
        ("DeleteCertificate", Entries()),
        ("SendLocalList", LocalList()),
        (PROFILES.put, Listed(PROFILES)),
        (MESSAGES.put, Listed(MESSAGES)),
    )
    return tuple(keeper for put, keeper in keepers if put not in obs.facts.denied)


def _mismatches(happened: History, keepers: tuple[Keeper, ...]) -> Iterator[Mismatch]:
    busy_until = -1
    for i, h in enumerate(happened):
        if h.deed in (Deed.OPENED, Deed.CLOSED, Deed.OPERATED, Deed.ENDED) or _boots(h):
            _forget(keepers)
        if h.deed is not Deed.ASKED:
            continue
        crossed = i < busy_until
        for keeper in keepers:
            found = list(keeper.take(h, happened.partner(h)))
            if not crossed:
                yield from found
        if crossed:
            # Two CALLs were open at once: which was done first is unknown.
            _forget(keepers)
        busy_until = max(busy_until, h.partner)


def _boots(h: Happening) -> bool:
    return h.deed is Deed.CALLED and h.action == "BootNotification"


def _forget(keepers: tuple[Keeper, ...]) -> None:
    for keeper in keepers:
        keeper.forget()
