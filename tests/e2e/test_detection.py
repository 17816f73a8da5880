"""Defects that need more than one message: a campaign finds each by the oracle that should name it, and proves it."""

import json

import pytest

from fuzz.station.defects import defects

# Number, the phase that reaches it, how many exchanges it may take, and flags.
FOUND = [
    ("P10", "answers", 3_000, ()),
    ("P30", "stateful", 2_500, ()),
    ("P35", "stateful", 2_500, ()),
    ("P60", "injection", 2_500, ()),
    ("P61", "systematic", 5_000, ()),
    ("P44", "systematic", 3_000, ()),
]


@pytest.mark.parametrize(("number", "phase", "most", "flags"), FOUND, ids=[f[0] for f in FOUND])
def test_a_campaign_finds_it_and_a_replay_tells_when_it_is_mended(
    ocppfuzz, tmp_path, number, phase, most, flags
):
    (tmp_path / "empty").mkdir()
    budget = ("--phases", phase, "--seed", 1, "--max-exchanges", most, "--max-time", 290)
    ended = ocppfuzz(
        "run",
        "--defect",
        number,
        *budget,
        "--corpus",
        "empty",
        "--fail-fast",
        "--json",
        *flags,
        patience_s=400,
    )
    assert ended.code == 1, ended.out + ended.err
    finding = ended.json["findings"][0]
    assert finding["oracle"] in defects()[number].oracle.split()
    assert finding["status"] == "confirmed"
    assert finding["attacker"]

    stored = json.loads((tmp_path / finding["folder"] / "finding.json").read_text("utf-8"))
    assert stored["confirmed"] >= 2  # scenes that lean on another do not show it every time
    assert stored["control_hits"] == 0
    for _ in range(3):  # What shows two times of three may not show in one replay.
        replayed = ocppfuzz("replay", finding["folder"], "--defect", number, *flags)
        if replayed.code == 1:
            break
    assert (replayed.code, replayed.out.splitlines()[-1].split()[0]) == (1, "reproduced"), (
        replayed.out
    )
    mended = ocppfuzz("replay", finding["folder"], *flags)
    assert (mended.code, mended.out.splitlines()[-1].split()[0]) == (0, "fixed"), mended.out


def test_two_versions_of_a_station_are_told_apart_by_what_they_take(ocppfuzz, tmp_path):
    (tmp_path / "old.toml").write_text('[run]\ndefects = ["P20"]\n')
    (tmp_path / "new.toml").write_text("[run]\n")
    only = ("--max-cases", 1_500)
    assert ocppfuzz("diff", "new.toml", "new.toml", *only).code == 0
    ended = ocppfuzz("diff", "old.toml", "new.toml", *only, "--json")
    assert ended.code == 1, ended.err
    kinds = {(d["kind"], d["first"], d["second"]) for d in ended.json["disagreements"]}
    assert {kind.split(":")[1] for kind, _, _ in kinds} == {"dataType"}
    assert {(first, second) for _, first, second in kinds} == {("accepted", "refused")}
