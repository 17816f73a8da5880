"""The bench of a CSMS under test: knocks at its door, goes as far as it lets us, and writes down how far that was.

After every hostile visit a proper one shows that the CSMS still serves its stations. In TLS 1.3 a handshake that we
finished is no acceptance: what counts is the answer to the request. Knows knocks, the lab client and a caller. Must
not know a case.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote

from tlslab import tape
from tlslab.authority import Authority
from tlslab.client import LabClient
from tlslab.client_engines.stdlib import ASKED
from tlslab.describe import OWNER, Chain, Description, KeyKind, Order, Root
from tlslab.keys import new_key, pem_of
from tlslab.knock import Identity, Knock, Ticket
from tlslab.notes import NotAsked, Notes, Unfinished
from tlslab.offers import Engine, difference
from tlslab.pki import Credential, LabError, issue
from tlslab.probe import Prober, Survey, survey
from tlslab.registry import Need
from tlslab.seen import AUTHORIZATION, Connection, Expect, Exposure, Stage
from tlslab.session import AnsweredWithError, Caller, Dialogue, NotAnswered, Payload
from tlslab.suites import suite_name
from tlslab.wire import version_name

TOO_MANY = (429, 503)
"""What a CSMS answers that counts failed attempts; it may take until the wait is over."""
WAITS_S = (0.0, 1.0, 2.0, 4.0, 5.0, 15.0)
"""Before each attempt at a proper visit after a hostile one."""
BOOT_S = 10.0
UNVERIFIED = (
    "the CSMS showed another certificate than the one that was verified; no password was sent"
)
HTTPS = 443
_OUTSIDER = Description("ocppfuzz outsider root", is_ca=True)
VENDOR, MODEL = "ocppfuzz", "lab"


@dataclass(frozen=True, slots=True)
class Csms:
    """What is known of the CSMS under test.

    Attributes:
        host: the name in its URL; `server_name` for SNI, "" when it is an address.
        path: what stands before the identity, ending in `/`.
        identity: who we are there; `other` another one that it knows.
        strict: the identity of a Charging Station in security profile 3, where we dial a port of another.
        waiting: a Charging Station whose boot is answered with Pending or Rejected.
        organization: the owner whose name is in the certificates of its stations (A00.FR.404).
        roots: PEM of the roots for its certificate.
        verified: its own certificates, DER, that were verified; () verifies none. No password goes to any other.
    """

    host: str
    identity: Identity
    security_profile: int
    path: str = "/"
    server_name: str = ""
    other: Identity | None = None
    strict: str = ""
    waiting: Identity | None = None
    organization: str = OWNER
    edition: str = "ed3"
    roots: tuple[bytes, ...] = ()
    verified: frozenset[bytes] = frozenset()


@dataclass(slots=True, eq=False)
class Visit:
    """One visit: its connection, and the conversation if there is one."""

    connection: Connection
    dialogue: Dialogue | None = None
    boot: str = ""
    ticket: Ticket | None = None

    @property
    def stage(self) -> Stage:
        """How far it went."""
        return self.connection.stage


@dataclass(slots=True, eq=False)
class CsmsBench(Notes):
    """The vocabulary of a case: how we knock, and what is expected of the CSMS.

    Attributes:
        csms: what is known of it.
        client: dials it.
        caller: speaks WebSocket and OCPP with it.
        now: the moment on the clock on the wall.
        monotonic: seconds.
        authority: signs client certificates that the CSMS trusts; None when its key is not there.
        client_root: PEM of the root of stations' certificates where only its key is missing.
        revoked: a credential of our identity that its CA has revoked.
        accepted: how each control went.
    """

    csms: Csms
    client: LabClient
    caller: Caller
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    authority: Authority | None = None
    client_root: bytes = b""
    revoked: Credential | None = None
    accepted: dict[tuple[tuple[str, str], ...], Connection] = field(default_factory=dict)
    _survey: Survey | None = None
    _shut: set[tuple[tuple[str, str], ...]] = field(default_factory=set)
    _outsider: Authority | None = None

    async def prepare(self) -> None:
        """A proper visit comes about. Raises `Unfinished` when it does not."""
        visit = await self.knock(self.proper())
        if visit.stage < Stage.WEBSOCKET:
            status = visit.connection.status
            answer = f"HTTP {status}" if status else "it said nothing that is HTTP"
            told = visit.connection.error or answer
            raise Unfinished(f"the CSMS does not let a proper visitor in: {told}")

    # --- describing ---------------------------------------------------------------------------------------

    @property
    def leaf(self) -> Description:
        """A proper client certificate of our identity; alter it with `dataclasses.replace`."""
        return self.leaf_of(self.csms.identity)

    def leaf_of(self, identity: Identity) -> Description:
        """A proper client certificate of an identity."""
        return Description(identity.common_name, self.csms.organization)

    @property
    def ca(self) -> Description:
        """A proper CA between the root and a leaf."""
        return Description("ocppfuzz lab intermediate", self.csms.organization, is_ca=True)

    def chain(
        self,
        leaf: Description | None = None,
        *,
        cas: tuple[Description, ...] = (),
        root: Root = Root.TRUSTED,
        order: Order = Order.PROPER,
        leaf_signs: bool = False,
    ) -> Chain:
        """A chain with a proper leaf unless another is given."""
        return Chain(leaf or self.leaf, cas, root, order, leaf_signs)

    def credential(self, chain: Chain) -> Credential:
        """What is shown of this chain. Raises `NotAsked` without the CA's key, where nobody else could sign it."""
        if self.authority is not None:
            return self.authority.issue(chain)
        if chain.root is Root.TRUSTED:
            raise NotAsked(Need.STATION_CA)
        if chain.root is Root.NAMESAKE and not self.client_root:
            raise NotAsked("the root of the stations' certificates")
        if self._outsider is None:
            # Only its name is used, never its key.
            root = self.client_root or issue(_OUTSIDER, now=self.now()).certificate
            key = pem_of(new_key(KeyKind.EC_P256))
            self._outsider = Authority(Credential(root, key), now=self.now)
        return self._outsider.issue(chain)

    @property
    def other(self) -> Identity:
        """The second identity. Raises `NotAsked` when none is known."""
        if self.csms.other is None:
            raise NotAsked(Need.TWO_IDENTITIES)
        return self.csms.other

    def proper(
        self,
        chain: Chain | None = None,
        *,
        identity: Identity | None = None,
        says: Mapping[str, str] | None = None,
        **options: object,
    ) -> Knock:
        """A visit as `identity`, ours unless given, with its own credentials or with this chain.

        `options` are fields of `Knock` other than facts; `says` puts into words what cannot be read off them. Raises
        `NotAsked` when the chain would need a CA key that is not there.
        """
        who = identity or self.csms.identity
        base = Knock(
            path=self.path_of(who.name),
            serial=who.common_name,
            server_name=self.csms.server_name,
        )
        certificate = {"certificate": "none"}
        if self.csms.security_profile == 3:
            credential, certificate = self._shown(chain, who)
            base = replace(base, credential=credential)
        elif who.password is not None and self.csms.security_profile < 3:
            base = replace(base, basic=(who.name, who.password))
        made = replace(base, **options)  # type: ignore[arg-type]
        if made.credential is None:
            certificate = {"certificate": "none"}
        return replace(made, facts={**certificate, **self._shape(made, who), **(says or {})})

    def _shown(self, chain: Chain | None, who: Identity) -> tuple[Credential, dict[str, str]]:
        if chain is not None:
            return self.credential(chain), {"certificate": "one", **chain.facts()}
        if who.credential is None:
            raise NotAsked(f"the certificate of {who.name} with its key")
        return who.credential, {"certificate": "one", "chain": f"that of {who.name}"}

    def path_of(self, name: str) -> str:
        """The path of a Charging Station with this name (Part 4 section 3.1.1)."""
        return self.csms.path + quote(name, safe="")

    @property
    def _authority(self) -> str:
        """Host and port as a request names them (RFC 9110 section 7.2)."""
        host, port = self.csms.host, self.client.port
        host = f"[{host}]" if ":" in host else host
        return host if port == HTTPS else f"{host}:{port}"

    def _shape(self, knock: Knock, who: Identity) -> dict[str, str]:
        """What else a CSMS can tell, in words; never a password."""
        versions = dict.fromkeys(version_name(v) for v in (knock.lowest, knock.highest))
        plain = knock.engine is Engine.PLAIN
        own = None if who.password is None else (who.name, who.password)
        basic = "none" if knock.basic is None else "its own" if knock.basic == own else "another"
        return {
            "tls": "none: plain text" if plain else "spoken",
            "tls.versions": " to ".join(versions),
            "tls.suites": ", ".join(suite_name(s) for s in knock.suites),
            "tls.server name": knock.server_name or "none",
            "tls.handshake": "signed with another key" if knock.sign_with else "its own key",
            "tls.garbage": "behind the chain" if knock.garbage else "none",
            "tls.session": "resumed" if knock.ticket else "new",
            "tls.renegotiation": "asked for" if knock.renegotiate else "none",
            "tls.hello": "hand-built" if knock.hello else "proper",
            "http.path": knock.path,
            "http.basic": basic,
            "http.subprotocol": "that of OCPP"
            if knock.subprotocol is None
            else knock.subprotocol or "none",
            "http.headers": ", ".join(name for name, _ in knock.headers) or "none",
            "boot.serial": knock.serial,
        }

    # --- knocking -----------------------------------------------------------------------------------------

    async def knock(self, knock: Knock) -> Visit:
        """One visit from TCP to BootNotification, as far as the CSMS lets it; it is over afterwards."""
        async with self.staying(knock) as visit:
            return visit

    @asynccontextmanager
    async def staying(self, knock: Knock) -> AsyncIterator[Visit]:
        """One visit that goes on, if it was let in, until the block ends."""
        try:
            opened = await self.client.open(knock)
        except LabError as why:
            raise NotAsked(f"a TLS library that can do this: {why}") from None
        visit = Visit(opened.connection)
        if opened.stream is not None and self._unknown(knock, opened.connection):
            await opened.stream.close()
            raise Unfinished(UNVERIFIED)
        # Whose request holds a password is never readable in what is stored.
        opened.connection.header_names = _names(knock)
        if opened.stream is None:
            self._certain(knock, visit)
            yield visit
            return
        visit.dialogue = dialogue = await self.caller.dial(
            opened.stream,
            host=self._authority,
            path=knock.path,
            headers=knock.headers,
            basic=knock.basic,
            subprotocol=knock.subprotocol,
        )
        try:
            visit.ticket = opened.ticket
            await self._enter(knock, visit, dialogue)
            self._certain(knock, visit)
            yield visit
        finally:
            await dialogue.close()
            self.client.judge(visit.connection)

    def _unknown(self, knock: Knock, connection: Connection) -> bool:
        """Whether a password would go to one whose certificate was not verified; a resumed session shows none."""
        if not self.csms.verified or knock.engine is Engine.PLAIN or knock.ticket is not None:
            return False
        secret = knock.basic is not None or any(
            n.lower() == AUTHORIZATION for n, _ in knock.headers
        )
        chain = connection.server_chain or tape.facts(connection.tape).server_chain
        return secret and (not chain or chain[0] not in self.csms.verified)

    async def _enter(self, knock: Knock, visit: Visit, dialogue: Dialogue) -> None:
        connection = visit.connection
        connection.status = dialogue.status
        connection.request = f"GET {knock.path} HTTP/1.1"
        if dialogue.status:
            connection.reached(Stage.WEBSOCKET if dialogue.status == 101 else Stage.UPGRADE)
        if dialogue.status != 101:
            self.client.judge(connection)
            return
        try:
            answer = await dialogue.call("BootNotification", boot(knock.serial), within=BOOT_S)
            visit.boot = str(answer.get("status", ""))
        except AnsweredWithError as error:
            visit.boot = error.code
        except NotAnswered:
            visit.boot = ""
        if visit.boot == "Accepted":
            connection.reached(Stage.OCPP)

    def _certain(self, knock: Knock, visit: Visit) -> None:
        """Whether the CSMS saw what it was to see: our own TLS library may have held a certificate back."""
        connection = visit.connection
        asked = ASKED in connection.notes and knock.engine is Engine.STDLIB
        # A CSMS that had enough before our turn came has refused all the same, for another reason.
        if asked and knock.credential is not None and not connection.client_chain:
            connection.stage = Stage.NOTHING
            connection.error = connection.error or "our TLS library did not show this certificate"

    # --- exposing -----------------------------------------------------------------------------------------

    async def refuses(
        self,
        bad: Knock,
        *,
        label: str = "",
        control: Knock | None = None,
        tolerated: Stage | None = None,
    ) -> Exposure:
        """The CSMS turns this visitor away; up to `tolerated` it may go with a remark."""
        return await self._expose(bad, Expect.REFUSE, label, control, tolerated)

    async def takes(
        self, knock: Knock, *, label: str = "", control: Knock | None = None
    ) -> Exposure:
        """The CSMS lets this visitor in; one that fails is given a second chance."""
        return await self._expose(knock, Expect.ACCEPT, label, control, None)

    async def either(
        self, knock: Knock, *, label: str = "", control: Knock | None = None
    ) -> Exposure:
        """What the CSMS does with this visitor is only written down."""
        return await self._expose(knock, Expect.RECORD, label, control, None)

    async def _expose(
        self,
        knock: Knock,
        expect: Expect,
        label: str,
        control: Knock | None,
        tolerated: Stage | None,
    ) -> Exposure:
        good = control or self.proper()
        await self._controlled(good)
        began = self.monotonic()
        visits = [await self.knock(knock)]
        if expect is Expect.ACCEPT and visits[0].stage < Stage.WEBSOCKET:
            visits.append(await self.knock(knock))
        let_in = self.accepted[good.key]
        exposure = Exposure(
            label=label or "as described",
            expect=expect,
            stage=max(v.stage for v in visits),
            control=let_in.stage,
            difference=difference(knock.facts, good.facts),
            seconds=self.monotonic() - began,
            connections=tuple(v.connection for v in visits),
            control_connections=(let_in,),
            tolerated=tolerated,
        )
        self.seen.exposures.append(exposure)
        if let_in.stage >= Stage.WEBSOCKET:
            await self.serves(f"after {label or 'it'}", good)
        return exposure

    async def serves(self, when: str, good: Knock | None = None) -> bool:
        """A proper visitor is let in; says so where one was let in before. Waits while the CSMS counts failures."""
        wanted, visit = good or self.proper(), None
        # Who shut us out for good is not waited for again and again.
        waits = WAITS_S[:1] if wanted.key in self._shut else WAITS_S
        for wait_s in waits:
            await asyncio.sleep(wait_s)
            visit = await self.knock(wanted)
            if visit.stage >= Stage.WEBSOCKET:
                self.accepted[wanted.key] = visit.connection
                self._shut.discard(wanted.key)
                return True
        self._shut.add(wanted.key)
        came = "nothing" if visit is None else visit.connection.error or visit.connection.status
        throttled = visit is not None and visit.connection.status in TOO_MANY
        self.require(
            holds=False, what=f"it serves a proper visitor {when}", came=came, remark=throttled
        )
        return False

    async def _controlled(self, good: Knock) -> None:
        """The control was tried in this session, now or before."""
        known = self.accepted.get(good.key)
        if known is None or known.stage < Stage.WEBSOCKET:
            self.accepted[good.key] = (await self.knock(good)).connection

    # --- surveying ----------------------------------------------------------------------------------------

    @property
    def prober(self) -> Prober:
        """Asks the CSMS for versions and suites."""
        return Prober(self.client.connect, self.csms.server_name)

    @property
    def suites_taken(self) -> tuple[int, ...]:
        """The suites that a survey has found, whatever the version; none before one."""
        found = self._survey
        return (
            ()
            if found is None
            else tuple({c: 0 for v in found.supported for c in found.accepted(v)})
        )

    async def survey(self) -> Survey:
        """All that can be found out by hellos; asked once."""
        if self._survey is None:
            self._survey = await survey(self.client.connect, server_name=self.csms.server_name)
        return self._survey


def _names(knock: Knock) -> tuple[str, ...]:
    """The names of the headers that the knock asks for; never their values."""
    own = (AUTHORIZATION,) if knock.basic is not None else ()
    return (*own, *(name.lower() for name, _ in knock.headers))


def boot(serial: str) -> Payload:
    """A BootNotificationRequest."""
    return {
        "reason": "PowerUp",
        "chargingStation": {"vendorName": VENDOR, "model": MODEL, "serialNumber": serial[:25]},
    }


__all__ = ["Csms", "CsmsBench", "Identity", "Knock", "NotAsked", "Unfinished", "Visit"]
