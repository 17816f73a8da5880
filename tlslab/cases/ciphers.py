"""Cipher suites, groups and compression that a CSMS picks or insists on (A00.FR.319 to FR.323, FR.422 to FR.426)."""

from __future__ import annotations

from dataclasses import replace

from tlslab import rogue
from tlslab.bench import StationBench
from tlslab.describe import KeyKind
from tlslab.exchange import offered_suite
from tlslab.keys import new_key, pem_of
from tlslab.offers import ECDSA_SUITES, OCPP_SUITES, TLS_1_2, Engine, Offer
from tlslab.registry import Need, Severity, tls_case
from tlslab.seen import Stage
from tlslab.suites import suite_name

WEAK = "InvalidTLSCipherSuite"
RC4 = (0xC007, 0xC011, 0x0005)
TRIPLE_DES = (0xC008, 0xC012, 0x000A)
NULLS = (0xC006, 0xC010, 0x003B, 0x0002)
ANONYMOUS = (0xC018, 0xC019, 0x0034, 0x003A)
PRIMES = (512, 1024)
UNFIT = ("A00.FR.320", "A00.FR.323", "A00.FR.423", "A00.FR.426")


def _only(bench: StationBench, suites: tuple[int, ...], engine: Engine = Engine.STDLIB) -> Offer:
    # TLS 1.3 has suites of its own, which would be taken instead.
    return bench.offer(engine=engine, suites=suites, lowest=TLS_1_2, highest=TLS_1_2)


async def _refuses(
    bench: StationBench, suites: tuple[int, ...], label: str, engine: Engine = Engine.STDLIB
) -> None:
    await bench.refuses(
        _only(bench, suites, engine),
        label=label,
        control=_only(bench, OCPP_SUITES, engine),
        event=WEAK,
        must_tell=False,
    )


@tls_case(
    "TS-19",
    *("A00.FR.317", "A00.FR.420"),
    expects="refuse",
    severity=Severity.CRITICAL,
    cwe="CWE-757",
)
async def suite_not_offered(bench: StationBench) -> None:
    """A ServerHello with a suite that was not offered ends the handshake (RFC 5246 section 7.4.1.3)."""
    await bench.rejects(rogue.suite_not_offered(), event=WEAK)


@tls_case(
    "TS-20",
    *UNFIT,
    expects="refuse; InvalidTLSCipherSuite where it can tell",
    severity=Severity.CRITICAL,
    cwe="CWE-327",
)
async def rc4_and_3des(bench: StationBench) -> None:
    """A CSMS that speaks nothing but RC4 is refused; one of 3DES, which ENISA leaves to old systems, is written down."""
    await _refuses(bench, RC4, "RC4 only", Engine.TLSLITE)
    await bench.rejects(rogue.chosen(RC4[-1]), event=WEAK)
    control = _only(bench, OCPP_SUITES, Engine.TLSLITE)
    offer = _only(bench, TRIPLE_DES, Engine.TLSLITE)
    seen = await bench.either(offer, label="3DES only", control=control)
    if seen.stage >= Stage.WEBSOCKET:
        bench.remark("3DES is spoken (CVE-2016-2183)")


@tls_case(
    "TS-21",
    *UNFIT,
    expects="refuse; InvalidTLSCipherSuite where it can tell",
    severity=Severity.CRITICAL,
    cwe="CWE-319",
)
async def null_suites(bench: StationBench) -> None:
    """A CSMS that speaks nothing but suites without encryption is refused."""
    await _refuses(bench, NULLS, "NULL only")
    await bench.rejects(rogue.chosen(0x003B), event=WEAK)


@tls_case(
    "TS-22",
    *("A00.FR.308", "A00.FR.320", "A00.FR.411", "A00.FR.423"),
    expects="refuse",
    severity=Severity.CRITICAL,
    cwe="CWE-306",
)
async def anonymous_suites(bench: StationBench) -> None:
    """A CSMS that shows no certificate at all is refused."""
    await _refuses(bench, ANONYMOUS, "anonymous only")
    await bench.rejects(rogue.chosen(ANONYMOUS[0]), event=WEAK)


@tls_case(
    "TS-23",
    *("A00.FR.319", "A00.FR.422"),
    expects="record",
    severity=Severity.INFO,
    needs=(Need.CA_KEY,),
    suites="rsa",
)
async def rsa_key_exchange(bench: StationBench) -> None:
    """RSA key exchange, which A00.FR.319 allows, is written down: who gets the key later reads it all."""
    leaf = replace(bench.leaf, key=KeyKind.RSA_2048)
    offer = bench.offer(bench.chain(leaf), suites=(0x009C,), lowest=TLS_1_2, highest=TLS_1_2)
    seen = await bench.either(offer, label=suite_name(0x009C))
    if seen.stage >= Stage.WEBSOCKET:
        bench.record("forward secrecy", "not with RSA key exchange; A00.FR.319 recommends ECDHE")


@tls_case(
    "TS-24",
    *("A00.FR.319", "A00.FR.422"),
    expects="accept",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CS", "TC_A_07_CS"),
    needs=(Need.CA_KEY,),
)
async def each_declared_suite(bench: StationBench) -> None:
    """A CSMS that speaks one suite of the declared pair only is connected to, whichever of the two it is."""
    declared = tuple(s for s in bench.station.suites if s in OCPP_SUITES) or bench.suites
    for code in declared:
        kind = KeyKind.EC_P256 if code in ECDSA_SUITES else KeyKind.RSA_2048
        chain = bench.chain(replace(bench.leaf, key=kind))
        offer = bench.offer(chain, suites=(code,), lowest=TLS_1_2, highest=TLS_1_2)
        await bench.takes(offer, label=suite_name(code))


@tls_case(
    "TS-25",
    *("A00.FR.321", "A00.FR.424"),
    expects="refuse",
    severity=Severity.HIGH,
    cwe="CWE-310",
)
async def compression(bench: StationBench) -> None:
    """A ServerHello that switches compression on ends the handshake."""
    await bench.rejects(rogue.compression())


@tls_case(
    "TS-30",
    *("A00.FR.501", "A00.FR.317", "A00.FR.420"),
    expects="refuse",
    severity=Severity.MEDIUM,
    needs=(Need.CA_KEY,),
    cwe="CWE-326",
)
async def small_diffie_hellman(bench: StationBench) -> None:
    """A Diffie-Hellman group of 512 or 1024 bits ends the handshake of a station that offers DHE (CVE-2015-4000)."""
    leaf = replace(bench.leaf, key=KeyKind.RSA_2048)
    credential = bench.offer(bench.chain(leaf)).credential
    if not offered_suite(await bench.hello(), credential, exchange="DHE"):
        bench.record("DHE", "not offered with an RSA certificate")
        return
    for bits in PRIMES:
        await bench.rejects(rogue.small_prime(bits, credential))


@tls_case(
    "TS-55",
    *("A00.FR.311", "A00.FR.317", "A00.FR.414", "A00.FR.420"),
    expects="refuse",
    severity=Severity.CRITICAL,
    cwe="CWE-347",
)
async def key_not_held(bench: StationBench) -> None:
    """Whoever shows the CSMS's certificate without having its key is refused: another key signs the handshake.

    Once in a handshake of TLS 1.2 made by hand, once by a library in the highest version that both speak.
    """
    credential = bench.offer().credential
    key = pem_of(new_key(KeyKind.EC_P256 if credential.elliptic else KeyKind.RSA_2048))
    if not offered_suite(await bench.hello(), credential):
        bench.record("signed key exchange", "none is offered that fits the certificate")
        return
    if await bench.believes(credential):
        await bench.rejects(rogue.signed_by_another(credential, key))
    await bench.refuses(
        bench.offer(engine=Engine.TLSLITE, sign_with=key),
        label="by a library",
        control=bench.offer(engine=Engine.TLSLITE),
    )
