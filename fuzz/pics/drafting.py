"""Fills the PICS form from what a station showed of itself; each answer is observed or assumed.

Sans-IO: is given a ClientHello's suites, boot data, a device model and answers. Must not know how they were got. Nothing
that the station says is trusted: what is not proper counts as not seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from fuzz.pics.answers import Cable, Current, Measurands, Outlet, Performance, Pics
from fuzz.pics.checking import TRIGGER_OF, contradictions
from fuzz.pics.form import Kind, answered, form, ids_of
from strategies.pool import PoolVariable

OBSERVED, ASSUMED = "observed", "assumed"
MAX_SEEN_TEXT = 500
LIMITS_S = {"response": 10.0, "triggered": 36.0, "remote-start": 30.0, "remote-stop": 30.0}
"""The limits of the performance measurement, in seconds."""

_START = ("EVConnected", "Authorized", "DataSigned", "PowerPathClosed", "EnergyTransfer")
_POINTS = {
    "C-09": ("TxCtrlr.TxStartPoint", (*_START, "ParkingBayOccupancy")),
    "C-10": ("TxCtrlr.TxStopPoint", (*_START[:2], *_START[3:], "ParkingBayOccupancy")),
}
_TWO_WAYS = {
    "TxCtrlr.StopTxOnEVSideDisconnect": ("C-06.1", "C-06.2"),
    "OCPPCommCtrlr.UnlockOnEVSideDisconnect": ("C-12.2", "C-12.1"),
    "AuthCtrlr.AuthorizeRemoteStart": ("C-48.2", "C-48.1"),
}
# Which item is Yes where the variable is false, and where it is true; both where it can be set.

_PRESENT = (
    "C-02",
    "C-03",
    "C-04",
    "C-20",
    "C-21",
    "C-25",
    "C-26",
    "C-28",
    "C-42",
    "C-49",
    "C-53",
    "C-54",
    "C-58",
    "C-59",
    "AS-3",
)
# The items that are Yes exactly where their variable is there.

_NONE = Outlet(1, 1, Current.DC, 0, "Unknown", Cable.FIXED)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a station showed; what is empty or None was not seen.

    `suites` are named as OpenSSL does. `triggers` and `summary` hold the status of the answer to TriggerMessage and to
    GetBaseReport for a SummaryInventory. `answers_s` and `reports_s` are times until a CALLRESULT and until a report.
    """

    boot: Mapping[str, str] = field(default_factory=dict)
    security_profile: int | None = None
    suites: tuple[str, ...] = ()
    variables: tuple[PoolVariable, ...] = ()
    triggers: Mapping[str, str] = field(default_factory=dict)
    summary: str = ""
    answers_s: tuple[float, ...] = ()
    reports_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A filled form and, by key or item, how each answer was got: `observed: ...` or `assumed: ...`."""

    pics: Pics
    notes: Mapping[str, str]

    @property
    def observed(self) -> frozenset[str]:
        """The keys and items that were seen."""
        return frozenset(key for key, note in self.notes.items() if note.startswith(OBSERVED))


def draft(seen: Seen, name: str = "draft") -> Draft:
    """The form as far as the station showed it; the rest is assumed, and nothing in it contradicts itself."""
    made = _Filling(seen, name)
    made.fill()
    pics = made.pics
    if contradictions(pics):
        # Only a station whose report contradicts itself leads here: then its table of EVSEs is not taken.
        made.forget_outlets()
        pics = made.pics
    return Draft(pics, made.notes)


class _Filling:
    def __init__(self, seen: Seen, name: str) -> None:
        self._seen = seen
        self._variables = {_label(variable): variable for variable in seen.variables}
        self.notes: dict[str, str] = {}
        self.pics = _blank(name)
        for key in (*_TOP, *(f"evse.{key}" for key in _ROW), *answered()):
            self.notes[key] = f"{ASSUMED}: not shown by the station"

    def fill(self) -> None:
        """Everything that was seen is taken over."""
        self._take_boot()
        self._take_outlets()
        self._take_items()
        self._take_lists()
        self._take_times()
        self._agree()

    def forget_outlets(self) -> None:
        """Back to one connector of no known type."""
        self.pics = replace(self.pics, outlets=(_NONE,))
        for key in ("EVSE", *(f"evse.{key}" for key in _ROW), *(f"HFS-{n}" for n in range(1, 8))):
            self.notes[key] = f"{ASSUMED}: the reported connectors do not fit together"
        self._agree()

    def _note(self, source: str, *keys: str) -> None:
        self.notes.update(dict.fromkeys(keys, f"{OBSERVED}: {source}"))

    def _take_boot(self) -> None:
        boot = {key: _clean(value) for key, value in self._seen.boot.items() if key in _BOOT}
        self._note("BootNotification", *boot)
        self.pics = replace(
            self.pics,
            vendor=boot.get("vendor", ""),
            model=boot.get("model", ""),
            serial=boot.get("serial", ""),
            firmware=boot.get("firmware", ""),
        )
        if self._seen.security_profile is not None:
            self._note("the connection", "security_profiles")
            self.pics = replace(self.pics, security_profiles=(self._seen.security_profile,))
        if self._seen.suites:
            self._note("ClientHello", "cipher_suites", "C-41")
            self.pics = replace(self.pics, cipher_suites=tuple(map(_clean, self._seen.suites)))

    def _take_outlets(self) -> None:
        found = tuple(self._outlets())
        if found:
            keys = ("EVSE", "HFS-1", "HFS-2", "HFS-3", "HFS-4", "HFS-5", "HFS-6", "HFS-7", "HFS-8")
            self._note("base report", *keys, *(f"evse.{key}" for key in _ROW))
            self.pics = replace(self.pics, outlets=found)

    def _outlets(self) -> Iterator[Outlet]:
        types = {
            (v.evse_id, v.connector_id): v
            for v in self._seen.variables
            if (v.component.lower(), v.variable.lower()) == ("connector", "connectortype")
        }
        for evse, connector in sorted((e, c) for e, c in types if e is not None and c is not None):
            kind = _clean(types[evse, connector].value or "Unknown")
            phases = self._phases(evse, connector)
            current = Current.AC if phases else Current.DC
            cable = Cable.DETACHABLE if kind.startswith("s") else Cable.FIXED
            yield Outlet(evse, connector, current, phases, kind, cable)

    def _phases(self, evse: int, connector: int) -> int:
        for variable in self._seen.variables:
            place = (variable.evse_id, variable.connector_id, variable.variable.lower())
            if place == (evse, connector, "supplyphases") and variable.value in ("1", "2", "3"):
                return int(variable.value)
        return 0

    def _take_items(self) -> None:
        for item, trigger in TRIGGER_OF.items():
            status = self._seen.triggers.get(trigger)
            if status in ("Accepted", "Rejected", "NotImplemented"):
                self._answer(item, status != "NotImplemented", "TriggerMessage")
        if self._seen.summary in ("Accepted", "NotSupported"):
            self._answer("C-56", self._seen.summary == "Accepted", "GetBaseReport")
        if not self._variables:
            return
        for item in _PRESENT:
            there = any(self._variable(label) for label in form()[item].variables)
            self._answer(item, there, "base report")
        for item, (label, points) in _POINTS.items():
            self._take_points(item, label, points)
        for label, ways in _TWO_WAYS.items():
            self._take_two_ways(label, *ways)
        if check := self._variable("SecurityCtrlr.AdditionalRootCertificateCheck"):
            self._answer("AS-2", check.value == "true", "base report")

    def _answer(self, item: str, yes: bool, source: str) -> None:  # noqa: FBT001 - the answer itself
        self.pics = replace(self.pics, items={**self.pics.items, item: yes})
        self._note(source, item)

    def _take_points(self, item: str, label: str, points: tuple[str, ...]) -> None:
        variable = self._variable(label)
        if variable is None or not any(point in variable.values for point in points):
            return
        for number, point in enumerate(points, 1):
            self._answer(f"{item}.{number}", point in variable.values, "base report")
        can_be_set = variable.mutability == "ReadWrite"
        self._answer("C-51" if item == "C-09" else "C-52", can_be_set, "base report")

    def _take_two_ways(self, label: str, when_false: str, when_true: str) -> None:
        variable = self._variable(label)
        if variable is None or variable.value not in ("true", "false"):
            return
        both = variable.mutability == "ReadWrite"
        self._answer(when_false, both or variable.value == "false", "base report")
        self._answer(when_true, both or variable.value == "true", "base report")

    def _take_lists(self) -> None:
        for item in ids_of(Kind.MEASURANDS):
            variable = self._variable(form()[item].variables[0])
            if variable is not None and variable.values:
                supported = tuple(map(_clean, variable.values))
                chosen = tuple(m for m in (variable.value or "").split(",") if m in supported)
                line = {item: Measurands(chosen, supported)}
                self.pics = replace(self.pics, measurands={**self.pics.measurands, **line})
                self._note("base report", item)
        for item in ids_of(Kind.LIMIT):
            variable = self._variable(form()[item].variables[0])
            limit = _limit(item, variable)
            if limit is not None:
                self.pics = replace(self.pics, limits={**self.pics.limits, item: limit})
                self._note("base report", item)
        if (sources := self._variable("ClockCtrlr.TimeSource")) and sources.values:
            self._words("C-23", sources.values)
        if (protocols := self._variable("OCPPCommCtrlr.FileTransferProtocols")) and protocols.value:
            self._words("ORS-24", tuple(protocols.value.split(",")))

    def _words(self, item: str, words: tuple[str, ...]) -> None:
        self.pics = replace(
            self.pics, words={**self.pics.words, item: tuple(_clean(word) for word in words)}
        )
        self._note("base report", item)

    def _take_times(self) -> None:
        for item, times in (
            ("response", self._seen.answers_s),
            ("triggered", self._seen.reports_s),
        ):
            if times:
                average = sum(times) / len(times)
                line = Performance(
                    LIMITS_S[item],
                    *(round(value, 3) for value in (min(times), max(times), average)),
                )
                self.pics = replace(self.pics, performance={**self.pics.performance, item: line})
                self._note(f"{len(times)} answers", item)

    def _agree(self) -> None:
        """What follows from other answers follows from them here, too."""
        rows, items = self.pics.outlets, dict(self.pics.items)
        items["HFS-1"] = any(row.cable is Cable.DETACHABLE for row in rows)
        items["HFS-2"] = any(row.cable is Cable.FIXED for row in rows)
        items["HFS-3"] = any(row.current is Current.AC for row in rows)
        items["HFS-4"] = any(row.current is Current.DC for row in rows)
        for number in (1, 2, 3):
            items[f"HFS-{number + 4}"] = any(row.phases == number for row in rows)
        if items["C-12.1"] and not items["HFS-1"]:
            items |= {"C-12.1": False, "C-12.2": True}
            self.notes |= dict.fromkeys(("C-12.1", "C-12.2"), f"{ASSUMED}: the cable is fixed")
        for item in ("C-53", "C-54", "C-59"):
            items[item] = items[item] and items["C-49"]
        asked = {trigger for item, trigger in TRIGGER_OF.items() if items[item]}
        further = {t for t, s in self._seen.triggers.items() if s in ("Accepted", "Rejected")}
        known = set(TRIGGER_OF.values())
        triggers = frozenset(asked | (further - known))
        if self._seen.triggers:
            self._note("TriggerMessage", "triggers")
        self.pics = replace(self.pics, items=items, triggers=triggers)

    def _variable(self, label: str) -> PoolVariable | None:
        return self._variables.get(label.lower())


_TOP = (
    "vendor",
    "model",
    "serial",
    "firmware",
    "certification_profiles",
    "security_profiles",
    "cipher_suites",
    "triggers",
)
_BOOT = _TOP[:4]
_ROW = ("evse", "connector", "current", "phases", "type", "cable")
_ASSUMED_YES = (
    "C-01",
    "C-06.2",
    "C-09.4",
    "C-10.1",
    "C-12.2",
    "C-30",
    "C-36",
    "C-48.2",
    "HFS-2",
    "HFS-4",
)
_REGISTER = ("Energy.Active.Import.Register",)


def _blank(name: str) -> Pics:
    """A form in which nothing was seen: as little as a station can claim."""
    return Pics(
        name=name,
        vendor="",
        model="",
        serial="",
        firmware="",
        certification_profiles=("Core",),
        security_profiles=(1,),
        cipher_suites=(),
        triggers=frozenset(),
        outlets=(_NONE,),
        items={item: item in _ASSUMED_YES for item in ids_of(Kind.YES_NO)},
        words=dict.fromkeys(ids_of(Kind.WORDS), ()),
        measurands={i: Measurands(_REGISTER, _REGISTER) for i in ids_of(Kind.MEASURANDS)},
        limits=dict.fromkeys(ids_of(Kind.LIMIT), 1),
        vendor_settings={},
        performance={i: Performance(LIMITS_S[i]) for i in ids_of(Kind.PERFORMANCE)},
    )


def _label(variable: PoolVariable) -> str:
    """As the form names it, without regard to case; "" away from the station's own tier."""
    if variable.evse_id is not None or variable.component_instance:
        return ""
    instance = f"[{variable.variable_instance}]" if variable.variable_instance else ""
    return f"{variable.component}.{variable.variable}{instance}".lower()


def _limit(item: str, variable: PoolVariable | None) -> int | None:
    if variable is None:
        return None
    if item == "ORS-8":
        most = variable.max_limit
        return int(most) if most is not None and 0 <= most < 2**31 else None
    value = variable.value or ""
    fits = value.isascii() and value.isdecimal() and len(value) <= 10 and int(value) < 2**31
    return int(value) if fits else None


def _clean(text: str) -> str:
    """Text that can be written: no lone surrogates, and not without end."""
    return text[:MAX_SEEN_TEXT].encode("utf-8", "replace").decode("utf-8")
