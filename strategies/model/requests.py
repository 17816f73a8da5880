"""Requests that no station may accept as they stand: of no customer (N09), no vendor (P01), of no variable (B05, B06).

Knows only what stands in the request. Must not know what was done before, nor what came of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from strategies.labels import JsonObject, JsonValue
from strategies.model.events import Asked, Event, Objection, Told, Weight, member, objects, text
from strategies.model.rule import Rule

NO_VENDOR = "com.example.ocppfuzz"
"""A vendorId that nobody can have: example names are never given away (RFC 2606)."""

NOTHING = "OcppfuzzNothing"
"""A component or variable that no station has."""

_MEASURED = frozenset(
    {
        ("chargingstation", "availabilitystate"),
        ("clockctrlr", "datetime"),
        ("securityctrlr", "certificateentries"),
    }
)
"""What is ReadOnly wherever it is: a state, the time, a number of certificates."""

_SECRET = ("securityctrlr", "basicauthpassword")
_PLAIN = frozenset({"ocppcommctrlr", "txctrlr", "authctrlr", "devicedatactrlr"})
_CUSTOMER = ("idToken", "customerCertificate", "customerIdentifier")


class Requests(Rule):
    """Looks at what was accepted."""

    def saw(self, event: Event) -> Iterator[Objection]:
        """What is wrong with an answer."""
        match event:
            case Told(asked=Asked(action="CustomerInformation", payload=asked)):
                if event.status == "Accepted":
                    yield from _customer(asked)
            case Told(asked=Asked(action="DataTransfer", payload=asked)):
                if event.status == "Accepted" and text(asked, "vendorId") == NO_VENDOR:
                    yield Objection(
                        "P01.FR.05",
                        "DataTransfer of an unknown vendor accepted",
                        f"DataTransfer of {NO_VENDOR} was accepted, which no station can have an implementation for",
                        weight=Weight.LOW,
                    )
            case Told(asked=Asked(action="SetVariables")):
                yield from _set(event)
            case Told(asked=Asked(action="GetVariables")):
                yield from _read(event)
            case _:
                pass


def _set(event: Told) -> Iterator[Objection]:
    for result in objects(event.payload, "setVariableResult"):
        taken = text(result, "attributeStatus") in ("Accepted", "RebootRequired")
        if taken and (what := _nothing(result)):
            yield Objection(
                "B05",
                f"SetVariables of {what} accepted",
                f"SetVariables of {what} was accepted, and nothing can hold it",
                weight=Weight.LOW,
            )
        elif taken and _names(result) in _MEASURED:
            yield Objection(
                "B05",
                "SetVariables of what is ReadOnly accepted",
                f"SetVariables of {'.'.join(_names(result))} was accepted, which only the station can tell",
            )


def _read(event: Told) -> Iterator[Objection]:
    for result in objects(event.payload, "getVariableResult"):
        if text(result, "attributeStatus") != "Accepted":
            continue
        if what := _nothing(result):
            yield Objection(
                "B06",
                f"GetVariables of {what} accepted",
                f"GetVariables of {what} was accepted, and there is nothing to read",
                weight=Weight.LOW,
            )
        elif _names(result) == _SECRET:
            yield Objection(
                "B06",
                "GetVariables of what is WriteOnly accepted",
                "GetVariables of the BasicAuthPassword was accepted; nobody may read it",
            )


def _names(result: JsonObject) -> tuple[str, str]:
    names = text(result, "component", "name"), text(result, "variable", "name")
    return names[0].casefold(), names[1].casefold()


def _nothing(result: JsonObject) -> str:
    """What is named that is not there, in words; "" where it may be."""
    component, variable = _names(result)
    if component == NOTHING.casefold():
        return "an unknown component"
    if variable == NOTHING.casefold():
        return "an unknown variable"
    # The controllers' variables have an Actual attribute alone; what is measured may have limits of other types.
    other = text(result, "attributeType") in ("Target", "MinSet", "MaxSet")
    return (
        "an attribute of a controller that is not Actual" if other and component in _PLAIN else ""
    )


def _customer(asked: JsonValue) -> Iterator[Objection]:
    # N09.FR.07 only recommends what becomes of a request that wants nothing.
    wants = member(asked, "report") is True or member(asked, "clear") is True
    named = [name for name in _CUSTOMER if member(asked, name) is not None]
    if wants and len(named) != 1:
        words = "several customers at once" if named else "no customer"
        yield Objection(
            "N09.FR.09",
            f"CustomerInformation of {words} accepted",
            f"CustomerInformation was accepted although it names {words}; Invalid is due",
        )
