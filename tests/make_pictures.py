"""Makes the pictures of README and docs: campaigns are run, their pages are opened in Chromium, and what shows is kept.

Knows commands and the page that `report html` makes. Run it when that page changes: `make pictures`, about three minutes.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")
WIDTH, HEIGHT = 1_100, 800

RUNS: Mapping[str, Sequence[str]] = {
    "firmware-1.0": ("--defect", "P05,P19"),
    "firmware-1.1": ("--defect", "P19"),
    "firmware-1.2": (),
}
"""Three builds of one station, each with what is still wrong in it."""


def main() -> None:
    """Run, open, keep."""
    program = shutil.which("chromium")
    if program is None:
        sys.exit("error: chromium is not installed")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        _make_pages(folder)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        _keep(page, folder / "first.html", "", "report.png")
        _keep(page, folder / "first.html", "article", "finding.png")
        _keep(page, folder / "compare.html", "", "compare.png")
        browser.close()


def _make_pages(folder: Path) -> None:
    budget = ("--max-exchanges", "3000", "--seed", "1", "--quiet")
    for name, flags in RUNS.items():
        _ocppfuzz(folder, "run", *budget, "--findings", name, *flags)
    _ocppfuzz(folder, "report", "html", next(iter(RUNS)), "-o", "first.html")
    _ocppfuzz(folder, "report", "html", "--compare", *RUNS, "-o", "compare.html")


def _ocppfuzz(folder: Path, *words: str) -> None:
    ended = subprocess.run([OCPPFUZZ, *words], cwd=folder, check=False, stdout=subprocess.DEVNULL)
    if ended.returncode not in (0, 1):
        sys.exit(f"error: ocppfuzz {' '.join(words)} ended with {ended.returncode}")


def _keep(page: Page, file: Path, part: str, name: str) -> None:
    """Keep the first such part of the page, or what shows of it without scrolling."""
    page.goto(file.as_uri())
    shown = page.locator(part).first if part else page
    shown.screenshot(path=PICTURES / name)


if __name__ == "__main__":
    main()
