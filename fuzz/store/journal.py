"""The journal of a campaign, so that it can be resumed, and the secrets that it must not lose.

Knows the folders `.campaign` and `private` beside the findings. Must not know what a secret is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fuzz.store.codec import dump, opened, reading, record_from_json, record_to_json
from fuzz.store.files import load_json, read_bytes, replace_file, writing

FORMAT = 2


@dataclass(frozen=True, slots=True)
class CampaignState:
    """Where a campaign stands, so that `--resume` can go on.

    `phase` is the one that was on, `played` the cases of each that were played; `config_hash` tells whether the same
    campaign is asked for; `left_changed` says for people what is still changed on the target. `supported` and `refused` are
    actions, as the target showed them; `missed` are the ids of table entries that were passed over without a verdict.
    """

    seed: int
    phase: str
    played: Mapping[str, int]
    config_hash: str
    counts: Mapping[str, int]
    left_changed: tuple[str, ...] = ()
    supported: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()


def _state_file(root: Path) -> Path:
    return root / ".campaign" / "state.json"


def save_state(state: CampaignState, root: Path) -> None:
    """Write the journal of the campaign under `root`. Raises `StoreError`."""
    replace_file(_state_file(root), dump({"format": FORMAT, **record_to_json(state)}))


def load_state(root: Path) -> CampaignState | None:
    """The journal of the campaign under `root`, None when there is none. Raises `CaseFormatError`."""
    path = _state_file(root)
    if not path.exists():
        return None
    value = load_json(path)
    with reading(str(path)):
        state: CampaignState = record_from_json(CampaignState, opened(value, FORMAT), "")
        return state


def clear_state(root: Path) -> None:
    """Forget the journal: the campaign is complete. Raises `StoreError`."""
    with writing(_state_file(root)):
        _state_file(root).unlink(missing_ok=True)


def load_private(root: Path, name: str) -> bytes | None:
    """A secret that `save_private` kept, None when there is none. Raises `CaseFormatError`."""
    path = root / "private" / name
    return read_bytes(path) if path.exists() else None


def drop_private(root: Path, name: str) -> None:
    """Remove a secret that is good for nothing any more. Raises `StoreError`."""
    path = root / "private" / name
    with writing(path):
        path.unlink(missing_ok=True)


def save_private(root: Path, name: str, data: bytes) -> Path:
    """Put a secret into `root/private/`, readable by its owner only, on the disk for good when this returns."""
    path = root / "private" / name
    with writing(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.chmod(0o700)
    replace_file(path, data, mode=0o600)
    return path
