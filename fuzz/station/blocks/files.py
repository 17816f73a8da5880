"""What requests for a file transfer have in common, GetLog and UpdateFirmware: moments and retries."""

from __future__ import annotations

from datetime import UTC, datetime

from fuzz.station.blocks.base import whole
from strategies.labels import JsonObject, JsonValue

_DEFAULT_RETRY_S, _LONGEST_RETRY_S = 10, 2**31


def seconds(value: JsonValue) -> float | None:
    """A dateTime that the schema let through, as seconds since the Unix epoch; None when absent or a leap second."""
    try:
        moment = datetime.fromisoformat(value.upper()) if isinstance(value, str) else None
        if moment is None:
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def retry_wait_s(request: JsonObject) -> float:
    """The retryInterval of a request; at least a second, self-chosen when the CSMS names none."""
    wait_s = whole(request.get("retryInterval", _DEFAULT_RETRY_S))
    return float(max(1, min(wait_s, _LONGEST_RETRY_S)))
