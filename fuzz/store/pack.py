"""A sealed report pack: the files of one finding and a manifest in one zip, and whether a pack is still as it was made.

Knows zip files and digests. Must not know what a file says. The same files give the same bytes: members are stored
uncompressed, in the order of their names, without times of their own. A pack that differs from that in a single byte is
refused, which also bounds what reading one can cost.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

from fuzz.errors import CaseFormatError
from fuzz.store.codec import dump
from fuzz.store.files import MAX_FILE_BYTES, replace_file
from strategies.labels import JsonObject

PACK_FORMAT = 1
MANIFEST = "manifest.json"
SUFFIX = ".zip"
MAX_PACK_BYTES = 4 * MAX_FILE_BYTES
"""Longer packs are refused unread."""

MAX_MEMBERS = 32

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX, _REGULAR = 3, 0o100644 << 16


def pack(files: Mapping[str, bytes], about: JsonObject) -> bytes:
    """The bytes of a pack with these files; `about` is what the manifest tells beside their digests."""
    manifest: JsonObject = {
        **about,
        "format": PACK_FORMAT,
        "files": {name: digest(data) for name, data in sorted(files.items())},
    }
    manifest["seal"] = _seal(manifest)
    return _zipped({**files, MANIFEST: dump(manifest)})


def save_pack(data: bytes, path: Path) -> None:
    """Write or replace a pack. Raises `StoreError`."""
    replace_file(path, data)


def read_pack(path: Path) -> dict[str, bytes]:
    """The files of a pack that is as it was made, manifest included.

    Raises:
        CaseFormatError: it cannot be read, was changed, or holds what no pack of ours does.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PACK_BYTES + 1)
    except OSError as error:
        raise CaseFormatError(f"{path}: cannot be read: {error.strerror}; check the path") from None
    if len(data) > MAX_PACK_BYTES:
        raise CaseFormatError(f"{path}: longer than {MAX_PACK_BYTES} bytes, no pack is; remove it")
    try:
        return _opened(data)
    except _Changed as wrong:
        raise CaseFormatError(
            f"{path}: {wrong}; nothing in it can be trusted, ask for the pack again"
        ) from None


class _Changed(Exception):
    """What is wrong with a pack."""


def _opened(data: bytes) -> dict[str, bytes]:
    files = _members(data)
    manifest = _manifest(files)
    listed = manifest.get("files")
    found = {name: digest(files[name]) for name in files if name != MANIFEST}
    if not isinstance(listed, dict) or listed.keys() != found.keys():
        raise _Changed("its members are not those of its manifest")
    for name in sorted(found):
        if found[name] != listed[name]:
            raise _Changed(f"{name} was changed")
    if manifest.pop("seal", None) != _seal(manifest):
        raise _Changed("its manifest was changed")
    if _zipped({**files, MANIFEST: dump({**manifest, "seal": _seal(manifest)})}) != data:
        raise _Changed("it is not as ocppfuzz writes a pack")
    return files


def _members(data: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise _Changed(f"it has {len(members)} members, a pack has at most {MAX_MEMBERS}")
            for member in members:
                _check(member, files)
                files[member.filename] = archive.read(member)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError):
        raise _Changed("it is no whole zip file") from None
    return files


def _check(member: zipfile.ZipInfo, known: Mapping[str, bytes]) -> None:
    """Refuse what no pack has before any of it is unpacked."""
    name = ascii(member.filename)[1:-1][:60]
    if not _NAME.fullmatch(member.filename) or member.filename in known:
        raise _Changed(f"it has a member called {name}")
    if member.external_attr != _REGULAR:
        raise _Changed(f"{name} is no plain file")
    if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
        raise _Changed(f"{name} is compressed")
    if member.file_size > MAX_FILE_BYTES:
        raise _Changed(f"{name} is longer than {MAX_FILE_BYTES} bytes")


def _manifest(files: Mapping[str, bytes]) -> dict[str, object]:
    try:
        manifest = json.loads(files[MANIFEST].decode("utf-8"))
    except KeyError:
        raise _Changed("it has no manifest") from None
    except (ValueError, RecursionError):
        raise _Changed("its manifest is not readable as JSON") from None
    if not isinstance(manifest, dict):
        raise _Changed("its manifest is no object")
    if manifest.get("format") != PACK_FORMAT:
        raise _Changed(f"its format is not {PACK_FORMAT}, the one that this version knows")
    return manifest


def digest(data: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(data).hexdigest()


def _seal(manifest: Mapping[str, object]) -> str:
    return digest(json.dumps(manifest, sort_keys=True).encode())


def _zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, _EPOCH)
            member.create_system = _UNIX
            member.external_attr = _REGULAR
            archive.writestr(member, files[name])
    return made.getvalue()
