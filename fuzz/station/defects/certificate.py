"""Certificate defects: roots and own certificates that are taken, kept, renewed or let go against the rules."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from fuzz.ocppj.frames import Call
from fuzz.ocppj.peer import Answered
from fuzz.records import Expect, TlsStep
from fuzz.station.blocks.base import member, objects, status
from fuzz.station.blocks.certificates import CertificatesBlock
from fuzz.station.blocks.renewal import RenewalBlock
from fuzz.station.context import Outcome
from fuzz.station.defects.papers import LEAF, ROOT, install, update
from fuzz.station.defects.reading import DEATH, peek
from fuzz.station.defects.registry import Defect, ask, plants, reply
from fuzz.station.events import Command, Event, PowerCycle, PowerOn
from fuzz.station.hooks import Dying, Hooks
from fuzz.station.keystore import Own
from fuzz.station.rewriting import is_answer
from fuzz.station.x509 import BadCertificate, Certificate, hash_data, load_chain
from strategies.labels import JsonObject


@plants(
    Defect(
        "P51",
        mirrors=("F3",),
        oracle="O11 O16",
        symptom="Accepted",
        witness=(install(LEAF, "CSMS"),),
        caught_by=("TR-39",),
    )
)
def cert_ops_insecure(hooks: Hooks) -> Hooks:
    """On security profile 1 InstallCertificate takes any certificate for a root, without a single check.

    Roots may be installed over a connection without TLS; to do so unseen is what was found in the field.
    """
    context = hooks.context

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        insecure = context.dialling.choice.profile.security_profile == 1
        if call.action != "InstallCertificate" or not insecure or answer["status"] != "Rejected":
            return answer
        try:
            certificate = load_chain(str(call.payload["certificate"]))[0]
        except BadCertificate:
            return answer
        context.keys.install(str(call.payload["certificateType"]), certificate, certificate)
        return status("Accepted")

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P52",
        mirrors=("C23",),
        oracle="O12",
        symptom="Accepted",
        witness=(
            install(ROOT, "Manufacturer"),
            ask(
                "DeleteCertificate",
                '{"certificateHashData":{"hashAlgorithm":"SHA256","issuerNameHash":"00",'
                '"issuerKeyHash":"00","serialNumber":"50520001"}}',
            ),
        ),
        depth=1,
        caught_by=("TR-37",),
    )
)
def delete_by_serial_only(hooks: Hooks) -> Hooks:
    """DeleteCertificate looks at the serial number alone."""

    def handle(call: Call) -> JsonObject:
        if call.action != "DeleteCertificate":
            return hooks.handle(call)
        asked = member(call.payload, "certificateHashData")
        algorithm = str(asked["hashAlgorithm"])
        known = [root.hash_data(algorithm) for root in hooks.context.keys.roots]
        same = [data for data in known if data["serialNumber"] == asked["serialNumber"]]
        payload: JsonObject = {"certificateHashData": same[0] if same else asked}
        return hooks.handle(replace(call, payload=payload))

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P53",
        mirrors=("C11",),
        oracle="O4",
        symptom="silence",
        witness=(
            ask(
                "InstallCertificate",
                '{"certificateType":"CSMSRootCertificate","certificate":"no PEM"}',
            ),
        ),
        caught_by=("TR-31", "TR-39"),
    )
)
def cert_install_no_answer(hooks: Hooks) -> Hooks:
    """InstallCertificate is not answered when the type is not supported or the certificate is broken."""

    def receive(message: str | bytes) -> list[Command]:
        heard, commands = peek(message), hooks.receive(message)
        if heard.action != "InstallCertificate":
            return commands
        return [command for command in commands if not (is_answer(command) and _rejects(command))]

    return replace(hooks, receive=receive)


def _rejects(command: Command) -> bool:
    return '"Rejected"' in getattr(command, "text", "")


@plants(
    Defect(
        "P65",
        mirrors=(),
        oracle="O11 O13",
        symptom="Accepted",
        witness=(
            install(ROOT, "CSMS"),
            reply("SignCertificate", '[3,"{call.id}",{"status":"Accepted"}]'),
            ask("TriggerMessage", '{"requestedMessage":"SignChargingStationCertificate"}'),
            ask("CertificateSigned", json.dumps({"certificateChain": LEAF})),
        ),
        depth=2,
        caught_by=("TR-03",),
    )
)
def foreign_key_signed(hooks: Hooks) -> Hooks:
    """CertificateSigned is accepted for another key than that of the request."""
    keys = hooks.context.keys
    healthy = keys.key_for

    def key_for(leaf: Certificate) -> str:
        return healthy(leaf) or next(reversed(keys.pending), "")

    keys.key_for = key_for  # type: ignore[method-assign]
    return hooks


# --- renewal ----------------------------------------------------------------------------------------------


def _renewal(hooks: Hooks) -> RenewalBlock:
    return next(block for block in hooks.blocks if isinstance(block, RenewalBlock))


def _own(number: str, *caught_by: str, mirrors: tuple[str, ...] = (), symptom: str) -> Defect:
    return Defect(
        number,
        mirrors=mirrors,
        oracle="O16",
        symptom=symptom,
        witness=(TlsStep(caught_by[0]),),
        security_profile=3,
        caught_by=caught_by,
    )


@plants(_own("P89", "TR-02", "TR-01", symptom="same public key"))
def old_key_in_request(hooks: Hooks) -> Hooks:
    """A new certificate is asked for with the key of the old one."""
    keys = hooks.context.keys
    healthy, made = keys.make_key, list[str]()

    def make_key(*, elliptic: bool) -> str:
        if not made:
            made.append(keys.own.key or healthy(elliptic=elliptic))
        return made[0]

    keys.make_key = make_key  # type: ignore[method-assign]
    return hooks


@plants(_own("P90", "TR-05", symptom="Accepted"))
def expired_chain_signed(hooks: Hooks) -> Hooks:
    """CertificateSigned is accepted with a chain that has expired."""
    block = _renewal(hooks)
    healthy = block.faults

    def faults(chain: tuple[Certificate, ...], key: str) -> Iterator[str]:
        return (fault for fault in healthy(chain, key) if fault != "expired")

    block.faults = faults  # type: ignore[method-assign]
    return hooks


@plants(_own("P91", "TR-23", symptom="no own certificate"))
def identity_lost_in_switch(hooks: Hooks) -> Hooks:
    """When the power fails before the first connection with a new certificate, neither it nor the old one is left."""
    keys = hooks.context.keys

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerCycle) and keys.previous is not None:
            keys.own, keys.previous = Own(), None
            hooks.context.dirty = True
        return hooks.react(event)

    return replace(hooks, react=react)


@plants(_own("P98", "TR-20", "TR-21", symptom="never back"))
def no_way_back(hooks: Hooks) -> Hooks:
    """A new certificate that the CSMS refuses is shown for ever: the old one was thrown away."""
    hooks.context.keys.go_back = lambda: None  # type: ignore[method-assign]
    return hooks


@plants(_own("P95", "TR-18", symptom="asked again at once"))
def sign_again_at_once(hooks: Hooks) -> Hooks:
    """A SignCertificate that is rejected is sent again at once, for ever."""

    def conclude(outcome: Outcome) -> None:
        hooks.conclude(outcome)
        match outcome:
            case Answered(call, {"status": "Rejected"}) if call.action == "SignCertificate":
                hooks.context.ask(call.action, call.payload)
            case _:
                pass

    return replace(hooks, conclude=conclude)


@plants(
    Defect(
        "P155",
        mirrors=("F10",),
        oracle="O22 O11",
        symptom="asked again and again",
        witness=(
            reply("SignCertificate", '[3,"{call.id}",{"status":"Accepted"}]'),
            ask("TriggerMessage", '{"requestedMessage":"SignChargingStationCertificate"}'),
            Expect("SignCertificate", 5.0),
            Expect("SignCertificate", 5.0),
        ),
        depth=1,
    )
)
def sign_again_every_second(hooks: Hooks) -> Hooks:
    """A certificate that does not come is asked for again every second, whatever CertSigningWaitMinimum says."""
    block, context = _renewal(hooks), hooks.context

    def wait_for_signed(key: str) -> None:
        def again() -> None:
            block._ask(triggered=False, key=key)

        context.at("renewal-again", context.now + 1.0, again)

    block._wait_for_signed = wait_for_signed  # type: ignore[method-assign]
    return hooks


# --- roots ------------------------------------------------------------------------------------------------


@plants(
    Defect(
        "P92",
        mirrors=(),
        oracle="O16",
        symptom="Accepted",
        witness=(TlsStep("TR-37"),),
        security_profile=2,
        caught_by=("TR-37",),
    )
)
def last_root_removed(hooks: Hooks) -> Hooks:
    """DeleteCertificate removes the last CSMS root, too, after which no CSMS is known any more."""
    block = next(block for block in hooks.blocks if isinstance(block, CertificatesBlock))
    block.can_spare = lambda found: True  # type: ignore[method-assign]
    return hooks


(_PLANTED,) = load_chain(ROOT)
_HASHES = hash_data(_PLANTED, _PLANTED, "SHA256")


@plants(
    Defect(
        "P164",
        mirrors=("E4",),
        oracle="O12 O11",
        symptom="CertificateEntries 1",
        witness=(
            install(ROOT, "Manufacturer"),
            ask("DeleteCertificate", json.dumps({"certificateHashData": _HASHES})),
            ask(
                "GetVariables",
                '{"getVariableData":[{"component":{"name":"SecurityCtrlr"},'
                '"variable":{"name":"CertificateEntries"}}]}',
            ),
        ),
        depth=2,
    )
)
def place_never_freed(hooks: Hooks) -> Hooks:
    """A root that was deleted still counts in CertificateEntries, so that at last no other one can be installed."""
    context, keys = hooks.context, hooks.context.keys
    entries = context.model.named("SecurityCtrlr", "CertificateEntries")
    deleted = 0

    def handle(call: Call) -> JsonObject:
        nonlocal deleted
        held = len(keys.roots)
        if call.action == "InstallCertificate" and held + deleted >= (entries.maximum or 0):
            return status("Rejected", "OutOfStorage")
        answer = hooks.handle(call)
        deleted += max(0, held - len(keys.roots)) if call.action == "DeleteCertificate" else 0
        return answer

    context.model.live[entries.key] = lambda: str(len(keys.roots) + deleted)
    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P172",
        mirrors=("F7",),
        oracle="O1 O2",
        symptom="exit 70",
        witness=(
            install(ROOT, "CSMS"),
            update(),
        ),
        depth=1,
    )
)
def signer_lookup_crash(hooks: Hooks) -> Hooks:
    """The process dies of UpdateFirmware when an installed root that is not the manufacturer's signed the signing certificate."""
    keys = hooks.context.keys

    def is_lost(pem: str) -> bool:
        """Whether an issuer is found among all roots, and then not among those that it is looked for in."""
        try:
            issuer = keys.issuer_of(load_chain(pem)[0])
        except BadCertificate:
            return False
        known = [root.certificate for root in keys.roots]
        return issuer in known and issuer not in keys.of("ManufacturerRootCertificate")

    def handle(call: Call) -> JsonObject:
        if call.action == "UpdateFirmware":
            signer = member(call.payload, "firmware").get("signingCertificate", "")
            if is_lost(str(signer)):
                raise Dying(DEATH)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P174",
        mirrors=("F13",),
        oracle="O12 O13",
        symptom="serialNumber in decimal",
        witness=(
            install(ROOT, "Manufacturer"),
            ask("Reset", '{"type":"Immediate"}'),
            Expect("BootNotification", 60.0),
            ask("GetInstalledCertificateIds", "{}"),
        ),
        depth=2,
    )
)
def serial_in_decimal(hooks: Hooks) -> Hooks:
    """After a reboot the serialNumber of a root that was installed is told in decimal, and DeleteCertificate does not know it."""
    keys, read_back = hooks.context.keys, set[Certificate]()
    given = {root.certificate for root in keys.roots}

    def react(event: Event) -> list[Command]:
        if isinstance(event, PowerOn):
            read_back.update({root.certificate for root in keys.roots} - given)
        return hooks.react(event)

    def told(chain: JsonObject) -> JsonObject:
        data = member(chain, "certificateHashData")
        if data not in [root.hash_data() for root in keys.roots if root.certificate in read_back]:
            return chain
        serial = str(int(str(data["serialNumber"]), 16))
        return {**chain, "certificateHashData": {**data, "serialNumber": serial}}

    def handle(call: Call) -> JsonObject:
        answer = hooks.handle(call)
        if call.action != "GetInstalledCertificateIds" or answer["status"] != "Accepted":
            return answer
        chains = [told(chain) for chain in objects(answer["certificateHashDataChain"])]
        return {**answer, "certificateHashDataChain": [*chains]}

    return replace(hooks, handle=handle, react=react)
