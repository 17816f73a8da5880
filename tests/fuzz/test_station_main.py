import subprocess
import sys

import pytest

from fuzz.station.__main__ import main


def test_a_wrong_url_is_one_line_and_exit_code_2(capsys):
    assert main(["--csms", "http://localhost"]) == 2
    assert capsys.readouterr().err.startswith("error: --csms 'http://localhost'")


def test_an_unknown_defect_is_one_line_and_exit_code_2(capsys):
    assert main(["--csms", "ws://localhost", "--defect", "P99"]) == 2
    assert "known: alternative-names-only, " in capsys.readouterr().err


def test_an_unknown_option_is_exit_code_2():
    with pytest.raises(SystemExit) as left:
        main(["--no-such-option"])
    assert left.value.code == 2


def test_the_station_starts_without_the_heavy_libraries():
    program = "import fuzz.station.shell, sys; print(sorted({'hypothesis', 'scapy', 'rich', 'click', 'ocpp'} & set(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
