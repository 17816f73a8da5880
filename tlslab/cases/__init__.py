"""The cases: one decorated function each, one module a topic; importing the package registers them all.

A case of a Charging Station takes a `StationBench`, a case of a CSMS a `CsmsBench`; both say what is exposed and what is
expected, and nothing of how. A new topic is a new module and one name in the line below.
"""

from tlslab.cases import (
    attempts,
    basic_auth,
    ciphers,
    client_certificate,
    client_identity,
    credentials,
    csms_certificate,
    csms_opening,
    csms_resumption,
    csms_robustness,
    csms_signing,
    csms_versions,
    handshake,
    hello,
    names,
    records,
    rotation,
    signing,
    strength,
    trust,
    usage,
    validity,
    versions,
)

__all__ = [
    "attempts",
    "basic_auth",
    "ciphers",
    "client_certificate",
    "client_identity",
    "credentials",
    "csms_certificate",
    "csms_opening",
    "csms_resumption",
    "csms_robustness",
    "csms_signing",
    "csms_versions",
    "handshake",
    "hello",
    "names",
    "records",
    "rotation",
    "signing",
    "strength",
    "trust",
    "usage",
    "validity",
    "versions",
]
