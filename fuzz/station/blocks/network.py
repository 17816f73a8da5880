"""Network profiles: where else the CSMS may be, and over which security profile (Part 2, A05, B09 and B10).

Knows the messages and variables; the order of attempts is in `dialling`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from fuzz.station.blocks.base import Block, Handler, member, status, whole
from fuzz.station.context import Context
from fuzz.station.dialling import Profile
from fuzz.station.keystore import CSMS_ROOT
from fuzz.station.x509 import BadCertificate, load_chain, why_not_now
from strategies.labels import JsonObject, JsonValue

_INTERFACES = ("Wired0", "Wireless0")
_MAX_TIMEOUT_S = 86_400


class NetworkBlock(Block):
    """Stores network profiles, guards their priority and keeps the variables that tell which one is in use."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        model = context.model
        self._priority = model.named("OCPPCommCtrlr", "NetworkConfigurationPriority")
        self._timeout = model.named("OCPPCommCtrlr", "MessageTimeout", "Default")
        self._timeout_at_first = model.read(self._timeout)
        self._level = context.dialling.security_profile
        self._kept = context.dialling.lasting()
        context.value_checks[self._priority.key] = self._why_no_priority
        self._show("SecurityCtrlr", "SecurityProfile", lambda: context.dialling.security_profile)
        self._show("OCPPCommCtrlr", "ActiveNetworkProfile", lambda: context.dialling.choice.slot)

    def handlers(self) -> Mapping[str, Handler]:
        """Answers SetNetworkProfile."""
        return {"SetNetworkProfile": self._set_profile}

    def connected(self, offline_s: float) -> None:
        """What is in use now may rule out other slots (A05.FR.06), and brings its own MessageTimeout."""
        context = self.context
        profile = context.dialling.choice.profile
        self._limit_priority()
        timeout = str(profile.message_timeout_s or self._timeout_at_first)
        context.model.write(self._timeout, timeout)
        context.peer.timeout_s = float(timeout)
        self._keep()

    def _keep(self) -> None:
        dialling = self.context.dialling
        if dialling.security_profile != self._level:
            self._level = dialling.security_profile
            self.context.security_event(
                "ReconfigurationOfSecurityParameters", f"SecurityProfile {self._level}"
            )
        kept = dialling.lasting()
        self.context.dirty |= kept != self._kept
        self._kept = kept

    def lasting(self) -> JsonObject:
        """The slots and the one in use."""
        return {"network": self.context.dialling.lasting()}

    def restore(self, lasting: Mapping[str, JsonValue]) -> None:
        """Takes over the slots."""
        network = lasting.get("network")
        dialling = self.context.dialling
        dialling.restore(network if isinstance(network, dict) else {})
        self._level, self._kept = dialling.security_profile, dialling.lasting()

    # --- SetNetworkProfile --------------------------------------------------------------------------------

    def _set_profile(self, request: JsonObject) -> JsonObject:
        slot, data = whole(request["configurationSlot"]), member(request, "connectionData")
        if str(slot) not in self._priority.values:
            return status("Rejected", "InvalidConfSlot")  # B09.FR.05
        level = whole(data["securityProfile"])
        if not self.context.dialling.reaches(level):
            return status("Rejected", "NoSecurityDowngrade")  # B09.FR.04
        if not self._is_sound(data):
            return status("Rejected", "InvalidNetworkConf")  # B09.FR.02
        url, timeout_s = str(data["ocppCsmsUrl"]), whole(data["messageTimeout"])
        self.context.dialling.profiles[slot] = Profile(url, level, timeout_s)
        self._keep()
        return status("Accepted")  # B09.FR.01

    def _is_sound(self, data: JsonObject) -> bool:
        level = whole(data["securityProfile"])
        return (
            data["ocppVersion"] == "OCPP20"
            and data["ocppTransport"] == "JSON"
            and data["ocppInterface"] in _INTERFACES
            and "vpn" not in data
            and level in self.context.pics.security_profiles
            and 0 < whole(data["messageTimeout"]) <= _MAX_TIMEOUT_S
            and _is_dialable(str(data["ocppCsmsUrl"]), tls=level > 1)
        )

    # --- NetworkConfigurationPriority ---------------------------------------------------------------------

    def _why_no_priority(self, value: str) -> str:
        for slot in value.split(","):
            profile = self.context.dialling.profiles.get(int(slot))
            if profile is None:
                return "InvalidConfSlot"  # B10.FR.02
            if reason := self._why_not(profile.security_profile):
                return reason
        return ""

    def _why_not(self, level: int) -> str:
        if not self.context.dialling.reaches(level):
            return "NoSecurityDowngrade"  # A00.FR.005, A05.FR.08 to FR.10
        if level <= self.context.dialling.security_profile:
            return ""
        keys = self.context.keys
        if level >= 2 and not any(
            not why_not_now(c, self.context.moment()) for c in keys.of(CSMS_ROOT)
        ):
            return "InvalidCertificate"  # A05.FR.02
        return "InvalidCertificate" if level == 3 and not self._is_certified() else ""  # A05.FR.03

    def _is_certified(self) -> bool:
        try:
            return not why_not_now(
                load_chain(self.context.keys.own.chain)[0], self.context.moment()
            )
        except BadCertificate:
            return False

    def _limit_priority(self) -> None:
        dialling, model = self.context.dialling, self.context.model
        before = model.read(self._priority)
        after = ",".join(str(slot) for slot in dialling.slots() if slot in dialling.profiles)
        if after and after != before:
            self.context.set_variable(self._priority, after)

    def _show(self, component: str, name: str, number: Callable[[], int]) -> None:
        variable = self.context.model.named(component, name)
        self.context.model.live[variable.key] = lambda: str(number())


def _is_dialable(url: str, *, tls: bool) -> bool:
    """Whether it is a WebSocket URL without credentials, query and fragment."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    return (
        url.isascii()
        and url.isprintable()
        and " " not in url
        and parts.scheme == ("wss" if tls else "ws")
        and bool(parts.hostname)
        and port != 0
        and parts.username is None
        and not parts.query
        and not parts.fragment
    )
