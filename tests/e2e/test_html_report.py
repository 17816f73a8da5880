"""The page in a real browser: readable in light and dark, wide and narrow and printed, and dead whatever a target said.

Chromium draws it, axe (in the page, where its own policy would let no script in) looks for what keeps people out.
"""

import base64
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import store
from fuzz.records import Run, SendText, Severity
from fuzz.report.document import document
from fuzz.report.results import Results, Status
from fuzz.testing import (
    HOSTILE,
    case,
    finding,
    mutation,
    note,
    results,
    target,
    us,
    violation,
    voice,
)

SEVERE = ("serious", "critical")
VIEWS = [(scheme, width) for scheme in ("light", "dark") for width in (1280, 380)]
CALM = "it ended"
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium")
    if program is None:
        _missing("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def axe() -> str:
    modules = Path(os.environ.get("OCPPFUZZ_PEERS", "build/peers")).resolve() / "node_modules"
    script = modules / "axe-core" / "axe.min.js"
    if not script.is_file():
        _missing(f"no axe-core in {modules}; npm install it there, or set OCPPFUZZ_PEERS")
    return script.read_text("utf-8")


def _missing(reason: str) -> None:
    if os.environ.get("OCPPFUZZ_REQUIRE_PEERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class Opened:
    """A page that is open, and everything that it did besides being read."""

    def __init__(self, browser, file: Path, scheme: str = "light", width: int = 1280) -> None:
        self.context = browser.new_context(
            color_scheme=scheme, viewport={"width": width, "height": 900}
        )
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.noise: list[str] = []
        self.page.on("request", lambda r: self.asked.append(r.url.partition(",")[0][:60]))
        self.page.on("dialog", lambda d: (self.noise.append(f"dialog {d.message}"), d.dismiss()))
        self.page.on("console", lambda m: self.noise.append(m.text))
        self.page.on("pageerror", lambda e: self.noise.append(str(e)))
        self.address = file.resolve().as_uri()
        self.page.goto(self.address)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.context.close()

    def kept_to_itself(self) -> None:
        """Nothing was fetched but the file, and nothing spoke up: no policy was broken either."""
        outside = [u for u in self.asked if not u.startswith("data:image/svg+xml;base64")]
        assert outside == [self.address[:60]]
        assert self.noise == []

    def faults(self, axe: str) -> list[str]:
        self.page.evaluate(axe)
        # Three hundred findings are made alike: five of them tell, and all of them take minutes.
        found = self.page.evaluate("() => axe.run({exclude: ['article:nth-of-type(n + 6)']})")[
            "violations"
        ]
        return [f"{v['id']}: {v['nodes'][0]['html']}" for v in found if v["impact"] in SEVERE]


def one_finding(number: int, text: str):
    """A finding with its conversations, in which the target and its firmware say `text`."""
    played = case(
        action="GetVariables",
        mutations=[replace(mutation("/a", "maxLength", "one-more"), after=text[:400])],
        steps=[SendText((f'[2,"{{call.id}}","GetVariables",{json.dumps(text[:400])}]',))],
    )
    severity = Severity(number % 5)
    objection = replace(violation(f"O{1 + number % 30}", text[:200], severity), text=text)
    said = us(0.0, [2, "1", "GetVariables", {"a": text}])
    fault = (
        said,
        target(0.004, text),
        note(0.01, "close", "1006"),
        note(0.01, "process", "exit 70"),
    )
    answer = target(0.003, [3, "1", {"status": text}])
    control = (said, answer, voice(0.3, [2, "2", "GetVariables", {}]), note(0.31, "note", text))
    made = finding(objection, played, fingerprint=f"{number:08x}" * 2)
    facts = replace(made.facts, vendor=text, model=text, firmware=text)
    runs = (Run(False, True, fault), Run(True, False, control))
    return replace(made, facts=facts, entries=fault, runs=runs, first_seen="2026-01-01T00:00:00Z")


def run_of(text: str, *, clean: bool = False) -> Results:
    """What a run of 9 seconds kept, with coverage, states and answer times."""
    told = results(text)
    details = {
        "cases": 400,
        "exchanges": 1_200,
        "coverage": {
            "violations": {"reached": 30, "total": 90},
            text[:50]: {"reached": 1, "total": 1},
        },
        "answer_times_s": [0.002 * n for n in range(1, 60)] + [11.0],
        "reach": {
            "constraints": [
                {"action": a, "position": p, "keyword": k, "reached": r, "total": 9}
                for a in ("Reset", "GetVariables", text[:50])
                for p in ("call", "callresult")
                for r, k in enumerate(("maxLength", "type", "enum", "required", "format", "items"))
            ],
            "states": {"accepted/idle": True, "accepted/charging": False, "offline/idle": True},
            "changes": [
                {"from": "accepted/idle", "to": "offline/idle", "reached": True},
                {"from": "accepted/idle", "to": "accepted/charging", "reached": False},
                {"from": text, "to": text, "reached": True},
            ],
        },
    }
    if clean:
        passed = tuple(c for c in told.checks if c.status is Status.PASSED)
        return replace(told, checks=passed, exit_code=0, details=details)
    return replace(told, checks=tuple(replace(c, issues=()) for c in told.checks), details=details)


@pytest.fixture
def report(ocppfuzz, tmp_path):
    """Makes the page of a folder with so many findings, as a user does."""

    def make(count: int, text: str = CALM) -> Path:
        folder, file = tmp_path / "findings", tmp_path / "page.html"
        for number in range(count):
            files = store.files_of(one_finding(number, text))
            # Not by `save_finding`: three hundred of them need no lock and no flush each.
            place = folder / f"O{1 + number % 30}-{number:08x}"
            place.mkdir(parents=True)
            for name, data in files.items():
                (place / name).write_bytes(data)
        store.save_report(folder, "run", document(run_of(text, clean=count == 0)))
        done = ocppfuzz("report", "html", folder, "-o", file)
        assert (done.code, done.err) == (0, "")
        return file

    return make


@pytest.mark.parametrize("count", [0, 3, 300])
def test_it_is_read_by_everybody_in_light_and_dark_wide_and_narrow(browser, axe, report, count):
    file = report(count)
    assert file.stat().st_size < 5_000_000
    paper = {}
    # Three hundred take their time: light and wide, dark and narrow tell of all four.
    for scheme, width in VIEWS if count < 300 else VIEWS[::3]:
        with Opened(browser, file, scheme, width) as opened:
            page = opened.page
            assert page.locator("article").count() == count
            assert page.evaluate(WIDER) == 0
            pictures = page.locator("img")
            assert pictures.count() == 2
            assert all(pictures.nth(n).evaluate("i => i.naturalWidth > 100") for n in range(2))
            opened.kept_to_itself()
            paper[scheme] = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
            assert opened.faults(axe) == []
    assert paper["light"] == "rgb(255, 255, 255)" != paper["dark"]


def test_the_first_thing_told_is_who_was_attacked_then_the_verdict(browser, report):
    with Opened(browser, report(3)) as opened:
        lines = opened.page.locator("header").first.inner_text().splitlines()
    assert lines[0].startswith("Attacked: Charging Station it ended it ended, firmware it ended")
    assert "3 findings" in lines
    assert "This is not an OCA certification result." in lines


def test_fault_and_control_stand_side_by_side_when_wide_and_below_each_other_when_narrow(
    browser, report
):
    file = report(3)
    for width, beside in ((1280, True), (380, False)):
        with Opened(browser, file, width=width) as opened:
            boxes = [opened.page.locator(".seq").nth(n).bounding_box() for n in range(2)]
            assert (boxes[0]["y"] == pytest.approx(boxes[1]["y"], abs=40)) is beside
            told = opened.page.locator(".seq").first.inner_text()
            assert "CALL GetVariables" in told
            assert "process ended, exit 70" in told
            assert opened.page.locator(".seq li.parts").count() == 6


def test_bytes_are_shown_on_demand_by_keyboard_alone(browser, report):
    with Opened(browser, report(3)) as opened:
        page = opened.page
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.textContent") == "To the content"
        dump = page.locator(".seq details pre").nth(1)
        assert not dump.is_visible()
        page.locator(".seq summary").first.focus()
        page.keyboard.press("Enter")
        assert dump.is_visible()
        assert "5b 32 2c 20 22 31 22" in dump.inner_text()
        opened.kept_to_itself()


@pytest.mark.parametrize("count", [0, 3])
def test_it_prints_with_its_conversations_and_without_its_navigation(browser, report, count):
    with Opened(browser, report(count), "dark") as opened:
        page = opened.page
        for details in page.locator("article > details").all():
            details.evaluate("d => d.open = false")
        printed = page.pdf(format="A4")
        assert printed.startswith(b"%PDF-")
        assert len(printed) > 20_000
        page.emulate_media(media="print")
        assert not page.locator("nav").is_visible()
        assert all(seq.is_visible() for seq in page.locator(".seq").all())


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_target_says_is_only_read(browser, report, text):
    with Opened(browser, report(3, text)) as opened:
        page = opened.page
        page.wait_for_timeout(200)
        assert page.title() == "ocppfuzz: 3 findings"
        assert (
            page.locator(
                "script, iframe, object, embed, form, link, base, a[href^='//'], a[href*=':']"
            ).count()
            == 0
        )
        assert page.evaluate("() => [...document.images].every(i => i.src.startsWith('data:'))")
        shown = page.content()
        assert not any(ch in shown for ch in "\x1b\x00\u202e\u2066\u200b")
        assert page.evaluate(WIDER) == 0
        opened.kept_to_itself()


def test_several_runs_stand_side_by_side(browser, axe, ocppfuzz, tmp_path):
    for name, text in (("a", "1.4"), ("b", "<b>1.5</b>")):
        store.save_report(tmp_path / name, "run", document(results(text)))
    (tmp_path / "c.json").write_text(document(replace(results("1.6"), checks=())))
    done = ocppfuzz("report", "html", "--compare", "a", "b", "c.json", "-o", "page.html")
    assert (done.code, done.out) == (0, "page.html\n")
    for scheme, width in VIEWS:
        with Opened(browser, tmp_path / "page.html", scheme, width) as opened:
            heads = opened.page.locator("#checks ~ .matrix thead").first.inner_text()
            assert "<b>1.5</b>" in heads
            assert opened.page.locator("#checks ~ .matrix td.t-failed").count() == 2
            assert opened.page.evaluate(WIDER) == 0
            assert opened.faults(axe) == []
            opened.kept_to_itself()


@pytest.fixture
def three(ocppfuzz, small_corpus, port, ocpp_station, rpc_station):
    """The folders of three campaigns of the same cases: at our station, at one of `ocpp` and at one of `ocpp-rpc`."""
    small_corpus("frames/action-*", "device-model/evse-beyond-the-last-in-change-availability")
    dialling = ("--listen", f"127.0.0.1:{port}", "--security-profile", 0)
    targets = {
        "ours": ("--defect", "evse-index"),
        "plain": (*dialling, "--identity", "PLAIN", "--start-cmd", ocpp_station),
        "strict": (*dialling, "--identity", "STRICT", "--start-cmd", rpc_station),
    }
    budget = ("--phases", "replay", "--seed", 1, "--max-time", 60, "--quiet")
    for folder, flags in targets.items():
        done = ocppfuzz("run", *budget, "--findings", folder, *flags)
        assert done.code in (0, 1), done.err
    return tuple(targets)


def rows(matrix) -> dict[str, list[str]]:
    """What a matrix says of each thing at each target: the first word of each cell, by the row's name."""
    cells = "r => [...r.cells].map(c => c.innerText.trim().split('\\n')[0])"
    read = matrix.locator("tbody tr").evaluate_all(f"rows => rows.map({cells})")
    return {name: [cell.strip() for cell in marks] for name, *marks in read}


def test_three_stations_of_three_makers_are_told_apart_by_finding_rule_and_check(
    browser, axe, ocppfuzz, three, tmp_path
):
    done = ocppfuzz("report", "html", "--compare", *three, "-o", "page.html")
    assert (done.code, done.out) == (0, "page.html\n"), done.err
    for scheme, width in VIEWS:
        with Opened(browser, tmp_path / "page.html", scheme, width) as opened:
            page = opened.page
            findings, rules, alike = (page.locator(".matrix").nth(n) for n in range(3))
            assert findings.locator("thead th").all_inner_texts()[1:] == [
                "ocppfuzz-lab dc-2evse-ccs1 1.0.0 (ours)",
                "nobody plain (plain)",
                "nobody strict (strict)",
            ]
            assert not alike.is_visible()
            page.locator("details").evaluate_all("all => all.forEach(d => d.open = true)")
            told = {**rows(findings), **rows(rules)}
            calm = rows(alike)
            checks = [rows(m) for m in page.locator("#checks ~ details .matrix").all()[1:]]
            assert page.screenshot(full_page=True).startswith(b"\x89PNG")
            assert page.evaluate(WIDER) == 0
            assert opened.faults(axe) == []
            opened.kept_to_itself()
    assert {name.partition(" on ")[0]: marks for name, marks in told.items()} == {
        "critical: process-death (O1)": ["found", "not met", "not met"],
        "high: connection-closed (O3)": ["not met", "found", "not met"],
        "low: rpc-shape (O7)": ["not met", "not met", "found"],
        "process-death": ["failed", "passed", "passed"],
        "connection-closed": ["passed", "failed", "passed"],
        "rpc-shape": ["passed", "passed", "failed"],
        "error-code-fit": ["passed", "passed", "remark"],
        "log-patterns": ["passed", "remark", "passed"],
    }
    assert calm["unanswered-call"] == ["passed"] * 3
    assert calm["injection"] == ["not run"] * 3
    assert {name: marks for check in checks for name, marks in check.items()} == {
        "process-death (O1): ChangeAvailability, CALL": ["failed", "passed", "passed"],
        "connection-closed (O3): GetVariables, CALL": ["passed", "failed", "passed"],
        "rpc-shape (O7): GetVariables, CALL": ["passed", "passed", "failed"],
        "error-code-fit (O10): GetVariables, CALL": ["passed", "passed", "remark"],
        "log-patterns (O30): GetVariables, CALL": ["passed", "remark", "passed"],
    }


def test_the_page_of_a_real_run_and_the_one_of_its_folder_are_the_same(
    ocppfuzz, small_corpus, tmp_path
):
    small_corpus("frames/action-*")
    words = ("--phases", "replay", "--seed", "1", "--defect", "P05", "--max-time", "40")
    done = ocppfuzz("run", *words, "--html", "direct.html")
    assert done.code == 1, done.out
    assert ocppfuzz("report", "html", "--csv", "risk.csv").code == 0
    direct = (tmp_path / "direct.html").read_text("utf-8")
    later = (tmp_path / "ocppfuzz-report.html").read_text("utf-8")
    assert "connection-closed (O3) on GetVariables" in direct
    assert "process-death" in direct
    assert base64.b64decode(direct.partition("svg+xml;base64,")[2].partition('"')[0]).startswith(
        b"<?xml"
    )
    assert (tmp_path / "risk.csv").read_text().startswith("test,mandatory,finding,")
    assert abs(len(direct) - len(later)) < 2_000
