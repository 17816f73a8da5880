"""What we could not do. What the target did wrong is never an exception but a `Violation`.

Every message is lower case, names the offending value and says the next step.
"""

from __future__ import annotations


class OcppfuzzError(Exception):
    """Base of everything this product raises on purpose; the command line prints it as one line."""

    exit_code = 3


class UsageError(OcppfuzzError):
    """The command line or the configuration asks for something impossible."""

    exit_code = 2


class CaseFormatError(UsageError):
    """A case or finding file cannot be read, or is of a newer format."""


class TargetUnavailable(OcppfuzzError):
    """The target cannot be reached, never connected, or did not come back."""


class StoreError(OcppfuzzError):
    """Corpus or findings cannot be written (full disk, missing permission)."""


class LocalProtocolError(OcppfuzzError):
    """Our own code broke a protocol rule: always a bug of ours."""


class RemoteProtocolError(Exception):
    """The peer's text is not a proper OCPP-J message.

    Attributes:
        code: one of the twelve error codes of OCPP-J 2.0.1 (Part 4 section 4.3).
        message_id: the readable messageId, else "-1".
        text: our words for what is wrong; never contains the peer's bytes.
    """

    def __init__(self, code: str, text: str, *, message_id: str = "-1") -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.message_id = message_id
