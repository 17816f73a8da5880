"""`pki enroll` on a station that runs by itself: under the lab's root over plain OCPP, and back again."""

from datetime import UTC, datetime

import pytest

from tlslab.describe import Description
from tlslab.pki import issue

WHO = ("--identity", "CS-1", "--security-profile", "1", "--wait", "60")


@pytest.fixture
def station(started, own_station, port, tmp_path):
    """A station in security profile 1 that trusts a root of its own; dials until the test is over."""
    root = tmp_path / "own.pem"
    root.write_bytes(issue(Description("its root", is_ca=True), now=datetime.now(UTC)).certificate)
    options = ("--ca", root, "--state", tmp_path / "state", "--backoff-min-s=0.2", *WHO[:2])
    return started(*own_station(f"ws://127.0.0.1:{port}/ocpp", *options))


def test_a_station_is_brought_under_the_root_of_the_lab_and_back(station, ocppfuzz, port, tmp_path):
    listen = ("pki", "enroll", "--listen", f"127.0.0.1:{port}", *WHO)
    done = ocppfuzz(*listen)
    assert done.code == 0, done.err
    assert "installed the lab's root" in done.out
    assert "the station has a new certificate" in done.out
    memory = tmp_path / "findings" / "private" / "enrolled-CS-1.json"
    assert memory.stat().st_mode & 0o077 == 0

    undone = ocppfuzz(*listen, "--undo")
    assert undone.code == 0, undone.err
    assert "deleted the lab's root: Accepted" in undone.out
    assert "stays changed on the station: its certificate" in undone.out
    assert not memory.exists()

    again = ocppfuzz(*listen, "--undo")
    assert again.code == 2
    assert "nothing was enrolled" in again.complains_once()


def test_enrolling_needs_to_know_where_and_whom(ocppfuzz):
    refused = ocppfuzz("pki", "enroll", "--security-profile", "1")
    assert refused.code == 2
    assert "--listen" in refused.complains_once()
