"""Things with ids are listed from when they are accepted until they are cleared."""

from collections.abc import Iterable

import pytest

from fuzz.ocppj.history import Deed, Happening
from fuzz.oracles.keeping import NOT_KEPT, REFUSED
from fuzz.oracles.listing import MESSAGES, PROFILES, Listed
from strategies.labels import JsonObject, JsonValue

Exchange = tuple[Happening, Happening | None]


def exchange(action: str, payload: JsonValue, status: str | None) -> Exchange:
    """A CALL and the status of its answer: an error code where it begins with `!`, silence where it is None."""
    call = Happening(0.0, Deed.ASKED, action=action, payload=payload)
    if status is None:
        return call, None
    if status.startswith("!"):
        return call, Happening(0.0, Deed.TOLD, error_code=status[1:])
    return call, Happening(0.0, Deed.TOLD, payload={"status": status})


def put(status: str | None, **more: JsonValue) -> Exchange:
    profile: JsonObject = {"id": 7, **more}
    return exchange("SetChargingProfile", {"evseId": 1, "chargingProfile": profile}, status)


def clear(status: str | None) -> Exchange:
    return exchange("ClearChargingProfile", {"chargingProfileId": 7}, status)


def listed(status: str, *ids: int, **more: JsonValue) -> Exchange:
    asked: JsonObject = {"chargingProfileId": [*(ids or (7,))], **more}
    return exchange("GetChargingProfiles", {"requestId": 1, "chargingProfile": asked}, status)


def symptoms(exchanges: Iterable[Exchange], keeper: Listed | None = None) -> list[str]:
    keeper = keeper or Listed(PROFILES)
    return [m.symptom for call, answer in exchanges for m in keeper.take(call, answer)]


THERE, GONE = listed("Accepted"), listed("NoProfiles")


@pytest.mark.parametrize(
    ("exchanges", "told"),
    [
        ([GONE, put("Accepted"), THERE, clear("Accepted"), GONE], []),
        ([put("Accepted"), GONE], [NOT_KEPT]),
        ([THERE, clear("Accepted"), THERE], [NOT_KEPT]),
        ([GONE, put("Rejected"), THERE], [REFUSED]),
        ([GONE, put("!FormatViolation"), THERE], [REFUSED]),
        ([THERE, clear("Unknown"), GONE], [REFUSED]),
        ([GONE, put("Rejected"), GONE], []),
        ([GONE, put(None), THERE], []),
        ([THERE, clear(None), GONE], []),
        ([put("Accepted", validTo="2020-01-01T00:00:00Z"), GONE], []),
        ([put("Accepted"), listed("!NotSupported")], []),
        ([put("Accepted"), listed("NoProfiles", 7, 8)], []),
        ([put("Accepted"), listed("NoProfiles", stackLevel=3)], []),
    ],
)
def test_profiles_are_listed_as_was_answered(exchanges: list[Exchange], told: list[str]) -> None:
    assert symptoms(exchanges) == told


@pytest.mark.parametrize(
    "between",
    [
        exchange("ClearChargingProfile", {"chargingProfileCriteria": {}}, "Accepted"),
        exchange("SetVariables", {}, "Accepted"),
    ],
)
def test_what_may_mean_any_of_them_makes_all_unknown(between: Exchange) -> None:
    assert symptoms([put("Accepted"), between, GONE]) == []


def test_display_messages_are_followed_alike() -> None:
    shown: JsonObject = {"message": {"id": 7, "priority": "NormalCycle"}}
    exchanges = [
        exchange("SetDisplayMessage", shown, "Accepted"),
        exchange("GetDisplayMessages", {"requestId": 1, "id": [7]}, "Unknown"),
        exchange("GetDisplayMessages", {"requestId": 1}, "Accepted"),
    ]
    assert symptoms(exchanges, Listed(MESSAGES)) == [NOT_KEPT]
