"""Whose name is in the server certificate (A00.FR.309, FR.412, FR.510, FR.511; RFC 6125, RFC 9525)."""

from __future__ import annotations

from dataclasses import replace

from tlslab.bench import NotAsked, StationBench
from tlslab.describe import Description
from tlslab.offers import Offer
from tlslab.registry import Attacker, Need, Severity, tls_case
from tlslab.seen import Stage

INVALID = "InvalidCsmsCertificate"
STRANGER = "other.ocppfuzz.example"
WILDCARDS = ("SecurityCtrlr", "AllowCSMSTLSWildcards")


def _named(bench: StationBench, common_name: str, *names: str) -> Offer:
    return bench.offer(bench.chain(replace(bench.leaf, common_name=common_name, names=names)))


def _both(bench: StationBench) -> Offer:
    """The control of whatever has a subjectAltName: the proper name in both places."""
    return _named(bench, bench.station.host, bench.station.host)


@tls_case(
    "TS-33",
    *("A00.FR.309", "A00.FR.310", "A00.FR.311", "A00.FR.412", "A00.FR.413", "A00.FR.414"),
    expects="refuse, InvalidCsmsCertificate",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-297",
    telling=True,
)
async def other_host(bench: StationBench) -> None:
    """A certificate of another host ends the connection and raises InvalidCsmsCertificate.

    Once the other name is in commonName alone, once in subjectAltName as well.
    """
    if not bench.leaf.names:
        await bench.refuses(
            _named(bench, STRANGER), label="another host in commonName", event=INVALID
        )
    await bench.refuses(
        _named(bench, STRANGER, STRANGER),
        label="another host in commonName and subjectAltName",
        control=_both(bench),
        event=INVALID,
    )


@tls_case(
    "TS-34",
    *("A00.FR.510", "A00.FR.511"),
    expects="accept",
    severity=Severity.HIGH,
    endangers=("TC_A_04_CS",),
    needs=(Need.CA_KEY,),
)
async def common_name_alone(bench: StationBench) -> None:
    """A certificate that has its name in commonName alone is accepted, as A00.FR.510 and FR.511 want it."""
    if bench.station.dials_address:
        raise NotAsked("a URL with a name: an address can only be told in subjectAltName")
    await bench.takes(_named(bench, bench.station.host), label="no subjectAltName")


@tls_case(
    "TS-35",
    *("A00.FR.309", "A00.FR.412", "A00.FR.511"),
    expects="record",
    severity=Severity.INFO,
    needs=(Need.CA_KEY,),
)
async def alternative_name_alone(bench: StationBench) -> None:
    """The right name in subjectAltName beside another commonName shows which of the two the station reads.

    A00.FR.309 speaks of commonName, the note at A00.FR.511 of subjectAltName taking its place.
    """
    host = bench.station.host
    offer = _named(bench, STRANGER, host)
    seen = await bench.either(offer, label="only subjectAltName fits", control=_both(bench))
    if seen.stage >= Stage.WEBSOCKET:
        bench.remark("commonName is not looked at once there is a subjectAltName (A00.FR.309)")


@tls_case(
    "TS-36",
    *("A00.FR.309", "A00.FR.412", "A00.FR.511"),
    expects="record; RFC 6125 section 6.4.4 says refuse",
    severity=Severity.MEDIUM,
    needs=(Need.CA_KEY,),
    cwe="CWE-297",
)
async def other_alternative_name(bench: StationBench) -> None:
    """A subjectAltName of another host takes the place of a commonName that fits (RFC 6125 section 6.4.4)."""
    host = bench.station.host
    offer = _named(bench, host, STRANGER)
    seen = await bench.either(offer, label="only commonName fits", control=_both(bench))
    if seen.stage >= Stage.WEBSOCKET:
        bench.remark("commonName is trusted although subjectAltName names other hosts only")


@tls_case(
    "TS-37",
    *("A00.FR.309", "A00.FR.311", "A00.FR.412", "A00.FR.414"),
    expects="refuse `*`; with the errata of 2025 every wildcard that is not allowed",
    severity=Severity.MEDIUM,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-297",
)
async def wildcards(bench: StationBench) -> None:
    """No wildcard stands for the CSMS unless AllowCSMSTLSWildcards says so, and `*` alone never does.

    Edition 3 says nothing of wildcards in part of a name: they are written down there. RFC 9525 section 6.3 knows
    none but a whole leftmost label.
    """
    if bench.station.dials_address:
        raise NotAsked("a URL with a name: no wildcard can stand for an address")
    await bench.refuses(_alike(bench, "*"), label="*", control=_alike(bench))
    host = bench.station.host
    label, _, parent = host.partition(".")
    strict = bench.station.edition != "ed3" and not await _allowed(bench)
    fitting = [f"{label[:1]}*{'.' if parent else ''}{parent}"]
    if "." in parent:
        fitting += [f"*.{parent}", f"*.*.{parent.partition('.')[2]}"]
    for name in fitting:
        if strict:
            await bench.refuses(_alike(bench, name), label=name, control=_alike(bench))
        else:
            await bench.either(_alike(bench, name), label=name, control=_alike(bench))
    beside = _named(bench, host, host, f"*.{host}")
    seen = await bench.either(beside, label=f"*.{host} beside the name", control=_both(bench))
    if strict and seen.stage >= Stage.WEBSOCKET:
        bench.remark("a wildcard beside the right name is taken; AllowCSMSTLSWildcards is not true")


def _alike(bench: StationBench, name: str = "") -> Offer:
    """One name, where this station looks for it."""
    wanted = name or bench.station.host
    return _named(bench, wanted, wanted) if bench.leaf.names else _named(bench, wanted)


async def _allowed(bench: StationBench) -> bool:
    await bench.settle()
    value = await bench.session.get_variable(*WILDCARDS)
    return (value or "").lower() == "true"


@tls_case(
    "TS-38",
    *("A00.FR.309", "A00.FR.311", "A00.FR.412", "A00.FR.414"),
    expects="refuse NUL; record a trailing dot and capitals",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-158",
)
async def odd_spelling(bench: StationBench) -> None:
    """A name that goes on behind a NUL byte is not the host's (CVE-2009-2408); dots and capitals are written down."""
    host = bench.station.host
    hidden = f"{host}\0.{STRANGER}"
    if not bench.leaf.names:
        await bench.refuses(_named(bench, hidden), label="NUL in commonName")
    await bench.refuses(
        _named(bench, hidden, hidden),
        label="NUL in commonName and subjectAltName",
        control=_both(bench),
    )
    if bench.station.dials_address:
        return
    for label, name in (("trailing dot", f"{host}."), ("capitals", host.upper())):
        await bench.either(_alike(bench, name), label=label, control=_alike(bench))


@tls_case(
    "TS-59",
    *("A00.FR.309", "A00.FR.311", "A00.FR.412", "A00.FR.414", "A00.FR.511"),
    expects="refuse",
    severity=Severity.HIGH,
    endangers=("TC_A_05_CS",),
    needs=(Need.STATION_CA,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-297",
)
async def own_certificate(bench: StationBench) -> None:
    """A certificate in this station's own name is no CSMS's, though the same CA signed it."""
    await _as_station(bench, bench.station.serial, "this station's serial number")


@tls_case(
    "TS-60",
    *("A00.FR.309", "A00.FR.311", "A00.FR.412", "A00.FR.414", "A00.FR.511"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.STATION_CA,),
    attacker=Attacker.HOLDS_CERTIFICATE,
    cwe="CWE-297",
)
async def another_stations_certificate(bench: StationBench) -> None:
    """Whoever opened another station and took its key cannot play the CSMS with it: commonName is no FQDN."""
    await _as_station(bench, f"{bench.station.serial[:20]}-B", "another station's serial number")


async def _as_station(bench: StationBench, serial: str, label: str) -> None:
    proper = replace(bench.leaf, organization=bench.station.organization, names=())
    theirs = replace(proper, common_name=serial)
    good: Description = replace(proper, names=bench.leaf.names)
    await bench.refuses(
        bench.offer(bench.chain(theirs), by=bench.signer),
        label=label,
        control=bench.offer(bench.chain(good), by=bench.signer),
    )


@tls_case(
    "TS-69",
    *("A00.FR.309", "A00.FR.311", "A00.FR.412", "A00.FR.414"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-297",
)
async def part_of_a_name(bench: StationBench) -> None:
    """A name of which the host's is only a part is another host's, wherever the part stands."""
    host = bench.station.host
    for name in (f"{host}.{STRANGER}", f"not{host}", f"{STRANGER}/{host}"):
        await bench.refuses(_alike(bench, name), label=name, control=_alike(bench))


@tls_case(
    "TS-70",
    *("A00.FR.309", "A00.FR.311", "A00.FR.412", "A00.FR.414", "A00.FR.510"),
    expects="refuse",
    severity=Severity.CRITICAL,
    endangers=("TC_A_05_CS",),
    needs=(Need.CA_KEY,),
    cwe="CWE-297",
)
async def name_elsewhere(bench: StationBench) -> None:
    """A certificate without any host's name ends the connection, also when the organization is called like the host."""
    nameless = replace(bench.leaf, common_name=None, names=())
    proper = replace(bench.leaf, organization=bench.station.host)
    await bench.refuses(
        bench.offer(bench.chain(replace(proper, common_name=STRANGER, names=()))),
        label="the host in organizationName",
        control=bench.offer(bench.chain(proper)),
    )
    await bench.refuses(bench.offer(bench.chain(nameless)), label="no commonName")
