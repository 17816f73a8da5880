"""Prints what there is: the registries with their own texts, and the size of the tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from fuzz.app import Row, Table
from fuzz.app.glossary import WORDS, plain
from fuzz.config import nearest
from fuzz.csms.defects import defects as csms_defects
from fuzz.engine.effects import effect_of
from fuzz.errors import UsageError
from fuzz.oracles.registry import oracles
from fuzz.pics.answers import Pics
from fuzz.pics.form import form
from fuzz.pics.loading import load_pics
from fuzz.report.pics import answer_to, sources
from fuzz.report.rating import RULES, Attacker
from fuzz.station.decoys import decoys
from fuzz.station.defects import NOT_CARRIED, defects
from strategies.boundaries import boundaries
from strategies.labels import Kind
from strategies.schema import message_schema
from strategies.version import version
from strategies.violations import sites, violations
from tlslab.registry import all_cases, all_left_out


def show(topic: str) -> Table:
    """The table called `topic`. Raises `UsageError` with the nearest name."""
    made = TOPICS.get(topic)
    if made is None:
        raise UsageError(f"unknown topic {topic!r}; {nearest(topic, TOPICS)}")
    return made()


def show_pics(name: str) -> list[Table]:
    """The PICS form with the answers of the PICS file `name`, a table for each section. Raises `UsageError`."""
    pics = load_pics(name)
    sections = dict.fromkeys(line.section for line in form().values())
    return [_section(title, pics) for title in sections]


def _section(title: str, pics: Pics) -> Table:
    rows = tuple(
        Row((line.id, line.asks, answer_to(line, pics), sources(line), ", ".join(line.proofs)))
        for line in form().values()
        if line.section == title
    )
    return Table(
        f"{pics.name}: {title}", ("item", "question", "answer", "rests on", "proved by"), rows
    )


def _oracles() -> Table:
    rows = tuple(Row((o.id, o.name, o.text, o.clause, o.cwe)) for o in oracles())
    return Table(
        "Oracles: what a target is judged by", ("id", "name", "what holds", "source", "CWE"), rows
    )


def _severity() -> Table:
    note = (
        f"Attacker: {'; '.join(a.value for a in Attacker)}. A CVSS 3.1 vector follows from attacker and harm; it is a "
        "proposal."
    )
    return Table("What a severity stands for", ("severity", "when"), tuple(map(Row, RULES)), note)


def _violations() -> Table:
    reach: Counter[tuple[str, str, str]] = Counter()
    for action in version().actions:
        for site in sites(message_schema(action, Kind.REQUEST)):
            reach.update((site.keyword, operator, site.fault.value) for operator in site.operators)
    rows = tuple(
        Row((keyword, operator, fault, f"{n:,}"))
        for (keyword, operator, fault), n in sorted(reach.items())
    )
    return Table(
        "How a rule is broken", ("keyword", "operator", "fault", "sites in requests"), rows
    )


def _defects() -> Table:
    stations = {d.number: d for d in defects().values()}
    rows = tuple(
        Row((d.number, d.name, f"{d.side} {d.layer}", str(d.depth), d.oracle, d.text))
        for d in stations.values()
    )
    csmses = {d.number: d for d in csms_defects().values()}
    others = tuple(
        Row((d.number, d.name, f"{d.side} {d.layer}", str(d.depth), d.oracle, d.text))
        for d in csmses.values()
    )
    missing = tuple(
        Row((number, name, "not here", "", "", f"Needs {profile}, which this station has not."))
        for number, (name, profile) in NOT_CARRIED.items()
    )
    headings = ("number", "name", "layer", "depth", "oracle", "what it does")
    return Table(
        "Defects that can be planted in the reference station and the reference CSMS",
        headings,
        (*rows, *missing, *others),
        note="ocppfuzz run --defect NAME; those of the CSMS: ocppfuzz serve csms --defect NAME",
    )


def _decoys() -> Table:
    unique = {d.number: d for d in decoys().values()}
    rows = tuple(Row((d.number, d.name, d.text)) for d in unique.values())
    return Table(
        "Decoys: odd but legal behaviour that is never reported",
        ("number", "name", "what it does"),
        rows,
    )


def _coverage() -> Table:
    totals: Counter[str] = Counter()
    rows = []
    for action, sender in sorted(version().actions.items()):
        for kind in Kind:
            schema = message_schema(action, kind)
            counts = {
                "sites": len(sites(schema)),
                "violations": len(violations(schema, full=True)),
                "boundaries": len(boundaries(schema)),
            }
            totals.update(counts)
            rows.append(Row((action, kind.value, sender.value, *(f"{n}" for n in counts.values()))))
    rows.append(
        Row(("all", "", "", *(f"{totals[n]:,}" for n in ("sites", "violations", "boundaries"))))
    )
    headings = ("message", "kind", "sent by", "sites", "violations", "boundaries")
    return Table(
        "What can be reached", headings, tuple(rows), note="a violation is a site and an operator"
    )


def _actions() -> Table:
    rows = tuple(
        Row((a, s.value, effect_of(a).value)) for a, s in sorted(version().actions.items())
    )
    return Table("Actions of OCPP 2.0.1", ("action", "sent by", "effect"), rows)


def _tls_cases() -> Table:
    cases = all_cases().values()
    rows = [
        Row(
            (
                c.id,
                c.topic,
                c.severity.name.lower(),
                c.expects,
                c.effect,
                c.title,
                ", ".join(c.requirements),
            )
        )
        for c in cases
    ]
    rows += [Row((i, "left out", "", "", "", why, "")) for i, why in all_left_out().items()]
    headings = ("id", "topic", "severity", "expects", "effect", "what it is about", "requirements")
    return Table(
        f"The {len(cases)} cases of the TLS lab",
        headings,
        tuple(rows),
        note=(
            "ocppfuzz tls --only 'TS-3*'. The few of a Charging Station that a pull request waits for: "
            + ", ".join(c.id for c in cases if c.telling)
        ),
    )


def _words() -> Table:
    rows = tuple(Row((plain(word), plain(meaning))) for word, meaning in WORDS.items())
    return Table("Words", ("word", "meaning"), rows)


TOPICS: Mapping[str, Callable[[], Table]] = {
    "oracles": _oracles,
    "severity": _severity,
    "violations": _violations,
    "defects": _defects,
    "decoys": _decoys,
    "coverage": _coverage,
    "actions": _actions,
    "tls-cases": _tls_cases,
    "words": _words,
}
