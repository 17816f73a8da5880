"""The boot machine as literal tables (Part 2, B01 to B03).

Knows which state follows which answer, and what may be said and answered in each; acts on nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Registration(StrEnum):
    """How far the station has come with its CSMS."""

    OFF = "off"
    BOOTING = "booting"
    PENDING = "pending"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


class Speech(StrEnum):
    """Which CALLs the station may send."""

    NOTHING = "nothing"
    BOOT_ONLY = "boot-only"
    BOOT_AND_TRIGGERED = "boot-and-triggered"
    EVERYTHING = "everything"


class Service(StrEnum):
    """How the station treats CALLs of the CSMS."""

    SERVE = "serve"
    SECURITY_ERROR = "security-error"


AFTER_BOOT_ANSWER: Mapping[str, Registration] = {
    "Accepted": Registration.ACCEPTED,
    "Pending": Registration.PENDING,
    "Rejected": Registration.REJECTED,
}
"""RegistrationStatus of a BootNotificationResponse to the state that follows."""

MAY_SAY: Mapping[Registration, Speech] = {
    Registration.OFF: Speech.NOTHING,
    Registration.BOOTING: Speech.BOOT_ONLY,  # B01.FR.08
    Registration.PENDING: Speech.BOOT_AND_TRIGGERED,  # B02.FR.02
    Registration.REJECTED: Speech.NOTHING,  # B03.FR.02, until the interval is over
    Registration.ACCEPTED: Speech.EVERYTHING,
}

ANSWERS: Mapping[Registration, Service] = {
    Registration.OFF: Service.SERVE,
    Registration.BOOTING: Service.SERVE,  # undefined by B01; serving is the safe reading
    Registration.PENDING: Service.SERVE,  # B02.FR.01
    Registration.REJECTED: Service.SECURITY_ERROR,  # B03.FR.08
    Registration.ACCEPTED: Service.SERVE,
}


def may_say(registration: Registration, action: str, *, triggered: bool) -> bool:
    """Whether a CALL of `action` may be sent now; `triggered` when the CSMS asked for it."""
    match MAY_SAY[registration]:
        case Speech.NOTHING:
            return False
        case Speech.BOOT_ONLY:
            return action == "BootNotification"
        case Speech.BOOT_AND_TRIGGERED:
            return triggered or action == "BootNotification"
        case Speech.EVERYTHING:
            return True
