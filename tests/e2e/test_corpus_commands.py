"""A corpus as a user keeps it: merged in spite of a kill, checked, and grown by what was fixed."""

import json
import sys
from pathlib import Path

SHIPPED = Path(__file__).parents[2] / "corpus"
WHOLE_S = 600
"""How long it may take until all that is shipped was played: two minutes, and more where others use the machine."""


SOME = 15
"""Cases that are merged."""


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.glob("*/*.json")}


def test_a_merge_that_is_killed_is_finished_by_the_next_one(ocppfuzz, started, until, tmp_path):
    source = tmp_path / "source"
    (source / "one").mkdir(parents=True)
    for path in sorted((SHIPPED / "device-model").glob("*.json"))[:SOME]:
        (source / "one" / path.name).write_bytes(path.read_bytes())
    whole = ocppfuzz("corpus", "merge", source, "--corpus", "whole", "--json")
    assert whole.code == 0, whole.err
    assert whole.json["played"] == SOME
    assert 1 < len(whole.json["added"]) < SOME

    command = Path(sys.executable).parent / "ocppfuzz"
    killed = started(command, "corpus", "merge", source, "--corpus", tmp_path / "killed")
    journal = tmp_path / "killed" / ".merge" / "journal.ndjson"
    until(lambda: journal.exists() and journal.read_text().count("shown") >= 3, lambda: killed.text)
    killed.end()
    again = ocppfuzz("corpus", "merge", source, "--corpus", "killed", "--json")
    assert again.code == 0, again.err
    assert again.json["played"] <= SOME - 3
    assert names(tmp_path / "killed") == names(tmp_path / "whole")
    assert not journal.exists()

    checked = ocppfuzz("corpus", "check", "--corpus", "killed", "--json")
    assert (checked.code, checked.json["problems"]) == (0, [])
    assert checked.json["played"] == checked.json["cases"] > 1


def test_a_finding_is_promoted_once_it_is_fixed_and_not_before(ocppfuzz, tmp_path):
    found = ocppfuzz(
        *("run", "--defect", "P05", "--phases", "replay", "--only", "GetVariables"),
        *("--max-time", 30, "--seed", 1, "--corpus", SHIPPED, "--json"),
    )
    folder = tmp_path / found.json["findings"][0]["folder"]
    early = ocppfuzz("corpus", "promote", folder, "--defect", "P05")
    assert early.code == 2
    assert "is not fixed on this target" in early.complains_once()
    assert folder.is_dir()

    done = ocppfuzz("corpus", "promote", folder)
    assert done.code == 0, done.err
    (path,) = (tmp_path / "corpus").glob("*/*.json")
    assert path.parent.name == "regression"
    assert json.loads(path.read_text())["purpose"]
    assert not folder.exists()
    assert ocppfuzz("corpus", "check").code == 0
    listed = ocppfuzz("corpus", "list")
    assert listed.out.splitlines()[-1] == "1 cases: regression 1"


def test_what_is_shipped_blames_the_healthy_station_for_nothing(ocppfuzz):
    checked = ocppfuzz("corpus", "check", "--corpus", SHIPPED, "--json", patience_s=WHOLE_S)
    assert (checked.code, checked.json["problems"]) == (0, []), checked.err
    # Of a station whose password is not known here, three cases cannot be played.
    assert checked.json["played"] == checked.json["cases"] - 3 > 600
