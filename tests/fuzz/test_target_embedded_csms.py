"""The reference CSMS as a target: started, dialled, restarted on the same port."""

import tomllib

import pytest

from fuzz.errors import TargetUnavailable
from fuzz.target.embedded_csms import CsmsPort, CsmsStation, EmbeddedCsms

STATION = CsmsStation("CS-\u00e4 1", 1, 'p"w\\\u00e4')


async def test_it_says_where_to_dial_and_keeps_its_port_over_a_restart(tmp_path):
    csms = EmbeddedCsms(folder=tmp_path, stations=[STATION], ports=[CsmsPort(1)])
    try:
        await csms.start()
        url = csms.url(1)
        assert url.startswith("ws://127.0.0.1:")
        await csms.kill()
        await csms.start()
        assert csms.url(1) == url
        with pytest.raises(TargetUnavailable):
            csms.url(3)
    finally:
        await csms.stop()


def test_its_file_holds_the_stations_and_is_for_its_owner_only(tmp_path):
    EmbeddedCsms(folder=tmp_path, stations=[STATION])
    file = tmp_path / "stations.toml"
    (station,) = tomllib.loads(file.read_text())["station"]
    assert (station["identity"], station["password"]) == (STATION.identity, STATION.password)
    assert file.stat().st_mode & 0o777 == 0o600


async def test_why_it_does_not_start_is_told(tmp_path):
    csms = EmbeddedCsms(folder=tmp_path, stations=[STATION], ports=[CsmsPort(2)])
    with pytest.raises(TargetUnavailable, match="need certificates"):
        await csms.start()
