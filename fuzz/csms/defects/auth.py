"""Authentication defects: callers that are let in as a station that they are not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from fuzz.csms import papers
from fuzz.csms.defects.registry import Defect, plants, shown_by
from fuzz.csms.events import Upgrade
from fuzz.csms.hooks import Hooks, is_bound

_HEADERS = ("X-Client-CN", "X-SSL-Client-CN", "SSL-Client-S-DN-CN")


@plants(
    Defect(
        "P49",
        mirrors=("F4", "F5"),
        oracle="O16",
        symptom="101 as another station",
        witness=shown_by("TC-19", "TC-21", "TC-22", "TC-31", "TC-33"),
    )
)
def cert_identity_unbound(hooks: Hooks) -> Hooks:
    """Any station's certificate opens the path of every station."""
    return replace(hooks, bound=lambda names, serial: True)


@plants(
    Defect(
        "P55",
        mirrors=("G1",),
        oracle="O16",
        symptom="101 without the password",
        witness=shown_by("TC-41", "TC-44", "TC-46", "TC-48"),
        security_profile=2,
    )
)
def any_password(hooks: Hooks) -> Hooks:
    """The right user name is let in with any password."""
    return replace(hooks, password=lambda given, stored: True)


@plants(
    Defect(
        "P56",
        mirrors=("G1",),
        oracle="O16",
        symptom="101 as another station",
        witness=shown_by("TC-43"),
        security_profile=2,
    )
)
def username_mismatch(hooks: Hooks) -> Hooks:
    """The user name of the Basic credentials need not be the identity of the URL."""
    return replace(hooks, user=lambda user, identity: True)


@plants(
    Defect(
        "P57",
        mirrors=("G2",),
        oracle="O16",
        symptom="every attempt is looked at",
        witness=shown_by("TC-48"),
        security_profile=2,
    )
)
def no_throttle(hooks: Hooks) -> Hooks:
    """Passwords can be guessed as fast as the network allows."""
    return replace(hooks, too_many=lambda wait_s: False)


@plants(
    Defect(
        "P101",
        mirrors=(),
        oracle="O16",
        symptom="101 as another station",
        witness=shown_by("TC-33"),
    )
)
def header_trusted(hooks: Hooks) -> Hooks:
    """A header of a proxy that is not there names the station."""

    def names(upgrade: Upgrade) -> Sequence[str]:
        said = [value for name in _HEADERS if (value := upgrade.header(name))]
        return said[:1] or hooks.names(upgrade)

    return replace(hooks, names=names)


@plants(
    Defect(
        "P102",
        mirrors=(),
        oracle="O16",
        symptom="101 as another station",
        witness=shown_by("TC-21"),
    )
)
def prefix_identity(hooks: Hooks) -> Hooks:
    """A commonName that only begins with the serial number is taken for it."""
    return replace(hooks, bound=lambda names, serial: any(n.startswith(serial) for n in names))


@plants(
    Defect(
        "P103",
        mirrors=(),
        oracle="O16",
        symptom="101 as another station",
        witness=shown_by("TC-22"),
    )
)
def alternative_identity(hooks: Hooks) -> Hooks:
    """A name in subjectAltName is taken for the serial number."""

    def names(upgrade: Upgrade) -> Sequence[str]:
        leaf = papers.load(upgrade.chain[0]) if upgrade.chain else None
        others = [] if leaf is None else papers.alternative_names(leaf)
        return [*hooks.names(upgrade), *others]

    return replace(hooks, names=names, bound=lambda names, serial: serial in names)


@plants(
    Defect(
        "P104",
        mirrors=(),
        oracle="O16",
        symptom="101 on the port of another security profile",
        witness=shown_by("TC-52"),
        security_profile=2,
    )
)
def profile_unbound(hooks: Hooks) -> Hooks:
    """A station of security profile 3 is let in without its certificate at the port of security profile 2."""
    return replace(hooks, port=lambda enrolled, port: enrolled >= port)


@plants(
    Defect(
        "P105",
        mirrors=(),
        oracle="O16",
        symptom="booted with another serial number",
        witness=shown_by("TC-19"),
        depth=1,
    )
)
def serial_unbound(hooks: Hooks) -> Hooks:
    """A BootNotification with the serial number of another station is accepted."""
    return replace(hooks, serial=lambda said, serial: True)


@plants(
    Defect(
        "P106",
        mirrors=(),
        oracle="O18",
        symptom="served before it was accepted",
        witness=shown_by("TC-54"),
        depth=1,
    )
)
def pending_served(hooks: Hooks) -> Hooks:
    """A station whose boot was not accepted may say everything."""

    def speaks(action: str, allowed: Collection[str]) -> bool:
        return True

    return replace(hooks, speaks=speaks)


def bound_if_any(names: Sequence[str], serial: str) -> bool:
    """As it should be for a caller that showed a certificate; any identity for one that did not."""
    return not names or is_bound(names, serial)
