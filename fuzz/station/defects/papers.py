"""Certificates for witnesses: made for this purpose, valid until 2075, their private keys thrown away.

The second is signed by the first, which is no root of any test bed. Witnesses install them, and update with them.
"""

from __future__ import annotations

import json

from fuzz.records import SendText
from fuzz.station.defects.registry import ask

ROOT = """\
-----BEGIN CERTIFICATE-----
MIIBhjCCASugAwIBAgIEUFIAATAKBggqhkjOPQQDAjA3MRUwEwYDVQQKDAxvY3Bw
ZnV6ei1sYWIxHjAcBgNVBAMMFW9jcHBmdXp6IHBsYW50ZWQgcm9vdDAgFw0yNTAx
MDEwMDAwMDBaGA8yMDc1MDEwMTAwMDAwMFowNzEVMBMGA1UECgwMb2NwcGZ1enot
bGFiMR4wHAYDVQQDDBVvY3BwZnV6eiBwbGFudGVkIHJvb3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQQy8E0pRP4Yeio3ksl0S0ewkvgeD7kDfsIW3wOvqjQ6B+w
WTM/lf8y3JdeP9smbVuIah1hl1KuzYyMsqJxjy+WoyMwITAPBgNVHRMBAf8EBTAD
AQH/MA4GA1UdDwEB/wQEAwIBBjAKBggqhkjOPQQDAgNJADBGAiEA6rYzvK/CgFKv
oIBaluljfEcyGKH/jv0ZY1uLGAv3+BwCIQDJCeZSvQjAImLzKawOMkJ2OKlmIa7k
3uCZ2F56l/w/eg==
-----END CERTIFICATE-----
"""
"""A root called `ocppfuzz planted root`, with the serial number 50520001."""

LEAF = """\
-----BEGIN CERTIFICATE-----
MIIBejCCAR+gAwIBAgIEUFIAAjAKBggqhkjOPQQDAjA3MRUwEwYDVQQKDAxvY3Bw
ZnV6ei1sYWIxHjAcBgNVBAMMFW9jcHBmdXp6IHBsYW50ZWQgcm9vdDAgFw0yNTAx
MDEwMDAwMDBaGA8yMDc1MDEwMTAwMDAwMFowLjEVMBMGA1UECgwMb2NwcGZ1enot
bGFiMRUwEwYDVQQDDAxPQ1BQRlVaWjAwMDEwWTATBgcqhkjOPQIBBggqhkjOPQMB
BwNCAAQdDkzdV84nqYytx8P9cQ1PKLPKkUggvOYbD4tK1scguNfHwctamDDZrS8E
/jACZq8fn+evZ9kC02fNucRHU5tToyAwHjAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB
/wQEAwIHgDAKBggqhkjOPQQDAgNJADBGAiEA12fkTbSsQDiS883eeI6suM0e3tAb
J8ertyx+RB8UvZECIQD2wIa9cREMobXsrXj2EvbUTQErDTUtsgGqKdOb6eg4TQ==
-----END CERTIFICATE-----
"""
"""No root, but the certificate of a station OCPPFUZZ0001 of the organization `ocppfuzz-lab`."""


def install(pem: str, use: str) -> SendText:
    """Installs a certificate as the root of `use`, such as CSMS."""
    asked = {"certificateType": f"{use}RootCertificate", "certificate": pem}
    return ask("InstallCertificate", json.dumps(asked))


def update(**more: int) -> SendText:
    """Asks for firmware that LEAF is to have signed and that nobody has; `more` are members of UpdateFirmwareRequest."""
    firmware = {
        "location": "http://127.0.0.1:9/firmware",
        "retrieveDateTime": "2026-01-01T00:00:00Z",
        "signingCertificate": LEAF,
        "signature": "AAAA",
    }
    return ask("UpdateFirmware", json.dumps({"requestId": 1, "firmware": firmware, **more}))
