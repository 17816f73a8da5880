"""Our reference station on its own, towards a CSMS that we did not write."""

import itertools
import signal
import subprocess
import sys
from pathlib import Path

OCPPFUZZ = Path(sys.executable).with_name("ocppfuzz")


def test_the_reference_station_boots_at_another_csms_until_ctrl_c(ocpp_csms, started, until):
    station = started(OCPPFUZZ, "serve", "station", ocpp_csms, "--identity", "CS-1")
    until(lambda: "boot accepted" in station.text, lambda: station.text)
    assert f"connected to {ocpp_csms}/CS-1" in station.text

    station.process.send_signal(signal.SIGINT)
    assert station.process.wait(10) == 0
    assert "Traceback" not in station.text


def test_the_reference_station_says_whom_it_cannot_reach_and_dials_again(port, started, until):
    station = started(OCPPFUZZ, "serve", "station", f"ws://127.0.0.1:{port}", "--identity", "CS-1")
    until(lambda: "disconnected" in station.text, lambda: station.text)
    assert f"cannot connect to ws://127.0.0.1:{port}/CS-1" in station.text
    assert station.process.poll() is None


def test_a_defect_that_does_not_exist_is_a_usage_error(ocppfuzz, port):
    refused = ocppfuzz("serve", "station", f"ws://127.0.0.1:{port}", "--defect", "P99")
    assert refused.code == 2
    assert "'P99'" in refused.complains_once()


def test_the_reference_station_takes_its_csms_as_an_option_and_plays_a_script(
    ocpp_csms, started, until, tmp_path
):
    script = tmp_path / "script"
    script.write_text("wait 1\ntamper\nstatus\n")
    words = ("serve", "station", "--csms", ocpp_csms, "--identity", "CS-1", "--script", script)
    station = started(OCPPFUZZ, *words)
    until(lambda: "EVSE 2: " in station.text, lambda: station.text)
    assert "housing opened" in station.text
    assert "registration accepted, connected" in station.text


def test_the_reference_station_is_played_with_on_standard_input(ocpp_csms, tmp_path):
    station = subprocess.Popen(
        [OCPPFUZZ, "serve", "station", ocpp_csms, "--identity", "CS-1", "--console"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with station:
        try:
            station.stdin.write("cut-netwrk\ncut-network\nstatus\n")
            station.stdin.flush()
            seen = list(itertools.takewhile(lambda line: "EVSE 2: " not in line, station.stderr))
        finally:
            station.send_signal(signal.SIGINT)
        assert station.wait(10) == 0
    assert any("did you mean 'cut-network'?" in line for line in seen)
    assert any("network cut" in line for line in seen)


def test_what_the_reference_station_keeps_is_there_after_ctrl_c(
    ocpp_csms, ocppfuzz, started, until, tmp_path
):
    words = ("serve", "station", ocpp_csms, "--identity", "CS-1", "--state", tmp_path / "cs-1")
    first = started(OCPPFUZZ, *words)
    until(lambda: "boot accepted" in first.text, lambda: first.text)
    refused = ocppfuzz(*words)
    assert refused.code == 2
    assert "another station keeps its state" in refused.complains_once()

    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(10) == 0
    second = started(OCPPFUZZ, *words)
    until(lambda: "boot accepted" in second.text, lambda: second.text)
