"""A pack is read as it was made, or not at all."""

import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.errors import CaseFormatError
from fuzz.store.codec import dump
from fuzz.store.pack import MANIFEST, MAX_MEMBERS, digest, pack, read_pack, save_pack

FILES = {"case.json": b'{"a": 1}\n', "REPORT.md": b"# report\n", "repro.py": b"print()\n"}
ABOUT = {"finding": "O4-01234567"}
NAMES = st.from_regex(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,20}", fullmatch=True).filter(
    lambda name: name != MANIFEST
)


@pytest.fixture
def refused(tmp_path):
    """Why a pack of these bytes is refused."""

    def why(data: bytes) -> str:
        path = tmp_path / "pack.zip"
        path.write_bytes(data)
        with pytest.raises(CaseFormatError) as caught:
            read_pack(path)
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
        return str(caught.value).removeprefix(f"{path}: ")

    return why


def sealed(files, about=ABOUT):
    """A zip by somebody else: members as (ZipInfo or name, bytes), with a manifest that fits."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for member, data in files:
            archive.writestr(member, data)
    return made.getvalue()


@given(files=st.dictionaries(NAMES, st.binary(max_size=200), max_size=5))
def test_what_went_in_comes_out(files, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "round.zip"
    save_pack(pack(files, ABOUT), path)
    read = read_pack(path)
    manifest = json.loads(read.pop(MANIFEST))
    assert read == files
    assert manifest["files"] == {name: digest(data) for name, data in files.items()}
    assert manifest["finding"] == "O4-01234567"


def test_the_same_files_give_the_same_bytes_in_any_order():
    assert pack(FILES, ABOUT) == pack(dict(reversed(FILES.items())), ABOUT)


@settings(max_examples=300)
@given(data=st.data())
def test_any_altered_byte_is_refused(data, tmp_path_factory):
    whole = bytearray(pack(FILES, ABOUT))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.getbasetemp() / "altered.zip"
    path.write_bytes(whole)
    with pytest.raises(CaseFormatError):
        read_pack(path)


@given(garbage=st.binary(max_size=300))
def test_garbage_raises_nothing_but_the_documented_error(garbage, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "garbage.zip"
    path.write_bytes(garbage)
    with pytest.raises(CaseFormatError):
        read_pack(path)


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(CaseFormatError, match="cannot be read: No such file"):
        read_pack(tmp_path / "none.zip")


def test_a_member_that_was_changed_is_named_although_its_checksum_fits(refused):
    manifest = dump({"format": 1, "files": {"case.json": digest(b"old")}, "seal": ""})
    why = refused(sealed([(zip_info("case.json"), b"new"), (zip_info(MANIFEST), manifest)]))
    assert why.startswith("case.json was changed")


def test_a_member_outside_of_the_manifest_is_refused(refused):
    manifest = dump({"format": 1, "files": {}, "seal": ""})
    why = refused(sealed([(zip_info("case.json"), b"new"), (zip_info(MANIFEST), manifest)]))
    assert why.startswith("its members are not those of its manifest")


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/passwd", "a/b", ".hidden", "a\\b", "", "x" * 101]
)
def test_a_name_that_leads_elsewhere_is_refused(name, refused):
    info = zip_info("a")
    info.filename = name
    assert "it has a member called" in refused(sealed([(info, b"x")]))


def test_a_link_is_refused(refused):
    info = zip_info("case.json")
    info.external_attr = 0o120777 << 16
    assert refused(sealed([(info, b"/etc/passwd")])).startswith("case.json is no plain file")


def test_a_bomb_is_refused_before_it_is_unpacked(refused):
    info = zip_info("case.json")
    info.compress_type = zipfile.ZIP_DEFLATED
    assert refused(sealed([(info, bytes(10**8))])).startswith("case.json is compressed")


def test_too_many_members_are_refused(refused):
    members = [(zip_info(f"m{n}"), b"") for n in range(MAX_MEMBERS + 1)]
    assert refused(sealed(members)).startswith(f"it has {MAX_MEMBERS + 1} members")


def test_one_name_twice_is_refused(refused):
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = sealed([(zip_info("a"), b"1"), (zip_info("a"), b"2")])
    assert refused(data).startswith("it has a member called a")


@pytest.mark.parametrize("manifest", [b"no JSON", b"[]", b'{"format": 9}', b"[" * 100_000])
def test_a_manifest_of_another_kind_is_refused(manifest, refused):
    why = refused(sealed([(zip_info(MANIFEST), manifest)]))
    assert "manifest" in why or "format" in why


def test_a_zip_without_a_manifest_is_no_pack(refused):
    assert refused(sealed([(zip_info("case.json"), b"")])).startswith("it has no manifest")


def test_a_pack_with_something_before_or_behind_it_is_refused(refused):
    whole = pack(FILES, ABOUT)
    assert refused(b"MZ" + whole)
    assert refused(whole + b"more")


def zip_info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = 0o100644 << 16
    return info


def test_a_pack_is_written_as_a_whole(tmp_path: Path):
    save_pack(b"old", tmp_path / "p.zip")
    save_pack(b"new", tmp_path / "p.zip")
    assert [(f.name, f.read_bytes()) for f in tmp_path.iterdir()] == [("p.zip", b"new")]
