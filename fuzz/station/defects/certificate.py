"""Certificate defects: roots and own certificates that are taken, kept or let go against the rules."""

from __future__ import annotations

import json
from dataclasses import replace

from fuzz.ocppj.frames import Call
from fuzz.records import SendText
from fuzz.station.blocks.base import member, status
from fuzz.station.defects.papers import LEAF, ROOT
from fuzz.station.defects.reading import peek
from fuzz.station.defects.registry import Defect, ask, plants, reply
from fuzz.station.events import Command
from fuzz.station.hooks import Hooks
from fuzz.station.rewriting import is_answer
from fuzz.station.x509 import BadCertificate, Certificate, load_chain
from strategies.labels import JsonObject


def _install(pem: str, use: str) -> SendText:
    asked = {"certificateType": f"{use}RootCertificate", "certificate": pem}
    return ask("InstallCertificate", json.dumps(asked))


@plants(
    Defect(
        "P51",
        mirrors=("F3",),
        oracle="O11 O16",
        symptom="Accepted",
        witness=(_install(LEAF, "CSMS"),),
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
            _install(ROOT, "Manufacturer"),
            ask(
                "DeleteCertificate",
                '{"certificateHashData":{"hashAlgorithm":"SHA256","issuerNameHash":"00",'
                '"issuerKeyHash":"00","serialNumber":"50520001"}}',
            ),
        ),
        depth=1,
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
            _install(ROOT, "CSMS"),
            reply("SignCertificate", '[3,"{call.id}",{"status":"Accepted"}]'),
            ask("TriggerMessage", '{"requestedMessage":"SignChargingStationCertificate"}'),
            ask("CertificateSigned", json.dumps({"certificateChain": LEAF})),
        ),
        depth=2,
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
