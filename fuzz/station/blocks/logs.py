"""Log files: GetLog and LogStatusNotification (Part 2, N01)."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fuzz.station.blocks.base import Block, Handler, member, status, whole
from fuzz.station.blocks.files import retry_wait_s, seconds
from fuzz.station.context import Context, Trigger
from fuzz.station.events import TransferDone
from strategies.labels import JsonObject

_TIMER = "log-retry"
_STATUS_OF: Mapping[str, str] = {
    "": "Uploaded",
    "denied": "PermissionDenied",
    "refused": "BadMessage",
    "unsupported": "NotSupportedOperation",
}
"""UploadLogStatusEnumType by the failure of the transfer; every other failure is an UploadFailure."""


@dataclass(frozen=True, slots=True)
class _Upload:
    request_id: int
    url: str
    name: str
    content: bytes
    retries: int
    wait_s: float


class LogsBlock(Block):
    """Uploads one log at a time; a reboot ends an upload without a word."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._numbers = itertools.count(1)
        self._upload: _Upload | None = None
        self._transfer = ""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers GetLog."""
        return {"GetLog": self._get_log}

    def triggers(self) -> Mapping[str, Trigger]:
        """The status of an upload, or that there is none (F06, C-29.3)."""
        return {"LogStatusNotification": self._triggered}

    def power_on(self) -> None:
        """An upload does not survive a reboot."""
        self._stop()

    def _get_log(self, request: JsonObject) -> JsonObject:
        before = self._upload
        if before is not None and not self.context.pics.items["C-57"]:
            return status("Rejected", "Busy")
        self._stop()
        if before is not None:
            self._tell(
                before, "AcceptedCanceled"
            )  # N01.FR.12: with the requestId of the old upload
        self._upload = upload = self._prepare(request)
        self._tell(upload, "Uploading")
        self._send()
        return {
            "status": "Accepted" if before is None else "AcceptedCanceled",
            "filename": upload.name,
        }

    def _prepare(self, request: JsonObject) -> _Upload:
        kind, asked = str(request["logType"]), member(request, "log")
        stamp = self.context.timestamp()
        compact = "".join(sign for sign in stamp if sign.isalnum())
        return _Upload(
            request_id=whole(request["requestId"]),
            url=str(asked["remoteLocation"]),
            name=f"{kind}-{compact}.log",
            # An empty log is a file, too: the first line says what it is.
            content=f"# {kind}, {stamp}\n".encode() + self._lines(kind, asked),
            retries=whole(request.get("retries")),
            wait_s=retry_wait_s(request),
        )

    def _lines(self, kind: str, asked: JsonObject) -> bytes:
        """What lies between oldestTimestamp and latestTimestamp, both inclusive."""
        oldest, latest = (
            seconds(asked.get("oldestTimestamp")),
            seconds(asked.get("latestTimestamp")),
        )
        lines = self.context.logbook.text_of(kind).splitlines(keepends=True)
        return b"".join(line for line in lines if _is_between(line, oldest, latest))

    def _send(self) -> None:
        upload = self._upload
        if upload is None:
            return
        self._transfer = f"log-{next(self._numbers)}"
        self.context.upload(self._transfer, upload.url, upload.name, upload.content, self._uploaded)

    def _uploaded(self, done: TransferDone) -> None:
        upload, self._transfer = self._upload, ""
        if upload is None or self.context.rebooting:
            return
        self.context.log(f"log upload ended: {done.failure or 'fine'}")
        if done.failure and upload.retries > 0:
            self._upload = replace(upload, retries=upload.retries - 1)
            self.context.at(_TIMER, self.context.now + upload.wait_s, self._send)
            return
        self._upload = None
        self._tell(upload, _STATUS_OF.get(done.failure, "UploadFailure"))

    def _stop(self) -> None:
        self.context.cancel([_TIMER])
        self.context.cancel_transfer(self._transfer)
        self._upload, self._transfer = None, ""

    def _tell(self, upload: _Upload, word: str) -> None:
        # Dropped while offline: this station queues transactions and security events only (C-21).
        payload: JsonObject = {"status": word, "requestId": upload.request_id}
        self.context.ask("LogStatusNotification", payload)

    def _triggered(self, _request: JsonObject) -> bool:
        upload = self._upload
        payload: JsonObject = {
            "status": "Idle"
        }  # N01.FR.13: Idle is the only one without a requestId
        if upload is not None:
            payload = {"status": "Uploading", "requestId": upload.request_id}
        return self.context.ask("LogStatusNotification", payload, triggered=True)


def _is_between(line: bytes, oldest: float | None, latest: float | None) -> bool:
    written = seconds(line.partition(b" ")[0].decode("utf-8", "replace"))
    if written is None:
        return True
    return (oldest is None or oldest <= written) and (latest is None or written <= latest)
