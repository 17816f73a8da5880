"""Certificates and the version of the local list, before and after what was answered."""

from collections.abc import Iterable

import pytest

from fuzz.ocppj.history import Deed, Happening
from fuzz.oracles.keeping import NOT_KEPT, OTHER, REFUSED, UNKNOWN, Certificates, LocalList
from strategies.labels import JsonObject, JsonValue

ROOTS = ["MORootCertificate"]

Exchange = tuple[Happening, Happening | None]


def exchange(action: str, payload: JsonValue, answer: JsonValue) -> Exchange:
    """A CALL and its answer: a payload, an error code, or None for silence."""
    call = Happening(0.0, Deed.ASKED, action=action, payload=payload)
    if answer is None:
        return call, None
    code = answer if isinstance(answer, str) else ""
    return call, Happening(0.0, Deed.TOLD, payload=None if code else answer, error_code=code)


def symptoms(keeper: Certificates | LocalList, exchanges: Iterable[Exchange]) -> list[str]:
    return [m.symptom for call, answer in exchanges for m in keeper.take(call, answer)]


# --- certificates ------------------------------------------------------------------------------------------


def hashed(serial: str) -> JsonObject:
    return {
        "hashAlgorithm": "SHA256",
        "issuerNameHash": "aa",
        "issuerKeyHash": "bb",
        "serialNumber": serial,
    }


def listed(*serials: str, types: JsonValue = None) -> Exchange:
    chains = [{"certificateHashData": hashed(s)} for s in serials]
    answer: JsonObject = {"status": "Accepted", "certificateHashDataChain": [*chains]}
    asked: JsonObject = {} if types is None else {"certificateType": types}
    return exchange(
        "GetInstalledCertificateIds", asked, answer if serials else {"status": "NotFound"}
    )


def deleted(serial: str, status: str | None = "Accepted") -> Exchange:
    answer: JsonValue = None if status is None else {"status": status}
    return exchange("DeleteCertificate", {"certificateHashData": hashed(serial)}, answer)


def installed(answer: JsonValue) -> Exchange:
    return exchange("InstallCertificate", {"certificate": "x"}, answer)


@pytest.mark.parametrize(
    ("exchanges", "told"),
    [
        ([listed("1", "2"), deleted("1"), listed("2")], []),
        ([listed("1"), deleted("1"), listed()], []),
        ([listed("1", "2"), deleted("1"), listed("1", "2")], [NOT_KEPT]),
        ([listed("1", "2"), deleted("7"), listed("2")], [OTHER]),
        ([listed("1", "2"), deleted("7", "NotFound"), listed("2")], [REFUSED]),
        ([listed("1"), deleted("1", "Failed"), listed("1")], []),
        ([listed("1"), deleted("1", None), listed()], []),
        ([listed("1"), installed({"status": "Rejected"}), listed("1", "2")], [REFUSED]),
        ([listed("1"), installed("FormatViolation"), listed("1", "2")], [REFUSED]),
        ([listed("1"), installed({"status": "Accepted"}), listed("2")], []),
        ([listed("1"), installed({"status": "Rejected"}), listed("1")], []),
        ([listed("1"), listed("2")], []),
        ([listed("a"), deleted("A"), listed()], []),
        ([listed("0a"), deleted("A"), listed()], []),
        ([listed("1", types=ROOTS), deleted("1", "NotFound")], [UNKNOWN]),
        ([listed("1", types=ROOTS), deleted("2", "NotFound")], []),
        ([listed("1", types=ROOTS), deleted("1", "Failed")], []),
        ([listed("1", types=ROOTS), deleted("1"), deleted("1", "NotFound")], []),
        ([listed("1", types=["V2GCertificateChain"]), deleted("1", "NotFound")], []),
        ([listed("1"), deleted("1", "NotFound")], []),
    ],
)
def test_certificates_stay_unless_their_deletion_was_accepted(
    exchanges: list[Exchange], told: list[str]
) -> None:
    assert symptoms(Certificates(), exchanges) == told


def test_lists_of_other_types_are_not_compared() -> None:
    one = [listed("1", types=["V2GRootCertificate"]), deleted("7", "NotFound"), listed("2")]
    assert symptoms(Certificates(), one) == []


def test_after_anything_else_the_earlier_list_counts_no_more() -> None:
    other = exchange("CertificateSigned", {}, {"status": "Accepted"})
    exchanges = [listed("1"), deleted("7", "NotFound"), other, listed("2")]
    assert symptoms(Certificates(), exchanges) == []


# --- the local list ----------------------------------------------------------------------------------------


def sent(version: int, status: JsonValue, *, tokens: bool = True) -> Exchange:
    entries: list[JsonValue] = [{"idToken": {"idToken": "a", "type": "Central"}}] if tokens else []
    asked: JsonObject = {"versionNumber": version, "localAuthorizationList": entries}
    return exchange("SendLocalList", asked, status)


def version(number: JsonValue) -> Exchange:
    return exchange("GetLocalListVersion", {}, {"versionNumber": number})


TAKEN: JsonObject = {"status": "Accepted"}
FAILED: JsonObject = {"status": "Failed"}


@pytest.mark.parametrize(
    ("exchanges", "told"),
    [
        ([version(1), sent(2, TAKEN), version(2)], []),
        ([version(1), sent(2, TAKEN), version(1)], [NOT_KEPT]),
        ([version(1), sent(2, FAILED), version(2)], [REFUSED]),
        ([version(1), sent(2, "FormatViolation"), version(2)], [REFUSED]),
        ([version(1), sent(2, FAILED), version(1)], []),
        ([version(1), sent(2, None), version(2)], []),
        ([version(1), sent(2, TAKEN, tokens=False), version(0)], []),
        ([version(1), version(2)], []),
        ([version(1), sent(2, FAILED), version("2")], []),
        ([version(1), exchange("SetVariables", {}, {}), sent(2, FAILED), version(0)], []),
    ],
)
def test_the_version_is_that_of_the_last_list_that_was_accepted(
    exchanges: list[Exchange], told: list[str]
) -> None:
    assert symptoms(LocalList(), exchanges) == told
