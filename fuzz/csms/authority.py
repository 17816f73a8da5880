"""The CA behind the reference CSMS: makes station certificates under the lab's root.

Knows the lab's CA. Whether a request deserves a certificate is decided before it comes here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fuzz.csms import papers
from fuzz.csms.hooks import Issue
from tlslab.authority import Authority
from tlslab.describe import Chain, Description
from tlslab.pki import Credential, LabError


def issuing(root: Credential, now: Callable[[], datetime]) -> Issue:
    """A CA that takes the key from a request, and everything else from what is known of the station.

    Extensions that a request asks for are not looked at: no certificate of a CA can be had (A02.FR.04), and none with
    names that nobody checked.
    """
    authority = Authority(root, now=now)

    def issue(csr: str, serial: str, organization: str) -> str:
        return _signed(authority, csr, Chain(Description(serial, organization=organization)))

    return issue


def issuing_all(root: Credential, now: Callable[[], datetime]) -> Issue:
    """The same CA without its care: the extensions that a request asks for are made, too; for a planted defect."""
    authority = Authority(root, now=now)

    def issue(csr: str, serial: str, organization: str) -> str:
        is_ca, names = papers.extensions_asked(csr)
        description = Description(serial, organization=organization, is_ca=is_ca, names=names)
        return _signed(authority, csr, Chain(description))

    return issue


def _signed(authority: Authority, csr: str, chain: Chain) -> str:
    try:
        return b"".join(authority.sign(csr, chain)).decode("ascii")
    except (LabError, ValueError):
        # Only a planted defect lets through what cannot be signed.
        return ""
