"""The device model: components and variables as data, their present values, what a new value must look like.

Knows Part 2 sections on the device model (B05 to B08) and `data/<name>.model.toml`; must not know messages beyond the
JSON shapes of Component and Variable.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from fuzz.errors import UsageError
from fuzz.pics.loading import ENDING, is_own
from strategies.labels import JsonObject, JsonValue

_DATA = Path(__file__).parent / "data"
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,9}")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?")
_IDENTIFIER = re.compile(r"[A-Za-z0-9*\-_=:+|@.]*")
_MAX_VALUE = 1000

Key: TypeAlias = tuple[str, int | None, int | None, str, str]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of one component, without its value.

    `evse` and `connector` give the tier of the component; None at the station's own tier.
    """

    component: str
    name: str
    data_type: str
    evse: int | None = None
    connector: int | None = None
    instance: str = ""
    access: str = "RO"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    min_length: int = 0
    values: tuple[str, ...] = ()
    reboot: bool = False
    live: bool = False

    @property
    def key(self) -> Key:
        """What tells variables apart; names are case-insensitive (Part 2 section 2.1.4)."""
        name, instance = self.name.lower(), self.instance.lower()
        return (self.component.lower(), self.evse, self.connector, name, instance)

    @property
    def label(self) -> str:
        """A name for files and logs: `Component[evse/connector].Variable[instance]`."""
        tier = "" if self.evse is None else f"[{self.evse}/{self.connector or 0}]"
        instance = f"[{self.instance}]" if self.instance else ""
        return f"{self.component}{tier}.{self.name}{instance}"

    @property
    def writable(self) -> bool:
        """Whether SetVariables may change it; such variables survive a reboot."""
        return self.access in ("RW", "WO")


@dataclass(frozen=True, slots=True)
class Checked:
    """A new value as it will be stored; `reason` is "" when it is fine, else why it is not (B05.FR.07 to FR.10)."""

    value: str
    reason: str = ""


CheckValue: TypeAlias = Callable[[Variable, str], Checked]


class DeviceModel:
    """The variables of one station and their present values."""

    def __init__(self, variables: tuple[Variable, ...], defaults: Mapping[Key, str]) -> None:
        self._variables = {variable.key: variable for variable in variables}
        self._values = dict(defaults)
        self._defaults = dict(defaults)
        self._components = {key[:3] for key in self._variables}
        self.live: dict[Key, Callable[[], str]] = {}

    def __iter__(self) -> Iterator[Variable]:
        return iter(self._variables.values())

    def find(self, component: JsonObject, variable: JsonObject) -> Variable | str:
        """The variable that a request means, or the status that says what is unknown about it (B06.FR.06, FR.07)."""
        tier = _tier(component)
        if component.get("instance") or tier not in self._components:
            return "UnknownComponent"
        name, instance = _lower(variable.get("name")), _lower(variable.get("instance"))
        return self._variables.get((*tier, name, instance), "UnknownVariable")

    def named(
        self,
        component: str,
        name: str,
        instance: str = "",
        *,
        evse: int | None = None,
        connector: int | None = None,
    ) -> Variable:
        """The variable with this name, for the station's own use. Raises KeyError when the model lacks it."""
        key = (component.lower(), evse, connector, name.lower(), instance.lower())
        return self._variables[key]

    def read(self, variable: Variable) -> str:
        """The present value; "" when it is unset."""
        source = self.live.get(variable.key)
        return source() if source else self._values.get(variable.key, "")

    def write(self, variable: Variable, value: str) -> None:
        """Makes `value` the present one; whether that is allowed was asked before."""
        self._values[variable.key] = value

    def number(self, component: str, name: str, instance: str = "") -> int:
        """The present value of an integer variable, for the station's own use."""
        return int(self.read(self.named(component, name, instance)))

    def value(self, component: str, name: str) -> str:
        """The present value of a variable that not every model has; "" when it is missing or unset."""
        variable = self._variables.get((component.lower(), None, None, name.lower(), ""))
        return "" if variable is None else self.read(variable)

    def redefine(self, variable: Variable) -> None:
        """Puts a variable in the place of the one with the same name; its value stays."""
        self._variables[variable.key] = variable

    def changed(self) -> dict[str, str]:
        """What differs from the factory's values, by label: all that must survive a reboot."""
        return {
            variable.label: self._values[key]
            for key, variable in self._variables.items()
            if variable.writable and self._values.get(key) != self._defaults.get(key)
        }

    def restore(self, values: Mapping[str, JsonValue]) -> None:
        """Takes over what `changed` gave once; labels and values that do not fit are left out."""
        for variable in self:
            value = values.get(variable.label)
            if (
                variable.writable
                and isinstance(value, str)
                and not check_value(variable, value).reason
            ):
                self.write(variable, value)


def load_model(name: str) -> DeviceModel:
    """The device model that goes with the PICS file `name`: `my.model.toml` beside `my.pics.toml`.

    Raises:
        UsageError: it is missing or cannot be read; it goes with somebody's own PICS file then.
    """
    path = Path(name.removesuffix(ENDING).removesuffix(".toml") if is_own(name) else _DATA / name)
    path = path.with_name(f"{path.name}.model.toml")
    try:
        read = tomllib.loads(path.read_text("utf-8"))
        return _model(read)
    except OSError as error:
        raise UsageError(f"{name} has no device model: {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"the device model {path} cannot be used: {error}") from None


def _model(read: dict[str, Any]) -> DeviceModel:
    variables: list[Variable] = []
    defaults: dict[Key, str] = {}
    for component in read["component"]:
        for line in component["variables"]:
            variable = _variable(component, line)
            variables.append(variable)
            if "value" in line:
                defaults[variable.key] = line["value"]
    return DeviceModel(tuple(variables), defaults)


def check_value(variable: Variable, text: str) -> Checked:
    """Whether `text` may be the variable's new value: form first, then range (B05.FR.07, FR.08, FR.10, FR.11)."""
    if len(text) > _MAX_VALUE or len(text) < variable.min_length:
        return Checked(text, "InvalidValue")
    match variable.data_type:
        case "boolean":
            fine = text in ("true", "false")
        case "integer":
            return _check_number(variable, text, _INTEGER)
        case "decimal":
            return _check_number(variable, text, _DECIMAL)
        case "OptionList":
            fine = text in variable.values
        case "MemberList" | "SequenceList":
            fine = _is_list_of(variable.values, text)
        case "identifierString" | "passwordString":
            fine = _is_short_enough(variable, text) and bool(_IDENTIFIER.fullmatch(text))
        case _:
            fine = _is_short_enough(variable, text)
    return Checked(text, "" if fine else "InvalidValue")


def describe_component(variable: Variable) -> JsonObject:
    """The Component that holds the variable, as reports name it."""
    component: JsonObject = {"name": variable.component}
    if variable.evse is not None:
        evse: JsonObject = {"id": variable.evse}
        if variable.connector is not None:
            evse["connectorId"] = variable.connector
        component["evse"] = evse
    return component


def describe_characteristics(variable: Variable) -> JsonObject:
    """The VariableCharacteristics of a FullInventory (B07.FR.11)."""
    described: JsonObject = {
        "dataType": _REPORTED_TYPES.get(variable.data_type, variable.data_type)
    }
    if variable.unit:
        described["unit"] = variable.unit
    if variable.minimum is not None:
        described["minLimit"] = variable.minimum
    if variable.maximum is not None:
        described["maxLimit"] = variable.maximum
    if variable.values:
        described["valuesList"] = ",".join(variable.values)
    return {**described, "supportsMonitoring": False}


# The schema's DataEnumType has no finer string types.
_REPORTED_TYPES = {"identifierString": "string", "passwordString": "string"}


def _variable(component: dict[str, Any], line: dict[str, Any]) -> Variable:
    return Variable(
        component=component["name"],
        evse=component.get("evse"),
        connector=component.get("connector"),
        name=line["name"],
        instance=line.get("instance", ""),
        data_type=line["type"],
        access=line.get("access", "RO"),
        unit=line.get("unit", ""),
        minimum=line.get("min"),
        maximum=line.get("max"),
        min_length=line.get("min_length", 0),
        values=tuple(line.get("values", ())),
        reboot=line.get("reboot", False),
        live=line.get("live", False),
    )


def _tier(component: JsonObject) -> tuple[str, int | None, int | None]:
    evse = component.get("evse")
    if not isinstance(evse, dict):
        return (_lower(component.get("name")), None, None)
    return (_lower(component.get("name")), _whole(evse.get("id")), _whole(evse.get("connectorId")))


def _whole(value: JsonValue) -> int | None:
    # 1.0 is an integer by draft 6, which the schemas name.
    return int(value) if isinstance(value, int | float) else None


def _lower(value: JsonValue) -> str:
    return value.lower() if isinstance(value, str) else ""


def _check_number(variable: Variable, text: str, form: re.Pattern[str]) -> Checked:
    if not form.fullmatch(text):
        return Checked(text, "InvalidValue")
    number = float(text)
    if variable.minimum is not None and number < variable.minimum:
        return Checked(text, "ValueTooLow")
    if variable.maximum is not None and number > variable.maximum:
        return Checked(text, "ValueTooHigh")
    if variable.data_type == "integer" and not -(2**31) <= number < 2**31:
        return Checked(text, "ValueOutOfRange")
    return Checked(text)


def _is_list_of(allowed: tuple[str, ...], text: str) -> bool:
    members = text.split(",")
    return len(set(members)) == len(members) and all(member in allowed for member in members)


def _is_short_enough(variable: Variable, text: str) -> bool:
    return variable.maximum is None or len(text) <= variable.maximum
