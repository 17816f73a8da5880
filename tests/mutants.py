"""Mutants of the reference station: what may be wrong with it so that nobody objects?

`make mutants ARGS='--count 200 --seed 7'`. Each mutant is the station with one place of its code changed by chance: a test
negated, a statement dropped, a number moved, an element left out. Every scene is played at it in memory until an oracle
objects. A mutant that nobody objects to, although a scene went differently, is a rule that is missing, a scene that is
missing, or a change that is right as well: read it. Those at which every scene went as ever are only counted.
"""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import json
import random
import re
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from difflib import unified_diff
from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

HERE = Path(__file__).resolve().parent.parent
STATION = HERE / "fuzz" / "station"
LOGIC = (
    *("blocks/*.py", "context.py", "core.py", "device_model.py", "firmware.py", "metering.py"),
    *("outbox.py", "states.py", "transaction.py"),
)
"""What the station does, rather than how it is started, planted or shown."""

PATIENCE_S = 300.0
PICS = "dc-2evse-ccs1"

_CHANCE = re.compile(
    r'"[0-9a-f]{8}-[0-9a-f]{8}"|"s[0-9]+"|-----BEGIN.*?-----END[^"]*'
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|[0-9]+[.][0-9]+"
)
"""What differs from one play to the next: ids, keys, moments, measured values."""

_OPPOSITE: Mapping[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


# --- changing code ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the file, which of the places in it, and in words."""

    file: str
    place: int
    line: int
    change: str

    @property
    def code(self) -> str:
        """The line that is changed."""
        return (STATION / self.file).read_text("utf-8").splitlines()[self.line - 1].strip()


def changes_of(tree: ast.AST) -> Iterator[tuple[ast.AST, int, str]]:
    """Every change of a tree: the node, the place in it where there are several, and in words."""
    for node in ast.walk(tree):
        match node:
            case ast.If() | ast.IfExp():
                yield from ((node, n, what) for n, what in enumerate(("negate", "always", "never")))
            case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()):
                yield node, 0, "drop"
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]) | ast.AugAssign():
                yield node, 0, "drop"
            case ast.Return(value=ast.List() | ast.Call() | ast.ListComp()):
                yield node, 0, "return nothing"
            case ast.BoolOp(values=parts) | ast.Dict(values=parts):
                yield from ((node, n, "without a part") for n in range(len(parts)))
            case ast.List(elts=parts, ctx=ast.Load()) | ast.Tuple(elts=parts, ctx=ast.Load()):
                yield from ((node, n, "without a part") for n in range(len(parts)))
            case ast.Compare(ops=[op]) if type(op) in _OPPOSITE:
                yield node, 0, "compare otherwise"
            case ast.Constant(value=bool()):
                yield node, 0, "flip"
            case ast.Constant(value=int() | float()):
                yield node, 0, "one more"
            case ast.Call(keywords=parts):
                yield from ((node, n, "without an argument") for n in range(len(parts)))
            case _:
                pass


def change(tree: ast.AST, place: int) -> None:
    """Make the change at this place, in the order of `changes_of`."""
    node, n, _ = list(changes_of(tree))[place]
    match node:
        case ast.If() | ast.IfExp():
            others = ast.UnaryOp(ast.Not(), node.test), ast.Constant(True), ast.Constant(False)
            node.test = others[n]
        case ast.Expr() | ast.Assign() | ast.AugAssign():
            _replace(tree, node, ast.Pass())
        case ast.Return():
            node.value = ast.List([], ast.Load())
        case ast.BoolOp():
            rest = [v for i, v in enumerate(node.values) if i != n]
            node.values = rest * 2 if len(rest) == 1 else rest
        case ast.Dict():
            del node.keys[n], node.values[n]
        case ast.List() | ast.Tuple():
            del node.elts[n]
        case ast.Compare():
            node.ops = [_OPPOSITE[type(node.ops[0])]()]
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value) | float(value)):
            node.value = value + 1
        case ast.Call():
            del node.keywords[n]
        case _:
            raise AssertionError(node)


def _replace(tree: ast.AST, old: ast.AST, new: ast.stmt) -> None:
    for parent in ast.walk(tree):
        for _, value in ast.iter_fields(parent):
            if isinstance(value, list) and old in value:
                value[value.index(old)] = new


def mutants() -> list[Mutant]:
    """All of them."""
    found = []
    for path in sorted(path for pattern in LOGIC for path in STATION.glob(pattern)):
        tree = ast.parse(path.read_text("utf-8"))
        for place, (node, _, what) in enumerate(changes_of(tree)):
            line = getattr(node, "lineno", 1)
            found.append(Mutant(str(path.relative_to(STATION)), place, line, what))
    return found


class _Changed(importlib.machinery.SourceFileLoader):
    """Loads one file of the station with one change."""

    place = 0

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.parse(Path(self.path).read_text("utf-8"))
        change(tree, self.place)
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the one module that is changed."""

    def __init__(self, file: str, place: int) -> None:
        self._path = STATION / file
        self._name = ".".join(("fuzz", "station", *Path(file).with_suffix("").parts))
        self._place = place

    def find_spec(self, fullname: str, path: object, target: object = None) -> Any:
        if fullname != self._name:
            return None
        loader = _Changed(fullname, str(self._path))
        loader.place = self._place
        return importlib.util.spec_from_file_location(fullname, self._path, loader=loader)


# --- playing it, in a process of its own ----------------------------------------------------------------------------


def play(healthy: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What is said of the first scene that is objected to, and how scenes before it went otherwise; traces with `healthy` empty."""
    from fuzz.app import rehearsing
    from fuzz.engine.staging import steps

    traces: dict[str, list[str]] = {}
    differ: list[tuple[str, list[str]]] = []

    async def look() -> str:
        async with rehearsing.station(PICS, 1) as (executor, pool):
            for told in rehearsing.told_at(pool):
                case = rehearsing.case_of(told, steps(told.moves))
                seen, said = await rehearsing.play(executor, case)
                if said:
                    return f"{told.name}: {said[0].oracle} {said[0].symptom}"
                trace = [f"{e.who.value} {e.kind} {_CHANCE.sub('~', e.text)}" for e in seen.entries]
                traces[told.name] = trace
                if healthy and trace != healthy.get(told.name):
                    differ.append((told.name, _changed(healthy.get(told.name, ()), trace)))
        return ""

    try:
        found = rehearsing.run(look())
    except Exception as died:  # noqa: BLE001 a mutant may die of anything
        found = f"it dies: {type(died).__name__} {str(died)[:100]}"
    return {"found": found, "differ": differ, "traces": {} if healthy else traces}


def _changed(before: Sequence[str], now: Sequence[str]) -> list[str]:
    lines = unified_diff(before, now, lineterm="", n=0)
    return [line[:300] for line in lines if not line.startswith(("---", "+++", "@@"))][:6]


def _child(mutant: Mutant | None, healthy: Path) -> dict[str, Any]:
    which = [] if mutant is None else [mutant.file, str(mutant.place)]
    words = [sys.executable, __file__, "--play", str(healthy), *which]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=PATIENCE_S, check=False
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"found": "it hangs"}
    except ValueError:
        return {"found": f"it cannot be loaded: {done.stderr.strip()[-100:]}"}
    return told


def _as_child(healthy: Path, which: Sequence[str]) -> None:
    if which:
        sys.meta_path.insert(0, _Finder(which[0], int(which[1])))
    sys.stdout.write(json.dumps(play(json.loads(healthy.read_text("utf-8")))))


# --- the command ----------------------------------------------------------------------------------------------------


def _options() -> Namespace:
    parser = ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--count", type=int, default=100, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument(
        "--play", nargs="+", help="of one process: the healthy traces, file and place"
    )
    return parser.parse_args()


def main() -> None:
    """Print the mutants that somebody should read, and how many were found."""
    options = _options()
    if options.play:
        _as_child(Path(options.play[0]), options.play[1:])
        return
    every = mutants()
    chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        healthy = Path(folder) / "healthy.json"
        healthy.write_text("{}", "utf-8")
        healthy.write_text(json.dumps(_child(None, healthy)["traces"]), "utf-8")
        for mutant, told in zip(
            chosen, pool.map(partial(_child, healthy=healthy), chosen), strict=True
        ):
            counts["found" if told["found"] else "unseen" if told["differ"] else "alike"] += 1
            if not told["found"] and told["differ"]:
                _tell(mutant, told["differ"])
    _say(
        f"{counts['found']} of {len(chosen)} found; {counts['unseen']} not, although a scene went otherwise;"
    )
    _say(f"{counts['alike']} at which every scene went as ever; {len(every)} in all")


def _tell(mutant: Mutant, differ: Sequence[tuple[str, Sequence[str]]]) -> None:
    _say(f"{mutant.file}:{mutant.line} {mutant.change}: {mutant.code}")
    name, lines = differ[0]
    _say(f"  {len(differ)} scenes go otherwise, {name} first:")
    for line in lines:
        _say(f"    {line}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
