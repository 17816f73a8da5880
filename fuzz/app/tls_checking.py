"""Which options of the TLS lab go together: one that would have no effect is told, not passed over.

Knows options only. Must not know what is done with them.
"""

from __future__ import annotations

from fuzz.config import RunOptions
from fuzz.errors import UsageError
from fuzz.lab.options import LabOptions

_OF_A_STATION = ("issuer", "issuer_key", "root", "declared", "name")
_OF_A_CSMS = (
    *("second", "second_cert", "second_key", "second_password_file"),
    *("revoked", "revoked_key"),
)
_OF_A_PEER = ("client_ca", "client_ca_key")
_WITH = {
    "issuer": "issuer_key",
    "second_cert": "second",
    "second_key": "second",
    "second_password_file": "second",
    "revoked_key": "revoked",
    "client_ca_key": "client_ca",
}
"""What means nothing without what."""


def check_options(options: RunOptions, lab: LabOptions) -> None:
    """Raises `UsageError` for the first option that goes with none of the others."""
    if options.start_cmd and options.target is not None:
        raise UsageError("--start-cmd starts a station; start the CSMS yourself")
    dialled = "--listen" if options.listen else "--target" if options.target else ""
    if lab.self_test and dialled:
        raise UsageError(
            f"--self-test is about our own CSMS, {dialled} about a peer; leave one out"
        )
    if options.pics is not None and dialled:
        raise UsageError("--pics is what our own station is built of; yours has --declared")
    for name in _given(lab, _OF_A_STATION):
        _check(name, "--listen, a station of yours", holds=options.listen is not None)
    for name in _given(lab, _OF_A_CSMS):
        _check(name, "--target, a CSMS of yours", holds=options.target is not None)
    for name in _given(lab, _OF_A_PEER):
        _check(name, "--listen or --target, a peer of yours", holds=bool(dialled))
    for name, other in _WITH.items():
        if getattr(lab, name):
            _check(name, _flag(other), holds=bool(getattr(lab, other)))


def _given(lab: LabOptions, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if getattr(lab, name)]


def _check(name: str, other: str, *, holds: bool) -> None:
    if not holds:
        raise UsageError(f"{_flag(name)} means nothing without {other}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
