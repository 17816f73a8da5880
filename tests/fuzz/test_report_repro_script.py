"""The template of `repro.py`: frames, the conversation, and what it takes for the symptom."""

import argparse
import base64
import json
import socket
from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from fuzz.report import repro_script as script
from strategies.wsframes import FrameReader, Opcode, frame

PROBE = ["Heartbeat", {}]
STORED = {
    "finding": "O1-1a2b3c4d",
    "expects": "process-death (O1): exit 70",
    "side": "station",
    "subprotocol": "ocpp2.0.1",
    "preamble": "booted",
    "opening": [],
    "probe": PROBE,
    "position": "call",
    "timeout_s": 0.2,
    "back_s": 0.2,
    "sign": {"see": "died"},
    "handshakes": {},
    "steps": [{"do": "send-text", "text": ['[2,"{call.id}","A",{}]']}],
}
ASKED = argparse.Namespace(wait=0.2, back=0.0, timeout=0.0)
BOOT = [2, "b1", "BootNotification", {"reason": "PowerUp"}]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Nothing waits for what never comes."""
    for name in ("SOFT_S", "LINGER_S"):
        monkeypatch.setattr(script, name, 0.0)
    monkeypatch.setattr(script.Play, "serve", _served_at_once)


def _served_at_once(play, done, seconds):
    while not done():
        wire = play._wired()
        try:
            came = wire.receive(0.0)
        except script.Ended as ended:
            play._lost(ended)
            continue
        finally:
            play.pongs, wire.pongs = play.pongs + wire.pongs, []
        if came is None:
            return done()
        play._hear(*came)
    return True


class Station:
    """A wire with a station behind it: answers by the action of what it is asked, None for nothing at all."""

    def __init__(self, answers, *, boots=True):
        self.answers = answers
        self.said = []
        self.pongs = []
        self.sock = SimpleNamespace(close=lambda: None)
        self.coming = [BOOT] if boots else []

    def text(self, text):
        self.said.append(text)
        items = json.loads(text)
        if items[0] != 2:
            return
        answer = self.answers.get(items[2], {"status": "Accepted"})
        if isinstance(answer, Exception):
            self.coming.append(answer)
        elif isinstance(answer, list):
            self.coming += [[items[1] if part == "id" else part for part in a] for a in answer]
        elif answer is not None:
            self.coming.append([3, items[1], answer])

    def message(self, data, opcode):
        self.text(data.decode())

    def raw(self, data):
        self.said.append(data)

    def receive(self, seconds):
        if not self.coming:
            return None
        came = self.coming.pop(0)
        if isinstance(came, Exception):
            raise came
        return script.TEXT, came if isinstance(came, bytes) else json.dumps(came).encode()

    def close(self, code):
        self.said.append(code)


class Door:
    """Hands out these wires one after another, then nobody comes."""

    def __init__(self, *wires):
        self.wires = list(wires)
        self.taken = []

    def open(self, seconds):
        return self.wires.pop(0) if self.wires else None

    def misbehave(self, how, times):
        self.taken.append(how)


def played(*wires, **stored):
    play = script.Play({**STORED, **stored}, Door(*wires), ASKED)
    script.run(play)
    return play


def shows(play, **sign):
    return script.JUDGES[sign["see"]](play, sign)


# --- frames -----------------------------------------------------------------------------------------------


@pytest.fixture
def wires():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield script.Wire(ours, masks=False), theirs


@given(text=st.text(max_size=300), size=st.sampled_from([0, 125, 126, 65_535, 65_536]))
def test_a_message_is_one_frame_that_a_reader_understands(text, size):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for buffer in (ours, theirs):
            buffer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**18)
        whole = text + "x" * size
        sender = script.Wire(ours, masks=True)
        sender.text(whole)
        receiver = script.Wire(theirs, masks=False)
        assert receiver.receive(1.0) == (script.TEXT, whole.encode())


@given(data=st.binary(max_size=200), key=st.binary(min_size=4, max_size=4))
def test_a_mask_comes_off(data, key):
    masked = frame(data, Opcode.BINARY, mask=key)
    assert script.unmask(masked[len(masked) - len(data) :], key) == data


def test_fragments_are_joined_and_a_ping_between_them_is_answered(wires):
    wire, peer = wires
    peer.sendall(frame(b"ab", Opcode.TEXT, fin=0, mask=None))
    peer.sendall(frame(b"hey", Opcode.PING, mask=None))
    peer.sendall(frame(b"c", Opcode.CONTINUATION, mask=None))
    assert wire.receive(1.0) == (script.TEXT, b"abc")
    assert peer.recv(100) == frame(b"hey", Opcode.PONG, mask=None)


def test_pongs_are_kept(wires):
    wire, peer = wires
    peer.sendall(frame(b"hey", Opcode.PONG, mask=None))
    peer.sendall(frame(b"x", Opcode.TEXT, mask=None))
    wire.receive(1.0)
    assert wire.pongs == [b"hey"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (frame(b"\x03\xf3oh", Opcode.CLOSE, mask=None), 1011),
        (frame(b"", Opcode.CLOSE, mask=None), 1005),
        (b"", 1006),
    ],
)
def test_the_end_of_a_connection_has_a_code(wires, said, code):
    wire, peer = wires
    peer.sendall(said)
    peer.shutdown(socket.SHUT_WR)
    with pytest.raises(script.Ended) as caught:
        wire.receive(1.0)
    assert (caught.value.code, caught.value.by_target) == (code, True)


def test_the_accept_of_a_key_is_that_of_the_rfc():
    # RFC 6455 section 1.3
    assert script.accept_of("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_our_own_frames_are_well_formed(wires):
    wire, peer = wires
    wire.text("[3]")
    assert FrameReader().feed(peer.recv(100)) == ["[3]"]


# --- the conversation -------------------------------------------------------------------------------------


def test_a_healthy_station_is_booted_asked_and_found_serving():
    station = Station({"A": [[4, "id", "NotSupported", "", {}]]})
    play = played(station)
    assert play.ended is None
    assert play.served
    assert [reply[2] for reply in play.replies] == ["NotSupported"]
    boot = json.loads(station.said[0])
    assert (boot[:2], boot[2]["status"]) == ([3, "b1"], "Accepted")
    assert not shows(play, see="died")
    assert script.facts(play).endswith("harmless CALLs are served")


def test_a_station_that_ends_and_stays_away_died():
    play = played(Station({"A": script.Ended(1006)}))
    assert shows(play, see="died")
    assert shows(play, see="close", code=1006)
    assert not shows(play, see="close", code=1011)
    assert script.facts(play) == "the connection ended with 1006; it did not come back in time"


@pytest.mark.parametrize(("boots", "dead"), [(True, True), (False, False)])
def test_a_station_that_comes_back_died_only_if_it_boots(boots, dead):
    play = played(Station({"A": script.Ended(1006)}), Station({}, boots=boots))
    assert shows(play, see="died") is dead
    assert shows(play, see="reboots") is dead
    assert not shows(play, see="away")


def test_nothing_is_proven_when_nobody_comes_or_serves():
    with pytest.raises(script.NobodyCame):
        played()
    with pytest.raises(script.NobodyCame):
        played(Station({"Heartbeat": None}, boots=False))


def test_silence_is_silence_only_over_an_open_connection():
    assert shows(played(Station({"A": None})), see="silence")
    assert not shows(played(Station({"A": script.Ended(1000)})), see="silence")
    assert not shows(played(Station({})), see="silence")


def test_a_zombie_serves_nothing_after_the_message():
    station = Station({})

    def fall_asleep(text):
        Station.text(station, text)
        if '"A"' in text:
            station.answers = {"Heartbeat": None}

    station.text = fall_asleep
    assert shows(played(station), see="unserved")
    assert not shows(played(Station({})), see="unserved")


def test_answers_are_counted_and_strays_are_seen():
    twice = played(Station({"A": [[3, "id", {}], [3, "id", {}]]}))
    assert shows(twice, see="twice", times=1)
    assert not shows(twice, see="stray")
    stray = played(Station({"A": [[3, "id", {}], [3, "nobody", {}]]}))
    assert shows(stray, see="stray")
    assert not shows(stray, see="twice", times=1)


def test_an_answer_is_of_the_stored_kind():
    taken = played(Station({"A": {"status": "Accepted"}}))
    assert shows(taken, see="reply", type=3, statuses=["Accepted"])
    assert not shows(taken, see="reply", type=3, statuses=["Rejected"])
    refused = played(Station({"A": [[4, "id", "GenericError", "", {}]]}))
    assert shows(refused, see="reply", type=4, code="GenericError")
    assert not shows(refused, see="reply", type=4, code="FormatViolation")


def test_slots_are_filled_and_kept_apart():
    play = script.Play(STORED, Door(), ASKED)
    first = play.fill("{call.id}")
    assert play.fill("{call.previous}") == first
    assert len(play.fill("{call.id:36}")) == 36
    play._hear(script.TEXT, b'[3,"x",{}]')
    assert play.fill("{tx.id} {unknown.slot}") == "{tx.id} {unknown.slot}"


def test_what_the_target_named_fills_slots():
    transaction = {"transactionInfo": {"transactionId": "T-1"}}
    station = Station({})
    station.coming.append([2, "t9", "TransactionEvent", transaction])
    play = played(station, steps=[{"do": "send-text", "text": ['[2,"x","A",{"t":"{tx.id}"}]']}])
    assert '[2,"x","A",{"t":"T-1"}]' in station.said
    assert play.fill("{asked.id}") == "t9"


def test_a_stored_answer_takes_the_place_of_the_proper_one():
    station = Station({})
    steps = [
        {"do": "answer-next", "action": "Heartbeat", "text": ['[3,"{call.id}",7]']},
        {"do": "send-text", "text": ['[2,"{call.id}","A",{}]']},
    ]
    station.answers["A"] = [[2, "h1", "Heartbeat", {}], [3, "id", {}]]
    played(station, steps=steps)
    assert '[3,"h1",7]' in station.said


def test_a_call_while_another_is_held_back_is_an_overlap():
    two = [[2, "h1", "Heartbeat", {}], [2, "h2", "Heartbeat", {}], [3, "id", {}]]
    steps = [{"do": "answer-next", "action": "Heartbeat", "text": []}, *STORED["steps"]]
    assert shows(played(Station({"A": two}), steps=steps), see="overlap")
    assert not shows(played(Station({"A": two})), see="overlap")


def test_a_scene_hangs_up_waits_and_comes_back():
    first, second = Station({}), Station({})
    steps = [
        {"do": "disconnect", "code": 1000},
        {"do": "expect", "action": "BootNotification", "where": [["/reason", "PowerUp"]]},
        {"do": "repeat", "times": 2, "steps": STORED["steps"]},
    ]
    play = played(first, second, steps=steps)
    assert first.said[-1] == 1000
    assert sum('"A"' in str(text) for text in second.said) == 2
    assert play.waited_in_vain == ""


@pytest.mark.parametrize(("tbc", "missed"), [(False, ""), (True, "NotifyReport")])
def test_what_is_waited_for_may_be_a_number_or_a_truth(tbc, missed):
    part = [[2, "p", "NotifyReport", {"requestId": 1, "tbc": tbc}], [3, "id", {}]]
    where = [["/requestId", "1"], ["/tbc", "false"]]
    last = {"do": "expect", "action": "NotifyReport", "where": where, "timeout_s": 0.1}
    play = played(Station({"A": part}), steps=[*STORED["steps"], last])
    assert play.waited_in_vain == missed


def test_an_answer_is_known_by_the_trace_of_a_whole_scene():
    steps = [{"do": "ask", "text": ['[2,"{call.id}","B",{}]']}]
    play = played(Station({"B": {"status": "Rejected"}}), steps=steps)
    assert shows(play, see="trace", outcomes=[[3, ["Rejected"], []]])
    assert not shows(play, see="trace", outcomes=[[3, ["Accepted"], []]])


def test_bytes_and_frames_are_sent_as_they_are():
    station = Station({})
    data = base64.b64encode(b"\x81\x00").decode()
    said = base64.b64encode(b'[2,"q","A",{}]').decode()
    steps = [
        {"do": "send-frames", "base64": data, "messages": []},
        {"do": "send-bytes", "base64": said, "opcode": "binary"},
    ]
    play = played(station, steps=steps)
    assert b"\x81\x00" in station.said
    assert '[2,"q","A",{}]' in station.said
    assert play.replies[0][1] == "q"


def test_a_bad_handshake_is_asked_of_the_door():
    play = played(Station({}), steps=[{"do": "misbehave", "how": "503", "times": 2}])
    assert shows(play, see="taken", how="503")


# --- judging ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("items", "wrong"),
    [
        ([3, "a", {}], []),
        (None, ["not JSON"]),
        ({"a": 1}, ["no OCPP-J message"]),
        ([3, "a"], ["CALLRESULT arity"]),
        ([2, 7, [], {}], ["CALL messageId type", "CALL action type"]),
        ([2, "x" * 37, "A", {}], ["CALL messageId length"]),
        (
            [4, "a", "Oops", 1, []],
            ["unknown error code", "errorDescription type", "errorDetails type"],
        ),
        ([4, "a", "OccurenceConstraintViolation", "", {}], ["1.6 spelling"]),
        ([4, "a", "GenericError", "x" * 256, {}], ["errorDescription length"]),
        ([3, "b", {}], ["other messageId"]),
        ([3, None, {}], ["non-string messageId echoed", "no messageId", "other messageId"]),
    ],
)
def test_an_envelope_is_looked_at(items, wrong):
    assert script.shape(items, ['[2,"a","A",{}]']) == wrong


@pytest.mark.parametrize(
    ("keyword", "limit", "right", "wrong"),
    [
        ("required", ["a"], {"a": 1}, {}),
        ("additionalProperties", ["a"], {}, {"b": 1}),
        ("type", "integer", 1.0, True),
        ("enum", ["A"], "A", "B"),
        ("maxLength", 2, "ab", "abc"),
        ("minLength", 1, "a", ""),
        ("maxItems", 1, [1], [1, 2]),
        ("minItems", 1, [1], []),
        ("maximum", 2, 2, 3),
        ("minimum", 2, 2, 1),
    ],
)
def test_a_rule_of_a_schema_is_looked_at_where_it_belongs(keyword, limit, right, wrong):
    sign = {
        "see": "site",
        "action": "A",
        "kind": "response",
        "pointer": "/r/*/v",
        "keyword": keyword,
        "limit": limit,
    }
    assert not shows(played(Station({"A": {"r": [{"v": right}]}})), **sign)
    assert shows(played(Station({"A": {"r": [{"v": right}, {"v": wrong}]}})), **sign)


def test_text_of_the_target_is_searched_and_an_echo_of_ours_is_not():
    sign = {"see": "text", "pattern": "SQLSTATE", "names": ["statusInfo"], "echo": False}
    told = played(Station({"A": [[4, "id", "GenericError", "SQLSTATE 42", {}]]}))
    assert shows(told, **sign)
    nested = played(Station({"A": {"statusInfo": {"additionalInfo": "SQLSTATE"}}}))
    assert shows(nested, **sign)
    steps = [{"do": "send-text", "text": ['[2,"{call.id}","A",{"x":"sqlstate"}]']}]
    assert not shows(played(Station({"A": [[4, "id", "E", "SQLSTATE", {}]]}), steps=steps), **sign)


def test_strings_of_the_target_cannot_steer_a_terminal():
    assert script.shown("\x1b[2J\u202e\n") == "\\x1b[2J\\u202e\\n"
    assert len(script.shown("x" * 500)) == 163


# --- the command line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wires", "code", "words"),
    [
        ([Station({"A": script.Ended(1006)})], 1, "REPRODUCED: the connection ended with 1006"),
        ([Station({})], 0, "NOT REPRODUCED: answered with"),
        ([], 3, "NOTHING PROVEN: nobody came"),
    ],
)
def test_the_outcome_is_printed_and_is_the_exit_code(wires, code, words, monkeypatch, capsys):
    monkeypatch.setattr(script, "Listening", lambda *_: Door(*wires))
    given_ = ["--wait", "0.2", "--back", "0", "--timeout", "0.1"]
    assert script.main(STORED, given_) == code
    assert words in capsys.readouterr().out


def test_a_place_that_cannot_be_listened_at_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(STORED, ["--listen", "127.0.0.1:no"])
    assert caught.value.code == 2
    assert "error: " in capsys.readouterr().err


def test_a_station_s_script_has_no_url_and_a_csms_s_needs_one(capsys):
    assert script.parser(STORED).parse_args([]).listen == "127.0.0.1:9000"
    with pytest.raises(SystemExit):
        script.parser({**STORED, "side": "csms"}).parse_args([])
    assert "URL" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--listen", "127.0.0.1:no"],
        ["--listen", "127.0.0.1:99999"],
        ["--listen", "127.0.0.1:\u0663"],
        ["--listen", f"{'a' * 64}:9000"],
        ["--wait", "inf"],
        ["--back", "nan"],
        ["--timeout", "-1"],
        ["--cert", "no\x1bfile.pem"],
        ["--key", "key.pem"],
        ["--user", "\udcff"],
        ["--nothing"],
    ],
)
def test_wrong_arguments_are_one_line(words, capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(STORED, words)
    (line,) = capsys.readouterr().err.splitlines()
    assert caught.value.code == 2
    assert line.startswith("repro.py: error: ")
    assert "\x1b" not in line


@pytest.mark.parametrize(
    "url",
    [
        "csms.example",
        "http://csms.example/CS-1",
        "ws:///CS-1",
        "ws://[::1/CS-1",
        "ws://h:port/CS-1",
        "ws://h:99999/CS-1",
        "wss://.h/CS-1",
        f"ws://{'a' * 64}/CS-1",
        "ws://h/\u20ac",
    ],
)
def test_what_cannot_be_dialled_is_one_line(url, capsys):
    with pytest.raises(SystemExit) as caught:
        script.main({**STORED, "side": "csms"}, [url])
    assert caught.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.fixture
def unattended(monkeypatch):
    """No terminal, and the environment tells nothing."""

    def nobody(_prompt):
        raise EOFError

    monkeypatch.setattr(script.getpass, "getpass", nobody)
    for name in script.PASSWORDS:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", ["OCPPFUZZ_PASSWORD", "OCPP_PASSWORD"])
def test_a_password_is_read_from_the_environment(unattended, monkeypatch, name):
    monkeypatch.setenv(name, "secret")
    assert script.password_of(asked=True) == script.password_of(asked=False) == "secret"


def test_a_password_that_nobody_can_type_is_one_line(unattended, capsys):
    with pytest.raises(SystemExit) as caught:
        script.main(STORED, ["--user", "CS-1", "--password"])
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "set OCPPFUZZ_PASSWORD" in line
    assert script.password_of(asked=False) == ""
