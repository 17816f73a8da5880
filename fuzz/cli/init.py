"""`ocppfuzz init`: five questions, and a first `ocppfuzz.toml`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from fuzz.cli.options import examples
from fuzz.config import CONFIG_FILE, SECURITY_PROFILES, ConfigError
from fuzz.report.safe import safe

_PATH = click.Path(path_type=Path)
SIDES = ("station", "csms", "embedded")
CERTIFICATES = ("lab", "system", "own")
STRICTNESS = ("lenient", "usual", "strict")


@click.command(
    name="init",
    short_help="Ask five questions and write ocppfuzz.toml.",
    epilog=examples(
        "ocppfuzz init",
        "ocppfuzz init --yes  asks nothing: a station that dials 127.0.0.1:9000",
        "ocppfuzz init --yes --side embedded",
        "ocppfuzz init --listen 0.0.0.0:9000 --identity CS-1 --authorized --security-profile 2",
        "ocppfuzz init --yes --target 'ws://127.0.0.1:9000/ocpp/{identity}' --strictness strict",
    ),
)
@click.option("--side", type=click.Choice(SIDES), help="What is attacked; default: station.")
@click.option("--listen", metavar="HOST:PORT", help="Where a station dials in: 127.0.0.1:9000.")
@click.option("--target", metavar="URL", help="The CSMS: ws(s)://host/path/{identity}.")
@click.option("--identity", metavar="ID", help="Identity of the station, ours or theirs; CS-1.")
@click.option("--authorized", is_flag=True, help="You may attack it; needed beyond loopback.")
@click.option(
    "--security-profile",
    type=click.Choice([str(p) for p in SECURITY_PROFILES]),
    metavar="0-3",
    help="0: ws:// without password.",
)
@click.option(
    "--certificates",
    type=click.Choice(CERTIFICATES),
    help="lab: made for you; system: roots of this machine; own: files.",
)
@click.option("--ca", type=_PATH, metavar="FILE", help="Root certificate of the peer (PEM).")
@click.option("--cert", type=_PATH, metavar="FILE", help="Our certificate (PEM).")
@click.option("--key", type=_PATH, metavar="FILE", help="Our private key (PEM).")
@click.option("--strictness", type=click.Choice(STRICTNESS), help="What fails; default: usual.")
@click.option("--yes", is_flag=True, help="Ask nothing: the default where no option answers.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option(
    "-o", "--output", type=_PATH, default=CONFIG_FILE, metavar="FILE", help="./ocppfuzz.toml."
)
def command(*, output: Path, force: bool, yes: bool, **given: Any) -> int:
    """Write a commented ocppfuzz.toml for your target, with a JSON Schema that editors read.

    Asks which side is attacked, how it is reached, its security profile, where certificates come from, and how strict
    to be. Each question has a default and an option; what an option answers is not asked.
    """
    from fuzz.app import beginning

    if output.exists() and not force:
        raise click.UsageError(
            f"{output} is there already; --force overwrites it, -o writes another file"
        )
    try:
        answers = _Interview(given, ask=not yes).answers()
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError(
            "the input ended before the last question; --yes takes the defaults"
        ) from None
    for line in beginning.init(answers, output, force=force):
        click.echo(safe(line, 1_000))
    return 0


class _Interview:
    """The five questions; what an option answers, or nobody is to be asked, is not asked."""

    def __init__(self, given: Mapping[str, Any], *, ask: bool) -> None:
        from fuzz.app import beginning

        self._about = beginning
        self._given = {name: value for name, value in given.items() if value not in (None, False)}
        self._ask = ask

    def answers(self) -> Any:
        """The answers, in the order of the questions. Raises `ConfigError` for options that do not go together."""
        about = self._about
        side = self._side()
        made = about.Answers(side=side, reach="")
        if side != "embedded":
            made = self._reached(made)
        offered = {str(p): about.PROFILES[p] for p in about.profiles_for(side, made.reach)}
        profile = self._one_of("security_profile", "Which security profile?", offered)
        made = self._certified(replace(made, security_profile=int(profile)))
        strictness = self._one_of("strictness", "How strict?", about.STRICTNESS, default="usual")
        return replace(made, strictness=strictness)

    def _side(self) -> str:
        named = {"listen": "station", "target": "csms"}
        told = {side for option, side in named.items() if option in self._given}
        told |= {self._given["side"]} if "side" in self._given else set()
        if len(told) > 1:
            raise click.UsageError("--side, --listen and --target name different sides; give one")
        if told:
            return str(told.pop())
        return self._one_of("side", "What do you want to attack?", self._about.SIDES)

    def _reached(self, made: Any) -> Any:
        about, side = self._about, made.side
        question = "Where do we wait for it (HOST:PORT)?" if side == "station" else "Its URL?"
        option = "listen" if side == "station" else "target"
        reach = self._text(
            option, question, about.REACHED[side], partial(about.checked_reach, side)
        )
        identity = self._text(
            "identity", "Identity of the station?", "CS-1", about.checked_identity
        )
        authorized = bool(self._given.get("authorized"))
        if about.beyond_loopback(side, reach) and not authorized:
            authorized = self._authorised(reach)
        return replace(made, reach=reach, identity=identity, authorized=authorized)

    def _authorised(self, reach: str) -> bool:
        text = safe(reach, 200)
        if self._ask and click.confirm(f"{text} is beyond loopback. May you attack it?"):
            return True
        raise ConfigError(
            f"{reach} is beyond loopback; nothing is written. Give --authorized if you may attack it"
        )

    def _certified(self, made: Any) -> Any:
        about, side, profile = self._about, made.side, made.security_profile
        sources = about.certificates_for(side, profile)
        told = [name for name in ("certificates", "ca", "cert", "key") if name in self._given]
        if not sources:
            if told:
                raise ConfigError(f"no certificates are asked for here; leave --{told[0]} away")
            return made
        offered = {name: about.CERTIFICATES[name] for name in sources}
        default = "own" if told else sources[0]
        source = self._one_of("certificates", "Which certificates?", offered, default=default)
        made = replace(made, certificates=source)
        if source != "own":
            return made
        names = about.files_for(side, profile)
        return replace(made, **{name: self._file(name) for name in names})

    def _file(self, name: str) -> Path:
        told = {"ca": "root of the peer", "cert": "our certificate", "key": "its key"}[name]
        usual = {"ca": "root.pem", "cert": "cert.pem", "key": "key.pem"}[name]
        return Path(self._text(name, f"File with {told} (PEM)?", usual, str))

    def _text(self, option: str, question: str, default: str, check: Callable[[str], Any]) -> str:
        if option in self._given:
            return str(check(str(self._given[option])))
        if not self._ask:
            return default
        return str(click.prompt(question, default=default, value_proc=partial(_retold, check)))

    def _one_of(
        self, option: str, question: str, offered: Mapping[str, str], default: str = ""
    ) -> str:
        default = default or next(iter(offered))
        if option in self._given:
            return _among(offered, question, str(self._given[option]))
        if not self._ask or len(offered) == 1 or (option == "certificates" and default == "own"):
            return default
        click.echo(question)
        width = max(map(len, offered))
        for name, text in offered.items():
            click.echo(f"  {name:<{width}}  {text}".rstrip())
        among = partial(_among, offered, question)
        return str(
            click.prompt(
                ">", prompt_suffix=" ", default=default, value_proc=partial(_retold, among)
            )
        )


def _among(offered: Iterable[str], question: str, word: str) -> str:
    if word not in offered:
        raise ConfigError(
            f"{question.rstrip('?').lower()}: {word!r} is not possible here; write one of {', '.join(offered)}"
        )
    return word


def _retold(check: Callable[[str], Any], text: str) -> Any:
    """What click asks again for, where our own check says no."""
    try:
        return check(text.strip())
    except ConfigError as error:
        raise click.UsageError(safe(str(error), 400)) from None
