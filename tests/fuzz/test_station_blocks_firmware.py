import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from fuzz.pics.loading import load_pics
from fuzz.station.bench import Bench
from fuzz.station.blocks import BLOCKS
from fuzz.station.blocks.base import Block
from fuzz.station.blocks.firmware import FirmwareBlock
from fuzz.station.core import Station
from fuzz.station.events import (
    CancelTransfer,
    Command,
    Download,
    Event,
    Persist,
    PowerCycle,
    PowerOn,
    Reboot,
    ShiftClock,
    TransferDone,
)
from fuzz.station.settings import Settings
from fuzz.station.states import Registration
from strategies.version import version
from tlslab.describe import Description
from tlslab.firmware import firmware_image, sign_firmware
from tlslab.pki import Credential, issue

START = datetime(2026, 1, 1, tzinfo=UTC)
USE = "ManufacturerRootCertificate"
IMAGE = firmware_image("2.0.0")
NO_IMAGE = b"properly signed, but nothing that could be installed"
HAPPY = ["Downloading", "Downloaded", "SignatureVerified"]


@pytest.fixture(scope="module")
def root() -> Credential:
    return issue(Description("manufacturer root", is_ca=True), now=START)


@pytest.fixture(scope="module")
def signer(root) -> Credential:
    return issue(Description("firmware signer"), now=START, issuer=root)


class Surroundings(Block):
    """Stands in for transactions, and sees what the firmware block tells the other blocks; comes last."""

    def __init__(self, context) -> None:
        super().__init__(context)
        self.transaction = ""
        self.events: list[str] = []
        self.withheld: list[bool] = []
        context.transactions = self
        context.security_event = lambda kind, _tech_info: self.events.append(kind)
        context.status_changed = lambda: self.withheld.append(context.withheld)

    def on(self, _evse: int) -> str:
        return self.transaction

    def end_all(self, trigger: str, stopped: str) -> None:
        self.transaction = ""

    def sampled(self, evse: int, trigger: str, values: list) -> bool:
        return False


class Workshop(Bench):
    """A bench whose station has a manufacturer root, an image and a signature to work with."""

    def __init__(self, root: Credential, signer: Credential, items: dict, lasting=None) -> None:
        super().__init__()
        self.signer = signer
        self.items = items
        self.commands: list[Command] = []
        self._roots = ((USE, root.certificate.decode()),)
        self._numbers = itertools.count(1)
        self.power_up(lasting)

    def power_up(self, lasting) -> None:
        """A new process with what an earlier one kept."""
        pics = load_pics("dc-2evse-ccs1")
        triggers = pics.triggers | {"FirmwareStatusNotification"}
        pics = replace(pics, items={**pics.items, **self.items}, triggers=triggers)
        self.around: list[Surroundings] = []

        def surroundings(context) -> Surroundings:
            self.around.append(Surroundings(context))
            return self.around[0]

        self.station = Station(
            version(),
            pics,
            Settings(ids=lambda: f"s{next(self._numbers)}", random=lambda: 0.5, roots=self._roots),
            blocks=[*BLOCKS, surroundings],
            lasting=lasting,
        )

    def do(self, event: Event) -> list[Command]:
        commands = super().do(event)
        self.commands += commands
        return commands

    def ready(self) -> "Workshop":
        self.boot()
        self.said.clear()
        return self

    def update(self, request_id: int = 7, content: bytes = IMAGE, **more) -> str:
        """Asks for an update; the status of the answer."""
        retries = {key: more.pop(key) for key in ("retries", "retryInterval") if key in more}
        firmware = {
            "location": "http://127.0.0.1/firmware",
            "retrieveDateTime": "2025-12-31T00:00:00Z",
            "signingCertificate": self.signer.certificate.decode(),
            "signature": sign_firmware(self.signer.key, content),
            **more,
        }
        firmware = {key: value for key, value in firmware.items() if value is not None}
        payload = {"requestId": request_id, "firmware": firmware, **retries}
        return self.ask("UpdateFirmware", payload)[2]["status"]

    @property
    def downloads(self) -> list[Download]:
        return [command for command in self.commands if isinstance(command, Download)]

    def deliver(self, content: bytes = IMAGE, failure: str = "") -> None:
        """The last download is over."""
        name = self.downloads[-1].transfer
        self.do(TransferDone(name, b"" if failure else content, failure))

    def begin_transaction(self) -> None:
        self.around[0].transaction = "t1"

    def end_transaction(self) -> None:
        self.around[0].transaction = ""
        for listener in self.around[0].context.ended_listeners:
            listener(1)
        self.do(ShiftClock(0))

    @property
    def reboots(self) -> int:
        return sum(isinstance(command, Reboot) for command in self.commands)

    def come_back(self) -> None:
        """The station is up again after a reboot."""
        self.lose()
        self.boot()

    def kill(self) -> None:
        """The process dies and starts again with what it kept last."""
        kept = [command.state for command in self.commands if isinstance(command, Persist)]
        self.power_up(json.loads(json.dumps(kept[-1])) if kept else {})
        self.boot()

    @property
    def told(self) -> list[dict]:
        self.settle()
        return [
            frame[3]
            for frame in self.said
            if frame[0] == 2 and frame[2] == "FirmwareStatusNotification"
        ]

    @property
    def statuses(self) -> list[str]:
        return [payload["status"] for payload in self.told]

    def boots(self) -> list[tuple[str, str]]:
        boots = [frame[3] for frame in self.said if frame[2:3] == ["BootNotification"]]
        return [(boot["reason"], boot["chargingStation"]["firmwareVersion"]) for boot in boots]


@pytest.fixture
def workshop(root, signer) -> Callable[..., Workshop]:
    def make(**items: bool) -> Workshop:
        return Workshop(
            root, signer, {key.replace("_", "-"): answer for key, answer in items.items()}
        ).ready()

    return make


def later(seconds: float) -> str:
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}Z"


# --- the whole way ----------------------------------------------------------------------------------------


def test_tc_l_01_firmware_is_downloaded_verified_and_installed(workshop):
    bench = workshop()
    assert bench.update() == "Accepted"
    assert bench.downloads[0].url == "http://127.0.0.1/firmware"
    bench.settle()
    bench.deliver()
    assert bench.statuses == [*HAPPY, "InstallRebooting"]
    assert bench.reboots == 1
    bench.come_back()
    assert bench.statuses == [*HAPPY, "InstallRebooting", "Installing", "Installed"]
    assert {payload["requestId"] for payload in bench.told} == {7}
    assert bench.boots() == [("FirmwareUpdate", "2.0.0")]
    assert bench.around[0].events.count("FirmwareUpdated") == 1
    assert bench.around[0].withheld == [True, True, False]


def test_the_answer_goes_before_the_first_status_and_the_download(workshop):
    bench = workshop()
    bench.update()
    assert [frame[0] for frame in bench.said] == [3, 2]
    assert bench.said[1][3] == {"status": "Downloading", "requestId": 7}


def test_the_reboot_waits_until_its_status_is_answered(workshop):
    bench = workshop()
    bench.update()
    bench.settle()
    bench.deliver()
    while bench.asked[3].get("status") != "InstallRebooting":
        bench.answer({})
    assert bench.reboots == 0
    bench.answer({})
    assert bench.reboots == 1


def test_the_new_version_stays_over_further_starts(workshop):
    bench = workshop()
    bench.update()
    bench.settle()
    bench.deliver()
    bench.settle()
    bench.come_back()
    bench.said.clear()
    bench.kill()
    assert bench.boots() == [("PowerUp", "2.0.0")]
    assert bench.statuses == []


# --- waiting for a moment ---------------------------------------------------------------------------------


def test_tc_l_02_an_installation_in_the_future_is_scheduled(workshop):
    bench = workshop()
    bench.update(installDateTime=later(60))
    bench.settle()
    bench.deliver()
    assert bench.statuses == [*HAPPY, "InstallScheduled"]
    bench.wait(59)
    assert bench.statuses == [*HAPPY, "InstallScheduled"]
    assert bench.around[0].withheld == []
    bench.wait(1.1)
    bench.settle()
    bench.come_back()
    expected = [*HAPPY, "InstallScheduled", "InstallRebooting", "Installing", "Installed"]
    assert bench.statuses == expected


def test_tc_l_03_a_download_in_the_future_is_scheduled(workshop):
    bench = workshop()
    assert bench.update(retrieveDateTime=later(60)) == "Accepted"
    bench.settle()
    bench.wait(59)
    assert (bench.statuses, bench.downloads) == (["DownloadScheduled"], [])
    bench.wait(1.1)
    bench.deliver()
    assert bench.statuses == ["DownloadScheduled", *HAPPY, "InstallRebooting"]


def test_moments_are_those_of_the_stations_clock(workshop):
    bench = workshop()
    bench.update(retrieveDateTime=later(3600))
    bench.do(ShiftClock(3700.0))
    assert len(bench.downloads) == 1


def test_a_clock_that_is_set_back_puts_a_download_off(workshop):
    bench = workshop()
    bench.update(retrieveDateTime=later(60))
    bench.settle()
    bench.do(ShiftClock(-100.0))
    bench.wait(159)
    assert bench.downloads == []
    bench.wait(2)
    assert len(bench.downloads) == 1


# --- what is wrong with it --------------------------------------------------------------------------------


def bad_certificates(root: Credential) -> dict[str, str]:
    stranger = issue(Description("stranger"), now=START)
    old = issue(Description("old"), now=START - timedelta(days=400), issuer=root)
    early = issue(Description("early"), now=START + timedelta(days=1), issuer=root)
    good = issue(Description("good"), now=START, issuer=root).certificate.decode()
    return {
        "stranger": stranger.certificate.decode(),
        "expired": old.certificate.decode(),
        "not yet valid": early.certificate.decode(),
        "broken": good[:200] + good[210:],
        "no certificate": "x",
    }


@pytest.mark.parametrize(
    "which", ["stranger", "expired", "not yet valid", "broken", "no certificate"]
)
def test_tc_l_05_a_bad_certificate_is_told_at_once(workshop, root, which):
    bench = workshop()
    pem = bad_certificates(root)[which]
    assert bench.update(signingCertificate=pem) == "InvalidCertificate"
    assert bench.around[0].events == ["InvalidFirmwareSigningCertificate"]
    assert (bench.downloads, bench.statuses) == ([], [])


@pytest.mark.parametrize("signature", ["AAAA", "no base64", ""])
def test_tc_l_06_a_bad_signature_ends_the_update(workshop, signature):
    bench = workshop()
    status = bench.update(signature=signature or sign_firmware(bench.signer.key, b"another file"))
    assert status == "Accepted"
    bench.settle()
    bench.deliver()
    assert bench.statuses == ["Downloading", "Downloaded", "InvalidSignature"]
    assert bench.around[0].events == ["InvalidFirmwareSignature"]
    assert bench.update(8) == "Accepted"


def test_tc_l_07_an_unknown_file_fails_after_the_retries(workshop):
    bench = workshop()
    bench.update(retries=2, retryInterval=5)
    for tried in (1, 2, 3):
        assert len(bench.downloads) == tried
        bench.deliver(failure="not-found")
        bench.settle()
        bench.wait(5)
    assert len({download.transfer for download in bench.downloads}) == 3
    assert bench.statuses == ["Downloading", "DownloadFailed"]
    assert bench.update(8) == "Accepted"


def test_a_retry_that_succeeds_goes_on(workshop):
    bench = workshop()
    bench.update(retries=2, retryInterval=5)
    bench.deliver(failure="unreachable")
    bench.settle()
    bench.wait(5)
    bench.deliver()
    assert bench.statuses == [*HAPPY, "InstallRebooting"]


def test_tc_l_08_a_signed_file_that_is_no_firmware_is_not_installed(workshop):
    bench = workshop()
    bench.update(content=NO_IMAGE)
    bench.settle()
    bench.deliver(NO_IMAGE)
    assert bench.statuses == [*HAPPY, "Installing", "InstallVerificationFailed"]
    assert (bench.reboots, bench.around[0].events) == (0, [])
    assert bench.around[0].context.withheld is False
    assert bench.update(8) == "Accepted"


@pytest.mark.parametrize("missing", ["signingCertificate", "signature"])
def test_tc_l_18_an_update_that_is_not_secure_is_rejected(workshop, missing):
    bench = workshop()
    assert bench.update(**{missing: None}) in ("Rejected", "InvalidCertificate")
    assert (bench.downloads, bench.statuses) == ([], [])


# --- a second request -------------------------------------------------------------------------------------


def test_tc_l_10_a_second_request_takes_the_place_of_the_first(workshop):
    bench = workshop()
    bench.update(7)
    first = bench.downloads[0].transfer
    assert bench.update(8) == "AcceptedCanceled"
    assert CancelTransfer(first) in bench.commands
    bench.do(TransferDone(first, IMAGE))
    bench.settle()
    bench.deliver()
    assert [(p["status"], p["requestId"]) for p in bench.told] == [
        ("Downloading", 7),
        ("Downloading", 8),
        ("Downloaded", 8),
        ("SignatureVerified", 8),
        ("InstallRebooting", 8),
    ]


def test_a_scheduled_installation_can_be_replaced_too(workshop):
    bench = workshop()
    bench.begin_transaction()
    bench.update(7)
    bench.settle()
    bench.deliver()
    assert bench.around[0].context.withheld is True
    assert bench.update(8) == "AcceptedCanceled"
    assert bench.around[0].context.withheld is False
    bench.settle()
    bench.end_transaction()
    assert bench.statuses[-1] == "Downloading"


def test_a_second_request_with_a_bad_certificate_cancels_nothing(workshop):
    bench = workshop()
    bench.update(7)
    assert bench.update(8, signingCertificate="x") == "InvalidCertificate"
    bench.settle()
    bench.deliver()
    assert {payload["requestId"] for payload in bench.told} == {7}


def test_an_installation_cannot_be_cancelled(workshop):
    bench = workshop()
    bench.update(7)
    bench.settle()
    bench.deliver()
    assert bench.update(8) == "Rejected"


def test_tc_l_11_a_station_that_cannot_cancel_rejects_the_second_request(workshop):
    bench = workshop(C_60=False)
    bench.update(7)
    assert bench.update(8) == "Rejected"
    bench.settle()
    bench.deliver()
    assert {payload["requestId"] for payload in bench.told} == {7}


# --- transactions -----------------------------------------------------------------------------------------


def test_tc_l_15_an_installation_waits_for_the_end_of_the_transaction(workshop):
    bench = workshop()
    bench.begin_transaction()
    bench.update()
    bench.settle()
    bench.deliver()
    assert bench.statuses == [*HAPPY, "InstallScheduled"]
    assert bench.around[0].withheld == [True]
    bench.wait(1000)
    assert bench.reboots == 0
    bench.end_transaction()
    bench.settle()
    assert bench.reboots == 1
    bench.come_back()
    assert bench.statuses[4:] == ["InstallRebooting", "Installing", "Installed"]
    assert bench.around[0].context.withheld is False


def test_tc_l_13_a_station_that_cannot_download_meanwhile_waits_with_that(workshop):
    bench = workshop(AQ_7=False)
    bench.begin_transaction()
    bench.update()
    assert (bench.statuses, bench.downloads) == (["DownloadScheduled"], [])
    bench.end_transaction()
    assert len(bench.downloads) == 1


def test_tc_l_14_a_station_may_allow_new_sessions_while_an_installation_waits(workshop):
    bench = workshop(C_20=True)
    bench.begin_transaction()
    bench.update()
    bench.settle()
    bench.deliver()
    assert bench.statuses[-1] == "InstallScheduled"
    assert bench.around[0].context.withheld is False


def test_tc_l_16_a_station_may_install_during_a_transaction(workshop):
    bench = workshop(C_43=True)
    bench.begin_transaction()
    bench.update()
    bench.settle()
    bench.deliver()
    assert bench.statuses == [*HAPPY, "Installing", "Installed"]
    assert (bench.reboots, bench.around[0].events) == (0, ["FirmwareUpdated"])
    bench.said.clear()
    bench.kill()
    assert bench.boots() == [("PowerUp", "2.0.0")]


# --- lost connections and reboots -------------------------------------------------------------------------


def test_a_status_is_not_kept_for_a_later_connection(workshop):
    bench = workshop()
    bench.update(installDateTime=later(1000))
    bench.settle()
    bench.lose()
    bench.deliver()
    bench.start()
    assert bench.statuses == ["Downloading"]


def test_without_a_connection_the_installation_happens_and_its_end_is_told(workshop):
    bench = workshop()
    bench.update()
    bench.settle()
    bench.lose()
    bench.deliver()
    assert bench.reboots == 1
    bench.boot()
    assert bench.statuses == ["Downloading", "Installing", "Installed"]


@pytest.mark.parametrize("how", ["reset", "kill", "power"])
def test_an_interrupted_download_begins_anew(workshop, how):
    bench = workshop()
    bench.update(retries=1)
    bench.settle()
    _go_down(bench, how)
    bench.settle()
    assert len(bench.downloads) == 2
    bench.deliver()
    assert bench.statuses == ["Downloading", *HAPPY, "InstallRebooting"]


@pytest.mark.parametrize("how", ["reset", "kill", "power"])
def test_a_scheduled_update_survives(workshop, how):
    bench = workshop()
    bench.update(retrieveDateTime=later(500), installDateTime=later(1000))
    bench.settle()
    _go_down(bench, how)
    bench.wait(501)
    bench.settle()
    bench.deliver()
    bench.settle()
    # The CSMS of the bench has but one time: every boot sets the station's clock back to the start.
    _go_down(bench, how)
    bench.wait(1001)
    bench.settle()
    assert bench.statuses == [
        "DownloadScheduled",
        *HAPPY,
        "InstallScheduled",
        "InstallRebooting",
    ]


def test_an_installation_survives_the_death_of_the_process(workshop):
    bench = workshop()
    bench.update()
    bench.settle()
    bench.deliver()
    bench.said.clear()
    bench.kill()
    assert bench.boots() == [("FirmwareUpdate", "2.0.0")]
    assert bench.statuses == ["Installing", "Installed"]


def test_an_installation_is_told_once_the_boot_is_accepted(workshop):
    bench = workshop()
    bench.update()
    bench.settle()
    bench.deliver()
    bench.settle()
    bench.said.clear()
    bench.lose()
    bench.boot("Pending", 10)
    assert bench.statuses == []
    bench.kill()
    assert bench.statuses == ["Installing", "Installed"]


def test_a_reset_before_the_reboot_into_new_firmware_is_that_reboot(workshop):
    bench = workshop()
    bench.update()
    bench.settle()
    bench.deliver()
    while bench.asked[3].get("status") != "InstallRebooting":
        bench.answer({})
    bench.ask("Reset", {"type": "Immediate"})
    bench.come_back()
    assert bench.reboots == 1
    assert bench.boots() == [("FirmwareUpdate", "2.0.0")]
    assert bench.statuses[-2:] == ["Installing", "Installed"]


def test_a_download_that_ends_while_the_station_goes_down_begins_anew(workshop):
    bench = workshop()
    bench.update()
    bench.settle()
    bench.ask("Reset", {"type": "Immediate"})
    bench.deliver()
    bench.come_back()
    assert bench.statuses == ["Downloading", "Downloading"]
    assert len(bench.downloads) == 2


def test_a_transaction_that_ends_while_the_station_goes_down_starts_no_installation(workshop):
    bench = workshop()
    bench.begin_transaction()
    bench.update()
    bench.settle()
    bench.deliver()
    bench.settle()
    bench.ask("Reset", {"type": "Immediate"})
    bench.end_transaction()
    bench.lose()
    assert bench.station.registration is not Registration.ACCEPTED
    assert bench.reboots == 1
    bench.boot()
    assert bench.statuses[-2:] == ["InstallScheduled", "InstallRebooting"]


def _go_down(bench: Workshop, how: str) -> None:
    match how:
        case "kill":
            bench.kill()
        case "power":
            bench.do(PowerCycle())
            bench.come_back()
        case _:
            bench.ask("Reset", {"type": "Immediate"})
            bench.come_back()


@given(
    kept=st.none()
    | st.text()
    | st.fixed_dictionaries(
        {
            "version": st.none() | st.text() | st.integers(),
            "update": st.none()
            | st.dictionaries(
                st.sampled_from(["request_id", "location", "phase", "version", "retries"]),
                st.none() | st.integers() | st.text(),
            ),
        }
    )
)
@hypothesis_settings(max_examples=40, deadline=None)
def test_a_broken_state_is_left_out(root, signer, kept):
    bench = Workshop(root, signer, {}, lasting={"firmware": kept}).ready()
    assert bench.update() == "Accepted"


# --- triggers and verifiers -------------------------------------------------------------------------------


def test_a_trigger_tells_the_update_or_that_there_is_none(workshop):
    bench = workshop()
    bench.ask("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    assert bench.told == [{"status": "Idle"}]
    bench.update(retrieveDateTime=later(60))
    bench.settle()
    bench.ask("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"})
    assert bench.told[1:] == 2 * [{"status": "DownloadScheduled", "requestId": 7}]


def test_another_verifier_can_be_put_in(root, signer):
    class Trusting(FirmwareBlock):
        verify = staticmethod(lambda _certificate, signature, _content: signature == "magic")

    bench = Workshop(root, signer, {})
    blocks = [Trusting if block is FirmwareBlock else block for block in BLOCKS]
    bench.station = Station(
        version(),
        load_pics("dc-2evse-ccs1"),
        Settings(
            ids=(f"s{n}" for n in itertools.count()).__next__,
            random=lambda: 0.5,
            roots=((USE, root.certificate.decode()),),
        ),
        blocks=blocks,
    )
    bench.ready()
    bench.update(signature="magic")
    bench.settle()
    bench.deliver()
    assert bench.statuses == [*HAPPY, "InstallRebooting"]


# --- whatever happens -------------------------------------------------------------------------------------

FINAL = {"DownloadFailed", "InvalidSignature", "InstallVerificationFailed", "Installed"}
FOLLOWS = {
    "": {"DownloadScheduled", "Downloading"},
    "DownloadScheduled": {"Downloading"},
    "Downloading": {"Downloading", "Downloaded", "DownloadFailed"},
    "Downloaded": {"SignatureVerified", "InvalidSignature"},
    "SignatureVerified": {"InstallScheduled", "InstallRebooting", "Installing"},
    "InstallScheduled": {"InstallRebooting", "Installing"},
    "InstallRebooting": {"Installing"},
    "Installing": {"Installed", "InstallVerificationFailed"},
}
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.sampled_from([0, 0, 30])),
        st.tuples(
            st.just("deliver"), st.sampled_from(["", "", "", "not-found", "wrong", "no image"])
        ),
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.sampled_from(["begin", "end", "kill", "power", "reset", "shift"]), st.just(0)),
    ),
    max_size=20,
)


@pytest.mark.slow
@hypothesis_settings(max_examples=80, deadline=None)
@given(steps=STEPS, items=st.fixed_dictionaries({"C-20": st.booleans(), "C-60": st.booleans()}))
def test_whatever_happens_statuses_follow_one_another_legally_with_the_right_id(
    root, signer, steps, items
):
    bench = Workshop(root, signer, items).ready()
    ids = itertools.count(1)
    current = 0
    for kind, value in steps:
        match kind:
            case "update":
                request_id = next(ids)
                if _ask_for_update(bench, request_id, value) != "Rejected":
                    current = request_id
            case "deliver" if bench.downloads:
                content = {"wrong": b"wrong", "no image": NO_IMAGE}.get(value, IMAGE)
                bench.deliver(content, value if value == "not-found" else "")
            case "wait":
                bench.wait(value)
            case "begin":
                bench.begin_transaction()
            case "end":
                bench.end_transaction()
            case "shift":
                bench.do(ShiftClock(20.0))
            case "kill" | "power" | "reset":
                bench.around[0].transaction = ""
                _go_down(bench, kind)
        bench.settle()
        if any(isinstance(command, Reboot) for command in bench.commands):
            assert not bench.around[0].transaction
            bench.come_back()
        bench.commands = [c for c in bench.commands if not isinstance(c, Reboot)]
        assert not bench.told or bench.told[-1]["requestId"] == current
    _check_graph(bench.told)


def _ask_for_update(bench: Workshop, request_id: int, delay_s: int) -> str:
    moment = f"{datetime.fromtimestamp(bench.now + delay_s, UTC):%Y-%m-%dT%H:%M:%S}Z"
    content = NO_IMAGE if request_id % 4 == 0 else IMAGE
    return bench.update(request_id, content, retrieveDateTime=moment, installDateTime=moment)


def _check_graph(told: list[dict]) -> None:
    last: dict[int, str] = {}
    for payload in told:
        request_id, word = payload["requestId"], payload["status"]
        assert word in FOLLOWS[last.get(request_id, "")]
        last[request_id] = word
        if word in FINAL:
            last[request_id] = "over"
    assert set(last.values()) <= {*FOLLOWS, "over"}


def test_power_alone_says_nothing(workshop):
    bench = workshop()
    bench.do(PowerOn())
    assert bench.statuses == []
