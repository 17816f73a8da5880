"""Certificates: what is installed, signed, listed and deleted, with every bad kind, and PEM that is not quite PEM.

What could stay at a target that takes it is worth nothing: its keys were thrown away.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

import papers
from recipe import ACCEPT, MAY_REFUSE, Fault, Recipe, call, payload, scene, table

from fuzz.records import Case
from fuzz.station.x509 import hash_data, load_chain
from strategies.labels import Expectation, JsonObject, Stance, Tier
from strategies.moves import Answer, Ask, Await, Move, Pause
from strategies.primitives import EXPIRED_CERTIFICATE, LAB_CSR
from strategies.sequences import GLANCE_S, Place, tell_status, trigger

REFUSE = Expectation(Stance.REJECT, Tier.MODEL, Fault.CERTIFICATE)
OPEN = Expectation(Stance.UNSPECIFIED, Tier.MODEL, Fault.CERTIFICATE)

# --- one certificate at a time ------------------------------------------------------------------------------


def _install(pem: str, use: str = "Manufacturer") -> JsonObject:
    return {"certificateType": f"{use}RootCertificate", "certificate": pem}


def _signed(chain: str, kind: str = "ChargingStationCertificate") -> JsonObject:
    return {"certificateChain": chain, "certificateType": kind}


def _root(what: str) -> Case:
    """InstallCertificate of one of the papers: `USE NAME`."""
    use, name = what.split()
    asked = _install(getattr(papers, name), use)
    known = use in ("CSMS", "Manufacturer")
    expectation = REFUSE if known and name not in JUDGED_DIFFERENTLY else OPEN
    at = f"/certificate certificate:{name.lower().replace('_', '-')}"
    return call("InstallCertificate", asked, _install(EXPIRED_CERTIFICATE, use), expectation, at)


JUDGED_DIFFERENTLY = frozenset({"SERIAL_ZERO", "SERIAL_NEGATIVE", "SERIAL_LONG", "NO_CERT_SIGN"})
"""What RFC 5280 forbids those who sign, and lets those who read it take."""

ROOTS = """
= M05.FR.07: what is no valid root is Rejected
root-not-yet-valid | CSMS NOT_YET | A root that begins in 2080. | only the end of the validity is looked at
root-ends-before-it-begins | CSMS ENDS_BEFORE_IT_BEGINS | A root that ends before it begins. | the length of the validity is negative, and is compared as unsigned
root-that-is-no-ca | CSMS NO_CA | A certificate that says it is no CA. | any certificate is taken for a root on a lower security profile
root-without-constraints | CSMS NO_CONSTRAINTS | A certificate without basicConstraints. | what is absent is taken for true
root-that-may-not-sign | CSMS NO_CERT_SIGN | A root whose keyUsage forbids to sign. | a root is trusted for all uses, whatever it says itself
root-with-a-broken-signature | CSMS BROKEN_SIGNATURE | A root with a wrong bit in its signature. | who signed itself is not checked, for who else would have
root-with-unknown-rules | CSMS UNKNOWN_CRITICAL | A root with a critical extension that nobody knows. | extensions are passed over, critical or not
root-signed-by-another | CSMS SUB_CA | A CA that another one signed. | what did not sign itself ends the security module
root-of-1024-bits | CSMS RSA_1024 | A root with an RSA key of 1024 bits. | length is checked of one's own keys alone
root-of-512-bits | Manufacturer RSA_512 | A root with an RSA key of 512 bits. | the library refuses by an exception of another kind
root-on-a-short-curve | CSMS EC_P192 | A root on a curve of 192 bits. | a curve that the library lacks is an error that is not caught
root-signed-with-sha-1 | CSMS SHA1 | A root signed with SHA-1. | the hash of a root is never looked at
root-signed-with-md5 | Manufacturer MD5 | A root signed with MD5. | the library knows no such hash, and throws
root-of-a-station | CSMS STATION | The certificate of a station for a root. | a leaf becomes an anchor of trust
root-with-serial-0 | CSMS SERIAL_ZERO | A root whose serial number is 0. | 0 is written as no digits, and cannot be deleted by them
root-with-a-negative-serial | CSMS SERIAL_NEGATIVE | A root whose serial number is -1. | a sign goes into hexadecimal
root-with-a-long-serial | CSMS SERIAL_LONG | A root whose serial number has thirty bytes. | the number is longer than the field that tells it
root-whose-name-is-a-format | CSMS NAME_WITH_FORMATS | An expired root with a name that loggers and shells read. | names go into log lines and command lines
root-with-a-nul-in-its-name | CSMS NAME_WITH_NUL | An expired root whose name goes on behind a NUL. | the name ends at the NUL (CVE-2009-2408)
root-without-a-name | CSMS NAME_EMPTY | An expired root whose subject is empty. | the first attribute of a name is read where there is none
root-with-a-long-name | CSMS NAME_LONG | An expired root with a name of 1000 characters. | the name is copied into 64 bytes
root-with-many-names | CSMS PADDED | An expired root with twelve long names. | the list of names has a fixed size
= M05: a use that the station does not have is refused by a status
v2g-root-of-a-station | V2G STATION | A station's certificate for a V2G root. | the use decides whether anything is checked
mo-root-with-a-broken-signature | MO BROKEN_SIGNATURE | A broken root for contracts. | a use that is not supported throws, and no answer comes
"""

# --- PEM that is not quite PEM -------------------------------------------------------------------------------

_DER = base64.b64decode("".join(papers.STATION_EXPIRED.splitlines()[1:-1]))
_LINES = EXPIRED_CERTIFICATE.splitlines()


def _pem(der: bytes, label: str = "CERTIFICATE") -> str:
    text = base64.b64encode(der).decode()
    rows = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join((f"-----BEGIN {label}-----", *rows, f"-----END {label}-----", ""))


TEXTS: Mapping[str, str] = {
    "empty": "",
    "begin-alone": "-----BEGIN CERTIFICATE-----",
    "no-body": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "four-letters": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "end-first": "\n".join((_LINES[-1], *_LINES[1:-1], _LINES[0])),
    "labels-differ": EXPIRED_CERTIFICATE.replace("END CERTIFICATE", "END X509 CRL"),
    "label-of-a-key": EXPIRED_CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY"),
    "label-in-small-letters": EXPIRED_CERTIFICATE.replace("CERTIFICATE", "certificate"),
    "label-trusted": EXPIRED_CERTIFICATE.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
    "four-dashes": EXPIRED_CERTIFICATE.replace("-----", "----"),
    "one-line": "".join(EXPIRED_CERTIFICATE.splitlines()),
    "escaped-line-ends": EXPIRED_CERTIFICATE.replace("\n", "\\n"),
    "nul-in-the-body": EXPIRED_CERTIFICATE.replace("\n", "\n\0", 2),
    "url-alphabet": EXPIRED_CERTIFICATE.replace("+", "-").replace("/", "_"),
    "no-padding": EXPIRED_CERTIFICATE.replace("==", ""),
    "headers": EXPIRED_CERTIFICATE.replace(
        "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,00\n\n", 1
    ),
    "text-around": f"subject=lab\n{EXPIRED_CERTIFICATE}trailing text\n",
    "twice": EXPIRED_CERTIFICATE * 2,
    "key-behind": EXPIRED_CERTIFICATE + _pem(b"\x30\x00", "PRIVATE KEY"),
    "request": LAB_CSR,
    "der-cut": _pem(_DER[:-20]),
    "der-with-more-behind": _pem(_DER + bytes(8)),
    "der-length-endless": _pem(b"\x30\x84\xff\xff\xff\xff" + _DER[4:60]),
    "der-length-indefinite": _pem(b"\x30\x80" + _DER[4:] + b"\0\0"),
    "der-deep": _pem(b"\x30\x82\x03\xe8" * 250),
    "der-of-zeros": _pem(bytes(300)),
    "longest": "A" * 5500,
}

PEMS = """
= M05.FR.07: what is no certificate in PEM is Rejected, or refused as malformed
pem-empty | empty | Text of no characters for a certificate. | the empty text goes to the parser, which gives null
pem-begin-alone | begin-alone | The first line of PEM and nothing behind. | the end is searched for past the end of the text
pem-without-a-body | no-body | PEM around nothing. | a certificate of no bytes
pem-of-four-letters | four-letters | PEM around three bytes of zero. | the parser gives null, and null has a subject
pem-end-first | end-first | PEM with its last line first. | the length between the two lines is negative
pem-whose-labels-differ | labels-differ | PEM that begins as a certificate and ends as a list. | only the first line is read
pem-label-of-a-key | label-of-a-key | A certificate labelled as a private key. | the label decides where the bytes are stored
pem-label-in-small-letters | label-in-small-letters | A certificate whose label is in small letters. | two readers disagree about the label
pem-label-trusted | label-trusted | A certificate with a label of one library's own. | the library reads more than PEM, and trusts it more
pem-with-four-dashes | four-dashes | PEM with a dash too few. | what is not found is not there: the whole text is the body
pem-on-one-line | one-line | PEM without line ends. | a valid certificate that came through a form is refused by an exception
pem-with-escaped-line-ends | escaped-line-ends | PEM whose line ends are escaped twice. | the backslash is part of the body
pem-with-nul | nul-in-the-body | PEM with a NUL in it. | the text ends at the NUL, and what was checked is not what is stored
pem-in-the-other-alphabet | url-alphabet | PEM in the alphabet of URLs. | hyphen and underscore are left out
pem-without-padding | no-padding | PEM without padding. | the last bytes are not written
pem-with-headers | headers | PEM that says it is encrypted. | the library asks for a passphrase at the terminal, and waits
pem-with-text-around | text-around | PEM with text before and behind. | the text around is stored with it, and read at the next start
pem-twice | twice | One certificate twice. | the first is checked, the last is stored
pem-with-a-key-behind | key-behind | A certificate and a private key. | a key of somebody else takes the place of the own one
pem-of-a-request | request | A request for a certificate. | the kinds of PEM are told apart behind the parser
der-cut | der-cut | A certificate without its last bytes. | the length is believed
der-with-more-behind | der-with-more-behind | A certificate with bytes behind it. | the hash is made of all, the signature of a part
der-of-endless-length | der-length-endless | A certificate that says it has 4 gigabytes. | the buffer is allocated before it is compared
der-of-indefinite-length | der-length-indefinite | A certificate without a length. | what is no DER is read as BER, to another end
der-deep | der-deep | Sequences in sequences. | the parser calls itself
der-of-zeros | der-of-zeros | Three hundred zeros. | a tag of zero ends the list of what is read
pem-longest | longest | The longest text that may be. | what is long is stored before it is read
"""


def _text(name: str) -> Case:
    asked = _install(TEXTS[name], "CSMS")
    at = f"/certificate pem:{name}"
    return call("InstallCertificate", asked, _install(EXPIRED_CERTIFICATE, "CSMS"), REFUSE, at)


# --- certificates of the station ----------------------------------------------------------------------------

CHAINS: Mapping[str, JsonObject] = {
    "nobody-asked": _signed(papers.STATION),
    "expired": _signed(papers.STATION_EXPIRED),
    "a-root": _signed(papers.GOOD),
    "leaf-last": _signed(papers.GOOD + papers.STATION),
    "ten-times": _signed(papers.STATION * 10),
    "longest": _signed(papers.STATION * 15),
    "four-letters": _signed(TEXTS["four-letters"]),
    "a-request": _signed(LAB_CSR),
    "key-behind": _signed(TEXTS["key-behind"]),
    "for-v2g": _signed(papers.STATION, "V2GCertificate"),
    "without-a-kind": {"certificateChain": papers.STATION},
    "empty": _signed(""),
}

SIGNED = """
= A02.FR.07, A03.FR.07: a certificate that does not fit is Rejected, and the old one stays
signed-that-nobody-asked-for | nobody-asked | A certificate for a key that the station does not have. | it is taken without a look at the key, and locks the station out
signed-expired | expired | A certificate of a station that has expired. | validity is left to the next handshake
signed-a-root | a-root | A root in the place of the station's certificate. | a CA becomes a station
signed-leaf-last | leaf-last | A chain whose leaf comes last. | the first certificate is checked, the last one used
signed-ten-times | ten-times | One certificate ten times. | each one is stored in a slot of its own
signed-longer-than-the-station-takes | longest | A chain of nearly 10000 characters. | the length is compared with the schema's limit only
signed-of-four-letters | four-letters | A chain of PEM around three bytes of zero. | the old certificate is gone before the new one is read
signed-a-request | a-request | The request comes back in place of the certificate. | whatever follows a request is its answer
signed-with-a-key-behind | key-behind | A certificate with somebody's private key. | the key comes from the network
signed-for-v2g | for-v2g | A certificate for a use that the station does not have. | the kind is not looked at, and the certificate is the station's
signed-without-a-kind | without-a-kind | A certificate without its kind. | an optional that is absent is read
signed-empty | empty | A chain of no characters. | an empty chain deletes the one there is
"""


def _chain(name: str) -> Case:
    control = _signed(EXPIRED_CERTIFICATE)
    at = f"/certificateChain certificate:{name}"
    return call("CertificateSigned", CHAINS[name], control, REFUSE, at)


FIRMWARE = """
= L01.FR.02: firmware under a bad certificate is refused, and none is fetched
firmware-under-four-letters | four-letters | A signing certificate that is none. | what fails to load counts as no certificate, and nothing is verified
firmware-under-a-request | request | A signing certificate that is a request. | the wrong kind of PEM throws in the task that downloads
firmware-under-nothing | empty | A signing certificate of no characters. | empty means that no signature is needed
"""


def _firmware(name: str) -> Case:
    def asked(pem: str) -> JsonObject:
        location = "https://lab.invalid/firmware.bin"
        when = "2099-01-01T00:00:00Z"
        firmware: JsonObject = {
            "location": location,
            "retrieveDateTime": when,
            "signingCertificate": pem,
            "signature": "bGFi",
        }
        return {"requestId": 31, "firmware": firmware}

    at = f"/firmware/signingCertificate pem:{name}"
    return call("UpdateFirmware", asked(TEXTS[name]), asked(EXPIRED_CERTIFICATE), REFUSE, at)


# --- deleting and listing -----------------------------------------------------------------------------------

(_GOOD,) = load_chain(papers.GOOD)
_NAMED = hash_data(_GOOD, _GOOD, "SHA256")


def _delete(**other: str) -> JsonObject:
    return {"certificateHashData": {**_NAMED, **other}}


DELETIONS: Mapping[str, JsonObject] = {
    "not-there": _delete(),
    "serial-0": _delete(serialNumber="0"),
    "serial-negative": _delete(serialNumber="-1"),
    "serial-with-0x": _delete(serialNumber=f"0x{_NAMED['serialNumber']}"),
    "serial-empty": _delete(serialNumber=""),
    "serial-longest": _delete(serialNumber="f" * 40),
    "hash-in-capitals": _delete(issuerNameHash=str(_NAMED["issuerNameHash"]).upper()),
    "hash-short": _delete(issuerKeyHash="00"),
    "hash-empty": _delete(issuerNameHash="", issuerKeyHash=""),
    "hash-of-another-length": _delete(hashAlgorithm="SHA512"),
    "hash-no-hexadecimal": _delete(issuerKeyHash="z" * 64),
}

DELETED = """
= M04.FR.03, M04.FR.04: what is not there is NotFound
delete-what-is-not-there | not-there | A root that was never installed is deleted. | what is not found is removed all the same
delete-serial-0 | serial-0 | The serial number 0. | 0 fits whatever could not be read
delete-a-negative-serial | serial-negative | The serial number -1. | the conversion of a sign throws
delete-a-serial-with-0x | serial-with-0x | A serial number with 0x before it. | the text is read as a number in one place, and compared as text in the next
delete-an-empty-serial | serial-empty | An empty serial number. | the empty text is the beginning of every other
delete-the-longest-serial | serial-longest | The longest serial number that may be. | twenty bytes go into eight
delete-by-a-hash-in-capitals | hash-in-capitals | A hash in capital letters. | case decides whether a certificate can be deleted
delete-by-a-short-hash | hash-short | A hash of two digits. | as many digits are compared as are given
delete-by-no-hash | hash-empty | Two empty hashes. | an empty hash stands for any
delete-by-a-hash-of-another-kind | hash-of-another-length | A hash of 64 digits, said to be of 128. | the length is read off the algorithm, past the end of the text
delete-by-letters | hash-no-hexadecimal | A hash that is no number. | the decoder throws
"""


def _deleted(name: str) -> Case:
    at = f"/certificateHashData certificate:{name}"
    control = _delete(serialNumber="1")
    return call(
        "DeleteCertificate",
        DELETIONS[name],
        control,
        ACCEPT if name == "not-there" else MAY_REFUSE,
        at,
    )


# --- conversations ------------------------------------------------------------------------------------------

_LIST = Ask("GetInstalledCertificateIds", {"certificateType": ["ManufacturerRootCertificate"]})
_PUT = Ask("InstallCertificate", _install(papers.GOOD))
_TAKE = Ask("DeleteCertificate", _delete())
_SIGN = trigger("SignChargingStationCertificate")
_ASKED = Await("SignCertificate")
_ACCEPTED = Answer("SignCertificate", {"status": "Accepted"})
HERE = Place()


def _came_back(chain: str) -> tuple[Move, ...]:
    """A certificate is asked for, and this comes back."""
    return (_ACCEPTED, _SIGN, _ASKED, Ask("CertificateSigned", _signed(chain)), *tell_status(HERE))


SCENES: Mapping[str, tuple[Move, ...]] = {
    "root-comes-and-goes": (_PUT, _LIST, _TAKE, _LIST),
    "root-comes-twice": (_PUT, _PUT, _LIST, _TAKE, _LIST, _TAKE, _LIST),
    "root-deleted-by-another-issuer": (
        _PUT,
        _LIST,
        Ask("DeleteCertificate", _delete(issuerNameHash="0" * 64, issuerKeyHash="0" * 64)),
        _LIST,
        _TAKE,
    ),
    "root-behind-a-bad-one": (
        _LIST,
        Ask("InstallCertificate", _install(papers.BROKEN_SIGNATURE)),
        _LIST,
        _PUT,
        _LIST,
        Ask("InstallCertificate", _install(papers.NOT_YET)),
        _LIST,
        _TAKE,
    ),
    "request-answered-by-a-strangers-certificate": _came_back(papers.STATION),
    "request-answered-by-an-expired-one": _came_back(papers.STATION_EXPIRED),
    "request-answered-by-a-root": _came_back(papers.GOOD),
    "request-refused-and-answered": (
        Answer("SignCertificate", {"status": "Rejected"}),
        _SIGN,
        _ASKED,
        Ask("CertificateSigned", _signed(papers.STATION)),
        *tell_status(HERE),
    ),
    "request-refused-and-asked-again": (
        Answer("SignCertificate", {"status": "Rejected"}),
        _SIGN,
        _ASKED,
        _SIGN,
        _ASKED,
    ),
    "requests-cross": (
        _ACCEPTED,
        _ACCEPTED,
        _SIGN,
        _SIGN,
        _ASKED,
        Pause(GLANCE_S),
        *tell_status(HERE),
    ),
}

STORIES = """
= M03, M04, M05: what is installed is listed, and what is deleted is not
root-comes-and-goes | . | A root is installed, listed, deleted and not listed. | the list is a copy that is made at the start
root-comes-twice | . | A root is installed twice, and deleted twice. | it is listed twice, or the second deletion is an error
root-deleted-by-another-issuer | . | A root is deleted by its serial number and another issuer. | the serial number decides, and issuers are not compared
root-behind-a-bad-one | . | A root between two that are refused. | the store stays locked behind a refusal, or what was refused is listed
= A02: a request, and what comes back
request-answered-by-a-strangers-certificate | . | The certificate of another station comes back. | the certificate's key is not compared with the request's
request-answered-by-an-expired-one | . | An expired certificate comes back. | the station takes it, and is locked out at the next handshake
request-answered-by-a-root | . | A root comes back. | the first certificate that can be read is the station's
request-refused-and-answered | . | A request is refused, and a certificate comes all the same. | a refusal leaves the request open
request-refused-and-asked-again | . | A request is refused, and another one triggered. | the refusal is remembered as a request that is open
requests-cross | . | Two certificates are asked for at once. | the second key takes the place of the first, for which the certificate comes
"""


def _story(name: str) -> Case:
    return scene(name, SCENES[name])


SHAPES = """
= Part 4 section 4.3; the schemas of M and A
install-without-a-certificate | InstallCertificate.req/certificate#required:missing | A root is installed without one. | an optional is read without a look
install-for-an-unknown-use | InstallCertificate.req/certificateType#enum:unknown | A root for a use that does not exist. | the conversion of the use throws, and no answer comes
install-a-list | InstallCertificate.req/certificate#type:array | A list of certificates. | items are joined to one text
install-one-character-too-long | InstallCertificate.req/certificate#maxLength:one-more | A certificate that is one character too long. | the limit of another version is compared
signed-one-character-too-long | CertificateSigned.req/certificateChain#maxLength:one-more | A chain that is one character too long. | text is stored in a field that is one shorter
signed-for-an-unknown-kind | CertificateSigned.req/certificateType#enum:unknown | A certificate of a kind that does not exist. | an unknown kind is the first one
delete-without-a-serial | DeleteCertificate.req/certificateHashData/serialNumber#required:missing | A root is deleted without its serial number. | what is missing is not compared
delete-by-an-unknown-algorithm | DeleteCertificate.req/certificateHashData/hashAlgorithm#enum:unknown | A hash of an algorithm that does not exist. | the algorithm is looked up in a library, by its name
list-of-no-use | GetInstalledCertificateIds.req/certificateType#minItems:empty | The roots of no use. | an empty list means all, or throws
list-of-many-uses | GetInstalledCertificateIds.req/certificateType#items:far | The roots of many uses. | each use is listed as often as it is named
"""

CASES: list[Recipe] = [
    *table(_root, ROOTS),
    *table(_text, PEMS),
    *table(_chain, SIGNED),
    *table(_firmware, FIRMWARE),
    *table(_deleted, DELETED),
    *table(_story, STORIES),
    *table(payload, SHAPES),
]
