"""What the shell is offered behind Tab: the words of the registries, each looked up when it is asked for.

Knows click's completion and where words come from. Must not import a registry before somebody presses Tab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from fuzz.config import EDITIONS, EFFECTS, PHASES, SECURITY_PROFILES, TIERS

Words = Mapping[str, str]
"""Words and what each means; "" where that is nothing that one line could say."""

SHELLS = (
    ("bash", "~/.bashrc", 'eval "$(_OCPPFUZZ_COMPLETE=bash_source ocppfuzz)"'),
    ("zsh", "~/.zshrc", 'eval "$(_OCPPFUZZ_COMPLETE=zsh_source ocppfuzz)"'),
    (
        "fish",
        "~/.config/fish/completions/ocppfuzz.fish",
        "_OCPPFUZZ_COMPLETE=fish_source ocppfuzz | source",
    ),
)
"""For each shell the file that it reads, and the line that belongs there."""


def completes(
    words: Callable[[click.Context], Words], *, many: bool = False, files: bool = False
) -> Any:
    """What click asks at Tab: the words that begin like this.

    With `many` also behind a comma, none of them twice; with `files` names of files where no word fits.
    """

    def complete(
        context: click.Context, _parameter: click.Parameter, begun: str
    ) -> list[CompletionItem]:
        before, comma, last = begun.rpartition(",") if many else ("", "", begun)
        taken = before.split(",")
        found = [
            CompletionItem(f"{before}{comma}{word}", help=text or None)
            for word, text in words(context).items()
            if word.lower().startswith(last.lower()) and word not in taken
        ]
        return found or ([CompletionItem(begun, type="file")] if files else [])

    return complete


def plain(words: Iterable[object]) -> Callable[[click.Context], Words]:
    """Words that are known beforehand."""
    return lambda _: {str(word): "" for word in words}


phases = plain(PHASES)
tiers = plain(TIERS)
editions = plain(EDITIONS)
effects = plain(EFFECTS[2:])  # the first two are always allowed
security_profiles = plain(SECURITY_PROFILES)


def oracles(_: click.Context) -> Words:
    """The oracles that judge one target, by name."""
    from fuzz.oracles import registry

    return {oracle.name: oracle.text for oracle in registry.oracles() if not oracle.compares}


def defects(context: click.Context) -> Words:
    """What can be planted in the end of ours that the command is about."""
    if context.info_name == "csms" or context.params.get("self_test") == "csms":
        from fuzz.csms.defects import defects as of_csms

        return {defect.name: defect.text for defect in of_csms().values()}
    from fuzz.station.defects import defects as of_station

    return {defect.name: defect.text for defect in of_station().values()}


def decoys(_: click.Context) -> Words:
    """The odd but legal behaviour that can be planted."""
    from fuzz.station.decoys import decoys as known

    return {decoy.name: decoy.text for decoy in known().values()}


def actions(_: click.Context) -> Words:
    """The actions of OCPP 2.0.1."""
    from strategies.version import version

    return dict.fromkeys(sorted(version().actions), "")


def pics(_: click.Context) -> Words:
    """The PICS files that come with this product."""
    from fuzz.pics.loading import known_pics

    return dict.fromkeys(known_pics(), "")


def tls_cases(_: click.Context) -> Words:
    """The cases of the TLS lab."""
    from tlslab.registry import all_cases

    return {case.id: case.title for case in all_cases().values()}


def explained(context: click.Context) -> Words:
    """What `explain` knows by name."""
    return {**oracles(context), **tls_cases(context)}
