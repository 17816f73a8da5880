"""Jobs: whatever takes a station long, interrupted by whatever may come between, once it is surely under way.

Knows which CALLs give a station something to do for long, what may interrupt it, and what puts both back. Must not know what
a station makes of it. Every job meets every interruption, and every interruption that makes a station boot meets every
answer to that boot; not all three meet all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from strategies.canaries import LAWFUL
from strategies.labels import JsonObject
from strategies.moves import Act, Answer, Ask, Await, Leave, Move, Pause, Withhold
from strategies.papers import SIGNER, SIGNING_ROOT, SIGNING_ROOT_HASH
from strategies.sequences import (
    CHARGING,
    ENDED,
    GLANCE_S,
    SETTLED_S,
    SIGN,
    Place,
    Scenario,
    answered,
    booted,
    booted_at_last,
    change_availability,
    charge,
    get_log,
    present,
    reboot,
    reset,
    settled,
    tell_status,
    token_json,
    told_of,
    update_firmware,
)

_LOG, _FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
_KINDS = ("DiagnosticsLog", "SecurityLog")
_BOOTS = ("Accepted", "Pending", "Rejected")
"""What the boot after an interruption is answered first; Accepted in the end."""


def jobs(place: Place, *, changes: bool) -> tuple[Scenario, ...]:
    """Every job with every interruption at a place; only with `changes` what asks for more than an answer."""
    return tuple(
        _scene(place, job, met, _BOOTS[(row + column) % len(_BOOTS)])
        for row in range(len(list(_jobs(place, 0))))
        for column, (job, met) in enumerate(_pairs(place, row))
        if changes or not (job.changes or met.changes)
    )


def _scene(place: Place, job: _Job, met: _Met, boot: str) -> Scenario:
    suffix = f"-then-{boot}" if met.boots and boot != _BOOTS[0] else ""
    text = f"{met.text} while {job.text}."
    if suffix:
        text = f"{text[:-1]}, and the boot is {boot} at first."
    moves = tuple(_moves(place, job, met, boot))
    return Scenario(f"{job.name}-meets/{met.name}{suffix}", text, moves, late=True)


def _moves(place: Place, job: _Job, met: _Met, boot: str) -> Iterable[Move]:
    """The job, what comes between, what the station then has to say, and everything back to where it was."""
    return [
        *job.begin,
        *(booted_at_last(place, boot, met.moves) if met.boots else met.moves),
        *(() if met.cuts else job.goes_on),
        *met.then,
        *tell_status(place),
        Pause(SETTLED_S),
        *job.end,
        *(() if met.boots else job.due),
    ]


# --- what takes long ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Job:
    """What a station is given to do, until it has surely begun, and what ends it in any case.

    `goes_on` is what it waits for where its connection lasts, `due` what it has to do in the end unless it booted.
    """

    name: str
    text: str
    begin: Sequence[Move]
    another: Sequence[Move] = ()
    again: Sequence[Move] = ()
    goes_on: Sequence[Move] = ()
    end: Sequence[Move] = ()
    due: Sequence[Move] = ()
    changes: bool = True
    charging: bool = False
    """Whether somebody charges at the first EVSE meanwhile."""
    only: frozenset[str] = frozenset()
    """The names of the interruptions that tell anything of it; all of them where there is none."""


def _jobs(place: Place, turn: int) -> Iterator[_Job]:
    """Every job; where there are several kinds of one, they take turns."""
    yield _firmware(place)
    yield _unsigned_firmware(place)
    yield _caught_firmware(place)
    yield _log(place, _KINDS[turn % len(_KINDS)])
    yield _report(place)
    yield _customer(place)
    yield _certificate(place)
    yield _idle_reset(place)
    yield _availability(place)


_ROOT: JsonObject = {"certificateType": "ManufacturerRootCertificate", "certificate": SIGNING_ROOT}
_INSTALL = Ask("InstallCertificate", _ROOT)
_DELETE = Ask("DeleteCertificate", {"certificateHashData": SIGNING_ROOT_HASH})


def _told(place: Place, message: str, number: int) -> Await:
    return told_of(message, number, timeout_s=place.prompt_s)


def _looked_at_again(place: Place) -> list[Move]:
    """An update that was accepted is waited for until a boot; what was given up must not go on after it."""
    return [*reboot(place), Pause(GLANCE_S)]


def _firmware(place: Place) -> _Job:
    # One try is over in no time: only while it waits for the next one does a download surely go on.
    def update(number: int, *, retries: int = 1) -> Ask:
        return update_firmware(number, signer=SIGNER, retries=retries)

    begun, failed = _told(place, _FIRMWARE, 811), _told(place, _FIRMWARE, 819)
    return _Job(
        "firmware",
        "firmware of a signer is being downloaded",
        [_INSTALL, update(811), begun],
        another=[update(812), _told(place, _FIRMWARE, 812)],
        again=[update(811)],
        # What is tried only once ends whatever is still under way: it is being fetched, and then it cannot be.
        end=[update(819, retries=0), failed, failed, _DELETE],
        due=_looked_at_again(place),
    )


def _unsigned_firmware(place: Place) -> _Job:
    return _Job(
        "unsigned-firmware",
        "firmware that nobody signed is being downloaded",
        [update_firmware(821), _told(place, _FIRMWARE, 821)],
        again=[update_firmware(821)],
        end=[update_firmware(829, retries=0), Pause(GLANCE_S)],
        # Others are scenarios of firmware already, and most stations take none that nobody signed.
        only=frozenset({"power-cycle", "cut", "network", "again"}),
    )


def _caught_firmware(place: Place) -> _Job:
    return _Job(
        "caught-firmware",
        "firmware with a bad signature is being downloaded from us",
        [_INSTALL, update_firmware(831, LAWFUL, signer=SIGNER), _told(place, _FIRMWARE, 831)],
        end=[_DELETE],
        due=_looked_at_again(place),
        # A download from us is over soon: only what comes at once can meet it.
        only=frozenset({"reset", "power-cycle", "cut"}),
    )


def _log(place: Place, kind: str) -> _Job:
    def ask(number: int, *, retries: int = 1) -> Ask:
        return get_log(number, kind=kind, retries=retries)

    told = _told(place, _LOG, 849)
    return _Job(
        "log",
        f"a {kind} is being uploaded",
        [ask(841), _told(place, _LOG, 841)],
        another=[ask(842), _told(place, _LOG, 842)],
        again=[ask(841)],
        end=[ask(849, retries=0), told, told],
    )


def _last(place: Place, message: str, number: int) -> Await:
    """The last part of what is told in parts: a station that can be asked again has not got stuck."""
    return Await(message, (("/requestId", str(number)), ("/tbc", "false")), place.prompt_s)


def _report(place: Place) -> _Job:
    def ask(number: int, base: str) -> Ask:
        return Ask("GetBaseReport", {"requestId": number, "reportBase": base})

    first = ask(851, "FullInventory")
    return _Job(
        "report",
        "a report is being told",
        [Withhold("NotifyReport"), first, Await("NotifyReport", timeout_s=place.prompt_s)],
        another=[ask(852, "ConfigurationInventory")],
        again=[first],
        goes_on=[answered({})],
        end=[ask(859, "ConfigurationInventory"), _last(place, "NotifyReport", 859)],
        changes=False,
    )


def _customer(place: Place) -> _Job:
    message = "NotifyCustomerInformation"

    def ask(number: int, token: tuple[str, str]) -> Ask:
        flags: JsonObject = {"requestId": number, "report": True, "clear": False}
        return Ask("CustomerInformation", {**flags, "idToken": token_json(token)})

    mine, other = place.tokens
    return _Job(
        "customer",
        "it is told what is known of a customer",
        [Withhold(message), ask(861, mine), Await(message, timeout_s=place.prompt_s)],
        another=[ask(862, other)],
        again=[ask(861, mine)],
        goes_on=[answered({})],
        end=[ask(869, mine), _last(place, message, 869)],
        changes=False,
    )


def _certificate(place: Place) -> _Job:
    kind = "ChargingStationCertificate"
    none: JsonObject = {"certificateChain": "no certificate", "certificateType": kind}
    asked: list[Move] = [SIGN, Await("SignCertificate", timeout_s=place.prompt_s)]
    promised = Answer("SignCertificate", {"status": "Accepted"})
    return _Job(
        "certificate",
        "a new certificate is promised",
        [promised, *asked],
        another=[promised, *asked],
        # What is none ends the wait for one (A02.FR.20).
        end=[Ask("CertificateSigned", none)],
        only=frozenset({"reset", "on-idle", "power-cycle", "cut", "network", "another", "use"}),
    )


def _idle_reset(place: Place) -> _Job:
    return _Job(
        "idle-reset",
        "a reset waits until nobody charges",
        [*charge(place), reset("OnIdle")],
        end=[Act(f"unplug {place.evses[0]}"), ENDED],
        due=[booted(place)],
        charging=True,
        only=frozenset({"reset", "on-idle", "power-cycle", "cut", "network", "use"}),
    )


def _availability(place: Place) -> _Job:
    n = place.evses[0]
    down = change_availability("Inoperative", n)
    back = [change_availability("Operative"), change_availability("Operative", n)]
    return _Job(
        "availability",
        "an EVSE is to become unavailable when nobody charges there",
        [*charge(place), down],
        another=[change_availability("Inoperative")],
        again=[down],
        end=[Act(f"unplug {n}"), ENDED, *settled(place), *back],
        charging=True,
    )


# --- what comes between -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Met:
    """What comes between, until it has surely happened; `then` comes once the job can go on.

    `cuts` when it ends the connection, `boots` when a boot comes of it.
    """

    name: str
    text: str
    moves: Sequence[Move]
    then: Sequence[Move] = ()
    cuts: bool = False
    boots: bool = False
    changes: bool = False


def _pairs(place: Place, row: int) -> Iterator[tuple[_Job, _Met]]:
    """The job of a row, and whatever may meet it."""
    for turn, name in enumerate(_NAMES):
        job = list(_jobs(place, turn))[row]
        met = {m.name: m for m in _interruptions(place, job)}.get(name)
        if met is not None and met.moves and (not job.only or name in job.only):
            yield job, met


_NAMES = ("reset", "on-idle", "power-cycle", "cut", "network", "another", "again", "use")


def _interruptions(place: Place, job: _Job) -> Iterator[_Met]:
    # Where somebody charges, a station is idle only once he has gone.
    idle: list[Move] = [Act(f"unplug {place.evses[0]}")] if job.charging else []
    for name, text, moves in (
        ("reset", "The station is reset", [reset()]),
        ("on-idle", "The station is reset when idle", [reset("OnIdle"), *idle]),
        ("power-cycle", "The power goes and comes back", [Act("power-cycle")]),
    ):
        yield _Met(name, text, moves, cuts=True, boots=True, changes=True)
    yield _Met("cut", "The connection is cut", [Leave(1006)], cuts=True)
    gone: list[Move] = [Act("cut-network"), Pause(GLANCE_S), Act("restore-network")]
    yield _Met("network", "The network goes and comes back", gone, cuts=True)
    yield _Met("another", "Another one is asked for", job.another)
    yield _Met("again", "The same is asked for again", job.again)
    yield _use(place, charging=job.charging)


def _use(place: Place, *, charging: bool) -> _Met:
    """Somebody comes, charges and leaves; elsewhere, and perhaps in vain, where somebody charges already."""
    text = "Somebody comes and charges"
    n = place.evses[-1 if charging else 0]
    comes: list[Move] = [
        Act(f"plug-in {n}"),
        present(place.tokens[charging]),
        Act(f"start-power {n}"),
    ]
    leaves = Act(f"unplug {n}")
    if not charging:
        return _Met("use", text, comes, [CHARGING, leaves, ENDED], changes=True)
    free = comes if n != place.evses[0] else []
    return _Met("use", text, free, [Pause(GLANCE_S), leaves], changes=True)


__all__ = ["jobs"]
