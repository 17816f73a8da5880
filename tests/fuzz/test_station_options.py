from dataclasses import replace
from pathlib import Path

import pytest

from fuzz.errors import UsageError
from fuzz.station.options import PASSWORD_VARIABLE, StationOptions, parse
from fuzz.station.planting import find_plants

CSMS = "ws://localhost/ocpp"


def test_the_command_line_fills_every_option():
    options = parse(
        [
            f"--csms={CSMS}",
            "--identity=A",
            "--backoff-min-s=0.1",
            "--defect=P05",
            "--defect=big-number",
            "--decoy=D-1",
        ],
        {PASSWORD_VARIABLE: "from the environment"},
    )
    assert options == StationOptions(
        csms=CSMS,
        identity="A",
        backoff_min_s=0.1,
        password="from the environment",
        defects=("P05", "big-number"),
        decoys=("D-1",),
    )


def test_what_there_is_to_play_with_is_off_unless_asked_for():
    plain, played = StationOptions(csms=CSMS), "--console --script=s --realistic-timing --bench"
    assert parse([f"--csms={CSMS}"], {}) == plain
    assert parse(
        [f"--csms={CSMS}", *played.split(), "--edition=2025-09", "--files-anywhere"], {}
    ) == replace(
        plain,
        console=True,
        script=Path("s"),
        realistic_timing=True,
        bench=True,
        edition="2025-09",
        files_anywhere=True,
    )


def test_an_unknown_edition_is_refused():
    with pytest.raises(SystemExit):
        parse([f"--csms={CSMS}", "--edition=ed2"], {})


def test_a_password_file_counts_before_the_environment(tmp_path):
    path = tmp_path / "password"
    path.write_text("in the file\n")
    options = parse([f"--csms={CSMS}", f"--password-file={path}"], {PASSWORD_VARIABLE: "other"})
    assert options.password == "in the file"


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"csms": "http://x"}, "http://x"),
        ({"csms": "ws://"}, "ws://"),
        ({"csms": "ws://host:99999/x"}, "99999"),
        ({"csms": "ws://user:secret@host/x"}, "no WebSocket URL"),
        ({"csms": "ws://host/x?y"}, "no WebSocket URL"),
        ({"csms": CSMS, "identity": "a:b"}, "a:b"),
        ({"csms": CSMS, "identity": "x" * 49}, "48"),
        ({"csms": CSMS, "security_profile": 2}, "wss"),
        ({"csms": "wss://x", "security_profile": 3}, "--cert"),
    ],
)
def test_options_that_contradict_each_other_are_refused(members, message):
    with pytest.raises(UsageError, match=message):
        StationOptions(**members)


def test_a_password_file_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="password-file"):
        parse([f"--csms={CSMS}", f"--password-file={tmp_path / 'none'}"], {})


def test_plants_are_found_by_number_and_by_name():
    assert len(find_plants(["P05", "big-number"], ["D-1", "slow-reboot"])) == 4


@pytest.mark.parametrize(("defects", "decoys"), [(["P99"], []), ([], ["D-99"])])
def test_an_unknown_plant_is_refused_with_the_known_names(defects, decoys):
    with pytest.raises(UsageError, match="known: "):
        find_plants(defects, decoys)
