import itertools
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from fuzz.pics.loading import load_pics
from fuzz.station.bench import Bench
from fuzz.station.blocks import BLOCKS
from fuzz.station.blocks.base import Block
from fuzz.station.core import Station
from fuzz.station.events import CancelTransfer, Command, TransferDone, Upload
from fuzz.station.settings import Settings
from strategies.version import version


class Probe(Block):
    """Lets a test see what the blocks see."""

    def __init__(self, context) -> None:
        super().__init__(context)
        context.triggers["probe"] = lambda _request: False
        Probe.seen = context


@pytest.fixture
def log_bench():
    """A station behind an accepted boot that answers items of its PICS otherwise."""

    def make(**items: bool) -> Bench:
        bench = Bench()
        numbers = itertools.count(1)
        pics = load_pics("dc-2evse-ccs1")
        answers = {key.replace("_", "-", 1): answer for key, answer in items.items()}
        triggers = pics.triggers | {"LogStatusNotification"}
        pics = replace(pics, items={**pics.items, **answers}, triggers=triggers)
        settings = Settings(ids=lambda: f"s{next(numbers)}", random=lambda: 0.5)
        bench.station = Station(version(), pics, settings, blocks=[*BLOCKS, Probe])
        bench.boot()
        bench.said.clear()
        return bench

    return make


def get_log(bench: Bench, request_id: int, kind: str = "DiagnosticsLog", **more) -> list:
    limits = {name: more.pop(name) for name in list(more) if name.endswith("Timestamp")}
    log = {"remoteLocation": "http://127.0.0.1/logs", **limits}
    return bench.ask("GetLog", {"logType": kind, "requestId": request_id, "log": log, **more})


def uploads(commands: list[Command]) -> list[Upload]:
    return [command for command in commands if isinstance(command, Upload)]


def statuses(bench: Bench) -> list[tuple[str, int | None]]:
    bench.settle()
    told = [
        frame[3] for frame in bench.said if frame[0] == 2 and frame[2] == "LogStatusNotification"
    ]
    return [(payload["status"], payload.get("requestId")) for payload in told]


@pytest.fixture
def recorder(monkeypatch):
    """Every command that any station gives."""
    given: list[Command] = []
    handle = Station.handle

    def recording(self, event, now):
        commands = handle(self, event, now)
        given.extend(commands)
        return commands

    monkeypatch.setattr(Station, "handle", recording)
    return given


@pytest.mark.parametrize("kind", ["DiagnosticsLog", "SecurityLog"])
def test_tc_n_25_and_35_a_log_is_uploaded_and_every_status_has_its_request_id(
    log_bench, recorder, kind
):
    bench = log_bench()
    answer = get_log(bench, 7, kind)
    upload = uploads(recorder)[0]
    assert answer[2] == {"status": "Accepted", "filename": upload.name}
    assert upload.url == "http://127.0.0.1/logs"
    assert upload.content.startswith(f"# {kind}, 2026-01-01T".encode())
    bench.do(TransferDone(upload.transfer))
    assert statuses(bench) == [("Uploading", 7), ("Uploaded", 7)]


def test_the_answer_goes_before_the_first_status(log_bench):
    bench = log_bench()
    get_log(bench, 7)
    assert [frame[0] for frame in bench.said] == [3, 2]


def test_only_what_was_written_in_the_time_asked_for_is_uploaded(log_bench, recorder):
    bench = log_bench()
    diagnostics = Probe.seen.logbook.diagnostics
    diagnostics.clear()
    diagnostics.extend(f"2026-01-0{day}T00:00:00.000Z day {day}" for day in (1, 2, 3, 4))
    get_log(
        bench,
        7,
        oldestTimestamp="2026-01-02T01:00:00+01:00",
        latestTimestamp="2026-01-03T00:00:00Z",
    )
    lines = uploads(recorder)[0].content.decode().splitlines()
    assert [line[-5:] for line in lines[1:]] == ["day 2", "day 3"]


def test_an_empty_log_is_a_file_with_a_first_line(log_bench, recorder):
    bench = log_bench()
    Probe.seen.logbook.security.clear()
    assert get_log(bench, 7, "SecurityLog")[2]["status"] == "Accepted"
    assert len(uploads(recorder)[0].content.splitlines()) == 1


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        ("unreachable", "UploadFailure"),
        ("not-found", "UploadFailure"),
        ("too-large", "UploadFailure"),
        ("denied", "PermissionDenied"),
        ("refused", "BadMessage"),
        ("unsupported", "NotSupportedOperation"),
    ],
)
def test_a_failed_upload_is_told_in_its_own_word(log_bench, recorder, failure, status):
    bench = log_bench()
    get_log(bench, 7)
    bench.do(TransferDone(uploads(recorder)[0].transfer, failure=failure))
    assert statuses(bench) == [("Uploading", 7), (status, 7)]


def test_tc_n_26_a_bad_location_is_tried_again_as_often_as_asked_and_failure_is_told_once(
    log_bench, recorder
):
    bench = log_bench()
    get_log(bench, 7, retries=3, retryInterval=5)
    for tried in (1, 2, 3, 4):
        assert len(uploads(recorder)) == tried
        bench.do(TransferDone(uploads(recorder)[-1].transfer, failure="unreachable"))
        bench.settle()
        bench.wait(4.9)
        assert len(uploads(recorder)) == tried
        bench.wait(0.2)
    assert len(uploads(recorder)) == 4
    assert len({upload.transfer for upload in uploads(recorder)}) == 4
    assert statuses(bench) == [("Uploading", 7), ("UploadFailure", 7)]


def test_a_retry_that_succeeds_ends_the_upload(log_bench, recorder):
    bench = log_bench()
    get_log(bench, 7, retries=3, retryInterval=5)
    bench.do(TransferDone(uploads(recorder)[-1].transfer, failure="unreachable"))
    bench.wait(5)
    bench.do(TransferDone(uploads(recorder)[-1].transfer))
    assert statuses(bench) == [("Uploading", 7), ("Uploaded", 7)]


@pytest.mark.parametrize("retrying", [False, True])
def test_tc_n_36_a_second_request_takes_the_place_of_the_first(log_bench, recorder, retrying):
    bench = log_bench()
    get_log(bench, 7, retries=9, retryInterval=5)
    first = uploads(recorder)[0]
    if retrying:
        bench.do(TransferDone(first.transfer, failure="unreachable"))
    answer = get_log(bench, 8)
    second = uploads(recorder)[-1]
    assert answer[2] == {"status": "AcceptedCanceled", "filename": second.name}
    assert (CancelTransfer(first.transfer) in recorder) is not retrying
    bench.do(TransferDone(first.transfer))
    bench.do(TransferDone(second.transfer))
    bench.settle()
    bench.wait(30)
    assert uploads(recorder) == [first, second]
    assert statuses(bench) == [
        ("Uploading", 7),
        ("AcceptedCanceled", 7),
        ("Uploading", 8),
        ("Uploaded", 8),
    ]


def test_a_station_that_cannot_cancel_rejects_the_second_request(log_bench, recorder):
    bench = log_bench(C_57=False)
    get_log(bench, 7)
    assert get_log(bench, 8)[2]["status"] == "Rejected"
    bench.do(TransferDone(uploads(recorder)[0].transfer))
    assert statuses(bench) == [("Uploading", 7), ("Uploaded", 7)]
    assert get_log(bench, 9)[2]["status"] == "Accepted"


def test_a_status_is_not_kept_for_a_later_connection(log_bench, recorder):
    bench = log_bench()
    get_log(bench, 7)
    bench.settle()
    bench.lose()
    bench.do(TransferDone(uploads(recorder)[0].transfer))
    bench.start()
    bench.settle()
    assert statuses(bench) == [("Uploading", 7)]


def test_a_reboot_ends_an_upload(log_bench, recorder):
    bench = log_bench()
    get_log(bench, 7, retries=3)
    bench.settle()
    bench.ask("Reset", {"type": "Immediate"})
    bench.do(TransferDone(uploads(recorder)[0].transfer, failure="unreachable"))
    bench.lose()
    bench.boot()
    bench.wait(60)
    assert len(uploads(recorder)) == 1
    assert get_log(bench, 8)[2]["status"] == "Accepted"


def test_a_trigger_tells_the_upload_or_that_there_is_none(log_bench):
    bench = log_bench()
    bench.ask("TriggerMessage", {"requestedMessage": "LogStatusNotification"})
    assert statuses(bench) == [("Idle", None)]
    get_log(bench, 7)
    bench.settle()
    bench.ask("TriggerMessage", {"requestedMessage": "LogStatusNotification"})
    assert statuses(bench)[1:] == [("Uploading", 7), ("Uploading", 7)]


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(-5, 5)),
        st.tuples(st.just("end"), st.sampled_from(["", "unreachable", "denied"])),
        st.tuples(st.just("wait"), st.integers(1, 20)),
    ),
    max_size=25,
)
_FOLLOWS = {
    "Uploading": {"Uploaded", "UploadFailure", "PermissionDenied", "AcceptedCanceled"},
    "AcceptedCanceled": {"Uploading"},
    "end": {"Uploading"},
}


@hypothesis_settings(max_examples=60, deadline=None)
@given(steps=_STEPS)
def test_whatever_happens_each_upload_begins_once_and_ends_once(steps):
    bench = Bench().boot()
    bench.said.clear()
    running: list[str] = []
    ids = itertools.count(100)
    for kind, value in steps:
        match kind:
            case "ask":
                log = {"remoteLocation": "http://127.0.0.1/"}
                payload = {"logType": "SecurityLog", "requestId": next(ids), "log": log}
                commands = bench.hear(_call({**payload, "retries": max(0, value)}))
            case "end" if running:
                commands = bench.do(TransferDone(running.pop(), failure=value))
            case _:
                commands = bench.wait(int(value) if kind == "wait" else 1)
        running = [up.transfer for up in uploads(commands)] or running
        bench.settle()
    last, of = "end", None
    for status, request_id in statuses(bench):
        assert status in _FOLLOWS[last]
        assert status == "Uploading" or request_id == of
        last = status if status in _FOLLOWS else "end"
        of = request_id


def _call(payload: dict) -> str:
    return json.dumps([2, "q", "GetLog", payload])
