"""The cases of renewals, roots and security profiles, on a pretended station that is right, or wrong in one thing."""

import asyncio
import re

import pytest

from tlslab.authority import Authority
from tlslab.bench import Station, StationBench
from tlslab.describe import DAY, Description, KeyKind
from tlslab.keys import new_key
from tlslab.lab import play
from tlslab.offers import ECDSA_SUITES
from tlslab.pki import issue
from tlslab.pretending import INVALID, Papers
from tlslab.registry import EDITIONS, Effect, Need, Severity, Side, all_cases, all_left_out
from tlslab.rehearsal import BEGAN, PretendStation
from tlslab.session import AnsweredWithError, NotAnswered
from tlslab.verdict import Outcome

CASES = [c for c in all_cases().values() if c.id[:2] in ("TR", "TP")]
CHECK_LIST = [f"TR-{n:02d}" for n in (*range(1, 27), *range(30, 40))]
CHECK_LIST += [f"TP-{n:02d}" for n in range(1, 6)]
OWNER = "ocppfuzz lab"
SERIAL = "SN-1"


@pytest.fixture
def plays():
    """Plays a case against a station whose papers are of this class: how it was judged, and the station."""

    def run(case_id, papers=Papers, *, station=PretendStation, edition="ed3", level=0, items=None):
        case = all_cases()[case_id]
        profile = level or max(case.profiles)
        pretend = station(lambda *_: "")
        root = issue(
            Description("lab root", is_ca=True, begins=-DAY, validity=3650 * DAY), now=BEGAN
        )
        authority = Authority(root, now=pretend.wall)
        pretend.papers = papers(
            authority,
            serial=SERIAL,
            organization=OWNER,
            now=pretend.wall,
            level=profile,
            checks_roots="AS-2" in case.items,
            errata=edition != "ed3",
        )
        pretend.rule = pretend.papers.meets
        known = Station(
            "csms.test",
            SERIAL,
            OWNER,
            profile,
            edition,
            ECDSA_SUITES,
            {"AQ-1": False} if items is None else items,
            (root.certificate,),
        )
        bench = StationBench(
            known,
            pretend,
            pretend,
            authority,
            pretend.wall,
            pretend.monotonic,
            signer=authority,
            available=frozenset(Need),
        )
        bench.reconnect_s = 1.0
        return asyncio.run(play(case, bench)), pretend, bench

    return run


# --- what they say of themselves --------------------------------------------------------------------------


def test_every_id_of_the_check_list_has_a_case_or_a_reason():
    assert [i for i in CHECK_LIST if i not in all_cases() and i not in all_left_out()] == []


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_case_says_what_it_is_about_and_rests_on_requirements(case):
    assert case.title.endswith(".")
    assert 30 < len(case.title) < 130
    assert case.side is Side.STATION
    assert case.expects
    assert case.requirements
    assert all(re.fullmatch(r"[A-Z]\d{2}\.FR\.\d{2,3}", r) for r in case.requirements)
    assert case.severity is not Severity.CRITICAL or case.cwe.startswith("CWE-")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_case_that_renews_says_that_something_stays(case):
    if Need.STATION_CA in case.needs:
        assert case.effect in (Effect.PERSISTENT, Effect.LOCK_OUT, Effect.ONE_WAY)


# --- a station that is right ------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("case", [c for c in CASES if c.id != "TR-17"], ids=lambda c: c.id)
def test_a_station_that_is_right_fails_nothing(case, edition, plays):
    played, _, _ = plays(case.id, edition=edition)
    good = (Outcome.PASSED, Outcome.RECORDED, Outcome.REMARK)
    assert played.outcome in good, played.judged.texts


REMARKED = {"TR-10"}
"""The pretended station looks at no use of a key."""


@pytest.mark.parametrize("case", [c for c in CASES if c.id != "TR-17"], ids=lambda c: c.id)
def test_a_station_that_is_right_gets_no_remark(case, plays):
    played, _, _ = plays(case.id)
    assert (played.outcome is Outcome.REMARK) is (case.id in REMARKED), played.judged.texts


LEAVES_ALONE = [c for c in CASES if c.effect is not Effect.ONE_WAY and c.id != "TR-17"]


@pytest.mark.parametrize("case", LEAVES_ALONE, ids=lambda c: c.id)
def test_afterwards_the_roots_are_those_from_before_and_the_station_can_connect(case, plays):
    _, pretend, bench = plays(case.id)
    assert [r.subject.rfc4514_string() for r in pretend.papers.roots] == [f"CN=lab root,O={OWNER}"]

    async def again():
        return await bench.again()

    assert asyncio.run(again()).stage >= 5


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_a_station_that_never_answers_passes_nothing(case, plays):
    class Mute(PretendStation):
        async def call(self, action, payload, *, within=None):
            self.now_s += within or 0
            raise NotAnswered(action)

        async def get_variable(self, component, name):
            raise NotAnswered(name)

        async def set_variable(self, component, name, value):
            raise NotAnswered(name)

    played, _, _ = plays(case.id, station=Mute)
    assert played.outcome not in (Outcome.PASSED, Outcome.REMARK) or case.id == "TP-05"


# --- a station that is wrong in one thing -----------------------------------------------------------------


class SameKey(Papers):
    """Asks with the same key every time."""

    key = new_key(KeyKind.EC_P256)

    def make_key(self):
        return self.key


class Overlooks(Papers):
    """Takes what has one kind of fault."""

    fault = ""

    def why_not(self, chain):
        fault = super().why_not(chain)
        return "" if fault == self.fault else fault


class OverlooksKey(Overlooks):
    fault = "another key"


class OverlooksEnd(Overlooks):
    fault = "expired"


class OverlooksBegin(Overlooks):
    fault = "not yet valid"


class OverlooksSubject(Overlooks):
    fault = "another subject"


class OverlooksPath(Overlooks):
    fault = "no path"


class OverlooksStrength(Overlooks):
    fault = "weak"


class Untold(Papers):
    """Rejects in silence."""

    def signed(self, payload):
        status = super().signed(payload)
        self.told = [kind for kind in self.told if kind != INVALID]
        return status


class NeverSwitches(Papers):
    """Says Accepted and goes on with the old one."""

    def signed(self, payload):
        own = self.own
        status = super().signed(payload)
        self.own, self.before = own, ()
        return status


class UsesStray(Papers):
    """Uses what it never asked for."""

    def asked_for(self, leaf):
        return True


class NoWayBack(Papers):
    """Throws the old certificate away."""

    def go_back(self):
        self.before = ()


class KeepsOld(Papers):
    """Goes back to a certificate that was replaced long ago."""

    first = None

    def failed(self):
        super().failed()
        if self._failures >= 3:
            self.own = self.first or self.own

    def signed(self, payload):
        self.first = self.own
        return super().signed(payload)


class LosesPower(Papers):
    """Has no certificate left when the power fails in the middle."""

    def lose_power(self):
        if self.before:
            stranger = Authority(
                issue(Description("nobody", is_ca=True, begins=-DAY), now=BEGAN), now=self.now
            )
            self.own = Papers(stranger, serial=SERIAL, organization=OWNER, now=self.now).own
            self.before = ()


class Storm(Papers):
    """Asks again and again."""

    def ask(self):
        for _ in range(5):
            super().ask()


class AsksAfterRejecting(Papers):
    """Asks for another when it rejected one."""

    def signed(self, payload):
        status = super().signed(payload)
        if status == "Rejected":
            self.ask()
        return status


class Leaks(Papers):
    """Lets its key be read."""

    def get(self, name):
        return "-----BEGIN PRIVATE KEY-----" if name == "PrivateKey" else super().get(name)


class TakesAnyRoot(Papers):
    """Takes every certificate for a root."""

    def why_no_root(self, root, issuers):
        return ""


class TakesAnyNextRoot(Papers):
    """Takes a root that the old one did not sign."""

    def may_follow(self, root):
        return True


class KeepsOldRoot(Papers):
    """Never removes the root that was replaced."""

    def forget_old(self):
        pass


class ForgetsOldRoot(Papers):
    """Removes the old root at once."""

    def install(self, text):
        status = super().install(text)
        self.roots, self.old = self.roots[-1:], None
        return status


class NoLimit(Papers):
    """Answers nothing useful when it is full."""

    def install(self, text):
        status = super().install(text)
        return "Accepted" if len(self.roots) >= 6 else status


class Twice(Papers):
    """Lists a root as often as it was installed."""

    def install(self, text):
        before = list(self.roots)
        status = super().install(text)
        if before == self.roots and status == "Accepted":
            self.roots.append(self.roots[-1])
        return status


class SparesLast(Papers):
    """Lets its last root go."""

    can_spare_last = True


class BySerial(Papers):
    """Finds a root by its serial number alone."""

    def is_called(self, root, asked):
        return f"{root.serial_number:x}" == asked["serialNumber"]


class StillBelieves(Papers):
    """Trusts roots that are gone."""

    def believes(self, offer):
        return True


class GoesDown(Papers):
    """Takes any security profile."""

    def may_reach(self, level):
        return True


class AnyProfile(Papers):
    """Prefers a slot that it has no certificate for."""

    def why_no_slot(self, slot):
        return ""


class StaysBelow(Papers):
    """Keeps the lower profile after it went up."""

    def _reset(self):
        slots, priority = dict(self.slots), self.priority
        super()._reset()
        self.slots, self.priority = slots, priority


class NoAnswer(Papers):
    """Says nothing to what it does not take."""

    def answer(self, action, payload):
        answer = super().answer(action, payload)
        if action in ("InstallCertificate", "CertificateSigned") and answer["status"] != "Accepted":
            raise NotAnswered(action)
        return answer


class SendsPassword(Papers):
    """Sends its password to who asks for no certificate."""

    def meets(self, offer, connection):
        event = super().meets(offer, connection)
        connection.header_names = ("authorization",)
        return event


FAULTS = [
    ("TR-01", NeverSwitches),
    ("TR-02", SameKey),
    ("TR-03", OverlooksKey),
    ("TR-03", Untold),
    ("TR-04", OverlooksSubject),
    ("TR-05", OverlooksEnd),
    ("TR-08", OverlooksPath),
    ("TR-09", OverlooksStrength),
    ("TR-11", OverlooksPath),
    ("TR-13", NoAnswer),
    ("TR-14", UsesStray),
    ("TR-18", Storm),
    ("TR-19", AsksAfterRejecting),
    ("TR-20", NoWayBack),
    ("TR-21", NoWayBack),
    ("TR-23", LosesPower),
    ("TR-26", Leaks),
    ("TR-31", TakesAnyRoot),
    ("TR-31", NoAnswer),
    ("TR-32", TakesAnyNextRoot),
    ("TR-33", KeepsOldRoot),
    ("TR-34", ForgetsOldRoot),
    ("TR-35", NoLimit),
    ("TR-36", Twice),
    ("TR-37", SparesLast),
    ("TR-37", BySerial),
    ("TR-38", StillBelieves),
    ("TR-39", TakesAnyRoot),
    ("TP-01", AnyProfile),
    ("TP-02", StaysBelow),
    ("TP-04", GoesDown),
    ("TP-05", SendsPassword),
]


@pytest.mark.parametrize(
    ("case", "papers"), FAULTS, ids=lambda x: x if isinstance(x, str) else x.__name__
)
def test_a_station_that_is_wrong_in_one_thing_fails_for_it(case, papers, plays):
    played, _, _ = plays(case, papers)
    assert played.outcome is Outcome.FAILED, played.judged.texts
    assert played.judged.symptom


def test_the_edition_decides_about_a_certificate_that_begins_tomorrow(plays):
    assert plays("TR-06", OverlooksBegin, edition="2025-09")[0].outcome is Outcome.FAILED
    assert plays("TR-06", OverlooksBegin)[0].outcome is Outcome.PASSED


def test_the_edition_decides_whether_the_old_certificate_may_be_kept(plays):
    assert plays("TR-22", KeepsOld)[0].outcome is Outcome.RECORDED
    assert plays("TR-22", KeepsOld, edition="2025-09")[0].outcome is Outcome.FAILED


def test_the_last_root_is_left_alone_where_nothing_is_declared_of_it(plays):
    played, pretend, _ = plays("TR-37", SparesLast, items={})
    assert played.outcome is Outcome.PASSED
    assert len(pretend.papers.roots) == 1


def test_no_refusal_counts_where_a_good_renewal_is_refused_too(plays):
    class Refuses(Papers):
        def why_not(self, chain):
            return "whatever"

    for case in ("TR-03", "TR-05", "TR-08", "TR-12", "TR-13"):
        assert plays(case, Refuses)[0].outcome is Outcome.NOT_OBSERVED


def test_a_station_that_wants_no_trigger_is_not_asked_below_profile_3_and_fails_in_it(plays):
    class NoTrigger(Papers):
        def answer(self, action, payload):
            if action == "TriggerMessage":
                return {"status": "NotImplemented"}
            return super().answer(action, payload)

    assert plays("TR-02", NoTrigger, level=2)[0].outcome is Outcome.NOT_ASKED
    assert plays("TR-02", NoTrigger, level=3)[0].outcome is Outcome.NOT_OBSERVED
    assert plays("TR-01", NoTrigger)[0].outcome is Outcome.FAILED


def test_a_callerror_is_an_answer_to_what_is_longer_than_the_schema_allows(plays):
    played, _, _ = plays("TR-12")
    assert played.seen.records["10001 characters"] == "PropertyConstraintViolation"
    assert played.outcome is Outcome.PASSED


# --- waiting for a certificate that does not come ---------------------------------------------------------


class Waiting(PretendStation):
    """Asks again after these waits."""

    waits = (1.0, 2.0)

    def __init__(self, rule):
        super().__init__(rule)
        self.variables["SecurityCtrlr", "CertSigningWaitMinimum"] = "60"
        self.variables["SecurityCtrlr", "CertSigningRepeatTimes"] = "3"
        self._left = []

    async def call(self, action, payload, *, within=None):
        answer = await super().call(action, payload, within=within)
        if action == "TriggerMessage":
            self._left = list(self.waits)
        return answer

    async def wait_for(self, action, where=None, *, within):
        if not self.heard(action) and self._left and self._left[0] <= within:
            self.now_s += self._left.pop(0)
            self.papers.ask()
        return await super().wait_for(action, where, within=within)


class AtOnce(Waiting):
    waits = (0.0, 0.0, 0.0)


class Steady(Waiting):
    waits = (2.0, 2.0)


class ForEver(Waiting):
    waits = (1.0, 2.0, 4.0, 8.0, 16.0)


class Never(Waiting):
    waits = ()


@pytest.mark.parametrize(
    ("station", "outcome"),
    [
        (Waiting, Outcome.PASSED),
        (AtOnce, Outcome.FAILED),
        (Steady, Outcome.FAILED),
        (ForEver, Outcome.FAILED),
        (Never, Outcome.FAILED),
    ],
)
def test_the_waits_for_a_certificate_double_and_end(station, outcome, plays):
    played, _, _ = plays("TR-17", station=station)
    assert played.outcome is outcome, (played.judged.texts, played.seen.records)


def test_a_station_without_a_waiting_time_is_not_asked_about_it(plays):
    assert plays("TR-17")[0].outcome is Outcome.NOT_ASKED


def test_an_error_of_the_schema_is_kept_by_its_code(plays):
    class Refuses(Papers):
        def answer(self, action, payload):
            if action == "InstallCertificate":
                raise AnsweredWithError(action, "NotImplemented")
            return super().answer(action, payload)

    played, _, _ = plays("TR-36", Refuses)
    assert played.outcome is Outcome.NOT_OBSERVED
    assert "NotImplemented" in played.judged.texts[0]
