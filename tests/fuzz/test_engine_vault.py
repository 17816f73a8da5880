import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from fuzz.engine.vault import (
    Credentials,
    Gate,
    Vault,
    VaultDoor,
    VaultLink,
    VaultRecorder,
    credentials_in,
    readable,
)
from fuzz.records import (
    Ask,
    Case,
    Disconnect,
    Expect,
    Handshake,
    SendBytes,
    SendText,
    Settle,
    Side,
    Tape,
    TapingDoor,
    Wait,
)
from fuzz.transport.listen import Listener
from fuzz.transport.memory import MemoryDoor, MemoryLink
from strategies.labels import Expectation, Stance, Tier

OLD = 'configured "old" password'


@dataclass
class Trace:
    """What was kept and what the door was told, in order."""

    done: list[tuple[str, object]] = field(default_factory=list)

    def learn(self, *, passwords: Sequence[str], identities: Sequence[str]) -> None:
        self.done.append(("door", (tuple(passwords), tuple(identities))))

    def save(self, data: bytes) -> None:
        self.done.append(("disk", Credentials.from_bytes(data)))

    def drop(self) -> None:
        self.done.append(("drop", None))


@pytest.fixture
def trace() -> Trace:
    return Trace()


@pytest.fixture
def vault(trace: Trace) -> Vault:
    return Vault(trace, trace.save, trace.drop, OLD, "CS-1")


def _set(value: object, variable: str = "BasicAuthPassword") -> str:
    item = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": variable},
        "attributeValue": value,
    }
    return json.dumps([2, "1", "SetVariables", {"setVariableData": [item]}])


def _case(text: str, *, control: str | None = None) -> Case:
    return Case(
        "one",
        Side.STATION,
        (SendText((text,)),),
        Expectation(Stance.ACCEPT, Tier.MODEL),
        control=() if control is None else (SendText((control,)),),
        action="SetVariables",
    )


# --- reading ------------------------------------------------------------------------------------------------


def test_the_value_of_a_credential_is_found_however_it_is_named() -> None:
    assert credentials_in(_set("a")) == [("basicauthpassword", "a")]
    assert credentials_in(_set("b", "IDENTITY")) == [("identity", "b")]
    bare = '[2,"1","SetVariables",{"setVariableData":{"variable":"BasicAuthPassword","attributeValue":7}}]'
    assert credentials_in(bare) == [("basicauthpassword", 7)]


def test_a_repeated_member_hides_nothing() -> None:
    text = '{"variable":{"name":"Identity"},"attributeValue":"a","attributeValue":"b"}'
    assert credentials_in(text) == [("identity", "a"), ("identity", "b")]


def test_other_variables_are_no_credentials() -> None:
    assert credentials_in(_set("a", "HeartbeatInterval")) == []
    assert credentials_in(_set("Identity", "HeartbeatInterval")) == []


@given(st.text())
def test_reading_never_raises(text: str) -> None:
    credentials_in(text)
    readable(text)


def test_depth_is_no_danger() -> None:
    assert credentials_in("[" * 100_000) == []
    assert not readable("[" * 100_000)


# --- before a case ------------------------------------------------------------------------------------------


def test_a_plain_change_may_be_played(vault: Vault) -> None:
    assert vault.refuses(_case(_set("0123456789abcdef"))) == ""


@pytest.mark.parametrize(
    "case",
    [
        _case(_set("x")[:-1]),
        _case(_set(["x"])),
        _case(_set("x"), control=_set({"a": 1})),
        Case(
            "bytes",
            Side.STATION,
            (SendBytes(_set("x").encode()),),
            Expectation(Stance.ACCEPT, Tier.MODEL),
        ),
    ],
    ids=["cut", "list", "control", "bytes"],
)
def test_a_change_that_cannot_be_read_may_not_be_played(vault: Vault, case: Case) -> None:
    assert "cannot be read" in vault.refuses(case)


def test_without_the_present_password_nothing_may_be_changed(trace: Trace) -> None:
    unknown = Vault(trace, trace.save, trace.drop, None, "CS-1")
    assert "not known" in unknown.refuses(_case(_set("x")))


def test_a_new_password_becomes_a_slot_of_its_length(vault: Vault) -> None:
    sealed = vault.sealed(_case(_set("0123456789abcdef"), control=_set("anotherPassword12345")))
    assert sealed.steps == (SendText((_set("{secret.password.16}"),)),)
    assert sealed.control == (SendText((_set("{secret.password.20}"),)),)


@pytest.mark.parametrize("value", ["maybe", "", "with a space in it", "{secret.password}"])
def test_what_is_no_ordinary_password_stays_what_it_is(vault: Vault, value: str) -> None:
    assert vault.sealed(_case(_set(value))) == _case(_set(value))


def test_a_scene_is_followed_through_its_steps(vault: Vault) -> None:
    steps = (Ask((_set("aNewPassword123456"),)), Settle(), Expect("BootNotification"), Wait(1.0))
    scene = replace(_case(_set("x")), steps=steps)
    assert vault.refuses(scene) == ""
    sealed = vault.sealed(scene).steps
    assert sealed == (Ask((_set("{secret.password.18}"),)), *steps[1:])
    assert vault.refuses(replace(scene, steps=(*steps, SendBytes(b"x")))) != ""


def test_other_cases_are_left_alone(vault: Vault) -> None:
    other = _case(_set("0123456789abcdef", "HeartbeatInterval"))
    assert vault.sealed(other) is other


# --- on the wire --------------------------------------------------------------------------------------------


def test_a_password_is_on_the_disk_and_known_at_the_door_before_it_is_handed_out(
    vault: Vault, trace: Trace
) -> None:
    said = vault.outgoing(_set("{secret.password}"))
    ((_, password),) = credentials_in(said)
    assert isinstance(password, str)
    assert len(password) == 20
    assert trace.done == [
        ("disk", Credentials((password,))),
        ("door", ((password,), ())),
    ]


def test_the_same_password_is_kept_once(vault: Vault, trace: Trace) -> None:
    assert vault.outgoing(_set("{secret.password}")) == vault.outgoing(_set("{secret.password}"))
    assert len(trace.done) == 2


def test_every_new_password_is_kept_beside_the_earlier_ones(vault: Vault, trace: Trace) -> None:
    vault.outgoing(_set("first-password-of-all"))
    vault.outgoing(_set("second"))
    vault.outgoing(_set("CS-2", "Identity"))
    assert trace.done[-1] == (
        "door",
        (("first-password-of-all", "second"), ("CS-2",)),
    )


def test_a_password_that_cannot_be_kept_is_not_handed_out(vault: Vault) -> None:
    def full(data: bytes) -> None:
        raise OSError("no space left")

    vault.save = full
    with pytest.raises(OSError, match="no space"):
        vault.outgoing(_set("{secret.password}"))


def test_the_configured_credentials_are_nothing_new(vault: Vault, trace: Trace) -> None:
    assert json.loads(vault.outgoing(_set("{secret.password.old}"))) == json.loads(_set(OLD))
    vault.outgoing(_set("CS-1", "Identity"))
    assert trace.done == []


def test_a_message_without_credentials_passes_unchanged(vault: Vault, trace: Trace) -> None:
    text = '[2,"1","GetVariables",{"note":"BasicAuthPassword {tx.id}"}]'
    assert vault.outgoing(text) == text
    assert trace.done == []


def test_what_the_target_repeats_is_hidden_again(vault: Vault) -> None:
    said = vault.outgoing(_set("{secret.password.40}"))
    ((_, password),) = credentials_in(said)
    assert vault.incoming(f"you said {password}!") == "you said {secret.password.40}!"
    assert vault.incoming_bytes(f"<{password}>".encode()) == b"<{secret.password.40}>"


def test_the_old_password_is_hidden_however_json_spells_it(vault: Vault) -> None:
    assert vault.incoming(json.dumps([OLD])) == '["{secret.password.old}"]'
    assert vault.incoming(OLD) == "{secret.password.old}"


def test_a_value_too_short_to_be_a_password_is_not_looked_for(vault: Vault) -> None:
    vault.outgoing(_set("{secret.password.1}"))
    text = "".join(map(chr, range(32, 127)))
    assert vault.incoming(text) == text


def test_a_long_secret_is_hidden_whole_where_a_shorter_one_is_part_of_it(trace: Trace) -> None:
    vault = Vault(trace, trace.save, trace.drop, "abcdefgh", "CS-1")
    vault._made["{secret.password.12}"] = "abcdefgh1234"
    assert vault.incoming("abcdefgh1234 abcdefgh") == "{secret.password.12} {secret.password.old}"


class Echo:
    """A link that gives back what it was given."""

    handshake = Handshake(identity="CS-1")

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send_text(self, text: str) -> None:
        self.sent.append(text)

    async def receive(self) -> str | bytes:
        return self.sent[-1]


async def test_above_the_link_there_are_only_slots(vault: Vault) -> None:
    inner = Echo()
    link = VaultLink(inner, vault)  # type: ignore[arg-type]
    await link.send_text(_set("{secret.password}"))
    assert "{secret" not in inner.sent[0]
    assert await link.receive() == _set("{secret.password.20}")
    assert link.handshake.identity == "CS-1"


async def test_a_link_tells_what_stands_for_the_password_that_it_was_opened_with(
    vault: Vault,
) -> None:
    vault.recall(Credentials(("left behind",)).to_bytes())
    inner = Echo()
    link = VaultLink(inner, vault)  # type: ignore[arg-type]
    await link.send_text(_set("{secret.password.16}+{secret.password.15}"))
    await link.send_text(_set("short"))

    def told(number: int | None) -> str:
        inner.handshake = Handshake(password=number)
        return link.handshake.secret

    assert told(None) == ""
    assert told(0) == "{secret.password.old}"
    # Nothing hides what another campaign made, so it is not told at all.
    assert told(1) == ""
    assert told(2) == "{secret.password.16}+{secret.password.15}"
    assert told(3) == "short"
    assert told(4) == ""


def test_a_scene_that_hangs_up_may_change_a_password(vault: Vault) -> None:
    steps = (Ask((_set("{secret.password}"),)), Disconnect(1000))
    assert vault.refuses(replace(_case(""), steps=steps)) == ""


# --- on tape ------------------------------------------------------------------------------------------------


class OneTape:
    """A recorder that holds one connection, and counts how often it was rewound."""

    rewound = 0

    def rewind(self) -> None:
        self.rewound += 1

    def tapes(self) -> tuple[Tape, ...]:
        return (Tape(datetime(2026, 1, 1, tzinfo=UTC), ("::1", 1), ("::1", 2), ()),)


def test_a_door_that_writes_down_its_connections_does_so_under_a_vault(vault: Vault) -> None:
    listener = Listener("127.0.0.1", 0, identities=None)
    assert isinstance(listener, TapingDoor)
    assert isinstance(VaultDoor(listener, vault), TapingDoor)
    assert VaultDoor(MemoryDoor(Side.STATION), vault).recorder.tapes() == ()


async def test_what_was_said_without_a_secret_may_be_seen(vault: Vault) -> None:
    recorder = VaultRecorder(OneTape(), vault)
    link = VaultLink(Echo(), vault)  # type: ignore[arg-type]
    await link.send_text('[2,"1","ClearCache",{}]')
    await link.receive()
    assert recorder.tapes() == OneTape().tapes()


async def test_once_a_secret_was_said_the_tape_is_kept_back_until_it_is_rewound(
    vault: Vault,
) -> None:
    inner = OneTape()
    recorder = VaultRecorder(inner, vault)
    await VaultLink(Echo(), vault).send_text(_set("{secret.password}"))  # type: ignore[arg-type]
    assert recorder.tapes() == ()
    recorder.rewind()
    assert (inner.rewound, len(recorder.tapes())) == (1, 1)


@pytest.mark.parametrize("said", [json.dumps([OLD]), f"<{OLD}>".encode()], ids=["text", "bytes"])
async def test_a_secret_that_the_target_says_keeps_the_tape_back_too(
    vault: Vault, said: str | bytes
) -> None:
    recorder, echo = VaultRecorder(OneTape(), vault), Echo()
    echo.sent.append(said)  # type: ignore[arg-type]
    await VaultLink(echo, vault).receive()  # type: ignore[arg-type]
    assert recorder.tapes() == ()


# --- afterwards ---------------------------------------------------------------------------------------------


def test_credentials_are_taken_from_what_others_put_back(vault: Vault) -> None:
    changed = {
        "a": {"variable": {"name": "basicAuthPassword"}},
        "b": {"variable": {"name": "HeartbeatInterval"}},
        "c": {"variable": {"name": "Identity"}},
    }
    vault.claim(changed)  # type: ignore[arg-type]
    assert list(changed) == ["b"]


def test_what_an_earlier_campaign_left_is_let_in_at_once(vault: Vault, trace: Trace) -> None:
    vault.recall(Credentials(("left behind",), ("CS-9",)).to_bytes())
    assert trace.done == [("door", (("left behind",), ("CS-9",)))]


@pytest.mark.parametrize("data", [b"", b"[]", b'{"passwords":"x"}', b'{"passwords":[1]}', b"\xff"])
def test_what_cannot_be_read_is_refused(vault: Vault, data: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        vault.recall(data)


async def test_nothing_is_put_back_where_nothing_was_changed(vault: Vault, trace: Trace) -> None:
    assert await vault.put_back(None) == []  # type: ignore[arg-type]
    assert trace.done == []


def test_a_listener_is_a_door_that_learns() -> None:
    assert isinstance(Listener("127.0.0.1", 0, identities=None), Gate)


async def test_a_link_under_the_vault_can_be_left_open(vault: Vault) -> None:
    link = MemoryLink(Handshake())
    deaf: list[str] = []
    link.deafen = lambda: deaf.append("left open")  # type: ignore[method-assign]
    VaultLink(link, vault).deafen()
    assert deaf == ["left open"]
