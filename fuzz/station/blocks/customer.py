"""CustomerInformation: this station keeps nothing about customers (Part 2, N09 and N10; C-14)."""

from __future__ import annotations

from collections.abc import Mapping

from fuzz.station.blocks.base import Block, Handler, status, whole
from strategies.labels import JsonObject

_IDENTIFIERS = ("customerIdentifier", "idToken", "customerCertificate")


class CustomerBlock(Block):
    """Says that there is nothing to report, and that nothing is left to clear."""

    def handlers(self) -> Mapping[str, Handler]:
        """Answers CustomerInformation."""
        return {"CustomerInformation": self._answer}

    def _answer(self, request: JsonObject) -> JsonObject:
        if not request["report"] and not request["clear"]:
            return status("Rejected", "InvalidValue")
        if sum(name in request for name in _IDENTIFIERS) != 1:
            return status("Invalid")  # N09.FR.09
        text = "No information about this customer was found."
        if not request["report"]:
            text = "All information about this customer is cleared."
        return status("Accepted" if self._notify(whole(request["requestId"]), text) else "Rejected")

    def _notify(self, request_id: int, text: str) -> bool:
        payload: JsonObject = {
            "requestId": request_id,
            "generatedAt": self.context.timestamp(),
            "seqNo": 0,
            "tbc": False,
            "data": text,
        }
        return self.context.ask("NotifyCustomerInformation", payload, triggered=True)
