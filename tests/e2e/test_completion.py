"""Bash itself asks for words, by the lines that `ocppfuzz show completion` tells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BASH = shutil.which("bash")
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.skipif(BASH is None, reason="bash is not installed")


@pytest.fixture
def told(ocppfuzz) -> str:
    """The line for bash, as the command prints it."""
    (line,) = [x for x in ocppfuzz("show", "completion").out.splitlines() if x.startswith("bash")]
    return line.partition(".bashrc")[2].strip()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ocppfuzz rep", ["replay", "report"]),
        ("ocppfuzz run --defect evse-", ["evse-index"]),
        ("ocppfuzz run --phases replay,t", ["replay,twins"]),
        ("ocppfuzz run --oracles process-", ["process-death"]),
        ("ocppfuzz run --pics dc", ["dc-2evse-ccs1"]),
        ("ocppfuzz nonsense --x", []),
    ],
)
def test_bash_offers_the_words(told, tmp_path, line, words):
    script = f"""
{told}
COMP_LINE={line!r}; COMP_WORDS=($COMP_LINE); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
$(complete -p ocppfuzz | sed 's/.*-F \\([^ ]*\\).*/\\1/') ocppfuzz
for word in "${{COMPREPLY[@]}}"; do echo "$word"; done
"""
    done = subprocess.run(
        [str(BASH), "--norc", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == words
