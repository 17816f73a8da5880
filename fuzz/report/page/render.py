"""Puts a look into the template: one HTML file that is small, inert and needs nothing beside it.

Knows the template's names. Must not know where a look came from. Every string passes `safe` on its way into the page,
whatever was done to it before, and then Jinja's escaping; nothing of a target stands in an attribute but pictures.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.records import Severity
from fuzz.report.page import comparing, coverage, handshakes
from fuzz.report.page.abstracts import form
from fuzz.report.page.figures import DARK, LIGHT, Palette, can_draw, distribution, graph
from fuzz.report.page.look import LADDER, Bounds, Look, Memory
from fuzz.report.page.risks import first_memory, risks
from fuzz.report.page.sequence import Row, compared, diagram
from fuzz.report.page.timing import LIMIT_S, times
from fuzz.report.rating import SEVERITY_AND_VECTOR
from fuzz.report.results import Issue, Results, Rule, Status
from fuzz.report.safe import safe
from fuzz.report.summary import duration
from fuzz.report.words import NOT_A_CERTIFICATION

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_BYTES = 4_500_000
HARD_LIMIT = 4_000
"""Characters of any one string, whoever put it there."""

OPEN = 5
"""With so many findings or fewer, each shows its conversation at once."""

LEAST_SENT = 160
"""Characters of what was sent that every finding shows."""

_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True, slots=True)
class Told:
    """One finding as the page tells it."""

    number: int
    issue: Issue
    rule: Rule
    memory: Memory
    fault: tuple[Row, ...] = ()
    control: tuple[Row, ...] = ()


def html(results: Results, mandatory: Mapping[str, bool] | None = None) -> str:
    """The page of one run; `mandatory` says which certification tests everybody must pass."""
    return page(Look(results, mandatory=mandatory or {}))


def page(look: Look) -> str:
    """The page; where it would be too big, less is shown of each finding, and then fewer of them."""
    text = ""
    for bounds in LADDER:
        text = _rendered(look, bounds)
        if len(text.encode()) <= MAX_BYTES:
            break
    return text


def _rendered(look: Look, bounds: Bounds) -> str:
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    parts = _comparison(look) if look.main is None else _run(look, look.main, bounds)
    template = _environment().get_template("page.html.j2")
    return template.render(
        style=_markup(style),
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'",
        disclaimer=NOT_A_CERTIFICATION,
        Status=Status,
        **parts,
    )


def _run(look: Look, main: Results, bounds: Bounds) -> dict[str, object]:
    issues = _issues(look, main)
    shown = issues[: bounds.findings]
    told = [_told(n, i, look, main, bounds) for n, i in enumerate(shown, 1)]
    shaken = look.tls or main
    found_times, found_states = times(main.details), coverage.states(main.details)
    return {
        "kind": "run",
        "main": main,
        "facts": _facts(main),
        "findings": told,
        "counts": [(s, sum(i.severity is s for i in issues)) for s in reversed(Severity)],
        "left_out": len(issues) - len(shown),
        "severity_and_vector": SEVERITY_AND_VECTOR.replace("`", ""),
        "open": len(told) <= OPEN,
        "sent": max(LEAST_SENT, bounds.characters),
        "matrix": coverage.matrix(main.details, issues),
        "tables": coverage.tables(main.details),
        "out_of": coverage.out_of(main.details),
        "states": found_states if found_states.states else None,
        "graph": _pictures(lambda p: graph(found_states.states, found_states.changes, p))
        if found_states.states
        else None,
        "times": found_times,
        "limit": LIMIT_S,
        "histogram": _pictures(lambda p: distribution(found_times.seconds, LIMIT_S, p))
        if found_times
        else None,
        "topics": handshakes.topics(shaken),
        "suites": handshakes.suites(shaken),
        "shaken": shaken,
        "risks": risks(look),
        "numbers": {t.issue.fingerprint: t.number for t in told},
        "form": form(main, look.conformance),
    }


def _issues(look: Look, main: Results) -> list[Issue]:
    """The findings of all runs of the page, the worst first, each once."""
    runs = [run for run in (main, look.tls, look.conformance) if run is not None]
    found: dict[str, Issue] = {}
    for run in runs:
        for issue in run.issues:
            found.setdefault(issue.fingerprint, issue)
    return sorted(found.values(), key=lambda i: (-i.severity, i.fingerprint))


def _told(number: int, issue: Issue, look: Look, main: Results, bounds: Bounds) -> Told:
    rules = {
        rule.id: rule for run in (look.conformance, look.tls, main) if run for rule in run.rules
    }
    rule = rules.get(issue.rule) or Rule(issue.rule, issue.rule, issue.title, issue.title)
    memory = look.memory.get(issue.fingerprint) or first_memory(issue, main)
    if issue.dossier is None or number > bounds.conversations:
        return Told(number, issue, rule, memory)
    fault, control = compared(
        diagram(issue.dossier.fault, bounds), diagram(issue.dossier.control, bounds)
    )
    return Told(number, issue, rule, memory, fault, control)


def _facts(results: Results) -> list[tuple[str, str]]:
    """What stands under the verdict."""
    details = results.details
    counted = [
        (name.capitalize(), f"{value:,}")
        for name in ("exchanges", "cases")
        if isinstance(value := details.get(name), int)
    ]
    return [
        ("Command", safe(results.command, 40)),
        ("Seed", "none" if results.seed is None else str(results.seed)),
        ("Began", safe(results.began, 40) or "not known"),
        ("Took", duration(results.seconds)),
        *counted,
        ("Made with", safe(results.tool, 60)),
    ]


def _comparison(look: Look) -> dict[str, object]:
    return {
        "kind": "compare",
        "targets": look.targets,
        "groups": comparing.groups(look.targets),
        "lines": comparing.findings(look.targets),
    }


# --- pictures and the template ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pictures:
    """One picture in light and dark, as addresses that hold all of it."""

    light: str
    dark: str


def _pictures(draw: Callable[[Palette], bytes]) -> Pictures | None:
    """Both pictures; None where nothing can draw."""
    if not can_draw():
        return None
    return Pictures(*(_address(draw(palette)) for palette in (LIGHT, DARK)))


def _address(svg: bytes) -> str:
    return _markup(f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}")


@cache
def _style() -> str:
    return (_DATA / "page.css").read_text("utf-8")


def _markup(text: str) -> str:
    from markupsafe import Markup

    return Markup(text)


def _visible(value: object) -> object:
    """The last thing that happens to a value before it is escaped."""
    from markupsafe import Markup

    if isinstance(value, str) and not isinstance(value, Markup):
        return safe(value, HARD_LIMIT)
    return value


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_DATA),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
