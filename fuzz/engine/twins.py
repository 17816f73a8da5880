"""Says the same thing twice: in other bytes, again, and as a question about what was just written.

Knows the tables of `strategies` and what the target named. Must not know what the answers should be: oracles compare
them. Every scene undoes what it sets.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from fuzz.engine.cases import call_text
from fuzz.engine.effects import effect_of
from fuzz.engine.phases import COSTLY, Ground, Phase
from fuzz.engine.validity import canonical
from fuzz.records import (
    Ask,
    Case,
    Effect,
    Expect,
    Provenance,
    SendText,
    Settle,
    Side,
    Step,
    Wait,
)
from strategies.examples import example
from strategies.labels import (
    Channel,
    Expectation,
    Fault,
    JsonObject,
    JsonValue,
    Kind,
    Mutation,
    Stance,
    Text,
    Tier,
)
from strategies.pool import Pool, PoolVariable
from strategies.samemeaning import KEYWORD, Spelling, all_together, spellings
from strategies.schema import message_schema
from strategies.variables import MAX_ATTRIBUTE_VALUE, farthest_value, other_value, variable_breaks
from strategies.violations import Break

SEEDS_PER_ACTION = 3
WRONG_VALUES = 2
"""Wrong values that one variable is set to; the variables of a data type share all of them."""

READ_TOGETHER = 8
"""Variables read before and after one of them is written, at most."""

FOLLOWED = frozenset(
    {
        "CustomerInformation",
        "GetBaseReport",
        "GetChargingProfiles",
        "GetDisplayMessages",
        "GetLog",
        "GetMonitoringReport",
        "GetReport",
    }
)
"""Actions whose answer is followed by CALLs that name the requestId."""

PAUSE_S = 0.2

_NOT_TWICE = frozenset({*COSTLY, "RequestStartTransaction", "UpdateFirmware", "PublishFirmware"})
"""Actions whose second time is another thing than the first."""

_RAW = {"vendorId": "lab", "data": "Ladesäule \U0001f50c"}
"""A payload that is no ASCII: beyond it and beyond the 16 bits of one escape."""

_PLAIN = Expectation(Stance.ACCEPT, Tier.MODEL)
_SCENE = Expectation(Stance.UNSPECIFIED, Tier.MODEL)


@dataclass(slots=True)
class Twins(Phase):
    """Read-back scenes, requests made twice, and metamorphic pairs of every action, the first of each before all others."""

    ground: Ground
    name: str = "twins"

    def planned(self) -> int | None:
        """All scenes, as if every action were supported."""
        return sum(len(cases) for _, cases in self._groups())

    async def cases(self, idle: Callable[[float], Awaitable[None]]) -> AsyncIterator[Case]:
        """The first case of every action and variable, the second ones, and so on; unsupported actions are left."""
        groups = list(self._groups())
        for rank in range(max((len(cases) for _, cases in groups), default=0)):
            for action, cases in groups:
                if rank < len(cases) and self._due(rank, action, cases[rank]):
                    # Whether the action is supported is known when its first case was played.
                    planned = cases if rank else cases[:1]
                    self.ground.coverage.plan(self.name, (c.id for c in planned))
                    yield cases[rank]

    def _due(self, rank: int, action: str, case: Case) -> bool:
        """False for what is not supported; but what shows it is played, so that a resumed phase has the same order."""
        shows_support = rank == 0 and case.action == action
        return shows_support or action not in self.ground.support.refused

    def _groups(self) -> Iterator[tuple[str, list[Case]]]:
        if self.ground.side is Side.STATION:
            sources = (self._read_back(), self._certificates(), self._shelves(), self._again())
            for scenes in sources:
                for action, cases in scenes:
                    if self.ground.asked(action):
                        yield action, self._allowed(cases)
        for action in self.ground.actions():
            if action not in _NOT_TWICE:
                yield action, self._allowed(self._respelled(action))

    def _allowed(self, cases: Iterator[Case]) -> list[Case]:
        return [case for case in cases if case.effect in self.ground.allowed]

    # --- other bytes ---------------------------------------------------------------------------------------

    def _respelled(self, action: str) -> Iterator[Case]:
        schema = message_schema(action, Kind.REQUEST, self.ground.version)
        payload: JsonValue = example(schema)
        if action == "DataTransfer":
            payload = {**_RAW}
        said = _call(action, payload)
        for spelled in (all_together(said),) if action in FOLLOWED else spellings(said):
            yield self._twin(spelled.name, action, payload, spelled)
        if self.ground.side is Side.STATION and not self.ground.pool.variables:
            # Stored payloads may set what could not be put back.
            return
        seeds = self.ground.seeds.snapshot().get(action, ())
        for seed in seeds[: 1 if action in FOLLOWED else SEEDS_PER_ACTION]:
            digest = hashlib.sha256(canonical(seed).encode()).hexdigest()[:8]
            spelled = all_together(_call(action, seed))
            yield self._twin(f"{spelled.name}/{digest}", action, seed, spelled)

    def _twin(self, name: str, action: str, payload: JsonValue, spelled: Spelling) -> Case:
        usual = call_text(action, payload)
        # Follow-ups with one requestId cannot be told apart, so that they must be over.
        pause = (Wait(PAUSE_S),) if action in FOLLOWED else ()

        def scene(text: Text) -> tuple[Step, ...]:
            return (Ask(usual), *pause, SendText(text), Settle(), *pause, Ask(usual))

        return self._case(
            f"{action}/{name}",
            action,
            scene((spelled.text,)),
            control=scene(usual),
            expectation=_PLAIN,
            mutation=Mutation(Channel.TEXT, "", KEYWORD, spelled.name),
            effect=effect_of(action, payload, known=self.ground.components),
        )

    # --- variables -----------------------------------------------------------------------------------------

    def _read_back(self) -> Iterator[tuple[str, Iterator[Case]]]:
        known = [v for v in self.ground.pool.variables if _settable(v)]
        yield "SetVariables", self._partials(known)
        number: Counter[str] = Counter()
        for variable in known:
            rank = number[variable.data_type]
            number[variable.data_type] += 1
            read = Ask(call_text("GetVariables", self._reading(variable, known)))
            yield "SetVariables", self._of_variable(variable, read, rank)

    def _reading(self, variable: PoolVariable, known: Sequence[PoolVariable]) -> JsonObject:
        """GetVariables of one variable and of those near it, as many as the target reads at once (B06.FR.16)."""
        most = min(self.ground.items_per_message.get("GetVariables", READ_TOGETHER), READ_TOGETHER)
        at = known.index(variable)
        others = [*known[at + 1 :], *known[:at]]
        others.sort(key=lambda v: v.component != variable.component)
        chosen = [variable, *others[: max(0, most - 1)]]
        return {"getVariableData": [_item(v) for v in chosen]}

    def _of_variable(self, variable: PoolVariable, read: Ask, rank: int) -> Iterator[Case]:
        put_back = Ask(_set(variable, variable.value or ""))
        valid = other_value(variable)
        if valid is not None:
            far = farthest_value(variable)
            largest = () if far in (None, valid) else (Ask(_set(variable, far or "")), read)
            steps = (read, Ask(_set(variable, valid)), read, *largest, put_back, read)
            yield self._scene(f"read-back/{variable.name}#valid", steps, "read-back", "valid")
        for broken in _turn(_certain(variable), rank):
            yield self._wrong(broken, read, put_back)

    def _partials(self, known: Sequence[PoolVariable]) -> Iterator[Case]:
        """A message half right for one variable of each data type: one is enough to show that halves are stored."""
        seen: set[str] = set()
        for variable in known:
            valid = other_value(variable)
            if valid is not None and variable.data_type not in seen:
                seen.add(variable.data_type)
                read = Ask(call_text("GetVariables", self._reading(variable, known)))
                yield self._partial(
                    variable, valid, read, Ask(_set(variable, variable.value or ""))
                )

    def _wrong(self, broken: Break, read: Ask, put_back: Ask) -> Case:
        def scene(payload: JsonValue) -> tuple[Step, ...]:
            said = SendText(call_text("SetVariables", payload))
            return (read, said, Settle(), read, put_back)

        return self._case(
            f"read-back/{broken.id.removeprefix('SetVariables.req/')}",
            "SetVariables",
            scene(broken.payload),
            control=scene(broken.control),
            expectation=broken.expectation,
            mutation=broken.mutation,
            effect=Effect.PERSISTENT,
        )

    def _partial(self, variable: PoolVariable, valid: str, read: Ask, put_back: Ask) -> Case:
        """One item is right and the next lacks what the schema requires: nothing may be stored (Part 4 section 4.1.7)."""
        good: JsonObject = {**_item(variable), "attributeValue": valid}
        bad: JsonObject = {k: v for k, v in good.items() if k != "variable"}

        def scene(second: list[JsonValue]) -> tuple[Step, ...]:
            payload: JsonObject = {"setVariableData": [good, *second]}
            return (
                read,
                SendText(call_text("SetVariables", payload)),
                Settle(),
                read,
                put_back,
            )

        return self._case(
            f"read-back/{variable.name}#partial",
            "SetVariables",
            scene([bad]),
            control=scene([]),
            expectation=Expectation(Stance.REJECT, Tier.SCHEMA, Fault.MISSING),
            mutation=Mutation(
                Channel.PAYLOAD, "/setVariableData/1/variable", "required", "absent-in-second"
            ),
            effect=Effect.PERSISTENT,
        )

    # --- certificates and the rest -------------------------------------------------------------------------

    def _certificates(self) -> Iterator[tuple[str, Iterator[Case]]]:
        yield "InstallCertificate", iter([self._garbage_installed()])
        yield "DeleteCertificate", iter([self._unknown_deleted()])

    def _garbage_installed(self) -> Case:
        listed = Ask(call_text("GetInstalledCertificateIds", {}))
        tries = [
            Ask(call_text("InstallCertificate", {"certificateType": type_, "certificate": text}))
            for type_ in ("ManufacturerRootCertificate", "CSMSRootCertificate")
            for text in _NO_CERTIFICATES
        ]
        effect = effect_of("InstallCertificate")
        steps = (listed, *tries, listed)
        return self._scene("read-back/certificates#garbage", steps, "read-back", "garbage", effect)

    def _unknown_deleted(self) -> Case:
        listed = Ask(call_text("GetInstalledCertificateIds", {}))
        schema = message_schema("DeleteCertificate", Kind.REQUEST, self.ground.version)
        steps = (listed, Ask(call_text("DeleteCertificate", example(schema))), listed)
        effect = effect_of("DeleteCertificate")
        return self._scene("read-back/certificates#unknown", steps, "read-back", "unknown", effect)

    def _shelves(self) -> Iterator[tuple[str, Iterator[Case]]]:
        """Put a thing with an id of its own, and clear it: listed in between, before and after it is not."""
        for action, (thing, clear, get) in _SHELVES.items():
            put, drop, listed = (Ask(call_text(*said)) for said in ((action, thing), clear, get))
            steps = (listed, put, listed, drop, listed)
            case = self._scene(f"read-back/{action}", steps, "read-back", action, effect_of(action))
            yield action, iter([case])

    def _again(self) -> Iterator[tuple[str, Iterator[Case]]]:
        """The same request with the same requestId and a new messageId, as a CSMS does that lost the answer."""
        for action, (more, follow_up) in _AGAIN.items():
            schema = message_schema(action, Kind.REQUEST, self.ground.version)
            ask = Ask(call_text(action, {**example(schema), **more, "requestId": 4711}))
            steps = (ask, ask, Expect(follow_up, 1.0))
            case = self._scene(
                f"again/{action}", steps, "retransmission", action, effect_of(action)
            )
            yield action, iter([case])

    # --- making --------------------------------------------------------------------------------------------

    def _scene(
        self,
        name: str,
        steps: tuple[Step, ...],
        keyword: str,
        operator: str,
        effect: Effect = Effect.PERSISTENT,
    ) -> Case:
        """A scene without a hostile message."""
        mutation = Mutation(Channel.PAYLOAD, "", keyword, operator)
        return self._case(
            name, "", steps, control=(), expectation=_SCENE, mutation=mutation, effect=effect
        )

    def _case(
        self,
        name: str,
        action: str,
        steps: tuple[Step, ...],
        *,
        control: tuple[Step, ...],
        expectation: Expectation,
        mutation: Mutation,
        effect: Effect,
    ) -> Case:
        ground = self.ground
        return Case(
            id=f"{self.name}/{name}",
            side=ground.side,
            steps=steps,
            expectation=expectation,
            control=control,
            effect=effect,
            action=action,
            mutations=(mutation,),
            provenance=Provenance(self.name, ground.seed, tool=ground.tool),
        )


_NO_CERTIFICATES = (
    "lab",
    "-----BEGIN CERTIFICATE-----\nbGFi\n-----END CERTIFICATE-----\n",
    "-----BEGIN CERTIFICATE-----\n",
)
"""Texts that are no certificate: M05.FR.07 has them refused."""

_ID = 471_100
_PROFILE: JsonObject = {
    "id": _ID,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [
        {
            "id": _ID,
            "chargingRateUnit": "A",
            "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.0}],
        }
    ],
}
_MESSAGE: JsonObject = {
    "id": _ID,
    "priority": "NormalCycle",
    "message": {"format": "UTF8", "content": "ocppfuzz"},
}

_SHELVES: dict[str, tuple[JsonObject, tuple[str, JsonObject], tuple[str, JsonObject]]] = {
    "SetChargingProfile": (
        {"evseId": 1, "chargingProfile": _PROFILE},
        ("ClearChargingProfile", {"chargingProfileId": _ID}),
        (
            "GetChargingProfiles",
            {"requestId": _ID, "chargingProfile": {"chargingProfileId": [_ID]}},
        ),
    ),
    "SetDisplayMessage": (
        {"message": _MESSAGE},
        ("ClearDisplayMessage", {"id": _ID}),
        ("GetDisplayMessages", {"requestId": _ID, "id": [_ID]}),
    ),
}
"""What is put, how it is cleared, and how it is asked for."""

_AGAIN: dict[str, tuple[JsonObject, str]] = {
    "GetLog": ({}, "LogStatusNotification"),
    "CustomerInformation": ({"report": True}, "NotifyCustomerInformation"),
    "UpdateFirmware": ({}, "FirmwareStatusNotification"),
}
"""Requests that start something, what is added to their simplest example, and the CALL that follows."""


def _call(action: str, payload: JsonValue) -> JsonValue:
    return [2, "{call.id}", action, payload]


def _item(variable: PoolVariable) -> JsonObject:
    return {"component": variable.component_json(), "variable": variable.variable_json()}


def _set(variable: PoolVariable, value: str) -> Text:
    data: JsonObject = {**_item(variable), "attributeValue": value}
    return call_text("SetVariables", {"setVariableData": [data]})


def _settable(variable: PoolVariable) -> bool:
    """True for what can be read, set and put back without cutting the way in."""
    value = variable.value
    if variable.mutability != "ReadWrite" or value is None or len(value) > MAX_ATTRIBUTE_VALUE:
        return False
    payload: JsonObject = {"setVariableData": [{**_item(variable), "attributeValue": value}]}
    return effect_of("SetVariables", payload) is Effect.PERSISTENT


def _certain(variable: PoolVariable) -> list[Break]:
    """The wrong values of one variable that nobody disputes."""
    broken = variable_breaks(Pool(variables=(variable,)))
    return [b for b in broken if b.expectation.stance is Stance.REJECT]


def _turn(broken: Sequence[Break], rank: int) -> list[Break]:
    """Those that are the turn of the variable with this rank: all come up when there are enough variables."""
    first = rank * WRONG_VALUES
    count = min(WRONG_VALUES, len(broken))
    return [broken[(first + i) % len(broken)] for i in range(count)]
