from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from tlslab.authority import Authority
from tlslab.bench import FIRST_RECONNECT_S, NotAsked, Station, StationBench, Unfinished
from tlslab.build import client_hello
from tlslab.describe import Description, KeyKind, Root
from tlslab.offers import ECDSA_SUITES, RSA_SUITES, TLS_1_2, Engine, Offer
from tlslab.pki import LabError, issue
from tlslab.registry import Need
from tlslab.rehearsal import BEGAN, PretendStation, Rule, refuses_everything, takes_everything
from tlslab.rogue import alert_at_once, proper
from tlslab.seen import Connection, Stage
from tlslab.verdict import Outcome, judge
from tlslab.wire import parse_client_hello

ROOT = issue(Description("bench root", is_ca=True), now=BEGAN)
HOST = "csms.lab.test"


def trusts_the_root(offer: Offer, connection: Connection) -> str:
    """As a station whose whole judgement is where the chain leads."""
    if offer.facts.get("chain.root") == Root.TRUSTED and offer.engine is Engine.STDLIB:
        connection.reached(Stage.OCPP)
        return ""
    connection.reached(Stage.ALERT)
    return "InvalidCsmsCertificate"


@pytest.fixture
def made() -> Callable[..., tuple[StationBench, PretendStation]]:
    def make(
        rule: Rule = trusts_the_root,
        *,
        suites: tuple[int, ...] = ECDSA_SUITES,
        fast: bool = False,
        repeat_times: int = 3,
        kind: type[PretendStation] = PretendStation,
    ) -> tuple[StationBench, PretendStation]:
        pretend = kind(rule, reconnect_s=1.0, repeat_times=repeat_times)
        bench = StationBench(
            Station(HOST, "SN-1", "lab", 2, suites=suites),
            pretend,
            pretend,  # type: ignore[arg-type]
            Authority(ROOT, now=lambda: BEGAN),
            pretend.wall,
            pretend.monotonic,
            fast=fast,
            available=frozenset({Need.OCPP}),
        )
        return bench, pretend

    return make


Made = Callable[..., tuple[StationBench, PretendStation]]


async def test_the_first_reconnect_replaces_the_guess_and_failures_do_not_count(made: Made) -> None:
    bench, _ = made()
    assert bench.reconnect_s == FIRST_RECONNECT_S
    await bench.settle()
    await bench.again()
    assert bench.reconnect_s == pytest.approx(1.0)
    await bench.refuses(bench.offer(bench.chain(root=Root.STRANGER)))
    assert bench.reconnect_s == pytest.approx(1.0)


async def test_a_refusal_is_seen_between_two_good_runs_with_its_event(made: Made) -> None:
    bench, pretend = made()
    bad = bench.offer(bench.chain(root=Root.STRANGER))
    exposure = await bench.refuses(bad, label="stranger", event="InvalidCsmsCertificate")
    assert exposure.stage is Stage.ALERT
    assert exposure.control is Stage.OCPP
    assert exposure.difference == ("chain.root: an unknown root instead of the trusted root",)
    assert exposure.events == ("InvalidCsmsCertificate",)
    assert pretend.connected
    assert judge(bench.seen).outcome is Outcome.PASSED


async def test_a_missing_event_fails_only_where_it_must_be_told(made: Made) -> None:
    for must_tell, outcome in ((True, Outcome.FAILED), (False, Outcome.REMARK)):
        bench, _ = made()
        bad = bench.offer(bench.chain(root=Root.STRANGER))
        await bench.refuses(bad, event="InvalidTLSVersion", must_tell=must_tell)
        assert judge(bench.seen).outcome is outcome


async def test_an_event_of_an_earlier_offer_is_not_taken_for_the_next(made: Made) -> None:
    tells = ["InvalidCsmsCertificate"]

    def forgetful(offer: Offer, connection: Connection) -> str:
        trusts_the_root(offer, connection)
        return tells.pop() if tells and connection.stage is Stage.ALERT else ""

    bench, _ = made(forgetful, fast=True)
    bad = bench.offer(bench.chain(root=Root.STRANGER))
    await bench.refuses(bad, label="first")
    second = await bench.refuses(bad, label="second", event="InvalidCsmsCertificate")
    assert second.events == ()


async def test_fast_saves_time_where_the_back_off_stays_and_sees_as_much(made: Made) -> None:
    seconds = {}
    for fast in (False, True):
        bench, pretend = made(fast=fast, repeat_times=0)
        await bench.settle()
        bad = bench.offer(bench.chain(root=Root.STRANGER))
        for number in range(6):
            await bench.refuses(bad, label=str(number))
        assert judge(bench.seen).outcome is Outcome.PASSED
        seconds[fast] = pretend.now_s
    assert seconds[True] < seconds[False]


async def test_silence_must_come_twice_before_it_is_a_refusal(made: Made) -> None:
    quiet = []

    def hangs_up_once(offer: Offer, connection: Connection) -> str:
        strange = offer.facts["chain.root"] != Root.TRUSTED
        if strange and not quiet:
            quiet.append(connection.number)
            connection.reached(Stage.CLOSED)
        else:
            connection.reached(Stage.OCPP)
        return ""

    bench, _ = made(hangs_up_once)
    exposure = await bench.refuses(bench.offer(bench.chain(root=Root.STRANGER)))
    assert exposure.stage is Stage.OCPP
    assert len(exposure.connections) == 2


async def test_an_offer_that_is_to_be_taken_gets_a_second_attempt(made: Made) -> None:
    unlucky = [1]

    def late(offer: Offer, connection: Connection) -> str:
        if offer.lowest == offer.highest and unlucky:
            unlucky.pop()
            connection.reached(Stage.ALERT)
        else:
            connection.reached(Stage.OCPP)
        return ""

    bench, _ = made(late)
    await bench.takes(bench.offer(lowest=TLS_1_2, highest=TLS_1_2))
    assert judge(bench.seen).outcome is Outcome.PASSED


async def test_a_control_that_is_refused_makes_a_refusal_worth_nothing(made: Made) -> None:
    def no_intermediates(offer: Offer, connection: Connection) -> str:
        short = offer.facts["chain.length"] == "0"
        connection.reached(Stage.OCPP if short else Stage.ALERT)
        return ""

    bench, pretend = made(no_intermediates)
    bad = bench.offer(bench.chain(cas=(replace(bench.ca, is_ca=None),)))
    control = bench.offer(bench.chain(cas=(bench.ca,)))
    exposure = await bench.refuses(bad, control=control)
    assert exposure.control is Stage.ALERT
    assert judge(bench.seen).outcome is Outcome.NOT_OBSERVED
    assert pretend.connected


async def test_a_control_is_tried_once_a_session(made: Made) -> None:
    bench, pretend = made()
    bad = bench.offer(bench.chain(root=Root.STRANGER))
    await bench.refuses(bad, label="first")
    first = pretend.count
    await bench.refuses(bad, label="second")
    # One refused attempt, one good run behind it.
    assert pretend.count - first == 2


async def test_a_station_that_never_comes_back_ends_the_case_but_keeps_what_was_seen(
    made: Made,
) -> None:
    def sulks(offer: Offer, connection: Connection) -> str:
        sulks.hurt = sulks.hurt or offer.facts["chain.root"] != Root.TRUSTED  # type: ignore[attr-defined]
        connection.reached(Stage.ALERT if sulks.hurt else Stage.OCPP)  # type: ignore[attr-defined]
        return ""

    sulks.hurt = False  # type: ignore[attr-defined]
    bench, _ = made(sulks)
    with pytest.raises(Unfinished, match="did not come back"):
        await bench.refuses(bench.offer(bench.chain(root=Root.STRANGER)))
    assert [e.stage for e in bench.seen.exposures] == [Stage.ALERT]


async def test_a_station_that_does_not_survive_fails(made: Made) -> None:
    def dies(offer: Offer, connection: Connection) -> str:
        dies.dead = dies.dead or offer.engine is Engine.HAND  # type: ignore[attr-defined]
        connection.reached(Stage.CLOSED if dies.dead else Stage.OCPP)  # type: ignore[attr-defined]
        return ""

    dies.dead = False  # type: ignore[attr-defined]
    bench, _ = made(dies)
    with pytest.raises(Unfinished):
        await bench.survives(bench.by_hand(alert_at_once()), label="an alert")
    assert judge(bench.seen).outcome is Outcome.FAILED


async def test_a_hand_built_answer_is_rejected_only_by_who_does_not_go_on(made: Made) -> None:
    for rule, outcome in (
        (trusts_the_root, Outcome.PASSED),
        (takes_everything, Outcome.FAILED),
    ):
        bench, _ = made(rule)
        await bench.rejects(alert_at_once())
        assert judge(bench.seen).outcome is outcome


async def test_a_hand_built_flight_is_believed_by_who_goes_on(made: Made) -> None:
    for rule, believed in ((trusts_the_root, False), (takes_everything, True)):
        bench, _ = made(rule)
        credential = bench.offer().credential
        assert await bench.believes(credential) is believed
        assert bench.seen.exposures[0].label == proper(credential).name


async def test_a_station_that_reads_subject_alternative_names_only_gets_them(made: Made) -> None:
    def reads_san(offer: Offer, connection: Connection) -> str:
        named = offer.facts["leaf.names"] == HOST
        connection.reached(Stage.OCPP if named else Stage.ALERT)
        return ""

    bench, _ = made(reads_san)
    await bench.prepare()
    assert bench.leaf.names == (HOST,)
    assert bench.leaf.extended == ()


async def test_a_station_that_declares_nothing_gets_the_key_that_its_hello_asks_for(
    made: Made,
) -> None:
    hello = parse_client_hello(client_hello(suites=RSA_SUITES))

    def speaks_rsa(offer: Offer, connection: Connection) -> str:
        connection.hello = hello
        fits = offer.facts["leaf.key"] == KeyKind.RSA_2048
        connection.reached(Stage.OCPP if fits else Stage.ALERT)
        return ""

    bench, _ = made(speaks_rsa, suites=())
    await bench.prepare()
    assert bench.station.suites == RSA_SUITES
    assert bench.key is KeyKind.RSA_2048
    assert bench.suites == RSA_SUITES


async def test_a_station_that_takes_nothing_cannot_be_prepared(made: Made) -> None:
    bench, _ = made(refuses_everything)
    with pytest.raises(Unfinished, match="no proper offer"):
        await bench.prepare()


async def test_attempts_in_a_row_are_those_that_failed(made: Made) -> None:
    bench, _ = made()
    bad = bench.offer(bench.chain(root=Root.STRANGER))
    seen = await bench.attempts(bad, 4, within=60.0)
    waits = [b.began_s - a.began_s for a, b in pairwise(seen)]
    assert len(seen) == 4
    assert waits == sorted(waits)
    assert len(await bench.attempts(bad, 50, within=10.0)) < 50


async def test_the_silence_of_who_speaks_no_ocpp_is_no_missing_event(made: Made) -> None:
    bench, _ = made()
    bench.available = frozenset()
    await bench.refuses(bench.offer(bench.chain(root=Root.STRANGER)), event="InvalidTLSVersion")
    assert judge(bench.seen).outcome is Outcome.PASSED


async def test_what_needs_a_ca_key_is_not_asked_without_one(made: Made) -> None:
    bench, _ = made()
    bench.authority = None
    with pytest.raises(NotAsked, match="CA"):
        bench.offer(bench.chain(root=Root.STRANGER))
    bench.finished = (issue(Description(HOST), now=BEGAN, issuer=ROOT),)
    assert bench.offer().facts["chain"] == "the finished certificate"
    with pytest.raises(NotAsked):
        bench.need(Need.CLOCK)


async def test_an_offer_that_no_engine_makes_is_not_asked(made: Made) -> None:
    class Poor(PretendStation):
        def __setattr__(self, name: str, value: object) -> None:
            if name == "offer" and isinstance(value, Offer) and value.lowest == value.highest:
                raise LabError("no such version")
            super().__setattr__(name, value)

    bench, _ = made(kind=Poor)
    with pytest.raises(NotAsked, match="no such version"):
        await bench.either(bench.offer(lowest=TLS_1_2, highest=TLS_1_2))


def test_an_offer_differs_from_the_proper_one_in_what_it_was_given(made: Made) -> None:
    bench, _ = made()
    good = bench.offer()
    for name, value in (
        ("suites", (0x0005,)),
        ("lowest", 0x0301),
        ("sign_with", b"a key"),
        ("staple", b"a response"),
        ("engine", Engine.PYOPENSSL),
        ("renegotiate", True),
        ("http", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("told_roots", ()),
    ):
        bad = bench.offer(**{name: value})
        changed = [key for key in good.facts if bad.facts[key] != good.facts[key]]
        assert len(changed) == 1, name
    assert bench.offer().key == good.key


def test_a_security_profile_3_station_is_asked_for_its_certificate(made: Made) -> None:
    bench, _ = made()
    bench.station = replace(bench.station, security_profile=3, own_roots=(b"pem",))
    assert bench.offer().client_auth == "verify"
    assert bench.offer().client_roots == (b"pem",)


def test_an_address_is_told_in_subject_alternative_name(made: Made) -> None:
    bench, _ = made()
    bench.station = replace(bench.station, host="192.0.2.7")
    assert bench.leaf.names == ("192.0.2.7",)
