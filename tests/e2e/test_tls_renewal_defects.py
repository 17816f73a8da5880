"""Each planted defect of renewal, roots and security profiles is caught by exactly the cases that should catch it.

Played as a user does, against a process: power cuts and lost identities are part of it. Some of these stations never come
back, so that a neighbour played afterwards may be not observed; none of them may fail.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.station.defects import defects

BINARY = Path(sys.executable).with_name("ocppfuzz")
NEIGHBOURS = ("TR-01", "TR-05", "TR-36")
CAUGHT = {
    d.number: d
    for d in defects().values()
    if d.caught_by and all(id_.startswith(("TR-", "TP-")) for id_ in d.caught_by)
}


@pytest.mark.parametrize("number", CAUGHT)
def test_a_defect_is_caught_by_exactly_the_cases_that_should(tmp_path, number):
    defect = CAUGHT[number]
    words = ["tls", "--json", "--quiet", "--defect", number, "--edition", "2025-09"]
    words += [word for id_ in (*defect.caught_by, *NEIGHBOURS) for word in ("--only", id_)]
    done = subprocess.run(
        [BINARY, *words],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    cases = {case["id"]: case for case in json.loads(done.stdout)["cases"]}
    failed = {id_ for id_, case in cases.items() if case["outcome"] == "failed"}
    assert failed == set(defect.caught_by), {i: c["why"] for i, c in cases.items()}
