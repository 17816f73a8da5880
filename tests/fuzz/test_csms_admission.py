"""Who may come in, and with which status others are turned away."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from fuzz.csms.admission import Doorkeeper, basic_credentials, identity_of
from fuzz.csms.enrolment import Enrolled, hash_password
from fuzz.csms.events import Admitted, Refused, Upgrade
from fuzz.csms.hooks import Hooks
from fuzz.csms.papers import fingerprint
from fuzz.csms.throttle import PAIR_LIMIT, WINDOW_S
from tlslab.describe import Description
from tlslab.pki import issue

NOW = datetime(2026, 5, 1, tzinfo=UTC)
OWNER = "ocppfuzz lab"
PASSWORD = "p\u00e4ssw\u00f6rd-of-CS-2"
STATIONS = [
    Enrolled("CS-3"),
    Enrolled("CS-4", allow_expired=True),
    Enrolled("CS-2", 2, password_hash=hash_password(PASSWORD, bytes(16))),
]


@pytest.fixture
def door() -> Doorkeeper:
    return Doorkeeper(STATIONS, [OWNER], Hooks())


def certificate(name: str, **changes: object) -> bytes:
    return issue(Description(name, **changes), now=NOW).der


def basic(user: str, password: str) -> tuple[str, str]:
    pair = base64.b64encode(f"{user}:{password}".encode()).decode()
    return ("Authorization", f"Basic {pair}")


def by_password(user="CS-2", password=PASSWORD, path="/ocpp/CS-2", profile=2) -> Upgrade:
    return Upgrade(path, (basic(user, password),), "10.0.0.1", profile)


def by_certificate(der: bytes, path="/ocpp/CS-3", headers=()) -> Upgrade:
    return Upgrade(path, headers, "10.0.0.1", 3, (der,))


# --- certificates -----------------------------------------------------------------------------------------


def test_a_proper_certificate_is_vouched_for(door):
    assert door.vouch((certificate("CS-3"),), NOW) == ""


@pytest.mark.parametrize(
    ("chain", "told"),
    [
        ((), "no certificate"),
        ((b"garbage",), "no certificate"),
        ((certificate("CS-3", organization="Other"),), "another organizationName"),
        ((certificate("CS-3", is_ca=True),), "a CA certificate"),
        ((certificate("CS-3", extended=("serverAuth",)),), "of a server"),
        ((certificate("CS-3", validity=timedelta(seconds=-1)),), "expired"),
        ((certificate("CS-3", begins=timedelta(days=1)),), "not yet valid"),
    ],
)
def test_a_certificate_that_is_no_stations_gets_no_further(door, chain, told):
    assert told in door.vouch(chain, NOW)


def test_an_expired_certificate_may_be_allowed_for_one_station_only(door):
    old = certificate("CS-4", validity=timedelta(seconds=-1))
    assert door.vouch((old,), NOW) == ""
    assert door.expired((old,), NOW)
    assert not door.expired((certificate("CS-4"),), NOW)
    assert not door.expired((), NOW)


def test_a_revoked_or_replaced_certificate_gets_no_further(door):
    credential = issue(Description("CS-3"), now=NOW)
    door.revoked.add(f"{credential.x509.serial_number:x}")
    assert door.vouch((credential.der,), NOW) == "revoked"
    other = certificate("CS-3")
    door.drop(fingerprint(other))
    assert "newer" in door.vouch((other,), NOW)


def test_the_certificate_must_name_the_station_of_the_path(door):
    assert door.admit(by_certificate(certificate("CS-3")), 0.0) == Admitted("CS-3")
    refused = door.admit(by_certificate(certificate("CS-4")), 0.0)
    assert isinstance(refused, Refused)
    assert refused.status == 403


@pytest.mark.parametrize("name", ["CS-33", "CS-", "cs-3", "CS-3,CS-4", "CS-3 ", "xCS-3", "*", None])
def test_a_name_that_only_resembles_the_serial_number_is_not_it(door, name):
    refused = door.admit(by_certificate(certificate(name)), 0.0)
    assert isinstance(refused, Refused)


def test_names_in_subject_alternative_name_and_headers_count_for_nothing(door):
    shown = certificate("CS-4", names=("CS-3",))
    headers = (("X-Client-CN", "CS-3"), ("X-Client-Cert", "CS-3"), ("X-Forwarded-For", "CS-3"))
    assert isinstance(door.admit(by_certificate(shown, headers=headers), 0.0), Refused)


def test_a_station_all_of_whose_certificates_are_revoked_stays_outside(door):
    door.revoked.add("CS-3")
    refused = door.admit(by_certificate(certificate("CS-3")), 0.0)
    assert isinstance(refused, Refused)
    assert refused.status == 403


# --- passwords --------------------------------------------------------------------------------------------


def test_the_right_password_lets_in_in_utf_8(door):
    assert door.admit(by_password(), 0.0) == Admitted("CS-2")


@pytest.mark.parametrize(
    "upgrade",
    [
        by_password(password=""),
        by_password(password=PASSWORD[:-1]),
        by_password(user="CS-3"),
        by_password(user=""),
        Upgrade("/CS-2", (), "10.0.0.1", 2),
        Upgrade("/CS-2", (("Authorization", "Bearer x"),), "10.0.0.1", 2),
        Upgrade("/CS-2", (("Authorization", "Basic !"),), "10.0.0.1", 2),
        Upgrade("/CS-2", (basic("CS-2", PASSWORD), basic("CS-2", PASSWORD)), "10.0.0.1", 2),
        Upgrade("/CS-2", (("Authorization", "Basic " + "A" * 5000),), "10.0.0.1", 2),
    ],
)
def test_anything_else_is_unauthorized(door, upgrade):
    refused = door.admit(upgrade, 0.0)
    assert isinstance(refused, Refused)
    assert refused.status == 401
    assert PASSWORD not in refused.reason


@pytest.mark.parametrize("path", ["/", "/ocpp/", "/ocpp/nobody", "/%ff", f"/{'x' * 49}", "/\udcff"])
def test_an_unknown_identity_is_not_found(door, path):
    refused = door.admit(by_password(path=path), 0.0)
    assert isinstance(refused, Refused)
    assert refused.status == 404


@pytest.mark.parametrize(
    "upgrade",
    [
        by_password(profile=1),
        Upgrade("/CS-2", (basic("CS-2", PASSWORD),), "10.0.0.1", 3, (certificate("CS-2"),)),
        Upgrade("/CS-3", (basic("CS-3", PASSWORD),), "10.0.0.1", 2),
    ],
)
def test_a_station_is_served_in_its_own_security_profile_only(door, upgrade):
    refused = door.admit(upgrade, 0.0)
    assert isinstance(refused, Refused)
    assert refused.status == 403


def test_whoever_fails_too_often_has_to_wait_and_then_may_try_again(door):
    for _ in range(PAIR_LIMIT):
        door.admit(by_password(password="wrong"), 0.0)
    refused = door.admit(by_password(), 1.0)
    assert isinstance(refused, Refused)
    assert refused.status == 429
    assert door.admit(by_password(), WINDOW_S) == Admitted("CS-2")


# --- never raises -----------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    path=st.text(max_size=60),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["Authorization", "X-Client-CN", "authorization"]), st.text(max_size=40)
        ),
        max_size=3,
    ),
    profile=st.sampled_from([1, 2, 3]),
    chain=st.lists(st.binary(max_size=20), max_size=2),
)
def test_nobody_comes_in_with_garbage_and_nothing_raises(path, headers, profile, chain):
    door = Doorkeeper(STATIONS, [OWNER], Hooks())
    upgrade = Upgrade(path, tuple(headers), "x", profile, tuple(chain))
    assert isinstance(door.admit(upgrade, 0.0), Refused)
    assert door.vouch(tuple(chain), NOW)


@given(user=st.text().filter(lambda text: ":" not in text), password=st.text())
def test_basic_credentials_are_read_as_they_were_written(user, password):
    upgrade = Upgrade("/x", (basic(user, password),))
    found = basic_credentials(upgrade)
    if len(dict(upgrade.headers)["Authorization"]) < 1000:
        assert found == (user, password)


def test_the_identity_is_percent_decoded():
    assert identity_of("/ocpp/CS%2D3?x=/CS-9") == "CS-3"
