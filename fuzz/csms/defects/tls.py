"""TLS defects: handshakes that must fail and do not."""

from __future__ import annotations

import ssl
import warnings
from dataclasses import replace

from fuzz.csms.defects.auth import bound_if_any
from fuzz.csms.defects.certificate import never_expired
from fuzz.csms.defects.registry import Defect, rewires, shown_by
from fuzz.csms.hooks import Hooks
from fuzz.csms.papers import OF_SERVER, Certificate
from fuzz.csms.tls import NO_CHECK_TIME, SUITES, Material
from fuzz.csms.wire import Wire

_OCPP = ":".join(SUITES)


def _plant_anonymous(hooks: Hooks) -> Hooks:
    return replace(hooks, anonymous=lambda reason: "", bound=bound_if_any)


def _plant_expired(hooks: Hooks) -> Hooks:
    return replace(hooks, timely=never_expired)


def _plant_server(hooks: Hooks) -> Hooks:
    def proper(leaf: Certificate) -> str:
        reason = hooks.proper(leaf)
        return "" if reason == OF_SERVER else reason

    return replace(hooks, proper=proper)


def _plant_weak(hooks: Hooks) -> Hooks:
    def proper(leaf: Certificate) -> str:
        reason = hooks.proper(leaf)
        return "" if "weak" in reason or "too short" in reason else reason

    return replace(hooks, proper=proper)


@rewires(
    Defect(
        "P50",
        mirrors=("F6",),
        oracle="O16",
        symptom="101 without TLS",
        witness=shown_by("TC-50"),
        security_profile=2,
    )
)
def plain_on_profile2(wire: Wire) -> Wire:
    """A station of security profile 2 is served without TLS, on the port where TLS is due."""
    return replace(wire, plain_too=True)


@rewires(
    Defect(
        "P112",
        mirrors=("F6",),
        oracle="O18",
        symptom="TLS 1.0 or 1.1",
        witness=shown_by("TC-01", "TC-02"),
        security_profile=2,
    )
)
def old_tls(wire: Wire) -> Wire:
    """TLS 1.0 and 1.1 are spoken as well."""

    def tls(context: ssl.SSLContext, material: Material, security_profile: int) -> ssl.SSLContext:
        context = wire.tls(context, material, security_profile)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
        context.set_ciphers(f"{_OCPP}:ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0")
        return context

    return replace(wire, tls=tls)


@rewires(
    Defect(
        "P113",
        mirrors=(),
        oracle="O18",
        symptom="a suite without encryption",
        witness=shown_by("TC-04"),
        security_profile=2,
    )
)
def null_suite(wire: Wire) -> Wire:
    """Suites that encrypt nothing are served to whom offers them."""

    def tls(context: ssl.SSLContext, material: Material, security_profile: int) -> ssl.SSLContext:
        context = wire.tls(context, material, security_profile)
        context.set_ciphers(f"{_OCPP}:NULL-SHA256:ECDHE-ECDSA-NULL-SHA:@SECLEVEL=0")
        return context

    return replace(wire, tls=tls)


@rewires(
    Defect(
        "P114",
        mirrors=(),
        oracle="O16",
        symptom="101 without a certificate",
        witness=shown_by("TC-13", "TC-30", "TC-33"),
        plant=_plant_anonymous,
    )
)
def certificate_optional(wire: Wire) -> Wire:
    """In security profile 3 a station without a certificate is served."""

    def tls(context: ssl.SSLContext, material: Material, security_profile: int) -> ssl.SSLContext:
        context = wire.tls(context, material, security_profile)
        if security_profile == 3:
            context.verify_mode = ssl.CERT_OPTIONAL
        return context

    return replace(wire, tls=tls)


@rewires(
    Defect(
        "P115",
        mirrors=(),
        oracle="O16",
        symptom="101 with an expired certificate",
        witness=shown_by("TC-17"),
        plant=_plant_expired,
    )
)
def expired_accepted(wire: Wire) -> Wire:
    """A station's certificate works for ever."""

    def tls(context: ssl.SSLContext, material: Material, security_profile: int) -> ssl.SSLContext:
        context = wire.tls(context, material, security_profile)
        context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)
        return context

    return replace(wire, tls=tls)


@rewires(
    Defect(
        "P116",
        mirrors=(),
        oracle="O16",
        symptom="101 with a weak certificate",
        witness=shown_by("TC-25"),
        plant=_plant_weak,
    )
)
def weak_accepted(wire: Wire) -> Wire:
    """A station's certificate may have a short key and an old hash."""

    def tls(context: ssl.SSLContext, material: Material, security_profile: int) -> ssl.SSLContext:
        context = wire.tls(context, material, security_profile)
        context.set_ciphers(f"{_OCPP}:@SECLEVEL=0")
        return context

    return replace(wire, tls=tls)


@rewires(
    Defect(
        "P117",
        mirrors=(),
        oracle="O16",
        symptom="101 with the certificate of a server",
        witness=shown_by("TC-23"),
        plant=_plant_server,
    )
)
def server_certificate_accepted(wire: Wire) -> Wire:
    """A certificate that is for servers only opens the door of a station."""

    def tls(context: ssl.SSLContext, material: Material, security_profile: int) -> ssl.SSLContext:
        context = wire.tls(context, material, security_profile)
        if security_profile != 3:
            return context
        # Imported when it is wanted: a second TLS library takes its time.
        from fuzz.csms.purpose import purpose_blind

        return purpose_blind(material)

    return replace(wire, tls=tls)
