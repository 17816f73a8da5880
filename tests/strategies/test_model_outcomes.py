"""Nothing succeeds where nobody is, and nothing goes on that has failed, was cancelled or was given up."""

import pytest

from strategies.model import Answered, Asked, Called, Closed, Model, Opened, Told

LOG, FIRMWARE = "LogStatusNotification", "FirmwareStatusNotification"
NOWHERE = "http://127.0.0.1:9/x"
CANNOT = f"{LOG} of a transfer that cannot have been"
CANNOT_BE = f"{FIRMWARE} of a transfer that cannot have been"
GOES_ON = f"{LOG} goes on after the end"
GOES_ON_TOO = f"{FIRMWARE} goes on after the end"
CANCELLED = "cancelled upload goes on"
GIVEN_UP = "firmware that was given up goes on"
NEVER_HERE = "installation failed of what was never downloaded"
OURS = {CANNOT, CANNOT_BE, GOES_ON, GOES_ON_TOO, CANCELLED, GIVEN_UP, NEVER_HERE}


class Talk:
    """A model that follows what is asked, answered and told, a second each."""

    def __init__(self):
        self.model = Model()
        self.at_s = 0.0

    def tick(self):
        self.at_s += 1.0
        return self.at_s

    def ask(self, action, payload, status="Accepted"):
        asked = Asked(self.tick(), action, payload, f"q{self.at_s}")
        self.model.saw(asked)
        self.model.saw(Told(self.at_s + 0.1, asked, {"status": status}))
        return self

    def log(self, id_, status="Accepted", *, retries=0, url=NOWHERE):
        log = {"remoteLocation": url}
        return self.ask("GetLog", {"requestId": id_, "retries": retries, "log": log}, status)

    def update(self, id_, status="Accepted", *, retries=0, url=NOWHERE):
        asked = {"requestId": id_, "retries": retries, "firmware": {"location": url}}
        return self.ask("UpdateFirmware", asked, status)

    def tell(self, message, id_, *statuses, answered=True):
        for status in statuses:
            called = Called(self.tick(), message, {"requestId": id_, "status": status}, "c")
            self.model.saw(called)
            if answered:
                self.model.saw(Answered(self.at_s + 0.1, called, {}))
        return self

    def logs(self, id_, *statuses, **more):
        return self.tell(LOG, id_, *statuses, **more)

    def updates(self, id_, *statuses, **more):
        return self.tell(FIRMWARE, id_, *statuses, **more)

    def boot(self):
        self.model.saw(Closed(self.tick()))
        self.model.saw(Opened(self.tick()))
        called = Called(self.tick(), "BootNotification", {"reason": "RemoteReset"}, "b")
        self.model.saw(called)
        self.model.saw(Answered(self.at_s, called, {"status": "Accepted"}))
        return self

    @property
    def names(self):
        return [o.name for o in self.model.objections if o.name in OURS]


@pytest.mark.parametrize("status", ["InstallationFailed", "InstallVerificationFailed"])
def test_what_nobody_can_download_fails_as_a_download(status):
    assert Talk().update(1).updates(1, "Downloading", status).names == [NEVER_HERE]
    assert Talk().update(1).updates(1, "Downloading", "DownloadFailed").names == []
    assert Talk().update(1).updates(1, status).names == []
    assert Talk().update(1, url="http://a.b/c").updates(1, "Downloading", status).names == []
    told = Talk().update(1).updates(1, "Downloading", "Downloaded", status)
    assert NEVER_HERE not in told.names


def test_nothing_is_uploaded_to_where_nobody_is():
    assert Talk().log(1, retries=2).logs(1, "Uploading", "Uploaded").names == [CANNOT]
    assert Talk().log(1).logs(1, "Uploading").boot().logs(1, "Uploaded").names == [CANNOT]


@pytest.mark.parametrize(
    "status", ["Downloaded", "SignatureVerified", "Installing", "InstallRebooting", "Installed"]
)
def test_nothing_comes_from_where_nobody_is(status):
    assert Talk().update(1).updates(1, "Downloading", status).names == [CANNOT_BE]


@pytest.mark.parametrize("status", ["DownloadFailed", "InstallScheduled"])
def test_what_may_be_told_of_what_never_came_is_right(status):
    assert Talk().update(1).updates(1, "Downloading", status).names == []


@pytest.mark.parametrize(
    "talk",
    [
        Talk().log(1, url="http://127.0.0.1:4711/ok/qwertz").logs(1, "Uploading", "Uploaded"),
        Talk().log(1, url="http://127.0.0.1:90/x").logs(1, "Uploading", "Uploaded"),
        Talk().log(1).log(1, url="http://10.0.0.1/x").logs(1, "Uploading", "Uploaded"),
        Talk().log(1, "Rejected").logs(1, "Uploading", "Uploaded"),
        Talk().log(1).logs(1, "Uploaded"),
        Talk().logs(1, "Uploading").log(1).logs(1, "Uploading", "Uploaded"),
        Talk().log(1).logs(None, "Uploading").logs(1, "Uploading", "Uploaded"),
        Talk().log(1).logs(1, "Uploading", answered=False).logs(1, "Uploaded"),
        Talk()
        .ask("TriggerMessage", {"requestedMessage": LOG})
        .log(1)
        .logs(1, "Uploading", "Uploaded"),
    ],
)
def test_what_may_be_of_another_request_proves_nothing(talk):
    assert talk.names == []


def test_what_was_tried_once_and_failed_is_over():
    failed = Talk().log(1).logs(1, "Uploading", "UploadFailure")
    assert failed.logs(1, "Uploading").names == [GOES_ON]
    failed = Talk().update(1).updates(1, "Downloading", "DownloadFailed")
    assert failed.boot().updates(1, "Downloading").names == [GOES_ON_TOO]


@pytest.mark.parametrize(
    "talk",
    [
        Talk().log(1, retries=1).logs(1, "Uploading", "UploadFailure", "Uploading"),
        Talk().log(1, retries=None).logs(1, "Uploading", "UploadFailure", "Uploading"),
        Talk().log(1).logs(1, "Uploading", "UploadFailure", "UploadFailure"),
        Talk().log(1).logs(1, "UploadFailure").log(1).logs(1, "Uploading"),
        Talk().log(1).logs(1, "UploadFailure", answered=False).logs(1, "Uploading"),
        Talk().log(1).logs(1, "UploadFailure").log(2).logs(2, "Uploading"),
        Talk()
        .update(1, url="http://a.b/c")
        .updates(1, "Downloading", "InstallationFailed", "Downloading"),
    ],
)
def test_what_may_be_tried_again_is_not_over(talk):
    assert talk.names == []


def test_what_was_cancelled_goes_on_not_even_after_a_boot():
    begun = Talk().log(1, retries=2).logs(1, "Uploading").log(2, "AcceptedCanceled")
    gone = begun.logs(1, "AcceptedCanceled").boot()
    assert gone.logs(2, "Uploading").names == []
    assert gone.logs(1, "Uploading").names == [CANCELLED]


def _given_up():
    begun = Talk().update(1, retries=2).updates(1, "Downloading")
    return begun.update(2, "AcceptedCanceled", retries=2)


def test_an_update_that_was_given_up_does_not_go_on():
    assert _given_up().updates(2, "Downloading").boot().updates(1, "Downloading").names == [
        GIVEN_UP
    ]
    late = _given_up().updates(2, "Downloading", "DownloadPaused")
    assert late.updates(1, "Downloading").names == [GIVEN_UP]


@pytest.mark.parametrize(
    "talk",
    [
        # It may have been on its way.
        _given_up().updates(1, "Downloading").updates(2, "Downloading"),
        _given_up().updates(2, "Downloading").updates(1, "Downloading"),
        _given_up().updates(2, "Downloading").boot().updates(1, "DownloadFailed"),
        _given_up().updates(2, "Downloading").boot().updates(2, "Downloading"),
        _given_up()
        .updates(2, "Downloading", answered=False)
        .updates(2, "Downloading")
        .boot()
        .updates(1, "Downloading"),
        # Nothing was given up where both were just accepted.
        Talk()
        .update(1, retries=2)
        .update(2, retries=2)
        .updates(2, "Downloading")
        .boot()
        .updates(1, "Downloading"),
        _given_up().update(1, "AcceptedCanceled", retries=2).updates(1, "Downloading"),
    ],
)
def test_an_update_may_be_told_of_until_the_next_one_is_under_way(talk):
    assert talk.names == []
