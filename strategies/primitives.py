"""What Part 2 says of values and no schema can: identifierString, dateTime, 32-bit integer, decimal, PEM and more.

Knows which field has which primitive type (by `<type name>.<member>`), the rule's source, and how sure it is. A
rule with a `doubt` is not firm: texts disagree or only the meaning implies it, so breaking it is never a
conformance finding. Plain checkers: must not import Hypothesis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from strategies.labels import Fault, JsonValue, Kind, Sender
from strategies.schema import (
    ArrayNode,
    IntegerNode,
    Node,
    NumberNode,
    ObjectNode,
    Path,
    StringNode,
    message_schema,
    pointer_of,
)
from strategies.version import Version, version as version_named

Check: TypeAlias = Callable[[JsonValue], "str | None"]

INT32_MAX = 2**31 - 1
INT32_MIN = -(2**31)


@dataclass(frozen=True, slots=True)
class Value:
    """A value with a short stable name; `doubt` says who would disagree with its being right, or wrong."""

    label: str
    value: JsonValue
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One primitive type: its rule, where the rule stands, values at its edge and values that break it.

    `sample` is a neutral value that no device could mind. `doubt` is empty when the rule is firm. `fill` makes a
    proper string of a given length, None where there is none.
    """

    name: str
    source: str
    check: Check
    sample: JsonValue
    edges: tuple[Value, ...] = ()
    wrong: tuple[Value, ...] = ()
    fault: Fault = Fault.PRIMITIVE
    doubt: str = ""
    fill: Callable[[int], str | None] | None = None

    def broken(self, value: JsonValue) -> str | None:
        """What is wrong with a value, None when nothing is; values of another JSON type are the schema's matter."""
        return self.check(value)


# --- rules ------------------------------------------------------------------------------------------------


def _pattern(pattern: str, text: str) -> Check:
    # \Z and not $: a newline at the end is a character like any other.
    compiled = re.compile(pattern + r"\Z")

    def check(value: JsonValue) -> str | None:
        return text if isinstance(value, str) and not compiled.match(value) else None

    return check


def _at_least(least: int) -> Check:
    def check(value: JsonValue) -> str | None:
        number = isinstance(value, int) and not isinstance(value, bool)
        return f"is below {least}" if number and value < least else None  # type: ignore[operator]

    return check


def _int32(value: JsonValue) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if INT32_MIN <= value <= INT32_MAX else "does not fit in 32 bits"


def _decimal(value: JsonValue) -> str | None:
    if not isinstance(value, float):
        return None
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        return "is not a finite number"
    return "has more than 6 decimals" if exponent < -6 else None


_DATE_TIME_SHAPE = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.(\d+))?(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII
)


def _date_time(value: JsonValue) -> str | None:
    if not isinstance(value, str):
        return None
    shape = _DATE_TIME_SHAPE.match(value)
    if not shape:
        return "is not a dateTime of RFC 3339"
    return "has more than 3 fraction digits" if len(shape[1] or "") > 3 else None


def _base64(value: JsonValue) -> str | None:
    if not isinstance(value, str):
        return None
    packed = "".join(value.split())
    proper = len(packed) % 4 == 0 and _BASE64.match(packed)
    return None if proper else "is not base64"


_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}\Z")


def _padded(pem: str) -> Callable[[int], str | None]:
    # RFC 7468 section 2: what stands outside the two lines is not part of the object.
    return lambda n: pem.ljust(n, "\n") if n >= len(pem) else None


def _pem(label: str) -> Check:
    begin, end = f"-----BEGIN {label}-----", f"-----END {label}-----"
    # One line break and then one class of characters: no two parts can match the same text (no backtracking).
    return _pattern(f"(?:{begin}\\r?\\n[A-Za-z0-9+/=\\r\\n]+{end}(?:\\r?\\n)*)+", "is not PEM")


# --- the primitives ---------------------------------------------------------------------------------------

_MEANING = "only the meaning of the field bounds it, no text does"
_RFC3339_LEAP = "RFC 3339 allows a leap second, many readers do not"
_RFC3339_CASE = "RFC 3339 lets an application refuse the lower-case letter"
_YEARS = "RFC 3339 allows the year, many readers do not"

EXPIRED_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBGjCBwaADAgECAgEBMAoGCCqGSM49BAMCMBcxFTATBgNVBAMMDG9jcHBmdXp6
IGxhYjAeFw0wMDAxMDEwMDAwMDBaFw0wMTAxMDEwMDAwMDBaMBcxFTATBgNVBAMM
DG9jcHBmdXp6IGxhYjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABLqFuBk4rAFB
EIwMMMfSSw1k/5fa8qhTxN6t3PkL+V6+v9hMocaZiej1N2B/kL+VYlhvWpkSPAvk
X0gRCC7r0jQwCgYIKoZIzj0EAwIDSAAwRQIgA5pMosV47RO8uXmbji+j7OE+ARVM
aQu51xb/RzJFwPYCIQDvGwfSaTTNr4xA81nT1XKt37M3AsFvOrzbr1NkJPpi+Q==
-----END CERTIFICATE-----
"""
"""Self-signed, expired in 2001, its key thrown away: nobody can mind it and nothing can come of it."""

LAB_ROOT = """-----BEGIN CERTIFICATE-----
MIIBmTCCAUCgAwIBAgIEDJkAAjAKBggqhkjOPQQDAjAzMRowGAYDVQQDDBFvY3Bw
ZnV6eiBsYWIgcm9vdDEVMBMGA1UECgwMb2NwcGZ1enogbGFiMB4XDTIwMDEwMTAw
MDAwMFoXDTQ5MTIzMTAwMDAwMFowMzEaMBgGA1UEAwwRb2NwcGZ1enogbGFiIHJv
b3QxFTATBgNVBAoMDG9jcHBmdXp6IGxhYjBZMBMGByqGSM49AgEGCCqGSM49AwEH
A0IABEex/BeD/efo83oMqXtP33e3cAVhuBMKBURCoEsmRtAa/WXCRU951h8nltgT
4wXQXsGyRrgCeqHX4FJ2ooplrK2jQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0P
AQH/BAQDAgEGMB0GA1UdDgQWBBQOXXz7kiCcGiWSMsQCMjQJVnhr6zAKBggqhkjO
PQQDAgNHADBEAiBzIQSTQQT6AlX+JX7RYFUTHm7Fz+W/f2yUsObihQDYsgIgR+BG
GRtXU9C2gewbLhB25xRp74oJ9IbQpjJHzFMs28A=
-----END CERTIFICATE-----
"""
"""A root that signed nothing, valid until 2049, its key thrown away."""

LAB_ROOT_HASH: dict[str, JsonValue] = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "b16db8ef750e0d1599b5ee3225fb487287efa223520b362262ff6e0a1227935a",
    "issuerKeyHash": "571c454b9c2cfa9d3e6b22a721291101ef47cdb850e4c7f64f1c9d761fb8c39b",
    "serialNumber": "c990002",
}
"""How OCPP calls it (CertificateHashDataType)."""

LAB_CSR = """-----BEGIN CERTIFICATE REQUEST-----
MIHSMHkCAQAwFzEVMBMGA1UEAwwMb2NwcGZ1enogbGFiMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEuoW4GTisAUEQjAwwx9JLDWT/l9ryqFPE3q3c+Qv5Xr6/2Eyh
xpmJ6PU3YH+Qv5ViWG9amRI8C+RfSBEILuvSNKAAMAoGCCqGSM49BAMCA0kAMEYC
IQDzGGhWXkiAkICvjoJVeXizmbB61kLSuK0zTtx9xhq7eAIhAJJbo3oyCgY1rNhF
1BL82VXm6CAjtvvI+g06s6EmUEjo
-----END CERTIFICATE REQUEST-----
"""

INTEGER = Primitive(
    "integer",
    "Part 2 section 2.1.4: integers are 32-bit signed",
    _int32,
    1,
    wrong=(
        Value("2**31", 2**31),
        Value("-2**31-1", -(2**31) - 1),
        Value("2**53+1", 2**53 + 1),
        Value("2**63", 2**63),
        Value("2**64", 2**64),
    ),
)
DECIMAL = Primitive(
    "decimal",
    "Part 2 section 2.1.4: a decimal sent to a Charging Station has at most 6 decimals",
    _decimal,
    0,
    wrong=(Value("7-decimals", 0.1234567), Value("tiny", 1e-300)),
)
DATE_TIME = Primitive(
    "dateTime",
    "Part 2 sections 2.1.4 and 3.1: RFC 3339 with Z or offset, at most 3 fraction digits",
    _date_time,
    "2026-01-01T00:00:00Z",
    edges=(
        Value("utc", "2026-01-01T00:00:00Z"),
        Value("offset-zero", "2026-01-01T00:00:00+00:00"),
        Value("offset-unknown", "2026-01-01T00:00:00-00:00", "ISO 8601 forbids minus zero"),
        Value("offset-first", "2026-01-01T00:00:00+14:00"),
        Value("offset-last", "2026-01-01T00:00:00-12:00"),
        Value("offset-largest", "2026-01-01T00:00:00+23:59", "no such zone exists"),
        Value("1-fraction-digit", "2026-01-01T00:00:00.1Z"),
        Value("2-fraction-digits", "2026-01-01T00:00:00.12Z"),
        Value("3-fraction-digits", "2026-01-01T00:00:00.123Z"),
        Value("leap-day", "2028-02-29T00:00:00Z"),
        Value("last-second-of-day", "2026-12-31T23:59:59Z"),
        Value("leap-second", "2016-12-31T23:59:60Z", _RFC3339_LEAP),
        Value("epoch", "1970-01-01T00:00:00Z"),
        Value("before-epoch", "1969-12-31T23:59:59Z"),
        Value("after-2038", "2038-01-19T03:14:08Z"),
        Value("year-9999", "9999-12-31T23:59:59Z"),
        Value("year-1", "0001-01-01T00:00:00Z", _YEARS),
        Value("year-0", "0000-01-01T00:00:00Z", _YEARS),
        # West of Greenwich the instant lies after the last year that many clocks can hold.
        Value("year-9999-west", "9999-12-31T23:59:59-12:00", _YEARS),
        Value("lower-case-t", "2026-01-01t00:00:00Z", _RFC3339_CASE),
        Value("lower-case-z", "2026-01-01T00:00:00z", _RFC3339_CASE),
    ),
    wrong=(
        Value("4-fraction-digits", "2026-01-01T00:00:00.1234Z"),
        Value("9-fraction-digits", "2026-01-01T00:00:00.123456789Z"),
        Value("40-fraction-digits", "2026-01-01T00:00:00." + "1" * 40 + "Z"),
    ),
    fault=Fault.DATE_TIME,
)
IDENTIFIER = Primitive(
    "identifierString",
    "Part 2 section 2.1.4: letters, digits and * - _ = : + | @ .",
    _pattern(r"[A-Za-z0-9*\-_=:+|@.]*", "has a character that an identifierString may not have"),
    "LAB1",
    edges=(Value("punctuation", "*-_=:"), Value("punctuation-2", "+|@.")),
    wrong=(
        Value("space", "LAB 1"),
        Value("not-ascii", "LÄB1"),
        Value("astral", "LAB\U0001f50c"),
        Value("newline", "LAB1\n"),
        Value("nul", "LAB\x00"),
        Value("quote", "LAB'\""),
        Value("slash", "../LAB", "printed copies of the character list differ"),
        Value("hash", "LAB#1", "printed copies of the character list differ"),
    ),
    fault=Fault.IDENTIFIER,
    fill=lambda n: "A" * n,
)
COUNTER = Primitive(
    "counter",
    "meaning: a number of things, seconds or messages is not negative",
    _at_least(0),
    1,
    wrong=(Value("-1", -1), Value("-2**31", INT32_MIN)),
    doubt=_MEANING,
)
EVSE_ID = Primitive(
    "evseId",
    "Part 2 section 7 (numbering of EVSEs): 0 is the Charging Station, EVSEs count from 1",
    _at_least(0),
    1,
    wrong=(Value("-1", -1), Value("-2**31", INT32_MIN)),
    doubt=_MEANING,
)
REAL_ID = Primitive(
    "connectorId",
    "Part 2 section 7 (numbering of EVSEs and connectors): connectors and their EVSEs count from 1",
    _at_least(1),
    1,
    wrong=(Value("0", 0), Value("-1", -1), Value("-2**31", INT32_MIN)),
    doubt=_MEANING,
)
CERTIFICATE = Primitive(
    "pem-certificate",
    "field text: PEM encoded X.509, in a chain the leaf first",
    _pem("CERTIFICATE"),
    EXPIRED_CERTIFICATE,
    edges=(
        Value("crlf", EXPIRED_CERTIFICATE.replace("\n", "\r\n"), "RFC 7468 leaves line ends open"),
        Value("no-newline-at-end", EXPIRED_CERTIFICATE.rstrip("\n")),
    ),
    wrong=(
        Value("text", "no certificate"),
        Value("no-end", EXPIRED_CERTIFICATE.partition("-----END")[0]),
        Value("base64-without-pem", "".join(EXPIRED_CERTIFICATE.splitlines()[1:-1])),
        Value("a-request-instead", LAB_CSR),
    ),
    fill=_padded(EXPIRED_CERTIFICATE),
)
CSR = Primitive(
    "pem-request",
    "A02.FR.02: a PKCS#10 request, PEM encoded",
    _pem("CERTIFICATE REQUEST"),
    LAB_CSR,
    wrong=(
        Value("text", "no request"),
        Value("no-end", LAB_CSR.partition("-----END")[0]),
        Value("base64-without-pem", "".join(LAB_CSR.splitlines()[1:-1])),
        Value("a-certificate-instead", EXPIRED_CERTIFICATE),
    ),
    fill=_padded(LAB_CSR),
)
BASE64 = Primitive(
    "base64",
    "field text: base64 encoded",
    _base64,
    "TEFC",
    wrong=(Value("not-base64", "%%%%"), Value("half-a-group", "A")),
    doubt="the field's text asks for base64, no type does",
    fill=lambda n: "A" * n if n % 4 == 0 else None,
)
URL = Primitive(
    "URL",
    "field text: a URI of RFC 3986",
    _pattern(r"[A-Za-z][A-Za-z0-9+.\-]*://[!-~]+", "is not a URL"),
    "https://lab.invalid/file",
    wrong=(Value("text", "no url"), Value("no-host", "https://"), Value("space", "https://a b/")),
    doubt="the field's text asks for a URI, no type does",
    fill=lambda n: "https://lab.invalid/".ljust(n, "a") if n >= 21 else None,
)
LANGUAGE = Primitive(
    "language",
    "C01.FR.10: a language tag of RFC 5646",
    _pattern(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", "is not a language tag of RFC 5646"),
    "en",
    edges=(Value("with-region", "en-GB"), Value("with-script", "zh-Hant")),
    wrong=(Value("underscore", "en_GB"), Value("digits", "42")),
    doubt="the tag's grammar is in RFC 5646, no type asks for it",
)

# --- who has which ----------------------------------------------------------------------------------------

_BY_FIELD: Mapping[str, tuple[Primitive, ...]] = {
    # Digest of the field tables: a key that begins with a dot stands for any type.
    **dict.fromkeys(
        [
            "ComponentType.name",
            "ComponentType.instance",
            "VariableType.name",
            "VariableType.instance",
            "IdTokenType.idToken",
            "AdditionalInfoType.additionalIdToken",
            ".transactionId",
            "CertificateHashDataType.issuerNameHash",
            "CertificateHashDataType.serialNumber",
            "ModemType.iccid",
            "ModemType.imsi",
            "APNType.preferredNetwork",
            ".checksum",
        ],
        (IDENTIFIER,),
    ),
    **dict.fromkeys(
        [
            "AuthorizeRequest.certificate",
            "CertificateSignedRequest.certificateChain",
            "InstallCertificateRequest.certificate",
            "FirmwareType.signingCertificate",
        ],
        (CERTIFICATE,),
    ),
    "SignCertificateRequest.csr": (CSR,),
    **dict.fromkeys(
        [
            "FirmwareType.signature",
            ".exiRequest",
            ".exiResponse",
            ".ocspResult",
            "SignedMeterValueType.signedMeterData",
            "SignedMeterValueType.publicKey",
        ],
        (BASE64,),
    ),
    **dict.fromkeys(
        [
            "NetworkConnectionProfileType.ocppCsmsUrl",
            "FirmwareType.location",
            "LogParametersType.remoteLocation",
            "PublishFirmwareRequest.location",
            "PublishFirmwareStatusNotificationRequest.location",
            "OCSPRequestDataType.responderURL",
        ],
        (URL,),
    ),
    **dict.fromkeys([".language", ".language1", ".language2"], (LANGUAGE,)),
    **dict.fromkeys(
        [
            "StatusNotificationRequest.evseId",
            "StatusNotificationRequest.connectorId",
            "UnlockConnectorRequest.evseId",
            "UnlockConnectorRequest.connectorId",
            "EVSEType.connectorId",
            "IdTokenInfoType.evseId",
        ],
        (REAL_ID,),
    ),
    **dict.fromkeys(["EVSEType.id", ".evseId"], (EVSE_ID,)),
    **dict.fromkeys(
        [
            ".seqNo",
            ".requestId",
            ".interval",
            ".retries",
            ".retryInterval",
            ".duration",
            ".startPeriod",
            ".stackLevel",
            ".timeSpentCharging",
            ".maxScheduleTuples",
            ".messageTimeout",
            ".configurationSlot",
            ".securityProfile",
            ".severity",
            ".eventId",
            ".numberOfPhasesUsed",
            ".cableMaxCurrent",
        ],
        (COUNTER,),
    ),
}


def goes_to_station(action: str, kind: Kind, version: Version | None = None) -> bool:
    """True for a request that a CSMS sends and for a response that a CSMS gives; both ways counts as yes."""
    sender = (version or version_named()).actions[action]
    return sender is not (Sender.STATION if kind is Kind.REQUEST else Sender.CSMS)


def primitives_of(node: Node, *, to_station: bool) -> tuple[Primitive, ...]:
    """The primitive types that a leaf's values must be of, besides what its schema says."""
    match node:
        case IntegerNode():
            return (INTEGER, *_named(node.field))
        case NumberNode():
            return (DECIMAL,) if to_station else ()
        case StringNode(date_time=True):
            return (DATE_TIME,)
        case StringNode(enum=()):
            return _named(node.field)
        case _:
            return ()


def _named(field: str) -> tuple[Primitive, ...]:
    found = _BY_FIELD.get(field)
    return found if found is not None else _BY_FIELD.get("." + field.partition(".")[2], ())


# --- a whole payload --------------------------------------------------------------------------------------


def primitive_faults(
    action: str, kind: Kind, payload: JsonValue, version: Version | None = None
) -> list[tuple[str, str, str]]:
    """What a payload breaks of the primitive types: (JSON pointer, name of the primitive, text).

    Never raises on a payload of the wrong shape, and the texts never repeat it.

    Raises:
        KeyError: for an action that the version does not have.
    """
    schema = message_schema(action, kind, version)
    to_station = goes_to_station(action, kind, version)
    return [
        (pointer_of(path), primitive.name, text)
        for path, node, value in _leaves(schema.root, payload, ())
        for primitive in primitives_of(node, to_station=to_station)
        if (text := primitive.broken(value))
    ]


def _leaves(node: Node, value: JsonValue, path: Path) -> Iterator[tuple[Path, Node, JsonValue]]:
    # As deep as the schema, however deep the payload is.
    match node:
        case ObjectNode():
            if isinstance(value, dict):
                for m in node.members:
                    if m.name in value:
                        yield from _leaves(m.node, value[m.name], (*path, m.name))
        case ArrayNode():
            if isinstance(value, list):
                for i, element in enumerate(value):
                    yield from _leaves(node.item, element, (*path, i))
        case _:
            yield path, node, value
