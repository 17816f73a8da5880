"""TLS defects: CSMSes that are trusted although they must not be.

A witness names the certificate that the CSMS shows; everything else about the CSMS is as it should be.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import replace

from cryptography.x509.oid import NameOID

from fuzz.records import TlsStep
from fuzz.station.defects.registry import Defect, rewires
from fuzz.station.wire import Wire
from fuzz.station.x509 import load_der, names_of


@rewires(
    Defect(
        "P47",
        mirrors=("F1",),
        oracle="O18",
        symptom="connected",
        witness=(TlsStep("server-self-signed"),),
        security_profile=2,
    )
)
def verify_callback_true(wire: Wire) -> Wire:
    """The CSMS is trusted with any certificate: self-signed, expired, of another authority."""

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    def trusts(der_chain: Sequence[bytes], host: str, *, allow_wildcards: bool = False) -> str:
        return ""

    return replace(wire, tls=tls, trusts=trusts)


@rewires(
    Defect(
        "P48",
        mirrors=("F1", "F2"),
        oracle="O18",
        symptom="connected",
        witness=(TlsStep("server-other-name"),),
        security_profile=2,
    )
)
def no_hostname_check(wire: Wire) -> Wire:
    """A CSMS with a proper certificate for another host is trusted."""

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        context.check_hostname = False
        return context

    def trusts(der_chain: Sequence[bytes], host: str, *, allow_wildcards: bool = False) -> str:
        shown = names_of(load_der(der_chain)[0], NameOID.COMMON_NAME)
        return wire.trusts(der_chain, next(iter(shown), host), allow_wildcards=allow_wildcards)

    return replace(wire, tls=tls, trusts=trusts)


@rewires(
    Defect(
        "P70",
        mirrors=(),
        oracle="O18",
        symptom="connected",
        witness=(TlsStep("server-wildcard-name"),),
        security_profile=2,
    )
)
def wildcard_name(wire: Wire) -> Wire:
    """A CSMS with a certificate for a wildcard name is trusted, whatever AllowCSMSTLSWildcards says."""

    def trusts(der_chain: Sequence[bytes], host: str, *, allow_wildcards: bool = False) -> str:
        return wire.trusts(der_chain, host, allow_wildcards=True)

    return replace(wire, trusts=trusts)
