"""A conversation becomes rows: each message named, ends told apart, never more than asked for."""

import base64
from unicodedata import category

from hypothesis import given, strategies as st

from fuzz.records import Entry, Who
from fuzz.report.page.look import LADDER
from fuzz.report.page.sequence import Kind, Way, compared, diagram, hex_dump, name_of
from fuzz.testing import note, target, us, voice

BOUNDS = LADDER[0]
ENTRIES = st.builds(
    Entry,
    st.floats(0, 1e6),
    st.sampled_from(Who),
    st.sampled_from(
        [
            "text",
            "bytes",
            "frames",
            "pong",
            "open",
            "close",
            "process",
            "operator",
            "note",
            "caller",
        ]
    ),
    st.text(st.characters(codec=None), max_size=80),
)


@given(st.lists(ENTRIES, max_size=60), st.sampled_from([b for b in LADDER if b.conversations]))
def test_any_conversation_becomes_so_many_visible_rows_at_most(entries, bounds):
    rows = diagram(entries, bounds)
    assert len(rows) <= bounds.rows + 1
    shown = "".join(row.at + row.label + row.text + "".join(row.dump) for row in rows)
    assert all(c.isprintable() or category(c) == "Zs" for c in shown)


def test_messages_are_named_and_go_their_way():
    rows = diagram(
        [
            us(0.0, [2, "1", "Reset", {}]),
            target(0.1, [4, "1", "NotSupported", "", {}]),
            voice(0.2, [3, "2", {}]),
        ],
        BOUNDS,
    )
    assert [(r.at, r.way, r.kind, r.label) for r in rows] == [
        ("+0.000 s", Way.OUT, Kind.CASE, "CALL Reset"),
        ("+0.100 s", Way.BACK, Kind.TARGET, "CALLERROR NotSupported"),
        ("+0.200 s", Way.OUT, Kind.PROPER, "CALLRESULT"),
    ]


def test_what_is_no_ocpp_is_named_by_what_it_is():
    assert [name_of(t) for t in ("{}", "nonsense", "[2,1,7,{}]", "[4]", "a" * 30_000)] == [
        "JSON, no OCPP message",
        "text, no JSON",
        "CALL of no action",
        "CALLERROR without code",
        "text of 30,000 characters",
    ]


def test_ends_and_notes_are_no_messages():
    rows = diagram(
        [note(1, "close", "1006"), note(1, "process", "exit 70"), note(1, "operator", "plug-in")],
        BOUNDS,
    )
    assert [(r.kind, r.label) for r in rows] == [
        (Kind.END, "connection ended, 1006"),
        (Kind.END, "process ended, exit 70"),
        (Kind.NOTE, "operator"),
    ]


def test_what_is_left_out_in_the_middle_is_counted():
    rows = diagram([us(n, [2, f"{n}", "Reset", {}]) for n in range(100)], BOUNDS)
    assert [row.label for row in rows if row.kind is Kind.NOTE] == ["76 more lines"]
    assert (rows[0].at, rows[-1].at) == ("+0.000 s", "+99.000 s")


def test_the_first_reaction_that_is_another_one_is_marked_in_both():
    said, same = us(0, [2, "1", "Reset", {}]), target(0.1, [2, "9", "Heartbeat", {}])
    fault = diagram([said, same, note(0.2, "close", "1006")], BOUNDS)
    control = diagram([said, same, target(0.2, [3, "1", {}])], BOUNDS)
    marked = [[row.parts for row in rows] for rows in compared(fault, control)]
    assert marked == [[False, False, True], [False, False, True]]
    assert not any(row.parts for rows in compared(fault, fault) for row in rows)
    assert not any(row.parts for rows in compared(fault, ()) for row in rows)


def test_bytes_are_dumped_as_they_went_over_the_wire():
    raw = Entry(0, Who.US, "bytes", base64.b64encode(b"\x00[2").decode())
    assert diagram([raw], BOUNDS)[0].dump == (f"0000  {'00 5b 32':<47}  .[2",)
    assert list(hex_dump(bytes(16), 20))[-1] == "... 16 of 20 bytes"


@given(st.binary(max_size=200))
def test_a_dump_holds_every_byte(data):
    lines = list(hex_dump(data, len(data)))
    assert bytes.fromhex("".join(line[6:53] for line in lines)) == data
