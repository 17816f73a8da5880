"""Chain, expiry and name of a dialled CSMS: each fault shows in its own line, and nothing hostile raises."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from hypothesis import given, strategies as st

from fuzz.app.diagnosing_certificates import judge_chain, trusted_roots
from fuzz.errors import UsageError
from fuzz.station.x509 import load_bundle
from tlslab.authority import Authority
from tlslab.describe import DAY, Chain, Description
from tlslab.pki import issue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOST = "csms.example.com"
LEAF = Description(HOST)
CA = Description("between", is_ca=True)


@pytest.fixture(scope="module")
def authority():
    return Authority(
        issue(Description("root", is_ca=True, validity=3650 * DAY), now=NOW), now=lambda: NOW
    )


@pytest.fixture
def judged(authority, tmp_path):
    """The lines for what a CSMS of this chain shows, by topic; `without` takes so many off its end."""

    def judge(*described, now=NOW, host=HOST, without=0, roots=None, ca=tmp_path / "root.pem"):
        leaf, *cas = described
        shown = x509.load_pem_x509_certificates(authority.issue(Chain(leaf, tuple(cas))).presented)
        chain = [one.public_bytes(serialization.Encoding.DER) for one in shown]
        trusted = load_bundle(authority.root.certificate.decode()) if roots is None else roots
        made = judge_chain(chain[: len(chain) - without], host, trusted, now, ca=ca)
        return made.trusted, {check.topic: check for check in made.checks}

    return judge


def test_a_proper_chain_is_three_good_lines(judged):
    trusted, lines = judged(LEAF, CA)
    assert trusted
    assert [(c.mark, c.seen) for c in lines.values()] == [
        ("ok", "2 certificates, csms.example.com signed by root"),
        ("ok", "valid until 2027-01-01, 365 days more"),
        ("ok", "made for csms.example.com"),
    ]


def test_a_missing_certificate_between_is_told_with_what_to_do(judged, tmp_path):
    trusted, lines = judged(LEAF, CA, without=1)
    assert not trusted
    assert lines["chain"].mark == "FAIL"
    assert lines["chain"].seen.endswith("no installed root signed it")
    assert (
        lines["chain"].advice
        == f"{tmp_path}/root.pem holds another root, or the CSMS leaves out a certificate between"
    )
    assert (lines["expiry"].mark, lines["name"].mark) == ("ok", "ok")


def test_a_root_that_this_machine_does_not_know_is_asked_for(judged):
    _, lines = judged(LEAF, roots=(), ca=None)
    assert lines["chain"].advice == "this machine does not know its root: give it with --ca FILE"


@pytest.mark.parametrize(
    ("leaf", "topic", "mark", "seen"),
    [
        (
            replace(LEAF, begins=-9 * DAY, validity=-2 * DAY),
            "expiry",
            "FAIL",
            "expired 2025-12-30, 2",
        ),
        (replace(LEAF, begins=2 * DAY), "expiry", "FAIL", "not valid before 2026-01-03 00:00 UTC"),
        (replace(LEAF, validity=20 * DAY), "expiry", "odd", "20 days more"),
        (Description("other.example"), "name", "FAIL", "other.example, not for csms.example.com"),
        (replace(LEAF, names=("a.b", "c.d")), "name", "FAIL", "made for a.b, c.d, not for csms"),
        (Description("*.example.com"), "name", "odd", "made for *.example.com"),
        (Description("x", names=("y", HOST)), "name", "odd", "made for y, csms.example.com"),
        (
            replace(LEAF, is_ca=None, extended=("clientAuth",)),
            "chain",
            "FAIL",
            "not for a TLS server",
        ),
        (replace(LEAF, broken=True), "chain", "FAIL", "a namesake of an installed root"),
    ],
)
def test_each_fault_shows_in_its_own_line(judged, leaf, topic, mark, seen):
    trusted, lines = judged(leaf)
    assert lines[topic].mark == mark
    assert seen in lines[topic].seen
    assert bool(lines[topic].advice)
    assert trusted is (mark != "FAIL")
    assert {c.mark for t, c in lines.items() if t != topic} == {"ok"}


@given(st.lists(st.binary(max_size=200), max_size=3))
def test_garbage_in_the_place_of_certificates_is_a_line_too(chain):
    judged = judge_chain(chain, HOST, (), NOW, ca=None)
    assert not judged.trusted
    assert judged.checks[0].mark == "FAIL"


@given(st.text(max_size=300), st.timedeltas(-timedelta(days=10_000), timedelta(days=10_000)))
def test_whatever_a_certificate_calls_itself_and_whenever_it_ends_is_told(authority, name, begins):
    try:
        made = authority.issue(Chain(Description(name or None, begins=begins)))
        chain = [made.der]
    except ValueError:
        return
    roots = load_bundle(authority.root.certificate.decode())
    judged = judge_chain(chain, HOST, roots, NOW, ca=None)
    assert all(len(check.seen) < 400 for check in judged.checks)
    assert not judged.trusted


def test_roots_come_out_of_a_file_or_of_this_machine(authority, tmp_path, monkeypatch):
    file = tmp_path / "roots.pem"
    file.write_bytes(authority.root.certificate * 2)
    assert len(trusted_roots(file)) == 2
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert [str(root.subject.rfc4514_string()) for root in trusted_roots(None)] == [
        "CN=root,O=ocppfuzz lab"
    ]


@pytest.mark.parametrize("text", ["", "nothing", "ü"])
def test_a_file_without_a_root_is_refused(tmp_path, text):
    file = tmp_path / "root.pem"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"root\.pem holds no certificate in PEM; check --ca"):
        trusted_roots(file)
    with pytest.raises(UsageError, match=r"cannot read .*none\.pem: No such file"):
        trusted_roots(tmp_path / "none.pem")
