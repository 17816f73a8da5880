"""`ocppfuzz bench tls` as a user sees it; next to sslyze where OCPPFUZZ_SSLYZE names its Python."""

import os
import re

import pytest


def test_bench_tls_finds_the_suites_of_its_server(ocppfuzz):
    done = ocppfuzz("bench", "tls")
    assert done.code == 0, done.err
    assert "7 suites found in 2 versions" in done.out
    assert "--sslyze PYTHON" in done.out


@pytest.mark.skipif("OCPPFUZZ_SSLYZE" not in os.environ, reason="OCPPFUZZ_SSLYZE is not set")
def test_sslyze_finds_the_same_and_takes_five_times_as_long(ocppfuzz):
    done = ocppfuzz("bench", "tls", "--sslyze", os.environ["OCPPFUZZ_SSLYZE"])
    assert done.code == 0, done.err
    assert "sslyze found the same" in done.out
    ratio = re.search(r"sslyze, its suite commands.* ([\d.]+)$", done.out, re.M)
    assert ratio is not None, done.out
    assert float(ratio[1]) >= 5
