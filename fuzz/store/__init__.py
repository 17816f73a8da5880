"""The only reader and writer of `corpus/` and `findings/`: their JSON form, and writes that are all or nothing.

Knows the records and the file system. Must not know how a case is played or judged, nor how a report reads.
"""

from fuzz.store.cases import (
    KNOWN,
    corpus_cases,
    corpus_folder,
    load_case,
    packaged_corpus,
    save_case,
)
from fuzz.store.codec import (
    MAX_REPEATS,
    MAX_TEXT_CHARS,
    case_from_json,
    case_to_json,
)
from fuzz.store.collection import (
    Collection,
    case_files,
    content_name,
    named_by_content,
    well_named,
    wire_digest,
)
from fuzz.store.files import (
    MAX_FILE_BYTES,
    PRIVATE,
    entries_of,
    load_json,
    locked,
    replace_file,
    writing,
)
from fuzz.store.findings import (
    case_size,
    drop_finding,
    findings_in,
    fingerprint,
    load_finding,
    merge,
    remove_finding,
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
from fuzz.store.merging import MergeJournal
from fuzz.store.policies import (
    case_file,
    load_baseline,
    load_lock,
    load_quirks,
    save_baseline,
    save_lock,
)

__all__ = [
    "KNOWN",
    "MAX_FILE_BYTES",
    "MAX_REPEATS",
    "MAX_TEXT_CHARS",
    "PRIVATE",
    "CampaignState",
    "Collection",
    "MergeJournal",
    "case_file",
    "case_files",
    "case_from_json",
    "case_size",
    "case_to_json",
    "clear_state",
    "content_name",
    "corpus_cases",
    "corpus_folder",
    "drop_finding",
    "drop_private",
    "entries_of",
    "findings_in",
    "fingerprint",
    "load_baseline",
    "load_case",
    "load_finding",
    "load_json",
    "load_lock",
    "load_private",
    "load_quirks",
    "load_state",
    "locked",
    "merge",
    "named_by_content",
    "packaged_corpus",
    "remove_finding",
    "replace_file",
    "save_baseline",
    "save_case",
    "save_finding",
    "save_lock",
    "save_private",
    "save_state",
    "well_named",
    "wire_digest",
    "writing",
]
