import pytest

from fuzz.engine.effects import HARMLESS, allowed_effects, effect_of
from fuzz.records import Effect
from strategies.labels import Sender
from strategies.version import version


def _set(component: str, variable: str) -> dict[str, object]:
    item = {"component": {"name": component}, "variable": {"name": variable}, "attributeValue": "1"}
    return {"setVariableData": [item]}


@pytest.mark.parametrize("action", version().sent_by(Sender.CSMS))
def test_every_action_that_changes_a_station_has_an_effect_beyond_volatile(action: str) -> None:
    changes = action.startswith(
        ("Set", "Clear", "Delete", "Install", "Update", "Request", "Reset", "Unlock")
    )
    assert (effect_of(action) in HARMLESS) != (changes and action != "ClearCache") or action in (
        "CancelReservation",
        "CertificateSigned",
        "ChangeAvailability",
        "CustomerInformation",
        "PublishFirmware",
        "ReserveNow",
        "SendLocalList",
        "UnpublishFirmware",
    )


def test_a_reconnect_setting_can_lock_us_out() -> None:
    assert (
        effect_of("SetVariables", _set("OCPPCommCtrlr", "retrybackoffwaitminimum"))
        is Effect.LOCK_OUT
    )  # type: ignore[arg-type]


def test_naming_only_components_that_the_target_lacks_changes_nothing() -> None:
    assert effect_of("SetVariables", _set("Lab", "X"), known={"OCPPCommCtrlr"}) is Effect.VOLATILE  # type: ignore[arg-type]
    assert (
        effect_of("SetVariables", _set("OCPPCommCtrlr", "X"), known={"ocppcommctrlr"})
        is Effect.PERSISTENT
    )  # type: ignore[arg-type]


def test_a_target_of_somebody_else_gets_harmless_effects_and_what_is_allowed() -> None:
    assert allowed_effects(owned=False, allow=()) == HARMLESS
    assert allowed_effects(owned=False, allow=("persistent",)) == HARMLESS | {Effect.PERSISTENT}
    assert allowed_effects(owned=True, allow=()) == frozenset(Effect)
