"""Where a station shows something else than its PICS file declares.

Knows two sets of answers. Must not know how either was got.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fuzz.pics.answers import Pics
from fuzz.pics.drafting import Draft
from fuzz.pics.form import Kind, ids_of


@dataclass(frozen=True, slots=True)
class Difference:
    """One declared answer that an observation contradicts."""

    item: str
    declared: str
    observed: str


def differences(declared: Pics, draft: Draft) -> tuple[Difference, ...]:
    """Every declared answer that was observed to be another; what was only assumed contradicts nothing."""
    seen = draft.observed
    shown = dict(_flat(draft.pics))
    found = (
        Difference(item, answer, shown[item])
        for item, answer in _flat(declared)
        if item in seen and shown.get(item, answer) != answer
    )
    return (*found, *_profile(declared, draft), *_slow(declared, draft))


def _flat(pics: Pics) -> Iterator[tuple[str, str]]:
    """The answers that can be compared, by key or item, each as one text; lists in one order."""
    yield "vendor", pics.vendor
    yield "model", pics.model
    yield "firmware", pics.firmware
    yield (
        "EVSE",
        "; ".join(
            f"{r.evse}/{r.connector} {r.current.value} {r.phases} {r.type} {r.cable.value}"
            for r in pics.outlets
        ),
    )
    for item, answer in pics.items.items():
        yield item, "Yes" if answer else "No"
    for item in ("C-23", "ORS-24"):
        yield item, _set(word.upper() for word in pics.words[item])
    for item in ids_of(Kind.MEASURANDS):
        yield item, _set(pics.measurands[item].supported)
    yield "C-41", _set(pics.cipher_suites)
    for item, limit in pics.limits.items():
        yield item, str(limit)


def _set(words: Iterator[str] | tuple[str, ...]) -> str:
    return ", ".join(sorted(set(words))) or "none"


def _profile(declared: Pics, draft: Draft) -> Iterator[Difference]:
    used = draft.pics.security_profiles
    if "security_profiles" in draft.observed and not set(used) <= set(declared.security_profiles):
        listed = ", ".join(map(str, declared.security_profiles))
        yield Difference("security profile", listed, ", ".join(map(str, used)))


def _slow(declared: Pics, draft: Draft) -> Iterator[Difference]:
    for item, line in draft.pics.performance.items():
        limit = declared.performance[item].limit_s
        if item in draft.observed and line.most_s is not None and line.most_s > limit:
            yield Difference(item, f"at most {limit:g} s", f"{line.most_s:g} s")
