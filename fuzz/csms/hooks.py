"""The seams of the healthy CSMS at which defects are put in.

Knows the shapes of the seams and the healthy functions behind them; the planted ones are in `defects`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from fuzz.csms import papers
from fuzz.csms.enrolment import password_fits
from fuzz.csms.events import Upgrade
from fuzz.csms.papers import Certificate


def names_shown(upgrade: Upgrade) -> Sequence[str]:
    """Who the caller proved to be: every commonName of its certificate. Headers prove nothing (A00.FR.403)."""
    leaf = papers.load(upgrade.chain[0]) if upgrade.chain else None
    return [] if leaf is None else papers.common_names(leaf)


def must_show(reason: str) -> str:
    """Why a caller that showed no certificate gets no further (A00.FR.401, FR.407)."""
    return reason


def is_bound(names: Sequence[str], serial: str) -> bool:
    """Whether that is the station with this serial number and no other (A00.FR.405)."""
    return list(names) == [serial]


def is_user(user: str, identity: str) -> bool:
    """Whether the user name is the identity of the URL (A00.FR.204, FR.303)."""
    return user == identity


def why_not_owned(leaf: Certificate, organizations: Collection[str]) -> str:
    """Why nobody's station that is trusted here shows this certificate."""
    return papers.why_not_organization(leaf, organizations)


def why_not_proper(leaf: Certificate) -> str:
    """Why the certificate, whoever owns it, is not one of a station."""
    return papers.why_weak(leaf) or papers.why_not_client(leaf)


def is_revoked(serial_number: str, revoked: Collection[str]) -> bool:
    """Whether the certificate was taken back (A00.FR.702, FR.705)."""
    return serial_number in revoked


def too_many(wait_s: float) -> bool:
    """Whether the caller has failed too often to be looked at."""
    return wait_s > 0


def may_speak(action: str, allowed: Collection[str]) -> bool:
    """Whether a station that is not accepted may say this (B01.FR.10, B02.FR.09, B03.FR.07)."""
    return action in allowed


def fits_port(enrolled: int, port: int) -> bool:
    """Whether a station of one security profile may come to a port of another (A00.FR.002, A05.FR.07)."""
    return enrolled == port


def same_serial(said: str, serial: str) -> bool:
    """Whether the serial number of a BootNotification is that of the certificate (B01.FR.12)."""
    return said == serial


def drop_rejected(_replaced: str) -> str:
    """What becomes of the certificate in use when the station refuses its successor: it stays (A02.FR.07)."""
    return ""


Issue: TypeAlias = Callable[[str, str, str], str]
"""Makes a chain in PEM out of a request, the station's serial number and the owner."""


def _no_issue(csr: str, serial: str, organization: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The questions on which the CSMS decides, each with its healthy answer.

    `issue` is the lab's CA, which makes nothing ("") where there is none; `issue_all` is it without its care. `refused`
    gives the fingerprint that is dropped when a station refuses a new certificate.
    """

    issue: Issue = _no_issue
    issue_all: Issue = _no_issue
    anonymous: Callable[[str], str] = must_show
    names: Callable[[Upgrade], Sequence[str]] = names_shown
    bound: Callable[[Sequence[str], str], bool] = is_bound
    user: Callable[[str, str], bool] = is_user
    password: Callable[[str, str], bool] = password_fits
    owned: Callable[[Certificate, Collection[str]], str] = why_not_owned
    proper: Callable[[Certificate], str] = why_not_proper
    timely: Callable[[Certificate, datetime], str] = papers.why_not_now
    revoked: Callable[[str, Collection[str]], bool] = is_revoked
    too_many: Callable[[float], bool] = too_many
    speaks: Callable[[str, Collection[str]], bool] = may_speak
    port: Callable[[int, int], bool] = fits_port
    serial: Callable[[str, str], bool] = same_serial
    request: Callable[[str, str, Collection[str]], str] = papers.why_not_request
    refused: Callable[[str], str] = drop_rejected


Plant: TypeAlias = Callable[[Hooks], Hooks]
"""Gives back the hooks with one of them replaced."""
