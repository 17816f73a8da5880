"""Logs and firmware come to an end that is told, and nothing is installed that nobody signed."""

import pytest

from strategies.model import (
    Answered,
    Asked,
    Called,
    Closed,
    Missed,
    Model,
    Opened,
    Operated,
    Told,
    Unread,
    Weight,
)

LOG, FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
HERE = "http://127.0.0.1:9/x"


class Talk:
    """A model that follows what is asked, answered and told, a second each."""

    def __init__(self):
        self.model = Model()
        self.at_s = 0.0

    def ask(self, action, payload, status="Accepted"):
        asked = Asked(self.tick(), action, payload, f"q{self.at_s}")
        self.model.saw(asked)
        self.model.saw(Told(self.at_s + 0.1, asked, {"status": status}))
        return self

    def log(self, id_, status="Accepted", *, retries=0, url=HERE, pause_s=None):
        asked = {"requestId": id_, "retries": retries, "log": {"remoteLocation": url}}
        pause = {} if pause_s is None else {"retryInterval": pause_s}
        return self.ask("GetLog", {**asked, **pause}, status)

    def update(self, id_, status="Accepted", *, signature="AAAA", url=HERE):
        firmware = {"location": url, "signingCertificate": "x" * 99, "signature": signature}
        asked = {"requestId": id_, "retries": 0, "firmware": firmware}
        return self.ask("UpdateFirmware", asked, status)

    def tell(self, message, id_, *statuses):
        for status in statuses:
            called = Called(self.tick(), message, {"requestId": id_, "status": status}, "c")
            self.model.saw(called)
            self.model.saw(Answered(self.at_s + 0.1, called, {}))
        return self

    def tick(self):
        self.at_s += 1.0
        return self.at_s

    def wait(self):
        self.at_s += 13.0
        return self

    def missed(self, message, id_):
        self.model.over(self.at_s, [Missed(message, 12.0, (("/requestId", str(id_)),))])
        return [o.name for o in self.model.objections if o.name in (FAILED, UNTOLD, CANCELLED)]


UNTOLD = "UpdateFirmware that failed is never told"
FAILED = "GetLog that failed is never told"
CANCELLED = "cancelled upload never told"


def test_how_a_log_ends_is_told():
    assert Talk().log(1).tell(LOG, 1, "Uploading").wait().missed(LOG, 1) == [FAILED]
    for end in ("UploadFailure", "BadMessage", "PermissionDenied", "Uploaded"):
        assert Talk().log(1).tell(LOG, 1, "Uploading", end).wait().missed(LOG, 1) == []


def test_the_second_failure_is_told_like_the_first():
    first = Talk().log(1).tell(LOG, 1, "Uploading", "UploadFailure")
    assert first.log(2).tell(LOG, 2, "Uploading").wait().missed(LOG, 2) == [FAILED]


def test_how_firmware_ends_is_told():
    talk = Talk().update(1).tell(FIRMWARE, 1, "Downloading").wait()
    assert talk.missed(FIRMWARE, 1) == [UNTOLD]
    talk = Talk().update(1).tell(FIRMWARE, 1, "Downloading", "DownloadFailed").wait()
    assert talk.missed(FIRMWARE, 1) == []


@pytest.mark.parametrize(
    "talk",
    [
        Talk().log(1, retries=2),
        Talk().log(1, retries=2, pause_s=60),
        Talk().log(1, retries=1, pause_s=4),
        Talk().log(1, url="http://10.0.0.1/x"),
        Talk().log(1, "Rejected"),
        Talk().log(1).log(2),
        Talk().log(1).tell(LOG, None, "UploadFailure"),
        Talk().log(1).log(1),
    ],
)
def test_what_may_take_long_or_was_told_otherwise_is_not_missed(talk):
    assert FAILED not in talk.wait().missed(LOG, 1)


def test_nobody_is_missed_who_was_not_waited_for_or_could_not_speak():
    assert FAILED not in Talk().log(1).missed(LOG, 1)
    assert FAILED not in Talk().log(1).wait().missed(LOG, 2)
    gone = Talk().log(1)
    gone.model.saw(Closed(gone.tick()))
    assert gone.wait().missed(LOG, 1) == []
    busy = Talk()
    busy.model.saw(Operated(0.5, "plug-in 1"))
    assert busy.log(1).wait().missed(LOG, 1) == []


def test_a_reset_after_the_wait_excuses_nothing():
    talk = Talk().update(1).tell(FIRMWARE, 1, "Downloading").wait()
    talk.ask("Reset", {"type": "Immediate"})
    assert talk.missed(FIRMWARE, 1) == [UNTOLD]
    talk = Talk().update(1).ask("Reset", {"type": "Immediate"})
    assert talk.wait().missed(FIRMWARE, 1) == []


def test_an_upload_that_was_cancelled_is_told_to_be():
    first = Talk().log(1, retries=60).tell(LOG, 1, "Uploading").log(2, "AcceptedCanceled")
    assert CANCELLED in first.wait().missed(LOG, 1)
    first = Talk().log(1, retries=60).tell(LOG, 1, "Uploading").log(2, "AcceptedCanceled")
    assert first.tell(LOG, 1, "AcceptedCanceled").wait().missed(LOG, 1) == []


def test_an_upload_that_ended_before_need_not_be_cancelled():
    first = Talk().log(1).tell(LOG, 1, "Uploading", "UploadFailure").log(2, "AcceptedCanceled")
    assert CANCELLED not in first.wait().missed(LOG, 1)
    both = Talk().log(1, retries=60).log(2, retries=60).log(3, "AcceptedCanceled")
    assert CANCELLED not in both.wait().missed(LOG, 1)


BAD = "firmware with a bad signature goes on"


@pytest.mark.parametrize("signature", ["AAAA", "no base64"])
@pytest.mark.parametrize("status", ["SignatureVerified", "Installing", "Installed"])
def test_nothing_goes_on_that_nobody_signed(signature, status):
    talk = Talk().update(1, signature=signature).tell(FIRMWARE, 1, "Downloading", "Downloaded")
    talk.tell(FIRMWARE, 1, status)
    found = [o for o in talk.model.objections if o.name == BAD]
    assert [o.weight for o in found] == [Weight.CRITICAL]


def test_what_may_be_signed_goes_on():
    talk = Talk().update(1, signature="A" * 88).tell(FIRMWARE, 1, "Installed")
    talk.update(3, signature="").tell(FIRMWARE, 3, "Installed")
    talk.update(2).tell(FIRMWARE, 2, "Downloading", "Downloaded", "InvalidSignature")
    assert BAD not in [o.name for o in talk.model.objections]


SKIPPED = "download of firmware never told"


def skipped(talk):
    return [o.rule for o in talk.model.objections if o.name == SKIPPED]


@pytest.mark.parametrize("verdict", ["InvalidSignature", "SignatureVerified"])
def test_nothing_is_verified_of_which_no_download_was_told(verdict):
    assert skipped(Talk().update(1).tell(FIRMWARE, 1, verdict)) == ["L01.FR.01"]
    for told in (
        ["Downloading"],
        ["Downloaded"],
        ["DownloadScheduled", "Downloading", "Downloaded"],
    ):
        assert skipped(Talk().update(1).tell(FIRMWARE, 1, *told, verdict)) == []
    other = Talk().update(1).tell(FIRMWARE, 1, "Downloading", "Downloaded", verdict)
    assert skipped(other.update(2).tell(FIRMWARE, 2, verdict)) == ["L01.FR.01"]


def _disturbed(*events):
    talk = Talk().update(1)
    for event in events:
        talk.model.saw(event(talk.tick()))
    return talk


def _unanswered(at_s):
    return Called(at_s, "Heartbeat", {}, "h")


@pytest.mark.parametrize(
    "talk",
    [
        _disturbed(Closed),
        _disturbed(Closed, Opened),
        _disturbed(Unread),
        _disturbed(lambda at_s: Operated(at_s, "power-cycle")),
        _disturbed(_unanswered),
        Talk().update(1, "Rejected"),
        Talk().update(1).update(1),
        Talk().update(1).tell(FIRMWARE, None, "Downloading"),
        Talk(),
    ],
)
def test_a_download_may_be_untold_where_something_came_between(talk):
    assert skipped(talk.tell(FIRMWARE, 1, "InvalidSignature")) == []


def test_a_download_that_failed_need_not_have_begun():
    assert skipped(Talk().update(1).tell(FIRMWARE, 1, "DownloadFailed")) == []


HASTY = "UploadFailure without the tries that were asked for"


def gave_up(talk):
    talk.model.over(talk.wait().at_s, [])
    return [o.name for o in talk.model.objections if o.name == HASTY]


def hasty(pause_s=3, **more):
    return Talk().log(1, retries=1, pause_s=pause_s, **more).tell(LOG, 1, "UploadFailure")


def test_an_upload_that_failed_is_tried_again():
    assert gave_up(hasty()) == [HASTY]
    assert gave_up(hasty().tell(LOG, 1, "Uploading", "UploadFailure")) == []
    assert gave_up(hasty(pause_s=1)) == []


def test_as_long_as_tries_are_left_nobody_need_say_that_it_failed():
    short = Talk().log(1, retries=1, pause_s=2).tell(LOG, 1, "Uploading")
    assert short.wait().missed(LOG, 1) == []
    long = Talk().log(1, retries=1, pause_s=2).tell(LOG, 1, "Uploading").wait()
    assert long.wait().missed(LOG, 1) == [FAILED]


@pytest.mark.parametrize(
    "talk",
    [
        Talk().log(1, retries=1).tell(LOG, 1, "UploadFailure"),
        hasty(pause_s=60),
        hasty(url="http://10.0.0.1/x"),
        hasty(status="Rejected"),
        hasty().log(2),
        Talk().log(1, retries=1, pause_s=3).log(2).tell(LOG, 1, "UploadFailure"),
        Talk().log(1, retries=1, pause_s=3).tell(LOG, 1, "BadMessage"),
    ],
)
def test_nobody_gives_up_who_may_have_tried_or_was_told_otherwise(talk):
    assert gave_up(talk) == []


@pytest.mark.parametrize("event", [Closed, lambda s: Operated(s, "plug-in 1")])
def test_nobody_gives_up_who_was_disturbed(event):
    talk = hasty()
    talk.model.saw(event(talk.tick()))
    assert gave_up(talk) == []
