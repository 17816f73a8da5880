"""What `docs/` shows behind a `$` happens like that: each page is one shell, from its first command to its last.

`...` stands for anything; `# exit N` for an exit code that is not 0; the ports of the text become free ones. What is marked
as `console` was run once: it takes too long for a test, which reads its commands only.
"""

import doctest
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
EXIT = re.compile(r"\s+# exit (\d+)$")
PORTS = ("9000", "9443")
MARK = "=== command over:"
PATIENCE_S = 300


def session(text):
    """Pairs of a command and the output that is shown for it, in order."""
    steps = []
    for language, block in FENCE.findall(text):
        shown = not language and block.startswith("$ ")
        for line in block.splitlines(keepends=True) if shown else ():
            if line.startswith("$ "):
                steps.append((line[2:].rstrip("\n"), []))
            else:
                steps[-1][1].append(line)
    return [(command, "".join(shown)) for command, shown in steps]


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def played(commands, folder):
    """What each command said, and its exit code, in one shell that ends with whatever it left running."""
    script = "trap 'kill $(jobs -p) 2>/dev/null' EXIT\nexec 2>&1\n"
    script += "".join(f'{command}\necho "{MARK} $?"\n' for command in commands)
    own = {k: v for k, v in os.environ.items() if not k.startswith("OCPPFUZZ_")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**own, "PATH": path, "NO_COLOR": "1", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    *parts, _ = re.split(rf"^{MARK} (\d+)\n", done.stdout, flags=re.M)
    return list(zip(parts[::2], map(int, parts[1::2]), strict=True))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_happens_as_it_is_written(page, tmp_path):
    text = page.read_text()
    for port in PORTS:
        text = re.sub(rf"\b{port}\b", free_port(), text)
    steps = session(text)
    assert steps
    seen = played([command for command, _ in steps], tmp_path)
    assert len(seen) == len(steps)
    for (command, shown), (said, code) in zip(steps, seen, strict=True):
        wanted = EXIT.search(command)
        assert code == (int(wanted[1]) if wanted else 0), f"{command}\n{said}"
        same = doctest.OutputChecker().check_output(shown, said, doctest.ELLIPSIS)
        assert same or not shown, f"$ {command}\n{said}\ninstead of\n{shown}"


def test_every_page_has_something_to_try():
    assert [page.stem for page in PAGES if not session(page.read_text())] == []
    assert len(PAGES) == 9
