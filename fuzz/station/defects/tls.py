"""TLS defects: CSMSes that are trusted although they must not be, and hellos that offer what they must not.

A witness names the case of the TLS lab that shows it; everything else about the CSMS is as it should be.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from fuzz.records import TlsStep
from fuzz.station.defects.registry import Defect, rewires
from fuzz.station.events import Failure
from fuzz.station.verifying import Fault, Shown, alternative_names, why_untrusted
from fuzz.station.wire import Wire
from fuzz.station.x509 import load_der, names_of

_NAMES = (Fault.OTHER_NAME, Fault.NOT_AN_ALTERNATIVE)
_REDIRECTS = (301, 302, 303, 307, 308)

_OTHER_HOST = ("TS-33", "TS-38", "TS-59", "TS-60", "TS-69", "TS-70")
_BAD_CERTIFICATE = (
    "TS-31", "TS-32", "TS-37", *_OTHER_HOST, "TS-39", "TS-40", "TS-41", "TS-43", "TS-44", "TS-45", "TS-46", "TS-47",
    "TS-48", "TS-51", "TS-53", "TS-54", "TS-63", "TS-68", "TS-71", "TS-74", "TR-38",
)  # fmt: skip
"""The cases that show a certificate which nobody may trust."""


def _blind(
    number: str, *caught_by: str, mirrors: tuple[str, ...] = (), symptom: str = "connected"
) -> Defect:
    """A defect that is shown by the first of the cases that catch it."""
    caught_by = tuple(dict.fromkeys(caught_by))
    return Defect(
        number,
        mirrors=mirrors,
        oracle="O18",
        symptom=symptom,
        witness=(TlsStep(caught_by[0]),),
        security_profile=2,
        caught_by=caught_by,
    )


def _overlooking(wire: Wire, *faults: Fault) -> Wire:
    """Whoever has these faults and no others is trusted."""

    def trusts(shown: Shown) -> str:
        return wire.trusts(shown) if why_untrusted(shown, overlooked=faults) else ""

    return replace(_unverified(wire), trusts=trusts)


def _unverified(wire: Wire) -> Wire:
    """OpenSSL takes any certificate, so that what `trusts` says is all that counts."""

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context

    return replace(wire, tls=tls)


# --- whom it trusts ---------------------------------------------------------------------------------------


@rewires(_blind("P47", "TS-39", *_BAD_CERTIFICATE, mirrors=("F1",)))
def verify_callback_true(wire: Wire) -> Wire:
    """The CSMS is trusted with any certificate: self-signed, expired, of another authority."""
    return replace(_unverified(wire), trusts=lambda shown: "")


@rewires(
    _blind("P48", *_OTHER_HOST, "TS-63", mirrors=("F1", "F2")),
)
def no_hostname_check(wire: Wire) -> Wire:
    """A CSMS with a proper certificate for another host is trusted."""

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        context.check_hostname = False
        return context

    return replace(wire, tls=tls, trusts=_overlooking(wire, *_NAMES).trusts)


@rewires(_blind("P70", "TS-37"))
def wildcard_name(wire: Wire) -> Wire:
    """A CSMS with a certificate for a wildcard name, be it `*` alone, is trusted, whatever AllowCSMSTLSWildcards says."""
    overlooking = _overlooking(wire, Fault.WILDCARD, *_NAMES)

    def trusts(shown: Shown) -> str:
        return overlooking.trusts(shown) if _is_wild_for(shown) else wire.trusts(shown)

    return replace(overlooking, trusts=trusts)


def _is_wild_for(shown: Shown) -> bool:
    leaf = load_der(shown.chain[:1])[0]
    names = (*names_of(leaf, NameOID.COMMON_NAME), *alternative_names(leaf))
    return any("*" in name and fnmatchcase(shown.host.lower(), name.lower()) for name in names)


@rewires(_blind("P72", "TS-31", "TS-63", "TS-68"))
def ignores_expiry(wire: Wire) -> Wire:
    """A CSMS whose certificate has expired is trusted."""
    return _overlooking(wire, Fault.EXPIRED)


@rewires(_blind("P73", "TS-32", "TS-68"))
def ignores_not_before(wire: Wire) -> Wire:
    """A CSMS whose certificate is not valid yet is trusted."""
    return _overlooking(wire, Fault.NOT_YET_VALID)


@rewires(_blind("P74", "TS-34", symptom="not connected"))
def alternative_names_only(wire: Wire) -> Wire:
    """Only subjectAltName is looked at: the commonName counts for nothing, nor does a certificate that has no other name."""

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        context.hostname_checks_common_name = False
        return context

    def trusts(shown: Shown) -> str:
        if not why_untrusted(shown, overlooked=[Fault.OTHER_NAME]):
            named = alternative_names(load_der(shown.chain[:1])[0])
            return "" if named else Fault.NOT_AN_ALTERNATIVE
        return wire.trusts(shown)

    return replace(wire, tls=tls, trusts=trusts)


@rewires(_blind("P75", "TS-44", "TS-43", "TS-71"))
def leaf_as_ca(wire: Wire) -> Wire:
    """Any certificate may sign others, that of another station or server included."""
    return _overlooking(wire, Fault.NO_CA)


@rewires(_blind("P76", "TS-45"))
def ignores_path_length(wire: Wire) -> Wire:
    """A chain may be longer than the path length that one of its CAs allows."""
    return _overlooking(wire, Fault.TOO_LONG)


@rewires(_blind("P77", "TS-46"))
def ignores_name_constraints(wire: Wire) -> Wire:
    """A CA may certify names that its name constraints exclude."""
    return _overlooking(wire, Fault.NOT_ALLOWED)


@rewires(_blind("P78", "TS-39", "TS-63"))
def self_signed_name_right(wire: Wire) -> Wire:
    """A self-signed certificate is trusted when the name in it is right."""
    return _overlooking(wire, Fault.SELF_SIGNED)


@rewires(_blind("P79", "TS-41", "TS-54"))
def namesake_root(wire: Wire) -> Wire:
    """The root is known by its subject alone: who has signed in its name is not verified."""
    return _overlooking(wire, Fault.NAMESAKE)


@rewires(_blind("P80", "TS-74", "TS-51"))
def short_keys(wire: Wire) -> Wire:
    """RSA keys of 1024 bits and EC keys of 192 bits are strong enough."""
    return _overlooking(wire, Fault.SHORT_KEY)


@rewires(_blind("P81", "TS-53"))
def weak_signatures(wire: Wire) -> Wire:
    """Certificates may be signed with SHA-1 and MD5."""
    return _overlooking(wire, Fault.WEAK_HASH)


@rewires(_blind("P82", "TS-48"))
def any_purpose(wire: Wire) -> Wire:
    """A certificate that is for TLS clients only is taken from a server."""
    return _overlooking(wire, Fault.PURPOSE)


@rewires(_blind("P83", "TS-47"))
def ignores_critical(wire: Wire) -> Wire:
    """A critical extension that is not understood is skipped."""
    return _overlooking(wire, Fault.NOT_UNDERSTOOD)


@rewires(_blind("P88", "TS-29"))
def renegotiates_as_another(wire: Wire) -> Wire:
    """The CSMS may renegotiate, and whoever it is then is not looked at again."""
    unverified = _unverified(wire)

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = unverified.tls(context)
        context.options &= ~ssl.OP_NO_RENEGOTIATION
        return context

    return replace(unverified, tls=tls)


# --- what it offers ---------------------------------------------------------------------------------------


@rewires(_blind("P84", "TS-04", "TS-21", symptom="weak suites offered"))
def null_suites(wire: Wire) -> Wire:
    """The hello offers NULL-SHA256, which encrypts nothing, and AES128-SHA."""

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        _offer(context, (*_offered(context), "NULL-SHA256", "AES128-SHA", "@SECLEVEL=0"))
        return context

    return replace(wire, tls=tls)


_OLD_SUITES = ("ECDHE-ECDSA-AES128-SHA", "AES128-SHA", "@SECLEVEL=0")


@rewires(_blind("P97", "TS-14", "TS-15"))
def old_versions(wire: Wire) -> Wire:
    """TLS 1.0 and 1.1 are spoken where the CSMS wants them."""

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        _offer(context, (*_offered(context), *_OLD_SUITES))
        with _quiet():
            context.minimum_version = ssl.TLSVersion.TLSv1
        return context

    return replace(wire, tls=tls)


@rewires(_blind("P85", "TS-13", symptom="weaker hello"))
def weaker_hello(wire: Wire) -> Wire:
    """The attempt after a failed one offers TLS 1.0 and old suites, too."""
    failures: list[Failure] = []

    def tls(context: ssl.SSLContext) -> ssl.SSLContext:
        context = wire.tls(context)
        proper = [name for name in _offered(context) if name not in _OLD_SUITES]
        _offer(context, (*proper, *(_OLD_SUITES if failures else ())))
        with _quiet():
            context.minimum_version = ssl.TLSVersion.TLSv1 if failures else ssl.TLSVersion.TLSv1_2
        failures.clear()
        return context

    def failed(failure: Failure) -> None:
        failures.append(failure)
        wire.failed(failure)

    return replace(wire, tls=tls, failed=failed)


def _offered(context: ssl.SSLContext) -> Sequence[str]:
    """The suites of a context, those of TLS 1.3 apart: OpenSSL adds these by itself."""
    names = [str(suite["name"]) for suite in context.get_ciphers()]
    return [name for name in names if not name.startswith("TLS_")]


def _offer(context: ssl.SSLContext, suites: Collection[str]) -> None:
    context.set_ciphers(":".join(dict.fromkeys(suites)))


@contextmanager
def _quiet() -> Iterator[None]:
    """Python warns of old versions, and rightly so."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


# --- what it says too early, and to whom ------------------------------------------------------------------


@rewires(_blind("P86", "TS-63", *_BAD_CERTIFICATE, symptom="HTTP request before the look"))
def credentials_before_verifying(wire: Wire) -> Wire:
    """The HTTP request, with the Basic password in it, is sent before anybody looks at the certificate of the CSMS."""
    unverified = _unverified(wire)
    reasons: list[str] = []

    def trusts(shown: Shown) -> str:
        reasons[:] = [wire.trusts(shown)]
        return ""

    def connection(kind: type[ClientConnection]) -> type[ClientConnection]:
        class Late(wire.connection(kind)):  # type: ignore[misc]
            async def handshake(self, *headers: Any, **options: Any) -> None:
                await super().handshake(*headers, **options)
                if any(reasons):
                    raise ssl.SSLCertVerificationError(reasons[0])

        return Late

    return replace(unverified, trusts=trusts, connection=connection)


@rewires(_blind("P87", "TS-62", symptom="plain connection"))
def redirected_to_plain(wire: Wire) -> Wire:
    """A redirect is followed, from wss to ws too, and the Basic password goes with it."""

    def redirected(dialling: connect, answer: Exception) -> Exception | str:
        where = _where(answer)
        if not where:
            return wire.redirected(dialling, answer)
        if where.startswith("ws:"):
            dialling.create_connection_kwargs.pop("ssl", None)
        return where

    def trusts(shown: Shown) -> str:
        return wire.trusts(shown) if shown.chain else ""

    return replace(wire, redirected=redirected, trusts=trusts)


def _where(answer: Exception) -> str:
    if isinstance(answer, InvalidStatus) and answer.response.status_code in _REDIRECTS:
        there = answer.response.headers.get("Location", "")
        return there.replace("http", "ws", 1) if there.startswith("http") else there
    return ""
