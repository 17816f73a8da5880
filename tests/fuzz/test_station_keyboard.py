import os

import pytest

from fuzz.station.keyboard import typed_lines


@pytest.fixture
def typed(monkeypatch, tmp_path):
    """All lines of a standard input that holds some bytes: as a file, or as a pipe."""
    opened = []

    async def read(data, kind):
        if kind == "file":
            (tmp_path / "input").write_bytes(data)
            stdin = (tmp_path / "input").open("rb")
        else:
            outlet, inlet = os.pipe()
            os.write(inlet, data)
            os.close(inlet)
            stdin = os.fdopen(outlet, "rb")
        opened.append(stdin)
        monkeypatch.setattr("sys.stdin", stdin)
        return [line async for line in typed_lines()]

    yield read
    for stdin in opened:
        stdin.close()


@pytest.mark.parametrize("kind", ["file", "pipe"])
@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"", []),
        (b"a\nb\n", ["a", "b"]),
        (b"a\n\nb", ["a", "", "b"]),
        (b"\xff\n", ["\N{REPLACEMENT CHARACTER}"]),
        (b"x" * 3000 + b"\nend\n", ["x" * 3000, "end"]),
    ],
)
async def test_every_line_arrives_from_a_file_and_from_a_pipe(typed, kind, data, lines):
    assert await typed(data, kind) == lines


async def test_a_line_without_end_does_not_grow(typed):
    (line,) = await typed(b"x" * 1_000_000, "file")
    assert 4000 <= len(line) < 10_000


@pytest.mark.parametrize("stdin", [None, "closed"])
async def test_without_standard_input_nothing_is_typed(monkeypatch, tmp_path, stdin):
    if stdin == "closed":
        with (tmp_path / "input").open("wb") as stdin:
            pass
    monkeypatch.setattr("sys.stdin", stdin)
    assert [line async for line in typed_lines()] == []
