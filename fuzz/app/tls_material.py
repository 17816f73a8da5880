"""Whose certificates the TLS lab shows to a real station: the user's own, a finished one, or those of our own root.

Knows the options and the files that they name. Must not know what is done with them.
"""

from __future__ import annotations

from fuzz.clock import Clock
from fuzz.config import RunOptions
from fuzz.errors import UsageError
from fuzz.lab.options import LabOptions
from fuzz.lab.stations import Material
from tlslab import own
from tlslab.authority import Authority
from tlslab.pki import Credential, Lab, LabError


def material_for(options: RunOptions, lab: LabOptions, kept: Lab, clock: Clock) -> Material:
    """What the options ask for; our own root where they say nothing. Raises `UsageError` with the next step."""
    try:
        authority, finished = _servers(options, lab, kept, clock)
        signer, roots = _stations(options, lab, kept, clock)
    except LabError as error:
        raise UsageError(str(error)) from None
    return Material(kept, authority, signer, finished, roots)


def _servers(
    options: RunOptions, lab: LabOptions, kept: Lab, clock: Clock
) -> tuple[Authority | None, tuple[Credential, ...]]:
    """Who signs the lab's server certificates; else the finished ones."""
    if lab.issuer_key is not None:
        root = lab.root or lab.issuer
        if root is None:
            raise UsageError("--issuer-key needs --root, the certificate that the station trusts")
        return own.from_ca(root, lab.issuer_key, lab.issuer, now=clock.now), ()
    if lab.issuer is not None:
        raise UsageError("--issuer needs --issuer-key; without it nothing can be signed")
    if options.cert is not None and options.key is not None:
        return None, (own.finished(options.cert, options.key, now=clock.now),)
    return own.from_lab(kept, now=clock.now), ()


def _stations(
    options: RunOptions, lab: LabOptions, kept: Lab, clock: Clock
) -> tuple[Authority | None, tuple[bytes, ...]]:
    """The CA of stations' certificates, and the roots under which the present one may hang."""
    if lab.client_ca is not None:
        roots = (own.root(lab.client_ca),)
        if lab.client_ca_key is None:
            return None, roots
        return own.from_ca(lab.client_ca, lab.client_ca_key, now=clock.now), roots
    if lab.client_ca_key is not None:
        raise UsageError("--client-ca-key needs --client-ca, its certificate")
    if options.ca is not None:
        return None, (own.root(options.ca),)
    return own.from_lab(kept, now=clock.now), (own.root(kept.root.certificate),)
