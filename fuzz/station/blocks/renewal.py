"""Renewal of the station's own certificate, asked for or by itself (Part 2, A02 and A03).

Knows the course of a renewal; what makes a certificate fit is in `x509`, where keys lie in `keystore`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import StrEnum

from fuzz.ocppj.peer import Answered
from fuzz.station.blocks.base import Block, Handler, status
from fuzz.station.context import Context, Outcome, Trigger
from fuzz.station.events import CloseConnection, Failure
from fuzz.station.keystore import CSMS_ROOT, Own
from fuzz.station.states import Registration
from fuzz.station.x509 import (
    BadCertificate,
    Certificate,
    load_chain,
    signing_request,
    to_pem,
    why_no_path,
    why_not_now,
    why_not_own,
    why_weak,
)
from strategies.labels import JsonObject

_CHECK, _BEGIN, _AGAIN, _SWITCH = (
    "renewal-check",
    "renewal-begin",
    "renewal-again",
    "renewal-switch",
)
_DAY_S = 86_400.0
_LATER_S = 10.0
_MONTH = timedelta(days=30)
_KIND = "ChargingStationCertificate"


class Stage(StrEnum):
    """How far a renewal has come."""

    IDLE = "idle"
    ASKED = "asked"
    AWAITING = "awaiting"


class RenewalBlock(Block):
    """Asks for a certificate with a new key, checks what comes, and connects with it; the old one is the way back."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._stage = Stage.IDLE
        self._repeats = 0
        self._failures = 0
        self._discouraged = False
        context.clock_listeners.append(self._clock_changed)

    def handlers(self) -> Mapping[str, Handler]:
        """Answers CertificateSigned."""
        return {"CertificateSigned": self._signed}

    def triggers(self) -> Mapping[str, Trigger]:
        """A renewal can be asked for (A02.FR.02)."""
        return {"SignChargingStationCertificate": self._triggered}

    def power_on(self) -> None:
        """Nothing is under way; a certificate that is not valid yet is waited for again."""
        self._stage, self._repeats, self._failures = Stage.IDLE, 0, 0
        self._wait_for_upcoming()

    def accepted(self) -> None:
        """Looks after the own certificate, from now on every day (A03.FR.02)."""
        self._check()

    def connected(self, offline_s: float) -> None:
        """A certificate that a connection was made with needs no way back (A02.FR.10)."""
        keys, self._failures = self.context.keys, 0
        if self._in_use and keys.previous is not None:
            keys.previous = None
            self.context.dirty = True

    def failed(self, failure: Failure) -> None:
        """After enough failures with a new certificate the old one has its turn again (A02.FR.28, A03.FR.24)."""
        keys = self.context.keys
        if keys.previous is None or not self._in_use:
            return
        self._failures += 1
        attempts = self.context.model.number("OCPPCommCtrlr", "NetworkProfileConnectionAttempts")
        if self._failures >= attempts and keys.previous.chain:
            keys.go_back()
            self.context.dirty = True
            self.context.log("the new certificate is discarded")
            if self.context.errata:  # A02.FR.29, A03.FR.25
                self.context.security_event("DiscardedRenewedClientCertificate", "")

    def _clock_changed(self) -> None:
        """What depends on the date may be due now."""
        self._wait_for_upcoming()
        if self.context.registration is Registration.ACCEPTED:
            self.context.at(_CHECK, self.context.now, self._check)

    # --- asking -------------------------------------------------------------------------------------------

    def _triggered(self, request: JsonObject) -> bool:
        if not self.context.may_ask("SignCertificate", triggered=True) or not self._organization:
            return False
        # A02.FR.02: the key pair is made after the answer has gone.
        self._discouraged, self._repeats = False, 0
        self.context.at(_BEGIN, self.context.now, lambda: self._ask(triggered=True))
        return True

    def _check(self) -> None:
        self.context.at(_CHECK, self.context.now + _DAY_S, self._check)
        if self._stage is Stage.IDLE and not self._discouraged and self._ends_soon():
            self._repeats = 0
            self._ask(triggered=False)

    def _ends_soon(self) -> bool:
        keys = self.context.keys
        if not keys.own.chain or keys.upcoming is not None:
            return False
        try:
            leaf = load_chain(keys.own.chain)[0]
            return bool(why_not_now(leaf, self.context.moment() + _MONTH))
        except BadCertificate:
            return True

    def _ask(self, *, triggered: bool, key: str = "") -> None:
        context = self.context
        context.cancel([_AGAIN])
        if not context.may_ask("SignCertificate", triggered=triggered):
            if key:  # A02.FR.17: repeated as soon as may be
                context.at(
                    _AGAIN, context.now + _LATER_S, lambda: self._ask(triggered=False, key=key)
                )
            return
        elliptic = any("ECDSA" in name for name in context.pics.cipher_suites)
        key = key or context.keys.make_key(elliptic=elliptic)
        try:
            csr = signing_request(key, organization=self._organization, serial=context.serial)
        except BadCertificate:
            context.log("no certificate can be asked for with this OrganizationName")
            return
        context.keys.hold_key(key)
        context.dirty = True
        self._stage = Stage.ASKED
        payload: JsonObject = {"csr": csr, "certificateType": _KIND}
        context.ask(
            "SignCertificate",
            payload,
            triggered=triggered,
            then=lambda outcome: self._heard(key, outcome),
        )

    def _heard(self, key: str, outcome: Outcome) -> None:
        context = self.context
        if isinstance(outcome, Answered) and outcome.payload["status"] == "Accepted":
            self._stage = Stage.AWAITING
            self._wait_for_signed(key)
            return
        self._stage = Stage.IDLE
        context.keys.drop_key(key)
        context.dirty = True

    def _wait_for_signed(self, key: str) -> None:
        """Asks again when nothing comes, each time after twice the wait (A02.FR.17 to FR.19)."""
        context = self.context
        minimum = context.value("SecurityCtrlr", "CertSigningWaitMinimum")
        repeats = context.value("SecurityCtrlr", "CertSigningRepeatTimes", "0")
        if not context.pics.items.get("AS-3", False) or not minimum:
            return
        if self._repeats >= int(repeats):
            self._stage = Stage.IDLE
            return
        wait_s = int(minimum) * 2.0**self._repeats
        self._repeats += 1
        context.at(_AGAIN, context.now + wait_s, lambda: self._ask(triggered=False, key=key))

    @property
    def _organization(self) -> str:
        return self.context.value("SecurityCtrlr", "OrganizationName")

    @property
    def _in_use(self) -> bool:
        return self.context.dialling.choice.profile.security_profile == 3

    # --- CertificateSigned --------------------------------------------------------------------------------

    def _signed(self, request: JsonObject) -> JsonObject:
        if request.get("certificateType", _KIND) != _KIND:
            return status("Rejected", "UnsupportedParam")
        pem = str(request["certificateChain"])
        limit = self.context.value("SecurityCtrlr", "MaxCertificateChainSize")
        if limit and len(pem) > int(limit):
            self._reject()
            return status("Rejected", "TooLargeElement")  # A02.FR.16
        try:
            chain = load_chain(pem)
            key = self.context.keys.key_for(chain[0])
            reason = next(self.faults(chain, key), "")
        except BadCertificate as error:
            reason = str(error)
        if reason:
            self._reject()
            # A02.FR.07, A03.FR.07: the reason is ours and holds nothing of the certificate.
            self.context.security_event("InvalidChargingStationCertificate", reason)
            return status("Rejected", "InvalidCertificate")
        self._accept(chain[0], Own("".join(map(to_pem, chain)), key))
        return status("Accepted")

    def faults(self, chain: tuple[Certificate, ...], key: str) -> Iterator[str]:
        """Why a chain cannot be that of the station, every reason (A02.FR.06)."""
        context, leaf = self.context, chain[0]
        roots, moment = context.keys.of(CSMS_ROOT), context.moment()
        reasons = (
            "" if key else "not the key that was asked for",
            self._why_not_yet(leaf),
            why_no_path(chain, roots, moment),
            why_weak(leaf),
            why_not_own(leaf, organization=self._organization, serial=context.serial),
        )
        return filter(None, reasons)

    def _why_not_yet(self, leaf: Certificate) -> str:
        reason = why_not_now(leaf, self.context.moment())
        # A02.FR.08 in Edition 3: it is used later.
        return "" if reason == "not yet valid" and not self.context.errata else reason

    def _reject(self) -> None:
        # A02.FR.20: no new request until somebody asks for one.
        self._stage, self._discouraged = Stage.IDLE, True
        self.context.cancel([_AGAIN])

    def _accept(self, leaf: Certificate, own: Own) -> None:
        self._stage = Stage.IDLE
        self.context.cancel([_AGAIN])
        self.context.dirty = True
        self.context.keys.drop_key(own.key)
        if why_not_now(leaf, self.context.moment()):
            self.context.keys.upcoming = own
            self._wait_for_upcoming()
        else:
            self._switch(own)

    def _wait_for_upcoming(self) -> None:
        upcoming = self.context.keys.upcoming
        if upcoming is None:
            return
        leaf = load_chain(upcoming.chain)[0]
        wait = leaf.not_valid_before_utc - self.context.moment()
        when = self.context.now + max(0.0, wait.total_seconds())
        self.context.at(_SWITCH, when, lambda: self._switch(upcoming))

    def _switch(self, own: Own) -> None:
        """The answer goes first, then the station connects with the new certificate."""
        context = self.context
        context.keys.replace_own(own)
        context.keys.upcoming = None
        context.dirty = True
        self._failures = 0
        context.security_event("ReconfigurationOfSecurityParameters", _KIND)
        if self._in_use:
            context.do(CloseConnection())
