"""Injection defects: text of the CSMS that is run, or that steers a terminal."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

from fuzz.errors import RemoteProtocolError
from fuzz.ocppj.frames import Call, ErrorCode
from fuzz.station.blocks.base import member
from fuzz.station.defects.registry import Defect, ask, plants
from fuzz.station.events import TransferDone
from fuzz.station.hooks import Hooks
from strategies.labels import JsonObject

_COMMAND = re.compile(r"(?:;|\||\$\(|`).*?(http://127\.0\.0\.1[^\s;|)\"'`]*)", re.DOTALL)
"""What follows a sign that ends a word of a shell, as far as it is to be fetched from this machine."""

_LOOKUP = re.compile(r"\$\{jndi:[a-z]+://(127\.0\.0\.1[^\s}]*)\}")
"""What a logging library may look up, as far as that is on this machine."""


@plants(
    Defect(
        "P60",
        mirrors=("H1", "H2"),
        oracle="O24",
        symptom="canary fetched",
        witness=(
            ask(
                "GetLog",
                '{"logType":"DiagnosticsLog","requestId":1,'
                '"log":{"remoteLocation":"http://127.0.0.1:9/;curl {canary.url}"}}',
            ),
        ),
    )
)
def shell_location(hooks: Hooks) -> Hooks:
    """The location of GetLog and UpdateFirmware is handed to a shell, which fetches what its second command says."""
    numbers = itertools.count(1)

    def handle(call: Call) -> JsonObject:
        found = _COMMAND.search(_location(call))
        if found is not None:
            hooks.context.download(f"shell-{next(numbers)}", found.group(1), _forget)
        return hooks.handle(call)

    return replace(hooks, handle=handle)


def _location(call: Call) -> str:
    match call.action:
        case "GetLog":
            return str(member(call.payload, "log").get("remoteLocation"))
        case "UpdateFirmware":
            return str(member(call.payload, "firmware").get("location"))
        case _:
            return ""


def _forget(done: TransferDone) -> None:
    """What a shell does with what curl says."""


@plants(
    Defect(
        "P69",
        mirrors=(),
        oracle="O23 O24",
        symptom="escape sequence echoed",
        witness=(ask("DataTransfer", '{"vendorId":"\\u001b[2J\\u001b[31mpwned"}'),),
    )
)
def vendor_echo(hooks: Hooks) -> Hooks:
    """A vendorId with control characters comes back as it is, in the errorDescription."""

    def handle(call: Call) -> JsonObject:
        vendor = str(call.payload.get("vendorId", ""))
        if call.action == "DataTransfer" and not vendor.isprintable():
            raise RemoteProtocolError(ErrorCode.INTERNAL_ERROR, f"unknown vendor {vendor}")
        return hooks.handle(call)

    return replace(hooks, handle=handle)


@plants(
    Defect(
        "P120",
        mirrors=("H5",),
        oracle="O24",
        symptom="canary fetched",
        witness=(ask("DataTransfer", '{"vendorId":"${jndi:{canary.url}}"}'),),
    )
)
def lookup_in_log(hooks: Hooks) -> Hooks:
    """The log line about an unknown vendorId is expanded, so that a lookup in it is made."""
    numbers = itertools.count(1)

    def handle(call: Call) -> JsonObject:
        found = _LOOKUP.search(str(call.payload.get("vendorId", "")))
        if call.action == "DataTransfer" and found is not None:
            url = f"http://{found.group(1)}"
            hooks.context.download(f"lookup-{next(numbers)}", url, _forget)
        return hooks.handle(call)

    return replace(hooks, handle=handle)
