"""`ocppfuzz record`: a transparent proxy that records a corpus and judges what goes through."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fuzz import app
from fuzz.cli.options import examples
from fuzz.config import RunOptions
from fuzz.policy.failing import FailOn, fail_on
from fuzz.report.safe import safe

if TYPE_CHECKING:
    from fuzz.app.corpora import Merged
    from fuzz.app.recording import Recorded, Sighting

_PATH = click.Path(path_type=Path)
_LONGEST = 500
_SHOWN_FILES = 20


@click.command(
    name="record",
    short_help="Record real traffic between stations and a CSMS.",
    epilog=examples(
        "ocppfuzz record --listen 127.0.0.1:9000 --target ws://csms.example/ocpp/{identity}",
        "ocppfuzz record --listen 0.0.0.0:9443 --cert proxy.pem --key proxy.key"
        " --target wss://csms.example/ocpp/{identity} --upstream-ca root.pem",
        "ocppfuzz record --listen 127.0.0.1:9000 --target ws://127.0.0.1:8080/{identity} --corpus corpus",
    ),
)
@click.option(
    "--listen", required=True, metavar="HOST:PORT", help="Where stations dial instead of the CSMS."
)
@click.option(
    "--target", required=True, metavar="URL", help="The CSMS: ws(s)://host/path/{identity}."
)
@click.option(
    "--recorded",
    "folder",
    type=_PATH,
    default=Path("recorded"),
    metavar="DIR",
    help="Where recordings go, a file a connection; default ./recorded.",
)
@click.option(
    "--corpus",
    type=_PATH,
    metavar="DIR",
    help="Import what was recorded into this corpus at the end.",
)
@click.option("--cert", type=_PATH, metavar="FILE", help="Our certificate for stations: wss (PEM).")
@click.option("--key", type=_PATH, metavar="FILE", help="Its private key (PEM).")
@click.option(
    "--ca", type=_PATH, metavar="FILE", help="Ask stations for a certificate under this root (PEM)."
)
@click.option("--upstream-ca", type=_PATH, metavar="FILE", help="Root certificate of the CSMS.")
@click.option(
    "--upstream-cert",
    type=_PATH,
    metavar="FILE",
    help="Our own client certificate, for a CSMS with security profile 3.",
)
@click.option("--upstream-key", type=_PATH, metavar="FILE", help="Its private key (PEM).")
@click.option(
    "--max-time",
    "max_time_s",
    type=click.FloatRange(0, min_open=True),
    metavar="S",
    help="Stop after so many seconds; default: Ctrl-C.",
)
@click.option(
    "--fail-on",
    metavar="SEVERITY[,BASIS...]",
    help="Exit code 1 when such a violation was seen; default: never.",
)
@click.option("--quiet", is_flag=True, help="What was seen and the end only.")
@click.option("--json", "as_json", is_flag=True, help="The outcome as JSON on stdout.")
def command(**given: Any) -> int:
    """Stand between Charging Stations and their CSMS, record what they say, and tell what is wrong with it.

    Nothing is changed on the way: what was agreed on, messages, pings, fragments and close codes go through as they are;
    only path and Host of the request become those of the target. Both ends are judged by what can be told from listening
    alone; nothing is repeated, so that it is seen, not confirmed.

    Exit code 0, whatever was seen, unless --fail-on says otherwise; 3 when something could not be recorded.
    """
    quiet, as_json = given.pop("quiet"), given.pop("as_json")
    wanted, corpus = given.pop("fail_on"), given.pop("corpus")
    bar = fail_on(wanted) if wanted else None

    def tell(kind: str, line: str) -> None:
        if kind != "connection" or not (quiet or as_json):
            click.echo(safe(line, _LONGEST), err=as_json)

    done = app.record(app.RecordOptions(**given), tell)
    merged = _imported(done, corpus) if corpus is not None and done.files else None
    if as_json:
        click.echo(json.dumps(_as_json(done, merged), sort_keys=True))
    else:
        _print(done, given["folder"], merged)
    return _code(done, bar)


def _imported(done: Recorded, corpus: Path) -> Merged:
    return app.corpus_import(
        done.files,
        RunOptions(corpus_dir=corpus),
        keylog=None,
        recorded_by=None,
        told=lambda _path, _percent: None,
    )


def _code(done: Recorded, bar: FailOn | None) -> int:
    if bar is not None and any(bar.fails(s.violation) for s in done.seen.values()):
        return 1
    return 3 if done.trouble else 0


def _print(done: Recorded, folder: Path, merged: Merged | None) -> None:
    count = sum(done.messages.values())
    click.echo(
        f"{_counted(done.connections, 'connection')} of {_counted(len(done.stations), 'station')},"
        f" {done.refused} refused, {_counted(count, 'message')}"
    )
    violations, remarks = done.of(remarks=False), done.of(remarks=True)
    click.echo(
        f"seen: {_counted(len(violations), 'violation')}, {_counted(len(remarks), 'remark')}"
        + (f", and {done.beyond} times more" if done.beyond else "")
    )
    if merged is not None:
        click.echo(
            f"corpus: {_counted(len(merged.added), 'case')} added, {merged.known} known before"
        )
    elif done.files:
        click.echo(f"next: ocppfuzz corpus import {_files(done.files, folder)} --corpus corpus")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _files(files: list[Path], folder: Path) -> str:
    """The files of this run as a shell reads them; a pattern where they are many."""
    if len(files) > _SHOWN_FILES:
        return f"{shlex.quote(str(folder))}/*.jsonl"
    return " ".join(shlex.quote(str(path)) for path in files)


def _as_json(done: Recorded, merged: Merged | None) -> dict[str, object]:
    return {
        "connections": done.connections,
        "refused": done.refused,
        "stations": list(done.stations),
        "messages": {side.value: number for side, number in sorted(done.messages.items())},
        "files": [str(path) for path in done.files],
        "seen": [_sighting(one) for one in done.seen.values()],
        "seen_beyond": done.beyond,
        "trouble": done.trouble,
        "corpus": None if merged is None else [str(path) for path in merged.added],
    }


def _sighting(one: Sighting) -> dict[str, object]:
    found = one.violation
    return {
        "identity": one.identity,
        "side": one.side.value,
        "oracle": found.oracle,
        "name": found.name,
        "symptom": found.symptom,
        "text": found.text,
        "severity": found.severity.name.lower(),
        "basis": found.basis.value,
        "clause": found.clause,
        "remark": found.remark,
        "place": one.place,
        "times": one.times,
    }
