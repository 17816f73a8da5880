"""Roots that were installed and how they are listed, and lists of one type beside the list of all."""

from collections.abc import Iterable

import pytest

from fuzz.ocppj.history import Deed, Happening
from fuzz.oracles.readback import Keeper
from fuzz.oracles.roots import (
    CONTRADICTION,
    NOT_AMONG_ALL,
    NOT_LISTED,
    NOT_THERE,
    OTHER_HASHES,
    OTHER_TYPE,
    Lists,
    Roots,
)
from strategies.labels import JsonObject, JsonValue
from strategies.primitives import LAB_ROOT, LAB_ROOT_HASH

MO, CSMS = "MORootCertificate", "CSMSRootCertificate"
UPPER = {**LAB_ROOT_HASH, "serialNumber": "0C990002"}
SHA512 = {**LAB_ROOT_HASH, "hashAlgorithm": "SHA512", "issuerKeyHash": "aa", "issuerNameHash": "bb"}
OTHER_KEY = {**LAB_ROOT_HASH, "issuerKeyHash": "00ff"}
DECIMAL = {**LAB_ROOT_HASH, "serialNumber": "211353602"}
FOREIGN = {**LAB_ROOT_HASH, "issuerKeyHash": "a", "issuerNameHash": "b", "serialNumber": "c"}

Exchange = tuple[Happening, Happening | None]


def exchange(action: str, payload: JsonValue, answer: JsonValue) -> Exchange:
    call = Happening(0.0, Deed.ASKED, action=action, payload=payload)
    return call, None if answer is None else Happening(0.0, Deed.TOLD, payload=answer)


def installed(status: str | None = "Accepted", use: str = MO, text: str = LAB_ROOT) -> Exchange:
    answer: JsonValue = None if status is None else {"status": status}
    return exchange("InstallCertificate", {"certificateType": use, "certificate": text}, answer)


def deleted(status: str = "Accepted") -> Exchange:
    return exchange("DeleteCertificate", {"certificateHashData": LAB_ROOT_HASH}, {"status": status})


def listed(
    *found: JsonObject, of: Iterable[str] = (), kind: str = MO, status: str = ""
) -> Exchange:
    asked: JsonObject = {"certificateType": [*of]} if of else {}
    answer: JsonObject = {"status": status or ("Accepted" if found else "NotFound")}
    if found:
        chains = [{"certificateType": kind, "certificateHashData": f} for f in found]
        answer["certificateHashDataChain"] = [*chains]
    return exchange("GetInstalledCertificateIds", asked, answer)


def symptoms(keeper: Keeper, *exchanges: Exchange) -> list[str]:
    return [m.symptom for call, answer in exchanges for m in keeper.take(call, answer)]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([], [NOT_LISTED]),
        ([FOREIGN], [NOT_LISTED]),
        ([FOREIGN, OTHER_KEY], [OTHER_HASHES]),
        ([DECIMAL], [OTHER_HASHES]),
        ([FOREIGN, UPPER], []),
        ([SHA512], []),
    ],
)
def test_a_root_that_was_accepted_is_listed_by_its_own_hash_data(
    found: list[JsonObject], told: list[str]
) -> None:
    assert symptoms(Roots(), installed(), listed(*found, of=[MO])) == told
    assert symptoms(Roots(), installed(), listed(*found)) == told


@pytest.mark.parametrize(
    "before",
    [
        [installed("Rejected")],
        [installed(None)],
        [installed(text="another one")],
        [installed(), deleted()],
        [installed(), installed(use=CSMS)],
        [installed(), installed(text="another one")],
        [installed(), exchange("Reset", {"type": "Immediate"}, {"status": "Accepted"})],
    ],
)
def test_a_root_that_may_be_gone_need_not_be_listed(before: list[Exchange]) -> None:
    assert symptoms(Roots(), *before, listed(of=[MO])) == []
    assert symptoms(Roots(), *before, installed(), listed(of=[MO])) == [NOT_LISTED]


def test_a_root_of_another_use_is_not_asked_for() -> None:
    assert symptoms(Roots(), installed(), listed(of=[CSMS])) == []
    assert symptoms(Roots(), installed(), deleted("NotFound"), listed(of=[MO])) == [NOT_LISTED]


@pytest.mark.parametrize(
    ("lists", "told"),
    [
        ([listed(FOREIGN, of=[MO], kind=CSMS)], [OTHER_TYPE]),
        ([listed(FOREIGN, of=[MO, CSMS], kind=CSMS)], []),
        ([listed(FOREIGN, kind=CSMS)], []),
        ([listed(FOREIGN, of=["no type"], kind=CSMS)], []),
        ([listed(FOREIGN, of=[MO], status="NotFound")], [CONTRADICTION]),
        ([listed(of=[MO], status="Accepted")], [CONTRADICTION]),
        ([listed(FOREIGN, of=[MO]), listed(UPPER)], [NOT_AMONG_ALL]),
        ([listed(UPPER), listed(FOREIGN, of=[MO])], [NOT_AMONG_ALL]),
        ([listed(FOREIGN, of=[MO]), listed(UPPER, FOREIGN)], []),
        ([listed(FOREIGN, of=[MO]), installed(), listed(UPPER)], []),
        (
            [listed(FOREIGN, of=["V2GCertificateChain"], kind="V2GCertificateChain"), listed()],
            [],
        ),
    ],
)
def test_a_list_has_what_was_asked_for(lists: list[Exchange], told: list[str]) -> None:
    assert symptoms(Lists(), *lists) == told


def test_a_root_of_ours_that_is_not_among_all_cannot_be_deleted() -> None:
    assert symptoms(Lists(), listed(), deleted()) == [NOT_THERE]
    assert symptoms(Lists(), listed(FOREIGN), deleted()) == [NOT_THERE]
    assert symptoms(Lists(), listed(FOREIGN), deleted("NotFound")) == []
    assert symptoms(Lists(), listed(SHA512), deleted()) == []
    assert symptoms(Lists(), listed(of=[MO]), deleted()) == []
    assert symptoms(Lists(), listed(), installed(), deleted()) == []
