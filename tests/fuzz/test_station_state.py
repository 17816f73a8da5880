import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from fuzz.errors import UsageError
from fuzz.station.state import StateDir

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(state=st.dictionaries(st.sampled_from(["variables", "queue", "keys"]), JSON))
def test_what_was_written_last_is_read_again(state, tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    with StateDir(folder) as kept:
        kept.write({"variables": {"a": 1}, "gone": []})
        kept.write(state)
    with StateDir(folder) as kept:
        assert kept.read() == state


def test_files_are_for_their_owner_alone(tmp_path):
    folder = tmp_path / "new" / "station"
    with StateDir(folder) as kept:
        kept.write({"variables": {"password": "secret"}})
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_only_what_changed_is_written(tmp_path):
    with StateDir(tmp_path) as kept:
        kept.write({"a": [1], "b": [1]})
        before = {path.name: path.stat().st_ino for path in tmp_path.glob("*.json")}
        kept.write({"a": [1], "b": [2]})
        after = {path.name: path.stat().st_ino for path in tmp_path.glob("*.json")}
    assert before["a.station.json"] == after["a.station.json"]
    assert before["b.station.json"] != after["b.station.json"]


def test_a_file_is_never_half_written(tmp_path, monkeypatch):
    with StateDir(tmp_path) as kept:
        kept.write({"a": "old"})

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("pathlib.Path.replace", full)
        with pytest.raises(OSError, match="No space"):
            kept.write({"a": "new"})
        monkeypatch.undo()
        assert json.loads((tmp_path / "a.station.json").read_text()) == "old"
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "a.station.json"]
        kept.write({"a": "new"})
        assert json.loads((tmp_path / "a.station.json").read_text()) == "new"


@given(
    old=st.dictionaries(st.sampled_from("abcd"), JSON),
    new=st.dictionaries(st.sampled_from("abcd"), JSON),
    steps=st.integers(0, 12),
)
def test_a_process_killed_at_any_step_leaves_all_of_the_old_or_all_of_the_new(
    old, new, steps, tmp_path_factory
):
    class Killed(BaseException):
        pass

    folder = tmp_path_factory.mktemp("state")
    left = iter(range(steps))

    def step(real):
        def done(*arguments, **named):
            if next(left, None) is None:
                raise Killed
            return real(*arguments, **named)

        return done

    with StateDir(folder) as kept, pytest.MonkeyPatch.context() as patch:
        kept.write(old)
        patch.setattr(Path, "replace", step(Path.replace))
        patch.setattr(Path, "unlink", step(Path.unlink))
        with contextlib.suppress(Killed):
            kept.write(new)
    with StateDir(folder) as kept:
        assert kept.read() in (old, new)


def test_after_a_full_disk_what_is_written_next_counts(tmp_path, monkeypatch):
    replaced = iter([Path.replace])

    def once(path, target):
        return next(replaced)(path, target)

    with StateDir(tmp_path) as kept:
        kept.write({"a": 1, "b": 1})
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Path, "replace", once)
            with pytest.raises(StopIteration):
                kept.write({"a": 2, "b": 2})
        kept.write({"a": 3, "b": 2})
    with StateDir(tmp_path) as kept:
        assert kept.read() == {"a": 3, "b": 2}


@pytest.mark.parametrize("damage", [b"{", b"[1]", b'{"a": 1}'])
def test_damaged_changes_are_one_line_with_their_name(tmp_path, damage):
    (tmp_path / ".changes").write_bytes(damage)
    with StateDir(tmp_path) as kept, pytest.raises(UsageError, match=r"\.changes cannot be read"):
        kept.read()


def test_what_a_killed_process_left_unfinished_is_removed(tmp_path):
    (tmp_path / ".unfinished-x").write_text("{")
    with StateDir(tmp_path) as kept:
        assert kept.read() == {}
    assert not (tmp_path / ".unfinished-x").exists()


@pytest.mark.parametrize("damage", [b"{", b"", b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_one_line_with_its_name(tmp_path, damage):
    (tmp_path / "queue.station.json").write_bytes(damage)
    with (
        StateDir(tmp_path) as kept,
        pytest.raises(UsageError, match=r"queue\.station\.json cannot be read") as refused,
    ):
        kept.read()
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_not_ours_is_left_alone(tmp_path):
    (tmp_path / "package.json").write_text("{")
    with StateDir(tmp_path) as kept:
        assert kept.read() == {}
        kept.write({})
    assert (tmp_path / "package.json").read_text() == "{"


def test_two_stations_cannot_share_a_folder_at_a_time(tmp_path):
    with StateDir(tmp_path), pytest.raises(UsageError, match="another station"):
        StateDir(tmp_path)
    StateDir(tmp_path).close()


def test_a_folder_that_others_see_is_not_taken_unless_it_is_empty(tmp_path):
    empty, used = tmp_path / "empty", tmp_path / "used"
    for folder in (empty, used):
        folder.mkdir()
        folder.chmod(0o755)
    (used / "file").write_text("")
    with pytest.raises(UsageError, match="chmod 700"):
        StateDir(used)
    assert used.stat().st_mode & 0o777 == 0o755
    StateDir(empty).close()
    assert empty.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="no state can be kept"):
        StateDir(tmp_path / "file" / "folder")


def test_nothing_stays_open_after_a_refusal(tmp_path):
    before = len(list(Path("/proc/self/fd").iterdir()))
    with StateDir(tmp_path):
        for _ in range(3):
            with pytest.raises(UsageError):
                StateDir(tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
