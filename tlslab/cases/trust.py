"""Paths that do not lead to a trusted root, or lead there in a way that RFC 5280 section 6 does not allow."""

from __future__ import annotations

from dataclasses import replace

from tlslab.bench import NotAsked, StationBench
from tlslab.describe import Order, Root
from tlslab.offers import Engine
from tlslab.registry import Need, Severity, tls_case
from tlslab.revocation import ocsp
from tlslab.seen import Stage

INVALID = "InvalidCsmsCertificate"
PATH = ("A00.FR.308", "A00.FR.310", "A00.FR.311", "A00.FR.411", "A00.FR.413", "A00.FR.414")
NOWHERE = "http://192.0.2.1/revoked"
"""An address of RFC 5737: nobody answers there."""


@tls_case(
    "TS-39",
    *PATH,
    expects="refuse, InvalidCsmsCertificate",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
    telling=True,
)
async def self_signed(bench: StationBench) -> None:
    """A certificate with the right name that nobody but its owner signed ends the connection and raises the event."""
    offer = bench.offer(bench.chain(root=Root.NONE))
    await bench.refuses(offer, label="self-signed", event=INVALID)


@tls_case(
    "TS-40",
    *PATH,
    expects="refuse, InvalidCsmsCertificate",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-296",
)
async def unknown_root(bench: StationBench) -> None:
    """A chain under a root that the station does not know ends the connection and raises InvalidCsmsCertificate."""
    offer = bench.offer(bench.chain(root=Root.STRANGER))
    await bench.refuses(offer, label="unknown root", event=INVALID)


@tls_case(
    "TS-41",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-296",
)
async def namesake_root(bench: StationBench) -> None:
    """A root that has the trusted one's name and key identifier, but another key, is not the trusted one."""
    offer = bench.offer(bench.chain(root=Root.NAMESAKE))
    await bench.refuses(offer, label="same name, other key", event=INVALID, must_tell=False)


@tls_case(
    "TS-42",
    *("A00.FR.308", "A00.FR.411"),
    expects="record",
    severity=Severity.LOW,
    needs=(Need.CA_KEY,),
)
async def intermediate_missing(bench: StationBench) -> None:
    """Without the CA between them nothing ties the certificate to the root (RFC 5246 section 7.4.2)."""
    bad = bench.chain(cas=(bench.ca,), order=Order.INCOMPLETE)
    control = bench.offer(bench.chain(cas=(bench.ca,)))
    seen = await bench.either(bench.offer(bad), label="intermediate missing", control=control)
    if seen.stage >= Stage.WEBSOCKET:
        bench.remark("it knew the missing CA from earlier, or takes the certificate without it")


@tls_case(
    "TS-43",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
)
async def issuer_is_no_ca(bench: StationBench) -> None:
    """A certificate without basicConstraints, or with cA false, signs no others (RFC 5280 section 6.1.4 (k))."""
    control = bench.offer(bench.chain(cas=(bench.ca,)))
    for is_ca, label in ((None, "no basicConstraints"), (False, "cA false")):
        offer = bench.offer(bench.chain(cas=(replace(bench.ca, is_ca=is_ca),)))
        await bench.refuses(offer, label=label, control=control)


@tls_case(
    "TS-44",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
    telling=True,
)
async def leaf_as_ca(bench: StationBench) -> None:
    """A proper server certificate of another host signs no certificate for this one (RFC 5280 section 6.1.4 (k))."""
    await bench.refuses(bench.offer(bench.chain(leaf_signs=True)), label="signed by a leaf")


@tls_case(
    "TS-45",
    *PATH,
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
)
async def path_too_long(bench: StationBench) -> None:
    """A CA with pathLenConstraint 0 has no CA below it (RFC 5280 section 6.1.4 (l))."""
    below = replace(bench.ca, common_name="ocppfuzz lab intermediate 2")
    cas = (replace(bench.ca, path_length=0), below)
    control = (replace(bench.ca, path_length=1), below)
    await bench.refuses(
        bench.offer(bench.chain(cas=cas)),
        label="pathLenConstraint 0, one CA below",
        control=bench.offer(bench.chain(cas=control)),
    )


@tls_case(
    "TS-46",
    *PATH,
    expects="refuse",
    severity=Severity.MEDIUM,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-295",
)
async def name_constraints(bench: StationBench) -> None:
    """A CA that may sign for other names only, or not for this one, signs none for it (RFC 5280 section 6.1.3 (b), (c)).

    The name is in subjectAltName, which is what the constraints are about.
    """
    host = bench.station.host
    if bench.station.dials_address:
        raise NotAsked("a URL with a name: the constraints of this case are about DNS names")
    leaf = replace(bench.leaf, names=(host,))
    named = replace(bench.ca, permitted=("permitted.example",))
    spared = replace(bench.ca, excluded=("excluded.example",))
    for label, bad, good in (
        ("others permitted", named, replace(named, permitted=(host,))),
        ("this one excluded", replace(spared, excluded=(host,)), spared),
    ):
        control = bench.offer(bench.chain(leaf, cas=(good,)))
        await bench.refuses(
            bench.offer(bench.chain(leaf, cas=(bad,))), label=label, control=control
        )


@tls_case(
    "TS-54",
    *PATH,
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-347",
)
async def broken_signature(bench: StationBench) -> None:
    """One wrong bit in a signature, the certificate's or its CA's, ends the connection."""
    leaf = bench.offer(bench.chain(replace(bench.leaf, broken=True)))
    await bench.refuses(leaf, label="the certificate's", event=INVALID, must_tell=False)
    await bench.refuses(
        bench.offer(bench.chain(cas=(replace(bench.ca, broken=True),))),
        label="the CA's",
        control=bench.offer(bench.chain(cas=(bench.ca,))),
        event=INVALID,
        must_tell=False,
    )


@tls_case(
    "TS-56",
    "A00.FR.701",
    expects="record; refusing is a plus",
    severity=Severity.INFO,
    needs=(Need.CA_KEY,),
)
async def revoked(bench: StationBench) -> None:
    """OCPP asks no station to look for revocation: what it makes of it is written down.

    Once the certificate names addresses where nobody answers, once a stapled OCSP response says that it is revoked
    (RFC 6961), which only a client that asked for one gets.
    """
    lost = replace(bench.leaf, crl=f"{NOWHERE}.crl", ocsp=NOWHERE)
    await bench.either(bench.offer(bench.chain(lost)), label="nobody tells of revocation")
    issuer = bench.authority.issuer if bench.authority else None
    if issuer and issuer.key:
        shown = bench.credential(bench.chain()).certificate
        offer = bench.offer(
            engine=Engine.PYOPENSSL, staple=ocsp(issuer, shown, now=bench.now(), revoked=True)
        )
        control = bench.offer(engine=Engine.PYOPENSSL)
        await bench.either(offer, label="stapled: revoked", control=control)


@tls_case(
    "TS-57",
    *("A00.FR.308", "A00.FR.411"),
    expects="record",
    severity=Severity.INFO,
    needs=(Need.CA_KEY,),
)
async def unusual_order(bench: StationBench) -> None:
    """A chain in another order, with its root or with strangers, is written down; only the root is usual.

    RFC 5246 section 7.4.2 wants each certificate to certify the one before and leaves the root to the server; RFC 8446
    section 4.4.2 asks clients to bear with the rest.
    """
    control = bench.offer(bench.chain(cas=(bench.ca,)))
    for order in (Order.REVERSED, Order.WITH_ROOT, Order.WITH_STRANGERS, Order.DOUBLED):
        offer = bench.offer(bench.chain(cas=(bench.ca,), order=order))
        seen = await bench.either(offer, label=order, control=control)
        if order is Order.WITH_ROOT and Stage.NOTHING < seen.stage < Stage.WEBSOCKET:
            bench.remark("a chain that ends in its root is refused; many servers send it so")
