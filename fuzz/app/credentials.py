"""Wires the vault: which door learns credentials, where they are kept, which ones were configured.

Knows the rig's constants and the store; must not know cases or how a campaign runs.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fuzz import store
from fuzz.app.rig import EMBEDDED_IDENTITY, EMBEDDED_PASSWORD, Rig
from fuzz.config import RunOptions, password_of
from fuzz.engine.vault import OLD_PASSWORD, SHORTEST_SECRET, Gate, Vault, VaultDoor
from fuzz.errors import UsageError
from fuzz.records import EngineEvent, Note

PERMISSION = "lock-out"
"""The word in `allow` without which no credential of a target is changed, not even of one that we started."""

_ASKS_FOR_PASSWORD = (1, 2)
"""Security profiles in which the station shows its password when it connects (Part 2, A00)."""


def vault_for(made: Rig, options: RunOptions, sink: Callable[[EngineEvent], None]) -> Vault | None:
    """The vault of a target whose credentials may be changed, its door led through it; None where they may not.

    Either way the configured password is hidden in what the target tells elsewhere: files that it uploads, its log.

    Raises:
        UsageError: the credentials that an earlier campaign left behind cannot be read.
    """
    identity, password = configured(options)
    made.wiring.hide = hider(password)
    door = made.wiring.door
    if PERMISSION not in options.allow or not isinstance(door, Gate):
        return None
    root = options.findings_dir
    name = file_name(identity)

    def save(data: bytes) -> None:
        store.save_private(root, name, data)

    vault = Vault(
        gate=door,
        save=save,
        drop=lambda: store.drop_private(root, name),
        old=password,
        identity=identity,
        proves=options.security_profile in _ASKS_FOR_PASSWORD,
    )
    _recall(vault, store.load_private(root, name), f"{root / 'private' / name}", sink)
    made.wiring.door = VaultDoor(door, vault)
    made.wiring.hide = vault.incoming_bytes
    return vault


def hider(password: str | None) -> Callable[[bytes], bytes]:
    """What puts a slot in the place of a password; shorter ones than a password may be stay."""
    if password is None or len(password) < SHORTEST_SECRET:
        return bytes
    return lambda data: data.replace(password.encode(), OLD_PASSWORD.encode())


def _recall(
    vault: Vault, left: bytes | None, place: str, sink: Callable[[EngineEvent], None]
) -> None:
    if left is None:
        return
    try:
        vault.recall(left)
    except ValueError:
        raise UsageError(
            f"{place} cannot be read; it should hold the credentials that an earlier campaign tried; "
            "look into it, then remove it"
        ) from None
    text = "an earlier campaign ended with changed credentials: they are let in, and set back at the end"
    sink(Note(text, "warning"))


def configured(options: RunOptions) -> tuple[str, str | None]:
    """The identity and the Basic password that the target has without our doing."""
    if options.embedded:
        asked = options.security_profile in _ASKS_FOR_PASSWORD
        return EMBEDDED_IDENTITY, EMBEDDED_PASSWORD if asked else None
    return options.identity, password_of(options)


def file_name(identity: str) -> str:
    """Where the credentials of one identity are kept, below `private/`."""
    return f"credentials-{re.sub(r'[^A-Za-z0-9._-]', '_', identity)[:60]}.json"
