"""Issues whole chains under one root, proper and faulty ones, fast: keys and chains are kept while they are good.

Knows descriptions, keys and one trusted root. Must not know who shows the chains, to whom, or what comes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cryptography import x509

from tlslab import forge, revocation
from tlslab.describe import DAY, USUAL_KEYS, Chain, Description, KeyKind, Order, Root
from tlslab.forge import Signer
from tlslab.keys import PrivateKey, PublicKey, kind_of, new_key, pem_of
from tlslab.pki import Credential, LabError, key_identifier, own_signer, pem, public_key, signer
from tlslab.request import request, requested

_ROOT = Description("ocppfuzz unknown root", is_ca=True, begins=-365 * DAY, validity=3650 * DAY)
_BETWEEN = Description("ocppfuzz lab other leaf")


@dataclass(frozen=True, slots=True)
class _Anchor:
    """What a chain hangs under: who signs, the certificates between it and its root, the root itself."""

    signer: Signer
    above: tuple[bytes, ...]
    root: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    made: datetime
    lasts: timedelta
    credential: Credential


class Authority:
    """Signs whatever is described under one trusted root, or under a stranger that looks like it."""

    def __init__(
        self,
        root: Credential,
        *,
        now: Callable[[], datetime],
        issuer: Credential | None = None,
    ) -> None:
        """`issuer` is the CA that signs when it is not the root itself, whose key may then be unknown (b"")."""
        if issuer is None and not root.key:
            raise LabError("nobody can sign: give the root's key, or an issuing CA with its key")
        self._root = root
        self._now = now
        self._issuer = issuer or root
        self._keys: dict[tuple[Hashable, KeyKind], PrivateKey] = {}
        self._chains: dict[Chain, _Kept] = {}
        self._anchors: dict[Root, _Anchor] = {}

    @property
    def root(self) -> Credential:
        """The trusted root; its key is b"" when only an issuing CA's is known."""
        return self._root

    @property
    def issuer(self) -> Credential:
        """The CA that signs: the root, or one below it."""
        return self._issuer

    def issue(self, chain: Chain) -> Credential:
        """What is shown of this chain, and the leaf's key; an equal chain gives the same while its times hold."""
        now = self._now()
        kept = self._chains.get(chain)
        if kept is None or not timedelta(0) <= now - kept.made < kept.lasts:
            key = self._key("leaf", chain.leaf.key)
            shown = self._shown(chain, key.public_key(), key, now)
            credential = Credential(shown[0], pem_of(key), shown[1:])
            kept = self._chains[chain] = _Kept(now, _lasts(chain), credential)
        return kept.credential

    @property
    def path_length(self) -> int | None:
        """How many CAs may lie below the one that signs (RFC 5280 section 4.2.1.9); None is without limit."""
        upwards = enumerate(reversed(self._trusted_cas()))
        left = [
            n - used for used, n in ((d, _path_length(ca)) for d, ca in upwards) if n is not None
        ]
        return min(left, default=None)

    def sign(
        self, csr: str | bytes, chain: Chain | None = None, *, key: KeyKind | None = None
    ) -> tuple[bytes, ...]:
        """PEM certificates in the order of `chain`, for the public key of a CSR.

        The leaf says what the chain's leaf says: take `requested(csr)` and alter it with `dataclasses.replace`. Without
        a chain it is what was asked for, directly under the CA. Whether the CSR's own signature holds is not asked.

        Args:
            csr: PKCS #10 in PEM.
            chain: what to make.
            key: the kind of a key that takes the place of the CSR's, so that it is nobody's.

        Raises:
            LabError: the CSR cannot be read, or the chain is to be signed by the CSR's own key.
        """
        wanted = chain or Chain(requested(csr))
        own = None if key is None else self._key("nobody", key)
        public = request(csr).public if own is None else own.public_key()
        return self._shown(wanted, public, own, self._now())

    def revoked(self, certificates: Iterable[bytes]) -> bytes:
        """A CRL in DER that revokes these PEM certificates; it speaks for the CA that signs, not for CAs below it."""
        return revocation.crl(self._issuer, certificates, now=self._now())

    def stapled(self, certificate: bytes, *, revoked: bool) -> bytes:
        """An OCSP response in DER for a PEM certificate that the CA signed itself."""
        return revocation.ocsp(self._issuer, certificate, now=self._now(), revoked=revoked)

    # --- the chain, from the root downwards ----------------------------------------------------------------

    def _shown(
        self, chain: Chain, public: PublicKey, key: PrivateKey | None, now: datetime
    ) -> tuple[bytes, ...]:
        """PEM certificates in the order in which they are shown; `key` is needed for a leaf that signs itself."""
        if chain.root is Root.NONE:
            if key is None:
                raise LabError("a self-signed certificate needs its private key: give `key`")
            by = own_signer(chain.leaf, key)
            return (self._made(chain.leaf, public, by, now, issues=False),)
        anchor = self._anchor(chain.root, now)
        by, issuers = anchor.signer, anchor.above
        links = _issuers(chain)
        for number, (ca, issues) in enumerate(links, 1):
            # A peer that remembers CAs must not find a proper one with the key of a faulty one (RFC 4158 section 2.3).
            made = self._key((chain.root, *links[:number]), ca.key)
            certificate = self._made(ca, made.public_key(), by, now, issues=issues)
            by = Signer(forge.subject(ca), forge.key_identifier(made.public_key()), made)
            issuers = (certificate, *issuers)
        leaf = self._made(chain.leaf, public, by, now, issues=False)
        return self._ordered(chain.order, leaf, issuers, anchor.root, now)

    def _made(
        self, what: Description, public: PublicKey, by: Signer, now: datetime, *, issues: bool
    ) -> bytes:
        return pem(forge.certificate(what, public, by=by, now=now, issues=issues))

    def _ordered(
        self, order: Order, leaf: bytes, issuers: tuple[bytes, ...], root: bytes, now: datetime
    ) -> tuple[bytes, ...]:
        match order:
            case Order.PROPER:
                return (leaf, *issuers)
            case Order.REVERSED:
                return (leaf, root, *reversed(issuers))
            case Order.WITH_ROOT:
                return (leaf, *issuers, root)
            case Order.WITH_STRANGERS:
                return (leaf, *issuers, self._anchor(Root.STRANGER, now).root)
            case Order.INCOMPLETE:
                return (leaf,)
            case Order.DOUBLED:
                return (leaf, leaf, *issuers)
            case Order.LEAF_LAST:
                return (*reversed(issuers), leaf)
            case Order.NO_LEAF:
                return issuers or (root,)

    # --- what it hangs under -------------------------------------------------------------------------------

    def _anchor(self, root: Root, now: datetime) -> _Anchor:
        if root not in self._anchors:
            self._anchors[root] = self._trusted() if root is Root.TRUSTED else self._like(root, now)
        return self._anchors[root]

    def _trusted(self) -> _Anchor:
        below = self._issuer is not self._root
        above = (self._issuer.certificate, *self._issuer.chain) if below else ()
        return _Anchor(signer(self._issuer), above, self._root.certificate)

    def _like(self, root: Root, now: datetime) -> _Anchor:
        """The trusted CAs once more with other keys; a namesake has their names and key identifiers too.

        With the identifiers the same, nothing but a signature tells the namesake from the original.
        """
        top, *below = self._trusted_cas()
        description = replace(_ROOT, key=kind_of(public_key(top.x509)))
        by, certificate = self._copy(top, description, None, now, same=root is Root.NAMESAKE)
        above: tuple[bytes, ...] = ()
        anchor = certificate
        for ca in below:
            description = replace(_ROOT, key=kind_of(public_key(ca.x509)))
            by, certificate = self._copy(ca, description, by, now, same=root is Root.NAMESAKE)
            above = (certificate, *above)
        return _Anchor(by, above, anchor)

    def _trusted_cas(self) -> tuple[Credential, ...]:
        """The root, and the CAs below it down to the one that signs."""
        if self._issuer is self._root:
            return (self._root,)
        between = tuple(Credential(c, b"") for c in reversed(self._issuer.chain))
        return (self._root, *between, self._issuer)

    def _copy(
        self,
        ca: Credential,
        description: Description,
        by: Signer | None,
        now: datetime,
        *,
        same: bool,
    ) -> tuple[Signer, bytes]:
        """A CA of another key in the place of `ca`, signed by itself when there is no other."""
        key = new_key(description.key)
        public = key.public_key()
        named = same or by is not None
        name = forge.subject_of(ca.der) if named else forge.subject(description)
        identifier = key_identifier(ca.x509) if same else forge.key_identifier(public)
        own = Signer(name, identifier, key)
        made = forge.certificate(
            description,
            public,
            by=by or own,
            now=now,
            issues=True,
            name=name,
            identifier=identifier,
        )
        return own, pem(made)

    def _key(self, role: Hashable, kind: KeyKind) -> PrivateKey:
        """One key for a role and kind, so that a leaf and a CA, or two CAs, never share one."""
        if (role, kind) not in self._keys:
            self._keys[role, kind] = new_key(kind)
        return self._keys[role, kind]


def _issuers(chain: Chain) -> tuple[tuple[Description, bool], ...]:
    """Everything between the root and the leaf, from the root downwards, and whether it is meant to be a CA."""
    cas = tuple((ca, True) for ca in chain.cas)
    if not chain.leaf_signs:
        return cas
    kind = chain.leaf.key if chain.leaf.key in USUAL_KEYS else KeyKind.EC_P256
    return (*cas, (replace(_BETWEEN, key=kind), False))


def _path_length(ca: Credential) -> int | None:
    try:
        return ca.x509.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    except x509.ExtensionNotFound:
        return None


def _lasts(chain: Chain) -> timedelta:
    """How long a chain may be kept: a tenth of the time until the next of its moments that is still to come."""
    spans = [s for d in (chain.leaf, *chain.cas) for s in (d.begins, d.validity)]
    return min((s for s in spans if s >= timedelta(0)), default=DAY) / 10
