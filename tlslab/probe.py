"""Finds out what a TLS server takes, by elimination: versions, suites, groups, compression, and two safeguards.

Everything is judged at the ServerHello, so no client certificate is needed. Refused by an alert, closed and silent are
three things: only the first means that something is not supported. Knows hellos and streams; how a connection is made
is handed in, and what the findings mean for OCPP must not be known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import chain
from typing import TypeAlias

from tlslab.build import USUAL_GROUPS, USUAL_SCHEMES, client_hello
from tlslab.codes import ECDSA_SCHEMES, GROUPS, RSA_SCHEMES, alert_name
from tlslab.flight import (
    SERVER_HELLO,
    SERVER_HELLO_DONE,
    SERVER_KEY_EXCHANGE,
    ServerHello,
    read_key_exchange,
    read_server_hello,
)
from tlslab.records import HelloError, Record, messages, plain_alert, records
from tlslab.suites import FALLBACK_SCSV, OLDER_SUITES, TLS_1_3_SUITES, suite

Connect: TypeAlias = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""Opens one TCP connection to the server."""

SSL_3_0, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
VERSIONS = (SSL_3_0, TLS_1_0, TLS_1_1, TLS_1_2, TLS_1_3)

PATIENCE_S = 5.0
PARALLEL = 8
MAX_ANSWER = 2**17
"""Bytes read of one answer."""
MAX_SILENCES = 16
"""Unanswered probes in a row after which nothing more is asked."""
_SIZES = (64, 8, 1)
"""Lengths of the lists in which what is left is offered again."""
_COMMON = tuple(
    c for c in OLDER_SUITES if "AES" in suite(c).cipher and suite(c).auth in ("rsa", "ecdsa")
)[:32]


class Reply(StrEnum):
    """How a server took a ClientHello."""

    HELLO = "chose"
    ALERT = "refused by an alert"
    CLOSED = "closed"
    SILENCE = "silent"
    GARBAGE = "said something that is no TLS"
    UNREACHABLE = "not reachable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one ClientHello; `alert` is its number, `group` that of its key exchange if it was told."""

    reply: Reply
    hello: ServerHello | None = None
    alert: int = -1
    group: int = 0

    @property
    def words(self) -> str:
        """It in a few words."""
        if self.reply is Reply.ALERT:
            return f"{self.reply} ({alert_name(self.alert)})"
        return str(self.reply)


@dataclass(frozen=True, slots=True)
class Enumeration:
    """What of a list a server takes in one version.

    Attributes:
        version: the version offered.
        kind: the certificates asked for: `ecdsa`, `rsa`, or `any` where a version cannot say.
        accepted: in the order in which the server chose them.
        rejected: those refused by an alert, or passed over for a lower version.
        undecided: those on which the server closed or kept silent, twice, and which of it; and groups for which
            it chose another.
        odd: chosen though not offered.
    """

    version: int
    kind: str
    accepted: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()
    undecided: tuple[tuple[int, Reply], ...] = ()
    odd: tuple[int, ...] = ()

    @property
    def left(self) -> tuple[int, ...]:
        """All that was not chosen, for whatever reason."""
        return (*self.rejected, *(code for code, _ in self.undecided))

    @property
    def closed(self) -> tuple[int, ...]:
        """Those on which the server closed, twice, without a word."""
        return tuple(code for code, reply in self.undecided if reply is Reply.CLOSED)


@dataclass(frozen=True, slots=True)
class Survey:
    """All that was found out about a server.

    Attributes:
        versions: how each version was answered, when it alone was on offer.
        suites: the enumerations, one a version, in TLS 1.2 one a kind of certificate.
        groups: of key exchange, in the best version; `accepted` are group numbers here.
        compression: the method chosen of DEFLATE and null; None when nothing was chosen.
        fallback: the answer to FALLBACK_SCSV one version below the best (RFC 7507); 86 or 70 are right.
        extended_master_secret: whether TLS 1.2 has it (RFC 7627); None when it is not spoken.
        secure_renegotiation: the same for RFC 5746.
        probes: how many connections it took.
    """

    versions: Mapping[int, Answer]
    suites: tuple[Enumeration, ...]
    groups: Enumeration | None
    compression: int | None
    fallback: Answer | None
    extended_master_secret: bool | None
    secure_renegotiation: bool | None
    probes: int

    @property
    def supported(self) -> tuple[int, ...]:
        """The versions that were chosen, lowest first."""
        return tuple(v for v, answer in self.versions.items() if _chose(answer, v))

    @property
    def undecided(self) -> tuple[int, ...]:
        """The versions of which nothing is known, since the server closed or kept silent."""
        decided = (Reply.HELLO, Reply.ALERT)
        return tuple(v for v, answer in self.versions.items() if answer.reply not in decided)

    def accepted(self, version: int, kind: str = "") -> tuple[int, ...]:
        """The suites taken in this version, with any kind of certificate unless one is named."""
        fitting = (e for e in self.suites if e.version == version and kind in ("", e.kind))
        return tuple(dict.fromkeys(chain.from_iterable(e.accepted for e in fitting)))


def _chose(answer: Answer, version: int) -> bool:
    return answer.hello is not None and answer.hello.version == version


async def ask(
    connect: Connect, hello: bytes, *, patience_s: float = PATIENCE_S, exchange: bool = False
) -> Answer:
    """What the server says to this ClientHello; with `exchange` its ServerKeyExchange is waited for. Never raises."""
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await connect()
    except TimeoutError:
        return Answer(Reply.SILENCE)
    except OSError:
        return Answer(Reply.UNREACHABLE)
    try:
        writer.write(hello)
        async with asyncio.timeout(patience_s):
            return await _read(reader, exchange=exchange)
    except TimeoutError:
        return Answer(Reply.SILENCE)
    except OSError:
        return Answer(Reply.CLOSED)
    finally:
        writer.transport.abort()


async def _read(reader: asyncio.StreamReader, *, exchange: bool) -> Answer:
    data = bytearray()
    while len(data) < MAX_ANSWER:
        chunk = await reader.read(16384)
        data += chunk
        found = _understand(bytes(data), exchange=exchange, over=not chunk)
        if found is not None:
            return found
        if not chunk:
            return Answer(Reply.GARBAGE if data else Reply.CLOSED)
    return Answer(Reply.GARBAGE)


def _understand(data: bytes, *, exchange: bool, over: bool) -> Answer | None:
    """The answer as far as it has come; None when more is needed."""
    if len(data) >= 2 and data[1] != 3:
        return Answer(Reply.GARBAGE)
    stream = tuple(records(data))
    alerts = (plain_alert(record) for record in stream)
    fatal = next((a for a in alerts if a is not None and a[0] == 2), None)
    try:
        answer = _chosen(stream, wait=exchange and not over and fatal is None)
    except HelloError:
        return Answer(Reply.GARBAGE)
    if answer is None and fatal is not None:
        return Answer(Reply.ALERT, alert=fatal[1])
    return answer


def _chosen(stream: tuple[Record, ...], *, wait: bool) -> Answer | None:
    """The server's choice; None when it did not come, or with `wait` when its key exchange may still come."""
    hello: ServerHello | None = None
    for message in messages(stream):
        if message.type == SERVER_HELLO and hello is None:
            hello = read_server_hello(message.body)
            if hello.version >= TLS_1_3 or not wait:
                return Answer(Reply.HELLO, hello, group=hello.group)
        if hello is not None and message.type == SERVER_KEY_EXCHANGE:
            group = read_key_exchange(message.body, hello.cipher_suite).group
            return Answer(Reply.HELLO, hello, group=group)
        if hello is not None and message.type == SERVER_HELLO_DONE:
            return Answer(Reply.HELLO, hello)
    return None


@dataclass(slots=True)
class Prober:
    """Asks one server, several connections at a time; what it learns of one list helps it with the next.

    Attributes:
        connect: opens a connection.
        server_name: for SNI; "" for none.
        patience_s: how long an answer may take.
        parallel: how many connections at a time.
        asked: how many connections there were.
        longest: the longest list of suites that was answered by a ServerHello: whoever takes that many and refuses as
            many or less does not refuse their number.
    """

    connect: Connect
    server_name: str = ""
    patience_s: float = PATIENCE_S
    parallel: int = PARALLEL
    asked: int = 0
    longest: int = 0
    _silences: int = 0
    _room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.parallel)

    async def offer(
        self,
        version: int,
        suites: Sequence[int],
        *,
        schemes: tuple[int, ...] = USUAL_SCHEMES,
        groups: tuple[int, ...] = USUAL_GROUPS,
        compression: bytes = b"\0",
        exchange: bool = False,
    ) -> Answer:
        """How the server takes these suites in this version alone; asked again once when it does not answer."""
        hello = client_hello(
            versions=(version,),
            suites=tuple(suites),
            schemes=schemes,
            groups=groups,
            server_name=self.server_name,
            compression=compression,
        )
        answer = await self._ask(hello, exchange=exchange)
        if answer.reply not in (Reply.HELLO, Reply.ALERT):
            answer = await self._ask(hello, exchange=exchange)
        if answer.reply is Reply.HELLO:
            self.longest = max(self.longest, len(suites))
        return answer

    async def _ask(self, hello: bytes, *, exchange: bool) -> Answer:
        async with self._room:
            if self._silences >= MAX_SILENCES:
                return Answer(Reply.SILENCE)
            self.asked += 1
            answer = await ask(self.connect, hello, patience_s=self.patience_s, exchange=exchange)
        silent = answer.reply in (Reply.SILENCE, Reply.UNREACHABLE)
        self._silences = self._silences + 1 if silent else 0
        return answer

    # --- versions -----------------------------------------------------------------------------------------

    async def versions(self) -> dict[int, Answer]:
        """How each version is answered when it alone is on offer."""
        answers = await asyncio.gather(*(self._version(v) for v in VERSIONS))
        return dict(zip(VERSIONS, answers, strict=True))

    async def _version(self, version: int) -> Answer:
        answer = await self.offer(version, suites_of(version))
        if answer.reply is Reply.HELLO or version == TLS_1_3 or answer.alert == 70:
            return answer
        # Some servers refuse a long list whatever is in it.
        shorter = await self.offer(version, _COMMON)
        return shorter if shorter.reply is Reply.HELLO else answer

    # --- suites -------------------------------------------------------------------------------------------

    async def suites(self, version: int, codes: Sequence[int], *, kind: str = "any") -> Enumeration:
        """Which of these suites are taken: all are offered, the chosen one is dropped, until nothing is chosen.

        What is left then is offered in shorter lists: some servers cap the length, and some refuse a whole list
        since they choose a suite from it that they cannot serve. `kind` is `ecdsa` or `rsa` for a hello that
        verifies such signatures only, which tells a server with two certificates which one is meant.
        """
        schemes = {"ecdsa": ECDSA_SCHEMES, "rsa": RSA_SCHEMES}.get(kind, USUAL_SCHEMES)
        found = await self._eliminate(version, codes, kind, schemes)
        for size in _SIZES:
            left = found.left
            if len(left) <= size:
                continue
            parts = [left[i : i + size] for i in range(0, len(left), size)]
            again = [self._eliminate(version, part, kind, schemes) for part in parts]
            before, found = found, _merged(found, await asyncio.gather(*again))
            if found.accepted == before.accepted and len(left) <= self.longest:
                break
        return found

    async def _eliminate(
        self, version: int, codes: Sequence[int], kind: str, schemes: tuple[int, ...]
    ) -> Enumeration:
        left, found = list(codes), Enumeration(version, kind)
        while left:
            answer = await self.offer(version, left, schemes=schemes)
            chosen = answer.hello.cipher_suite if answer.hello else -1
            if not _chose(answer, version):
                return _refused(found, left, answer)
            if chosen not in left:
                return replace(_refused(found, left, answer), odd=(chosen,))
            left.remove(chosen)
            found = replace(found, accepted=(*found.accepted, chosen))
        return found

    # --- the rest -----------------------------------------------------------------------------------------

    async def groups(self, version: int, suites: Sequence[int]) -> Enumeration:
        """Which groups it exchanges keys in, with these suites; the numbers are those of groups.

        Up to TLS 1.2 an ECDSA certificate needs its own curve among them (RFC 8422 5.1). Without it nothing is
        chosen, with it a server may prefer it: what is passed over for it stays undecided.
        """
        ephemeral = [c for c in suites if suite(c).is_tls13 or suite(c).key_exchange[:5] == "ECDHE"]
        left, found = [g for g, (_, bits) in GROUPS.items() if bits], Enumeration(version, "group")
        while left and ephemeral:
            answer = await self.offer(version, ephemeral, groups=tuple(left), exchange=True)
            if not _chose(answer, version) or answer.group not in left:
                if version <= TLS_1_2 and all(suite(c).auth == "ecdsa" for c in ephemeral):
                    return await self._beside(found, left, ephemeral)
                return _refused(found, left, answer)
            left.remove(answer.group)
            found = replace(found, accepted=(*found.accepted, answer.group))
        return found

    async def _beside(
        self, found: Enumeration, left: Sequence[int], suites: Sequence[int]
    ) -> Enumeration:
        """Each group that is left beside the one without which nothing is chosen."""
        needed = found.accepted[-1:]
        offers = (
            self.offer(found.version, suites, groups=(g, *needed), exchange=True) for g in left
        )
        answers = dict(zip(left, await asyncio.gather(*offers), strict=True))
        accepted = tuple(g for g, answer in answers.items() if answer.group == g)
        others = tuple((g, a.reply) for g, a in answers.items() if g not in accepted)
        return replace(found, accepted=(*found.accepted, *accepted), undecided=others)

    async def compression(self, version: int) -> int | None:
        """The method chosen of DEFLATE and null; None when the server chose nothing."""
        answer = await self.offer(version, suites_of(version), compression=b"\x01\x00")
        return answer.hello.compression_method if answer.hello else None

    async def fallback(self, version: int) -> Answer:
        """The answer to a client that says it came down to this version (RFC 7507)."""
        return await self.offer(version, (*suites_of(version), FALLBACK_SCSV))


def suites_of(version: int) -> tuple[int, ...]:
    """Every suite that can be chosen in this version; signals are never among them."""
    return TLS_1_3_SUITES if version >= TLS_1_3 else OLDER_SUITES


def _refused(found: Enumeration, left: Sequence[int], answer: Answer) -> Enumeration:
    if answer.reply in (Reply.HELLO, Reply.ALERT):
        return replace(found, rejected=(*found.rejected, *left))
    return replace(found, undecided=(*found.undecided, *((code, answer.reply) for code in left)))


def _merged(first: Enumeration, again: Iterable[Enumeration]) -> Enumeration:
    """What was found before, and of what was left then what is known now."""
    parts = tuple(again)
    return replace(
        first,
        accepted=(*first.accepted, *chain.from_iterable(p.accepted for p in parts)),
        rejected=tuple(chain.from_iterable(p.rejected for p in parts)),
        undecided=tuple(chain.from_iterable(p.undecided for p in parts)),
        odd=(*first.odd, *chain.from_iterable(p.odd for p in parts)),
    )


async def enumerate_suites(
    connect: Connect, version: int, codes: Sequence[int], *, server_name: str = ""
) -> list[int]:
    """The suites among these that the server takes, in the order in which it chose them."""
    found = await Prober(connect, server_name).suites(version, codes)
    return list(found.accepted)


async def survey(
    connect: Connect,
    *,
    server_name: str = "",
    patience_s: float = PATIENCE_S,
    parallel: int = PARALLEL,
) -> Survey:
    """Everything that can be found out about a server without a certificate."""
    prober = Prober(connect, server_name, patience_s, parallel)
    versions = await prober.versions()
    spoken = [v for v, answer in versions.items() if _chose(answer, v)]
    wanted = [
        (v, kind) for v in spoken for kind in (("ecdsa", "rsa") if v == TLS_1_2 else ("any",))
    ]
    suites = await asyncio.gather(*(prober.suites(v, suites_of(v), kind=k) for v, k in wanted))
    best = max(spoken, default=0)
    taken = [c for e in suites if e.version == best for c in e.accepted]
    middle = versions[TLS_1_2].hello if TLS_1_2 in spoken else None
    older = max((v for v in spoken if v < TLS_1_3), default=0)
    return Survey(
        versions=versions,
        suites=tuple(suites),
        groups=await prober.groups(best, taken) if spoken else None,
        compression=await prober.compression(older) if older else None,
        fallback=await prober.fallback(max(best - 1, SSL_3_0)) if spoken else None,
        extended_master_secret=middle.has_extended_master_secret if middle else None,
        secure_renegotiation=middle.has_renegotiation_info if middle else None,
        probes=prober.asked,
    )
