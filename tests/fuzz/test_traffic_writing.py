from __future__ import annotations

import stat
import tempfile
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from hypothesis import given, strategies as st

from fuzz.records import Side
from fuzz.traffic.events import Said
from fuzz.traffic.lines import read_lines
from fuzz.traffic.perspective import Perspective
from fuzz.traffic.writing import Log, line
from strategies.version import version

NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = texts.filter(bool).map(lambda name: name[:200])
messages = st.one_of(
    st.builds(Said, names, st.sampled_from(Side), texts),
    st.builds(Said, names, st.sampled_from(Side), st.binary(), st.booleans()),
)


@given(said=st.lists(messages, max_size=5))
def test_what_is_written_is_read_again_as_it_was(said: list[Said]) -> None:
    written = "".join(line(one, NOW) for one in said).encode("ascii")
    read = read_lines(BytesIO(written), Perspective(version()), lambda _: None)
    assert [event for event in read if isinstance(event, Said)] == said


@given(name=texts)
def test_a_file_has_a_plain_name_inside_its_folder_whoever_called(name: str) -> None:
    folder = Path("recorded")
    path = Log(folder, name, NOW).path
    assert path.parent == folder
    assert path.name.isascii()
    assert path.name.endswith("-20260102T030405.000678Z.jsonl")
    assert not path.name.startswith(".")


def test_a_connection_on_which_nothing_is_said_leaves_no_file(tmp_path: Path) -> None:
    Log(tmp_path, "CS-1", NOW).close()
    assert list(tmp_path.iterdir()) == []


def test_every_line_is_in_the_file_at_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    log = Log(tmp_path, "CS-1", NOW)
    log.add(Said("CS-1", Side.STATION, '[2,"1","Heartbeat",{}]'), NOW)
    assert log.path.read_text("ascii") == line(
        Said("CS-1", Side.STATION, '[2,"1","Heartbeat",{}]'), NOW
    )
    assert stat.S_IMODE(log.path.stat().st_mode) == 0o600
    assert log.lines == 1
    log.close()


def test_two_connections_of_one_moment_have_a_file_each() -> None:
    with tempfile.TemporaryDirectory() as folder:
        logs = [Log(Path(folder), "CS-1", NOW) for _ in range(3)]
        for number, log in enumerate(logs):
            log.add(Said("CS-1", Side.CSMS, str(number)), NOW)
            log.close()
        assert len({log.path for log in logs}) == 3
        assert all(f'"{n}"' in log.path.read_text() for n, log in enumerate(logs))
