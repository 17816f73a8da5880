"""The only reader and writer of `corpus/` and `findings/`: their JSON form, and writes that are all or nothing.

Knows the records and the file system. Must not know how a case is played or judged, nor how a report reads.
"""

from fuzz.store.cases import corpus_cases, corpus_folder, load_case, save_case
from fuzz.store.codec import (
    MAX_REPEATS,
    MAX_TEXT_CHARS,
    case_from_json,
    case_to_json,
)
from fuzz.store.files import MAX_FILE_BYTES, PRIVATE
from fuzz.store.findings import (
    case_size,
    drop_finding,
    findings_in,
    fingerprint,
    load_finding,
    merge,
    save_finding,
)
from fuzz.store.journal import (
    CampaignState,
    clear_state,
    drop_private,
    load_private,
    load_state,
    save_private,
    save_state,
)

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_REPEATS",
    "MAX_TEXT_CHARS",
    "PRIVATE",
    "CampaignState",
    "case_from_json",
    "case_size",
    "case_to_json",
    "clear_state",
    "corpus_cases",
    "corpus_folder",
    "drop_finding",
    "drop_private",
    "findings_in",
    "fingerprint",
    "load_case",
    "load_finding",
    "load_private",
    "load_state",
    "merge",
    "save_case",
    "save_finding",
    "save_private",
    "save_state",
]
