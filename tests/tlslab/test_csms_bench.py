"""The bench of a CSMS on a pretended one: what a visit shows, what is held against it, and what nobody may read."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
from hypothesis import given, strategies as st

from tlslab import csms_bench
from tlslab.authority import Authority
from tlslab.client import Opened
from tlslab.client_engines.stdlib import ASKED
from tlslab.csms_bench import Csms, CsmsBench, NotAsked, Unfinished
from tlslab.describe import Chain, Description, Root
from tlslab.knock import Identity, Knock
from tlslab.pki import LabError, issue
from tlslab.seen import Connection, Stage
from tlslab.session import AnsweredWithError, NotAnswered
from tlslab.verdict import Outcome, judge

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ROOT = issue(Description("bench root", is_ca=True), now=NOW)
AUTHORITY = Authority(ROOT, now=lambda: NOW)
PASSWORD, OTHERS = "right-password-0000", "other-password-0000"


@dataclass(frozen=True)
class Answer:
    """How a pretended CSMS takes a visit: how far TLS goes, the HTTP status, and the answer to the boot."""

    tls: Stage = Stage.FINISHED
    status: int = 101
    boot: str = "Accepted"


class Stream:
    """Says nothing."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    async def read(self) -> bytes:
        return b""

    async def write(self, data: bytes) -> None:
        return

    async def close(self) -> None:
        return


class Talk:
    """The conversation that such an answer allows."""

    def __init__(self, answer: Answer) -> None:
        self.status, self.open, self._boot = answer.status, answer.status == 101, answer.boot
        self.said: list[dict] = []

    async def call(self, action, payload, *, within=10.0):
        self.said.append(payload)
        if not self._boot:
            raise NotAnswered(action)
        if self._boot.endswith("Error"):
            raise AnsweredWithError(action, self._boot)
        return {"status": self._boot}

    async def close(self) -> None:
        self.open = False


@dataclass
class Pretended:
    """Client and caller in one: every visit meets the rule."""

    rule: Callable[[Knock], Answer]
    visits: list[Knock] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    port: int = 443

    async def open(self, knock: Knock) -> Opened:
        self.visits.append(knock)
        answer = self.rule(knock)
        connection = Connection(len(self.visits), 0.0, NOW, stage=answer.tls)
        if answer.tls < Stage.FINISHED:
            return Opened(connection)
        return Opened(connection, Stream(answer))

    async def dial(self, stream, *, host, path, headers, basic, subprotocol):
        self.hosts.append(host)
        return Talk(stream.answer)

    def judge(self, connection: Connection) -> None:
        connection.ended_s = 1.0


def proper_only(knock: Knock) -> Answer:
    """Lets in who shows its own password."""
    right = knock.basic == ("CS1", PASSWORD)
    return Answer() if right else Answer(status=401)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(csms_bench, "WAITS_S", (0.0, 0.0))


def bench_of(rule=proper_only, *, security_profile=2, authority=AUTHORITY, **known):
    own = Identity("CS1", password=PASSWORD, credential=AUTHORITY.issue(Chain(Description("CS1"))))
    pretended = Pretended(rule)
    csms = Csms("localhost", own, security_profile, server_name="localhost", **known)
    bench = CsmsBench(csms, pretended, pretended, lambda: NOW, time.monotonic, authority=authority)
    return bench, pretended


async def test_a_visitor_who_is_turned_away_beside_a_proper_one_passes():
    bench, _ = bench_of()
    exposure = await bench.refuses(bench.proper(basic=("CS1", "no")), label="wrong")
    assert (exposure.stage, exposure.control) == (Stage.UPGRADE, Stage.OCPP)
    assert exposure.difference == ("http.basic: another instead of its own",)
    assert judge(bench.seen, csms=True).outcome is Outcome.PASSED


async def test_a_visitor_who_is_let_in_fails_at_the_stage_that_was_reached():
    bench, _ = bench_of(lambda _: Answer())
    await bench.refuses(bench.proper(basic=None), label="nobody")
    judged = judge(bench.seen, csms=True)
    assert (judged.outcome, judged.stage) == (Outcome.FAILED, Stage.OCPP)


async def test_who_lets_nobody_in_was_not_observed():
    bench, _ = bench_of(lambda _: Answer(status=503))
    await bench.refuses(bench.proper(basic=None))
    assert judge(bench.seen, csms=True).outcome is Outcome.NOT_OBSERVED


@pytest.mark.parametrize(
    ("boot", "outcome"),
    [
        ("Accepted", Outcome.FAILED),
        ("Pending", Outcome.REMARK),
        ("SecurityError", Outcome.REMARK),
        ("", Outcome.REMARK),
    ],
)
async def test_a_refusal_as_late_as_the_boot_is_a_remark_where_that_is_tolerated(boot, outcome):
    def rule(knock):
        return Answer(boot="Accepted" if knock.serial == "CS1" else boot)

    bench, _ = bench_of(rule)
    await bench.refuses(bench.proper(serial="CS2"), tolerated=Stage.WEBSOCKET)
    assert judge(bench.seen, csms=True).outcome is outcome


async def test_a_csms_that_serves_nobody_after_a_hostile_visit_fails():
    dead = []

    def rule(knock):
        dead.extend([True] if knock.basic is None else [])
        return Answer(tls=Stage.CLOSED) if dead else Answer()

    bench, _ = bench_of(rule)
    await bench.refuses(bench.proper(basic=None), label="the last visitor")
    judged = judge(bench.seen, csms=True)
    assert judged.outcome is Outcome.FAILED
    assert "after the last visitor" in judged.symptom


@pytest.mark.parametrize("status", [429, 503])
async def test_a_csms_that_counts_failures_may_make_us_wait(status):
    met = []

    def rule(knock):
        met.extend([True] if knock.basic is None else [])
        return Answer(status=status) if met else Answer()

    bench, _ = bench_of(rule)
    await bench.refuses(bench.proper(basic=None))
    assert judge(bench.seen, csms=True).outcome is Outcome.REMARK


async def test_who_shut_us_out_for_good_is_waited_for_once():
    bench, pretended = bench_of(lambda _: Answer(status=403))
    await bench.serves("once")
    waited = len(pretended.visits)
    await bench.serves("twice")
    assert (waited, len(pretended.visits)) == (len(csms_bench.WAITS_S), waited + 1)


async def test_who_is_to_be_taken_gets_a_second_chance():
    answers = iter([Answer(), Answer(tls=Stage.CLOSED), Answer()])
    bench, _ = bench_of(lambda _: next(answers, Answer()))
    exposure = await bench.takes(bench.proper(server_name=""))
    assert len(exposure.connections) == 2
    assert judge(bench.seen, csms=True).outcome is Outcome.PASSED


async def test_a_control_is_asked_once_for_many_visits():
    bench, pretended = bench_of()
    await bench.refuses(bench.proper(basic=("CS1", "a")))
    first = len(pretended.visits)
    await bench.refuses(bench.proper(basic=("CS1", "b")))
    # The control before, the visit, and a proper one after it; then only the last two.
    assert (first, len(pretended.visits)) == (3, 5)


async def test_a_certificate_that_our_library_held_back_proves_nothing():
    bench, pretended = bench_of(lambda _: Answer(), security_profile=3)

    async def held_back(knock):
        opened = await Pretended.open(pretended, knock)
        opened.connection.notes.append(ASKED)
        return opened

    pretended.open = held_back
    visit = await bench.knock(bench.proper())
    assert visit.stage is Stage.NOTHING
    assert "did not show" in visit.connection.error


async def test_what_no_library_can_do_is_not_asked():
    bench, pretended = bench_of()

    async def unable(_knock):
        raise LabError("no such key")

    pretended.open = unable
    with pytest.raises(NotAsked, match="no such key"):
        await bench.knock(bench.proper())


async def test_a_csms_that_lets_no_proper_visitor_in_cannot_be_prepared():
    bench, _ = bench_of(lambda _: Answer(status=401))
    with pytest.raises(Unfinished, match="HTTP 401"):
        await bench.prepare()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, True),
        ({"basic": None}, False),
        ({"basic": None, "headers": (("AUTHORIZATION", "x"),)}, True),
    ],
)
async def test_a_connection_knows_whether_credentials_went_over_it(options, told):
    bench, _ = bench_of()
    visit = await bench.knock(bench.proper(**options))
    assert visit.connection.sent_authorization is told


@pytest.mark.parametrize(("profile", "basic", "shown"), [(2, True, False), (3, False, True)])
def test_a_proper_visitor_shows_what_its_security_profile_asks_for(profile, basic, shown):
    bench, _ = bench_of(security_profile=profile)
    knock = bench.proper()
    assert (knock.basic is not None, knock.credential is not None) == (basic, shown)


def test_another_chain_differs_in_its_fault_alone():
    bench, _ = bench_of(security_profile=3)
    good, bad = (bench.proper(bench.chain(root=r)) for r in (Root.TRUSTED, Root.STRANGER))
    assert csms_bench.difference(bad.facts, good.facts) == (
        f"chain.root: {Root.STRANGER} instead of {Root.TRUSTED}",
    )


@pytest.mark.parametrize(
    ("host", "port", "named"),
    [
        ("csms.example", 443, "csms.example"),
        ("csms.example", 9443, "csms.example:9443"),
        ("::1", 9443, "[::1]:9443"),
    ],
)
async def test_the_request_names_host_and_port(host, port, named):
    bench, pretended = bench_of()
    pretended.port = port
    bench.csms = replace(bench.csms, host=host)
    await bench.knock(bench.proper())
    assert pretended.hosts == [named]


@given(st.text(min_size=1, max_size=40), st.text(min_size=6, max_size=30))
def test_no_facts_hold_a_password(name, password):
    secret = f"#{password}#"
    own = Identity(name, password=secret)
    bench = CsmsBench(Csms("localhost", own, 2), None, None, lambda: NOW, time.monotonic)
    for knock in (bench.proper(), bench.proper(basic=("x", secret))):
        assert secret not in repr(knock) + repr(own)
        assert not any(secret in value for value in knock.facts.values())


@given(st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=48))
def test_every_identity_is_one_part_of_the_path(name):
    bench, _ = bench_of(path="/ocpp/")
    path = bench.path_of(name)
    assert unquote(path) == f"/ocpp/{name}"
    assert path.count("/") == 2


@pytest.mark.parametrize("root", [Root.NONE, Root.STRANGER])
def test_nobodys_certificates_are_made_without_the_key_of_a_ca(root):
    bench, _ = bench_of(security_profile=3, authority=None)
    made = bench.credential(bench.chain(root=root)).x509
    assert made.subject.rfc4514_string().startswith("CN=CS1")
    assert made.issuer != ROOT.x509.subject


def test_a_namesake_is_made_of_a_root_whose_key_is_not_there():
    bench, _ = bench_of(security_profile=3, authority=None)
    with pytest.raises(NotAsked):
        bench.credential(bench.chain(root=Root.NAMESAKE))
    bench.client_root = ROOT.certificate
    assert bench.credential(bench.chain(root=Root.NAMESAKE)).x509.issuer == ROOT.x509.subject


def test_what_is_not_there_is_not_asked():
    bench, _ = bench_of(security_profile=3, authority=None)
    for ask in (lambda: bench.other, lambda: bench.credential(bench.chain())):
        with pytest.raises(NotAsked):
            ask()


def test_a_visitor_without_its_certificate_cannot_be_proper():
    own = Identity("CS1", credential=None)
    bench = CsmsBench(Csms("localhost", own, 3), None, None, lambda: NOW, time.monotonic)
    with pytest.raises(NotAsked, match="certificate of CS1"):
        bench.proper()
