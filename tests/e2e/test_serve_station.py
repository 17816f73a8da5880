"""Our reference station on its own, towards a CSMS that we did not write."""

import signal
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
