"""What the other numbers of TLS mean: versions, alerts, groups, signature schemes, extensions.

Names are IANA's. Must not know hellos or sockets; the suites have a table of their own (`suites`).
"""

from __future__ import annotations

from collections.abc import Mapping

VERSIONS: Mapping[int, str] = {
    0x0300: "SSLv3",
    0x0301: "TLSv1",
    0x0302: "TLSv1.1",
    0x0303: "TLSv1.2",
    0x0304: "TLSv1.3",
}

SERVER_NAME = 0
SUPPORTED_GROUPS = 10
POINT_FORMATS = 11
SIGNATURE_SCHEMES = 13
HEARTBEAT = 15
ALPN = 16
EXTENDED_MASTER_SECRET = 23
SESSION_TICKET = 35
PRE_SHARED_KEY = 41
SUPPORTED_VERSIONS = 43
KEY_SHARE = 51
RENEGOTIATION_INFO = 0xFF01

ALERTS: Mapping[int, str] = {
    0: "close_notify",
    1: "end_of_early_data",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    52: "too_many_cids_requested",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    117: "general_error",
    120: "no_application_protocol",
    121: "ech_required",
}

GROUPS: Mapping[int, tuple[str, int]] = {
    1: ("sect163k1", 163),
    2: ("sect163r1", 163),
    3: ("sect163r2", 163),
    4: ("sect193r1", 193),
    5: ("sect193r2", 193),
    6: ("sect233k1", 233),
    7: ("sect233r1", 233),
    8: ("sect239k1", 239),
    9: ("sect283k1", 283),
    10: ("sect283r1", 283),
    11: ("sect409k1", 409),
    12: ("sect409r1", 409),
    13: ("sect571k1", 571),
    14: ("sect571r1", 571),
    15: ("secp160k1", 160),
    16: ("secp160r1", 160),
    17: ("secp160r2", 160),
    18: ("secp192k1", 192),
    19: ("secp192r1", 192),
    20: ("secp224k1", 224),
    21: ("secp224r1", 224),
    22: ("secp256k1", 256),
    23: ("secp256r1", 256),
    24: ("secp384r1", 384),
    25: ("secp521r1", 521),
    26: ("brainpoolP256r1", 256),
    27: ("brainpoolP384r1", 384),
    28: ("brainpoolP512r1", 512),
    29: ("x25519", 255),
    30: ("x448", 448),
    31: ("brainpoolP256r1tls13", 256),
    32: ("brainpoolP384r1tls13", 384),
    33: ("brainpoolP512r1tls13", 512),
    34: ("GC256A", 256),
    35: ("GC256B", 256),
    36: ("GC256C", 256),
    37: ("GC256D", 256),
    38: ("GC512A", 512),
    39: ("GC512B", 512),
    40: ("GC512C", 512),
    41: ("curveSM2", 256),
    256: ("ffdhe2048", 2048),
    257: ("ffdhe3072", 3072),
    258: ("ffdhe4096", 4096),
    259: ("ffdhe6144", 6144),
    260: ("ffdhe8192", 8192),
    512: ("MLKEM512", 512),
    513: ("MLKEM768", 768),
    514: ("MLKEM1024", 1024),
    4587: ("SecP256r1MLKEM768", 256),
    4588: ("X25519MLKEM768", 255),
    4589: ("SecP384r1MLKEM1024", 384),
    0x6399: ("X25519Kyber768Draft00", 255),
}
"""Named groups: the name, and the bits of the field or prime (of the classic half of a hybrid)."""

MIN_CURVE_BITS = 224
"""A00.FR.503: elliptic curves have at least 224 bits."""

_HASHES = {1: "md5", 2: "sha1", 3: "sha224", 4: "sha256", 5: "sha384", 6: "sha512"}
_SIGNATURES = {1: "rsa_pkcs1", 2: "dsa", 3: "ecdsa"}

SCHEMES: Mapping[int, str] = {
    **{h << 8 | s: f"{_SIGNATURES[s]}_{_HASHES[h]}" for h in _HASHES for s in _SIGNATURES},
    0x0403: "ecdsa_secp256r1_sha256",
    0x0503: "ecdsa_secp384r1_sha384",
    0x0603: "ecdsa_secp521r1_sha512",
    0x0708: "sm2sig_sm3",
    0x0804: "rsa_pss_rsae_sha256",
    0x0805: "rsa_pss_rsae_sha384",
    0x0806: "rsa_pss_rsae_sha512",
    0x0807: "ed25519",
    0x0808: "ed448",
    0x0809: "rsa_pss_pss_sha256",
    0x080A: "rsa_pss_pss_sha384",
    0x080B: "rsa_pss_pss_sha512",
    0x081A: "ecdsa_brainpoolP256r1tls13_sha256",
    0x081B: "ecdsa_brainpoolP384r1tls13_sha384",
    0x081C: "ecdsa_brainpoolP512r1tls13_sha512",
    0x0904: "mldsa44",
    0x0905: "mldsa65",
    0x0906: "mldsa87",
}
"""Signature schemes; the pairs of hash and algorithm of TLS 1.2 are among them (RFC 5246 7.4.1.4.1)."""

ECDSA_SCHEMES = (0x0403, 0x0503, 0x0603, 0x0303, 0x0203)
RSA_SCHEMES = (
    0x0804,
    0x0805,
    0x0806,
    0x0809,
    0x080A,
    0x080B,
    0x0401,
    0x0501,
    0x0601,
    0x0301,
    0x0201,
)


def version_name(code: int) -> str:
    """`TLSv1.2` for 0x0303; the number in hexadecimal when it is unknown."""
    return VERSIONS.get(code, f"0x{code:04X}")


def alert_name(number: int) -> str:
    """`unknown_ca` for 48; the number when it is unknown."""
    return ALERTS.get(number, str(number))


def group_name(code: int) -> str:
    """`secp256r1` for 23; the number in hexadecimal when it is unknown."""
    return GROUPS[code][0] if code in GROUPS else f"0x{code:04X}"


def is_weak_group(code: int) -> bool:
    """True for a group that is known to have less than 224 bits (A00.FR.503)."""
    return code in GROUPS and GROUPS[code][1] < MIN_CURVE_BITS


def scheme_name(code: int) -> str:
    """`rsa_pss_rsae_sha256` for 0x0804; the number in hexadecimal when it is unknown."""
    return SCHEMES.get(code, f"0x{code:04X}")


def is_md5_scheme(code: int) -> bool:
    """True when MD5 is what gets signed."""
    return code >> 8 == 1 and code & 0xFF in _SIGNATURES


def is_sha1_scheme(code: int) -> bool:
    """True when SHA-1 is what gets signed (A00.FR.506 wants SHA-256)."""
    return code >> 8 == 2 and code & 0xFF in _SIGNATURES


def is_grease(code: int) -> bool:
    """True for the reserved values that clients send to keep servers tolerant (RFC 8701)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF
