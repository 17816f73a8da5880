"""What a dialled CSMS's certificates are worth, as three lines of a diagnosis: chain, expiry, name.

Knows X.509 by way of the reference station's own checks. No socket and no clock.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.x509.oid import NameOID

from fuzz.app import Check
from fuzz.errors import UsageError
from fuzz.station.verifying import Fault, Shown, alternative_names, faults_of, path_of
from fuzz.station.x509 import (
    BadCertificate,
    Certificate,
    load_bundle,
    load_der,
    names_of,
    reading,
    to_pem,
)

RENEW_DAYS = 30
MAX_NAME = 60
MAX_NAMES = 5

_TIMES = (Fault.EXPIRED, Fault.NOT_YET_VALID)
_NAMES = (Fault.WILDCARD, Fault.NOT_AN_ALTERNATIVE, Fault.OTHER_NAME)


@dataclass(frozen=True, slots=True)
class Judged:
    """The lines, and whether a careful client would go on: nothing secret is said to a CSMS that is not trusted."""

    checks: tuple[Check, ...]
    trusted: bool


def trusted_roots(ca: Path | None) -> tuple[Certificate, ...]:
    """The roots in the file `ca`, else those of this machine. Raises `UsageError` for a file that holds none."""
    try:
        if ca is not None:
            return load_bundle(ca.read_text("ascii"))
        machine = ssl.create_default_context().get_ca_certs(binary_form=True)
        return load_der(machine)
    except OSError as error:
        raise UsageError(f"cannot read {ca}: {error.strerror}; check --ca") from None
    except (ValueError, BadCertificate):
        raise UsageError(f"{ca} holds no certificate in PEM; check --ca") from None


def judge_chain(
    chain: Sequence[bytes],
    host: str,
    roots: Sequence[Certificate],
    now: datetime,
    *,
    ca: Path | None,
) -> Judged:
    """What the CSMS at `host` showed (DER, its own certificate first), by the roots of `trusted_roots`."""
    if not chain:
        nothing = Check("chain", "no certificate was shown", "give the CSMS one", ok=False)
        return Judged((nothing,), trusted=False)
    try:
        certificates = load_der(chain)
        shown = Shown(tuple(chain), host, tuple(map(to_pem, roots)), now)
        faults = tuple(dict.fromkeys(faults_of(shown)))
        made = (
            _chain(certificates, faults, ca),
            _expiry(path_of(certificates, roots), faults, now),
            _name(certificates[0], faults, host),
        )
    except BadCertificate as error:
        seen = f"a certificate cannot be read: {error}"
        return Judged((Check("chain", seen, "let the CSMS show another", ok=False),), trusted=False)
    return Judged(made, trusted=all(check.ok for check in made))


def _chain(shown: Sequence[Certificate], faults: Sequence[Fault], ca: Path | None) -> Check:
    count = f"{len(shown)} certificate{'s' if len(shown) != 1 else ''}"
    seen = f"{count}, {_common_name(shown[0])} signed by {_issuer(shown[-1])}"
    wrong = [fault for fault in faults if fault not in (*_TIMES, *_NAMES)]
    if not wrong:
        return Check("chain", seen)
    advice = "let the CSMS show a certificate without that fault"
    if {Fault.NO_ROOT, Fault.SELF_SIGNED, Fault.NAMESAKE} & set(wrong):
        advice = "this machine does not know its root: give it with --ca FILE"
        if ca is not None:
            advice = f"{ca} holds another root, or the CSMS leaves out a certificate between"
    return Check("chain", f"{seen}: {', '.join(wrong)}", advice, ok=False)


def _expiry(path: Sequence[Certificate], faults: Sequence[Fault], now: datetime) -> Check:
    with reading():
        first = min(path, key=lambda one: one.not_valid_after_utc)
        until, begin = first.not_valid_after_utc, max(one.not_valid_before_utc for one in path)
    days = (until - now).days
    if Fault.EXPIRED in faults:
        seen = f"{_common_name(first)} expired {until:%Y-%m-%d}, {(now - until).days} days ago"
        return Check("expiry", seen, "renew it, or look at this machine's clock", ok=False)
    if Fault.NOT_YET_VALID in faults:
        seen = f"not valid before {begin:%Y-%m-%d %H:%M} UTC"
        return Check("expiry", seen, "look at this machine's clock, and at the CA's", ok=False)
    seen = f"valid until {until:%Y-%m-%d}, {days} days more"
    return Check("expiry", seen, f"renew {_common_name(first)}" if days < RENEW_DAYS else "")


def _name(leaf: Certificate, faults: Sequence[Fault], host: str) -> Check:
    others = alternative_names(leaf)
    names = [_cut(name) for name in (others or names_of(leaf, NameOID.COMMON_NAME))]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    seen = f"made for {', '.join(names[:MAX_NAMES]) or 'nobody'}{more}"
    if Fault.NOT_AN_ALTERNATIVE in faults or (Fault.OTHER_NAME in faults and not others):
        advice = f"dial one of these, or give the CSMS a certificate for {host}"
        return Check("name", f"{seen}, not for {host}", advice, ok=False)
    # What every TLS client takes, and a Charging Station by the letter does not (A00.FR.510, FR.511).
    strict = [fault for fault in faults if fault in _NAMES]
    return Check(
        "name", seen, f"a strict station refuses it: {', '.join(strict)}" if strict else ""
    )


def _issuer(certificate: Certificate) -> str:
    with reading():
        names = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        return _cut(str(names[0].value)) if names else "an issuer without a name"


def _common_name(certificate: Certificate) -> str:
    names = names_of(certificate, NameOID.COMMON_NAME)
    return _cut(names[0]) if names else "a certificate without a name"


def _cut(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}..."
