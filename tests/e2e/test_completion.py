"""Shells themselves ask for words, by the lines that `ocppfuzz show completion` tells."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

BIN = Path(sys.executable).parent

BASH = """
{told}
COMP_LINE={line!r}; COMP_WORDS=($COMP_LINE); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
$(complete -p ocppfuzz | sed 's/.*-F \\([^ ]*\\).*/\\1/') ocppfuzz
for word in "${{COMPREPLY[@]}}"; do echo "$word"; done
"""

# What zsh would show at Tab is caught where the function hands it over: there is no line editor in a test.
ZSH = """
compdef() {{ asked=$1 }}
_describe() {{ for word in "${{(@P)3}}"; do print -r -- "${{word%%:*}}"; done }}
compadd() {{ for word in "${{(@P)@[-1]}}"; do print -r -- "$word"; done }}
{told}
words=({line}); CURRENT=${{#words}}
$asked
"""

FISH = """
{told}
complete -C {line!r} | string split -f 1 \\t
"""

SHELLS = {
    "bash": (("bash", "--norc", "-c"), BASH),
    "zsh": (("zsh", "-f", "-c"), ZSH),
    "fish": (("fish", "--no-config", "-c"), FISH),
}


@pytest.fixture
def lines(ocppfuzz) -> dict[str, str]:
    """The line for each shell, as the command prints it."""
    told = [x.split(maxsplit=2) for x in ocppfuzz("show", "completion").out.splitlines()]
    return {words[0]: words[2] for words in told if words and words[0] in SHELLS}


@pytest.mark.parametrize("shell", SHELLS)
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
def test_a_shell_offers_the_words(lines, tmp_path, shell, line, words):
    command, script = SHELLS[shell]
    found = shutil.which(command[0])
    if found is None:
        if os.environ.get("OCPPFUZZ_REQUIRE_PEERS"):
            pytest.fail(f"{shell} is not installed")
        pytest.skip(f"{shell} is not installed")
    if shell == "fish" and "," in line:
        words = []  # It takes what stands behind a comma for the help of a word.
    done = subprocess.run(
        [found, *command[1:], script.format(told=lines[shell], line=line)],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == words
