"""A station that attacks the lab: it goes on or says why not, is never held up, and prints nothing raw."""

import re
import sys
import unicodedata
from datetime import UTC, datetime

import pytest

from tlslab.describe import Description
from tlslab.pki import Lab, issue

STAYS_IN = ("escapes", "errors", "garbage", "flood")
NEVER_IN = ("raw", "unfinished", "headers")


@pytest.fixture
def attacked(ocppfuzz, started, peers, port, tmp_path):
    """Plays a case against a station of this behaviour."""

    def play(behaviour, *words, shows=None):
        lab = tmp_path / "findings" / "private" / "pki"
        lab.parent.mkdir(parents=True)
        made = ocppfuzz("pki", "create", lab, "--name", "localhost", "--serial", "CS-1")
        assert made.code == 0, made.err
        file = tmp_path / "own.pem"
        if shows is not None:
            credential = issue(shows, now=datetime.now(UTC), issuer=Lab.load(lab).root.read())
            file.write_bytes(credential.key + credential.presented)
        own = [file] if shows is not None else []
        started(sys.executable, peers / "hostile_station.py", port, lab, behaviour, *own)
        place = ("--listen", f"127.0.0.1:{port}", "--identity", "CS-1", "--security-profile", 3)
        return ocppfuzz("tls", *place, "--wait", 3, "--unattended", *words)

    return play


def hidden(text):
    """The characters that have power over a terminal or over the direction of writing."""
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf") and c != "\n"}


@pytest.mark.parametrize("behaviour", STAYS_IN)
def test_whatever_a_connected_station_says_its_hello_is_judged(attacked, behaviour):
    done = attacked(behaviour, "--only", "TS-01")
    assert done.code == 0, done.err
    assert "TS-01 passed" in done.out
    assert hidden(done.out + done.err) == set()
    assert "Traceback" not in done.err


@pytest.mark.parametrize("behaviour", NEVER_IN)
def test_a_station_that_never_comes_in_is_given_up_with_what_was_seen(attacked, behaviour):
    done = attacked(behaviour, "--only", "TS-01")
    assert done.code == 3
    assert re.search("no station connected .* came no further than S", done.complains_once())
    assert hidden(done.out + done.err) == set()


def test_a_finding_about_it_holds_its_words_harmless(attacked, tmp_path):
    done = attacked("escapes", "--only", "TS-31")
    assert done.code == 1, done.err
    (report,) = (tmp_path / "findings").glob("*/REPORT.md")
    for text in (done.out, report.read_text(), report.with_name("tls.json").read_text()):
        assert hidden(text) == set()
    assert "**x**" not in report.read_text().replace("`", "").split("## ")[1]


def test_a_certificate_with_escapes_in_its_names_is_judged_and_shown_harmless(attacked, tmp_path):
    odd = Description("CS-1\x1b[31m\u202e<b>", organization="O\x1b]0;x\x07|**x**")
    done = attacked("escapes", "--only", "TS-66", shows=odd)
    assert done.code == 1, done.err
    assert "commonName is the serial number; came: CS-1\\x1b[31m" in done.out
    (report,) = (tmp_path / "findings").glob("*/REPORT.md")
    for text in (done.out, report.read_text(), report.with_name("tls.json").read_text()):
        assert hidden(text) == set()


def test_a_certificate_of_a_hundred_kilobytes_is_refused_and_told(attacked):
    huge = Description("CS-1", names=tuple(f"{i:05d}.{'a' * 60}.example" for i in range(1200)))
    done = attacked("escapes", "--only", "TS-01", shows=huge)
    assert done.code == 3
    assert "came no further than S" in done.complains_once()
