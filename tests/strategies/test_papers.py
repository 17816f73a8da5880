"""The certificates for firmware say what they are for, and hang together."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fuzz.station.firmware import why_not_signer
from fuzz.station.x509 import hash_data, load_chain, why_no_root
from strategies.papers import CHAINED_SIGNER, SIGNER, SIGNING_ROOT, SIGNING_ROOT_HASH

NOW = datetime(2026, 1, 1, tzinfo=UTC)
(ROOT,) = load_chain(SIGNING_ROOT)


def test_the_root_can_be_installed_and_is_called_as_it_is_said() -> None:
    assert why_no_root(ROOT, NOW) == ""
    assert hash_data(ROOT, ROOT, "SHA256") == SIGNING_ROOT_HASH


@pytest.mark.parametrize("signer", [SIGNER, CHAINED_SIGNER], ids=["below the root", "below a CA"])
def test_a_signer_counts_below_its_root_only(signer: str) -> None:
    assert why_not_signer(signer, [ROOT], NOW) == ""
    assert why_not_signer(signer, [], NOW) == "no installed root signed it"
    assert len(signer) <= 5500
