"""The bench of a Charging Station under test: shows it an offer, waits, and writes down how far it went.

The method is the certification tool's: good, then bad, then good again, with the measured time of a reconnect as the
measure of patience. Knows offers, the lab server and a session. Must not know a case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from tlslab.authority import Authority
from tlslab.describe import Chain, Description, KeyKind, Order, Root
from tlslab.notes import NotAsked, Notes, Unfinished
from tlslab.offers import (
    ECDSA_SUITES,
    OCPP_SUITES,
    RSA_SUITES,
    ClientAuth,
    Engine,
    Offer,
    difference,
)
from tlslab.pki import Credential, LabError
from tlslab.registry import Need
from tlslab.rogue import Answer, proper
from tlslab.seen import HAND_NOTES, WENT_ON, Check, Connection, Expect, Exposure, Stage
from tlslab.session import Session
from tlslab.suites import suite_name
from tlslab.wire import ClientHello, version_name

if TYPE_CHECKING:
    from tlslab.server import LabServer

FIRST_RECONNECT_S = 30.0
SETTLE_S = 0.5
EVENT_S = 5.0
MAX_WAIT_S = 600.0
THINKING_S = 15.0
"""How much longer an attempt is waited for that has begun: longer than a caller is given to make up its mind."""
FORMS: tuple[tuple[bool, tuple[str, ...]], ...] = (
    (False, ()),
    (True, ()),
    (True, ("serverAuth",)),
)
"""Forms of a proper certificate: whether its name is in subjectAltName too, and its Extended Key Usage."""
LOOK_S = 1.0
"""How long one look at the server lasts; what OCPP tells does not wake it."""

T = TypeVar("T")
Control = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Station:
    """What is known of the Charging Station under test.

    `host` is the name in the URL that it dials, `suites` the codes that it declares (C-41), () when it declares none.
    `own_roots` are PEM of the roots under which its own certificate hangs.
    """

    host: str
    serial: str
    organization: str
    security_profile: int
    edition: str = "ed3"
    suites: tuple[int, ...] = ()
    items: Mapping[str, bool] = field(default_factory=dict)
    own_roots: tuple[bytes, ...] = ()

    @property
    def elliptic(self) -> bool:
        """Whether it takes an ECDSA certificate; True while nothing is declared."""
        return not self.suites or any(suite in ECDSA_SUITES for suite in self.suites)

    @property
    def dials_address(self) -> bool:
        """Whether its URL names an IP address."""
        return is_address(self.host)


@dataclass(slots=True, eq=False)
class StationBench(Notes):
    """The vocabulary of a case: what is exposed to the station, and what is expected of it.

    Attributes:
        station: what is known of it.
        session: OCPP with it.
        server: where it dials.
        authority: who signs the lab's server certificates; None when all there is is a finished certificate.
        signer: the CA of the station's own certificate; None when its key is not there.
        finished: the finished server certificate of the user, when there is no authority.
        now: the moment by the station's clock.
        monotonic: seconds.
        fast: True leaves out every other good run after a refusal that was seen, unless an event is waited for. It
            saves time only where the back-off does not double (RetryBackOffRepeatTimes 0).
        reconnect_s: the longest that an undisturbed reconnect took so far.
        named_twice: True puts the host's name into subjectAltName too: `prepare` found that it must.
        extended: the Extended Key Usage without which the station takes nothing, () as A00.FR.514 wants it.
        accepted: the connections in which each control was let in, or not.
    """

    station: Station
    session: Session
    server: LabServer
    authority: Authority | None
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    signer: Authority | None = None
    finished: tuple[Credential, ...] = ()
    fast: bool = False
    reconnect_s: float = FIRST_RECONNECT_S
    named_twice: bool = False
    extended: tuple[str, ...] = ()
    accepted: dict[Control, tuple[Connection, ...]] = field(default_factory=dict)

    async def prepare(self, *, within: float = 0.0) -> None:
        """The station is connected to a proper offer, and it is known which form of a name and which key it takes.

        A certificate that is known by its commonName alone and has no Extended Key Usage is tried first (A00.FR.511,
        FR.514), then what some TLS libraries want besides, each for `within` seconds, 0 for as long as it may take.
        Raises `Unfinished` when it takes none of them.
        """
        for self.named_twice, self.extended in FORMS:
            if await self._comes_to(self.offer(), within=within):
                self._offered()
                return
            if self._offered() and await self._comes_to(self.offer(), within=within):
                return
        raise Unfinished("the station takes no proper offer of the lab")

    def _offered(self) -> bool:
        """Whether the suites of the hello say more than the station declared, namely nothing."""
        hellos = [c.hello for c in self.server.since(0) if c.hello is not None]
        if self.station.suites or not hellos:
            return False
        offered = tuple(s for s in OCPP_SUITES if s in hellos[-1].cipher_suites)
        self.station = replace(self.station, suites=offered)
        return bool(offered)

    # --- describing ---------------------------------------------------------------------------------------

    @property
    def key(self) -> KeyKind:
        """The kind of key whose suites the station takes."""
        return KeyKind.EC_P256 if self.station.elliptic else KeyKind.RSA_2048

    @property
    def suites(self) -> tuple[int, ...]:
        """The pair of suites that goes with `key`."""
        return ECDSA_SUITES if self.station.elliptic else RSA_SUITES

    @property
    def leaf(self) -> Description:
        """A proper server certificate for the name that the station dials; alter it with `dataclasses.replace`."""
        host = self.station.host
        names = (host,) if self.named_twice or self.station.dials_address else ()
        return Description(host, key=self.key, names=names, extended=self.extended)

    @property
    def ca(self) -> Description:
        """A proper CA between the root and a leaf."""
        return Description("ocppfuzz lab intermediate", is_ca=True)

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

    def offer(
        self,
        chain: Chain | None = None,
        *,
        by: Authority | None = None,
        says: str = "",
        **options: object,
    ) -> Offer:
        """An offer of this chain, a proper one unless given; `options` are fields of `Offer` other than facts.

        `by` signs in the place of the lab's authority; `says` puts a hand-built answer into words. Raises `NotAsked`
        when the chain would need a CA key that is not there.
        """
        credential, facts = self._credential(chain, by)
        asks = self.station.security_profile == 3
        plain = self.station.security_profile == 1
        base = Offer(
            credential,
            engine=Engine.PLAIN if plain else Engine.STDLIB,
            client_auth=ClientAuth.VERIFY if asks else ClientAuth.NONE,
            client_roots=self.station.own_roots if asks else (),
        )
        made = replace(base, **options)  # type: ignore[arg-type]
        return replace(made, facts=facts | _shape(made, says))

    def credential(self, chain: Chain, by: Authority | None = None) -> Credential:
        """What an offer shows of this chain. Raises `NotAsked` without a CA key."""
        signs = by or self.authority
        if signs is None:
            raise NotAsked(Need.CA_KEY)
        return signs.issue(chain)

    def _credential(
        self, chain: Chain | None, by: Authority | None
    ) -> tuple[Credential, dict[str, str]]:
        if self.authority is None and by is None and chain is None and self.finished:
            return self._fitting(), {"chain": "the finished certificate"}
        wanted = chain or self.chain()
        who = "the CA of the Charging Stations" if by else "the CA of the CSMS"
        return self.credential(wanted, by), {**wanted.facts(), "chain.signed by": who}

    def _fitting(self) -> Credential:
        """The finished certificate whose key the station's suites can use."""
        kinds = [c for c in self.finished if c.elliptic is self.station.elliptic]
        return (kinds or list(self.finished))[0]

    # --- exposing -----------------------------------------------------------------------------------------

    async def refuses(
        self,
        bad: Offer,
        *,
        label: str = "",
        control: Offer | None = None,
        event: str | tuple[str, ...] = (),
        must_tell: bool = True,
    ) -> Exposure:
        """The station turns this offer away; `event` is the security event (one of them) that it then must raise.

        The control is a proper offer of the same key kind unless given. With `must_tell` False a missing event is a
        remark.
        """
        good = control or self.offer()
        await self._controlled(good)
        wanted = (event,) if isinstance(event, str) else event
        exposure = await self._expose(bad, Expect.REFUSE, good, label, wanted)
        self._told(exposure, wanted, must_tell=must_tell)
        return exposure

    async def takes(
        self, offer: Offer, *, label: str = "", control: Offer | None = None
    ) -> Exposure:
        """The station connects to this offer; a first attempt that fails is given a second."""
        return await self._expose(offer, Expect.ACCEPT, control or self.offer(), label, ())

    async def either(
        self, offer: Offer, *, label: str = "", control: Offer | None = None
    ) -> Exposure:
        """What the station does with this offer is only written down."""
        return await self._expose(offer, Expect.RECORD, control or self.offer(), label, ())

    async def survives(
        self, offer: Offer, *, label: str = "", control: Offer | None = None
    ) -> Exposure:
        """Whatever it makes of this offer, the station comes back to a proper one without having started anew."""
        await self.settle()
        boots, at = self.session.booted, len(self.seen.exposures)
        back = f"it comes back to a proper offer after {label or 'it'}"
        try:
            good, patience = control or self.offer(), 10 * self.reconnect_s + 30
            await self._expose(offer, Expect.RECORD, good, label, (), patience)
        except Unfinished as why:
            self.require(holds=False, what=back, came=why)
            raise
        self.require(holds=True, what=back)
        again = self.session.booted - boots
        # A BootNotification need not mean a reboot, yet nothing else asks for one here.
        self.require(again <= 0, f"no BootNotification after {label or 'it'}", again, remark=True)
        return self.seen.exposures[at]

    async def rejects(
        self, answer: Answer, *, label: str = "", event: str = "", must_tell: bool = False
    ) -> Exposure:
        """The station ends the handshake at once when it hears this hand-built answer.

        Nobody could finish such a handshake, so that it fails by going on with it, or by waiting for more.
        """
        name = label or answer.name
        offer, events = self.by_hand(answer), (event,) if event else ()
        exposure = await self.refuses(offer, label=name, event=events, must_tell=must_tell)
        notes = [note for c in exposure.connections for note in c.notes if note in HAND_NOTES]
        came = ", ".join(dict.fromkeys(notes))
        self.require(not notes, f"it ends the handshake at once: {name}", came)
        return exposure

    async def believes(self, credential: Credential) -> bool:
        """Whether it goes on with a proper flight made by hand: only then does refusing a faulty one say something."""
        answer = proper(credential)
        exposure = await self.either(self.by_hand(answer), label=answer.name)
        return any(WENT_ON in c.notes for c in exposure.connections)

    def by_hand(self, answer: Answer) -> Offer:
        """An offer that says just this to every ClientHello."""
        return self.offer(engine=Engine.HAND, answer=answer, says=answer.name)

    async def attempts(self, offer: Offer, count: int, *, within: float) -> tuple[Connection, ...]:
        """The first `count` attempts that the station makes at this offer, in a row; fewer when time is up."""
        await self.settle()
        first = self.server.count
        self._show(offer)
        await self.session.drop()
        await self._until(lambda: len(self._ended(first)) >= count, within=within)
        return tuple(self._ended(first))

    def _ended(self, first: int) -> list[Connection]:
        return [c for c in self.server.since(first) if c.ended_s is not None and c.hello]

    async def settle(self, offer: Offer | None = None, *, within: float = 0.0) -> Connection:
        """The station is back on a good offer and OCPP works. Raises `Unfinished` when it does not come back."""
        wanted = offer or self.offer()
        if self.server.offer is not None and self.server.offer.key == wanted.key:
            found = self._back(0)
            if found is not None:
                return found
        return await self.again(wanted, within=within)

    async def again(self, offer: Offer | None = None, *, within: float = 0.0) -> Connection:
        """A fresh connection to a good offer. Raises `Unfinished` when it does not come about."""
        wanted = offer or self.offer()
        found = await self._comes_to(wanted, within=within)
        if found is None:
            raise Unfinished("the station did not come back to a proper offer")
        return found

    async def attempts_of(
        self, offer: Offer, count: int, *, within: float
    ) -> tuple[Connection, ...]:
        """The first `count` attempts at this offer, let in or not; the station is not settled before."""
        first = self.server.count
        self._show(offer)
        await self.session.drop()
        enough = lambda: len(self.server.since(first)) >= count or self._back(first)  # noqa: E731
        await self._until(enough, within=within)
        return tuple(self.server.since(first))

    async def comes(self, first: int, *, within: float) -> Connection | None:
        """The connection after number `first` that the station makes by itself and that is let in; None: it makes none."""
        return await self._until(lambda: self._back(first), within=within)

    async def _comes_to(self, offer: Offer, *, within: float = 0.0) -> Connection | None:
        """The connection in which the station took this offer; what came of it is kept as a control either way."""
        undisturbed = self.session.connected
        first, began = self.server.count, self.monotonic()
        self._show(offer)
        await self.session.drop()
        patience = within or min(4 * self.reconnect_s + 10, MAX_WAIT_S)
        found = await self._until(lambda: self._back(0), within=patience)
        if found is not None and found.number <= first:
            # It was on its way when the offer changed, and met the one before.
            await self.session.drop()
            found = await self._until(lambda: self._back(first), within=patience)
        self.accepted[offer.key] = tuple(self.server.since(first)) if found is None else (found,)
        if found is not None and undisturbed:
            self._learn(self.monotonic() - began)
        return found

    def _show(self, offer: Offer) -> None:
        """Callers meet this offer from now on. Raises `NotAsked` when no engine can make it."""
        try:
            self.server.offer = offer
        except LabError as why:
            raise NotAsked(f"a TLS library that can offer this: {why}") from None

    def _back(self, first: int) -> Connection | None:
        if not self.session.connected:
            return None
        for connection in reversed(self.server.since(first)):
            if connection.stage >= Stage.WEBSOCKET and connection.ended_s is None:
                return connection
        return None

    def _learn(self, seconds: float) -> None:
        # The first measure replaces the guess; from then on the longest counts. What follows a failed attempt is no
        # measure: the station has doubled its back-off.
        guessed = self.reconnect_s == FIRST_RECONNECT_S
        self.reconnect_s = max(seconds, 1.0 if guessed else self.reconnect_s)

    async def _until(self, found: Callable[[], T], *, within: float) -> T | None:
        """As the server's, and awake for what OCPP tells too."""
        deadline = self.monotonic() + within
        while True:
            left = deadline - self.monotonic()
            came = await self.server.until(found, within=max(0.0, min(left, LOOK_S)))
            if came or left <= LOOK_S:
                return came

    async def _controlled(self, good: Offer) -> None:
        """The control was tried in this session, now or before."""
        if good.key in self.accepted:
            return
        if await self._comes_to(good) is None:
            await self.again()

    async def _expose(
        self,
        offer: Offer,
        expect: Expect,
        control: Offer,
        label: str,
        event: tuple[str, ...],
        patience: float = 0.0,
    ) -> Exposure:
        await self._ready(event)
        undisturbed = self.session.connected
        told = len(self.session.events())
        exposure = await self._met(offer, expect, control, label)
        at = len(self.seen.exposures)
        self.seen.exposures.append(exposure)
        refused = Stage.NOTHING < exposure.stage < Stage.UPGRADE
        # A station doubles its back-off with every failure, so that a second good run left out would cost more.
        if self.fast and refused and undisturbed and not event and not patience:
            return exposure
        await self.settle(control if self._let_in(control) else None, within=patience)
        exposure = replace(exposure, events=await self.told(told, *event))
        self.seen.exposures[at] = exposure
        return exposure

    async def _met(self, offer: Offer, expect: Expect, control: Offer, label: str) -> Exposure:
        first, began = self.server.count, self.monotonic()
        patience = (2 if self.session.connected else 4) * self.reconnect_s + 1
        self._show(offer)
        await self.session.drop()
        patience += offer.pace.stall_s
        await self._until(lambda: self._decided(first, expect), within=patience)
        if any(c.ended_s is None for c in self.server.since(first)):
            # Somebody is still thinking about it.
            await self._until(lambda: self._decided(first, expect), within=THINKING_S)
        await self._until(lambda: self._over(first), within=SETTLE_S)
        seen = tuple(self.server.since(first))
        controls = self.accepted.get(control.key, ())
        return Exposure(
            label=label or "as offered",
            expect=expect,
            stage=max((c.stage for c in seen), default=Stage.NOTHING),
            control=max((c.stage for c in controls), default=None),
            difference=difference(offer.facts, control.facts),
            seconds=min((c.began_s - began for c in seen), default=0.0),
            connections=seen,
            control_connections=controls,
        )

    async def _ready(self, event: tuple[str, ...]) -> None:
        """Nothing may be under way; with `fast` a station that is between two attempts will do.

        Not so before an event is waited for: those of earlier offers, still queued, must not be taken for it.
        """
        if self.session.connected or (self.fast and not event):
            return
        await self.settle()
        if self.fast and event:
            await self._until(lambda: None, within=EVENT_S)

    def _decided(self, first: int, expect: Expect) -> bool:
        """Whether the attempts since then say enough.

        One that ended without a word may have had other reasons, and one that failed may have been bad luck where the
        offer is to be taken: those count when they come twice.
        """
        seen = self.server.since(first)
        enough = Stage.WEBSOCKET if expect is Expect.ACCEPT else Stage.UPGRADE
        if any(c.stage >= enough for c in seen):
            return True
        ended = [c for c in seen if c.ended_s is not None and c.stage is not Stage.NOTHING]
        clear = [c for c in ended if c.stage in (Stage.ALERT, Stage.FINISHED)]
        return len(ended) > 1 or (expect is not Expect.ACCEPT and bool(clear))

    def _over(self, first: int) -> bool:
        return any(c.stage >= Stage.OCPP or c.ended_s is not None for c in self.server.since(first))

    def _let_in(self, control: Offer) -> bool:
        return any(c.stage >= Stage.WEBSOCKET for c in self.accepted.get(control.key, ()))

    async def told(self, since: int, *names: str) -> tuple[str, ...]:
        """The types of all security events but the first `since`, once one of `names` is among them or it is late."""

        def came() -> bool:
            return any(kind in names for kind, _ in self.session.events()[since:])

        if names and self._hears:
            await self._until(came, within=EVENT_S)
        return tuple(kind for kind, _ in self.session.events()[since:])

    def _told(self, exposure: Exposure, names: tuple[str, ...], *, must_tell: bool) -> None:
        # What was not seen, or not refused, is judged by its stage; the event would say it twice.
        if not names or not self._hears or not Stage.NOTHING < exposure.stage < Stage.UPGRADE:
            return
        told = any(kind in names for kind in exposure.events)
        came = ", ".join(exposure.events) or "none"
        wish = f"the security event {' or '.join(names)} after it"
        self.seen.checks.append(Check(wish, told, came, remark=not must_tell))

    @property
    def _hears(self) -> bool:
        """Whether an event could be told at all; of a client that speaks no OCPP nothing follows from its silence."""
        return Need.OCPP in self.available

    # --- other facts --------------------------------------------------------------------------------------

    async def hello(self) -> ClientHello:
        """What the station offers, on the connection that is there. Raises `Unfinished` when it was not understood."""
        hello = (await self.settle()).hello
        if hello is None:
            raise Unfinished("the ClientHello of the station cannot be read")
        return hello


def is_address(host: str) -> bool:
    """Whether this is an IP address and no name."""
    return ":" in host or host.replace(".", "").isdecimal()


def _shape(offer: Offer, says: str) -> dict[str, str]:
    """Everything about an offer that a peer can tell, but for its certificates, in words."""
    if offer.engine is Engine.PLAIN:
        return {"tls": "none: plain text", "http": _http(offer.http)}
    versions = dict.fromkeys(version_name(v) for v in (offer.lowest, offer.highest))
    hand = offer.engine is Engine.HAND
    return {
        "tls": "spoken",
        "tls.engine": Engine.STDLIB if hand else offer.engine,
        "tls.answer": says or "a hand-built one" if hand else "a proper handshake",
        "tls.versions": " to ".join(versions),
        "tls.suites": ", ".join(suite_name(s) for s in offer.suites),
        "tls.client certificate": offer.client_auth,
        "tls.told roots": _roots(offer),
        "tls.handshake": "signed with another key" if offer.sign_with else "signed with its key",
        "tls.second certificate": "none" if offer.second is None else "one more",
        "tls.renegotiation": _renegotiation(offer),
        "tls.stapled": f"{len(offer.staple)} bytes" if offer.staple else "nothing",
        "tls.pace": _pace(offer),
        "http": _http(offer.http),
    }


def _roots(offer: Offer) -> str:
    if offer.told_roots is None:
        return "as trusted"
    return f"{len(offer.told_roots)} others" if offer.told_roots else "none"


def _renegotiation(offer: Offer) -> str:
    if not offer.renegotiate:
        return "none"
    return "asked for, as another" if offer.renegotiate_as else "asked for"


def _pace(offer: Offer) -> str:
    pace = offer.pace
    words = [f"{pace.piece} bytes at a time"] if pace.piece else []
    words += [f"{pace.pause_s:g} s between"] if pace.pause_s else []
    words += [f"{pace.stall_s:g} s of silence first"] if pace.stall_s else []
    return ", ".join(words) or "as usual"


def _http(answer: bytes) -> str:
    return answer.partition(b"\r\n")[0].decode("latin-1") or "the WebSocket handshake"


__all__ = [
    "OCPP_SUITES",
    "NotAsked",
    "Station",
    "StationBench",
    "Unfinished",
    "is_address",
]
