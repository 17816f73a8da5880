"""Block A: passwords, TLS, security profiles and the station's own certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from cryptography import x509

from fuzz.conformance import papers, states
from fuzz.conformance.arena import terms
from fuzz.conformance.papers import new_root, server_pairs
from fuzz.conformance.profiles import free_slot, profile_data, slots
from fuzz.conformance.script import Connection, Csms, Failed, Terms, View, station_test
from fuzz.records import Effect
from strategies.labels import JsonObject
from tlslab.wire import HANDSHAKE_RECORD

TLS_1_2 = 0x0303
FAMILIES = ({0xC02B, 0xC02C}, {0x009C, 0x009D})
"""The two suites of ECDHE_ECDSA and of RSA; a station supports both of one kind (A00.FR.319, FR.422)."""
_ALERT = b"\x15"
_PASSWORD = "another-password-of-32-characters"[:32]

# --- passwords --------------------------------------------------------------------------------------------


@station_test("TC_A_01", security_profiles=(1, 2))
async def basic_authentication(s: Csms) -> None:
    """The upgrade carries the identity and a password of 16 to 40 characters, and the station boots."""
    await states.reset(s)
    connection = await s.reconnected()
    user = connection.link.handshake.basic_user
    s.require(user == s.identity, "the user name is the identity", user)
    s.require(16 <= len(s.password) <= 40, "a password of 16 to 40 characters", len(s.password))
    await states.booted(s)


async def _set_password(s: Csms, password: str, status: str | tuple[str, ...]) -> View:
    return await s.set_variable("SecurityCtrlr", "BasicAuthPassword", password, status=status)


@station_test("TC_A_09", effect=Effect.LOCK_OUT, security_profiles=(1, 2))
async def new_password(s: Csms) -> None:
    """A new Basic password is accepted, and the station connects with it; it boots only if it said so."""
    s.note_connection()
    result = await _set_password(s, _PASSWORD, ("Accepted", "RebootRequired"))
    s.password = s.passwords[s.identity] = _PASSWORD
    reboot = result["attributeStatus"] == "RebootRequired"
    if reboot:
        await s.accepted("Reset", {"type": "OnIdle"})
    await s.reconnected()
    if reboot:
        await states.booted(s)
    else:
        await s.silence("BootNotification", for_s=0.5)


@station_test("TC_A_10", effect=Effect.LOCK_OUT, security_profiles=(1, 2))
async def short_password(s: Csms) -> None:
    """A Basic password of less than 16 characters is Rejected, and the old one stays in use."""
    await _set_password(s, "fifteen-letters", "Rejected")
    await s.close()
    await s.reconnected()


# --- TLS --------------------------------------------------------------------------------------------------


def _check_hello(s: Csms) -> None:
    """The last ClientHello offers TLS 1.2 or above and both suites of one family."""
    hello = next((a.hello for a in reversed(s.port.attempts) if a.hello), None)
    if hello is None:
        raise Failed("expected: a TLS ClientHello; came: none")
    s.require(max(hello.versions) >= TLS_1_2, "TLS 1.2 or above is offered", hello.version_names)
    offered = set(hello.cipher_suites)
    whole = any(family <= offered for family in FAMILIES)
    s.require(whole, "both suites of one family are offered", hello.suite_names)


def _check_version(s: Csms, connection: Connection) -> None:
    spoken = connection.link.handshake.tls_version
    s.require(spoken in ("TLSv1.2", "TLSv1.3"), "the connection has TLS 1.2 or above", spoken)


@station_test("TC_A_04", security_profiles=(2,))
async def server_side_tls(s: Csms) -> None:
    """The station speaks TLS 1.2 or above with both suites of one family, boots, and reports every connector."""
    await states.reset(s)
    connection = await s.reconnected()
    _check_hello(s)
    _check_version(s, connection)
    await states.booted(s)


def _bad_certificates(s: Csms) -> Iterator[tuple[str, Terms]]:
    """What a CSMS shows that has no business here, each with what is wrong with it."""
    now, good = s.clock.now(), terms(s)
    lab, folder = s.place.lab.root.read(), s.place.folder
    later, earlier = timedelta(days=20), -timedelta(days=20)
    stranger = new_root("unknown root", now)
    made = {
        "unknown root": server_pairs(folder, stranger, now, file="stranger"),
        "expired": server_pairs(folder, lab, now + earlier, file="expired"),
        "wrong name": server_pairs(folder, lab, now, name="csms.invalid", file="named"),
        "not yet valid": server_pairs(folder, lab, now + later, file="future"),
    }
    for what, pairs in made.items():
        yield what, replace(good, certificates=pairs)


@station_test("TC_A_05", security_profiles=(2, 3), slow=True)
async def invalid_csms_certificate(s: Csms) -> None:
    """A CSMS certificate that is not valid ends the handshake; the next good connection brings InvalidCsmsCertificate."""
    for what, shown in _bad_certificates(s):
        await _turned_away(s, what, shown)
        await s.port.offer(terms(s))
        await s.reconnected()
        await s.expect_security_event("InvalidCsmsCertificate")


async def _turned_away(s: Csms, what: str, shown: Terms) -> None:
    """The station is shown a certificate and leaves in the handshake."""
    await s.port.offer(shown)
    refused = len(s.port.refusals)
    s.forget()
    await s.cut()
    await s.until(lambda: len(s.port.refusals) > refused, f"the station leaves: {what}")
    s.require(s.connection is None, f"no connection: {what}")


def _old_server_hello() -> bytes:
    """A ServerHello of TLS 1.1, as no library would send it any more: a record with one handshake message."""
    version = b"\x03\x02"
    body = version + bytes(32) + b"\x00" + b"\xc0\x09" + b"\x00"
    message = b"\x02" + len(body).to_bytes(3, "big") + body
    return bytes([HANDSHAKE_RECORD]) + version + len(message).to_bytes(2, "big") + message


@station_test("TC_A_06", security_profiles=(2, 3))
async def old_tls_version(s: Csms) -> None:
    """A CSMS that answers with TLS 1.1 is left alone; afterwards the station boots and may report InvalidTLSVersion."""
    s.port.says = _old_server_hello()
    await states.reset(s)
    await s.until(lambda: s.port.replies, "the station answers or leaves")
    reply = s.port.replies[0]
    s.require(
        reply[:1] in (b"", _ALERT), "the station leaves, with an alert at most", reply[:8].hex()
    )
    s.port.says = None
    await s.reconnected()
    await states.booted(s)


@station_test("TC_A_07", security_profiles=(3,))
async def client_certificate(s: Csms) -> None:
    """The station shows a certificate for its serial number with a strong key, over TLS 1.2 or above."""
    await states.reset(s)
    connection = await s.reconnected()
    _check_hello(s)
    _check_version(s, connection)
    shown = _shown(connection)
    boot = await states.booted(s)
    s.require(papers.strong_key(shown), "a key of 2048 bits RSA or 224 bits EC at least")
    s.require(shown.serial_number > 0, "a serial number", shown.serial_number)
    name, serial = papers.common_name(shown), boot.text("chargingStation.serialNumber")
    s.require(name == serial, "the commonName is the station's serial number", f"{name}, {serial}")


def _shown(connection: Connection) -> x509.Certificate:
    """The certificate that the station showed."""
    data = connection.link.handshake.peer_certificate
    if not data:
        raise Failed("expected: a certificate of the station; came: none")
    return x509.load_der_x509_certificate(data)


# --- security profiles ------------------------------------------------------------------------------------


@station_test("TC_A_19", effect=Effect.ONE_WAY, security_profiles=(1, 2))
async def higher_security_profile(s: Csms) -> None:
    """A network profile with the next security profile is taken, used after a reset, and the old one is forgotten."""
    port = await s.place.further_port()
    await port.start(terms(s, profile=s.profile + 1))
    known = await slots(s)
    slot = free_slot(s, known)
    data = profile_data(port.url, s.profile + 1)
    await s.accepted("SetNetworkProfile", {"configurationSlot": slot, "connectionData": data})
    await s.set_variable("OCPPCommCtrlr", "NetworkConfigurationPriority", f"{slot},{known.active}")
    await states.reset(s, "OnIdle")
    await s.reconnected(port=port)
    await states.booted(s)
    profile = (await s.get_variable("SecurityCtrlr", "SecurityProfile"))["attributeValue"]
    s.require(profile == str(s.profile + 1), "SecurityProfile is the new one", profile)
    held = await s.get_variable("OCPPCommCtrlr", "NetworkConfigurationPriority")
    left = held.text("attributeValue").split(",")
    s.require(left == [str(slot)], "only the new slot in NetworkConfigurationPriority", left)


@station_test("TC_A_22", security_profiles=(2, 3))
async def lower_security_profile(s: Csms) -> None:
    """A network profile with a lower security profile is Rejected."""
    slot = free_slot(s, await slots(s))
    data = profile_data(s.port.url, s.profile - 1)
    request: JsonObject = {"configurationSlot": slot, "connectionData": data}
    await s.accepted("SetNetworkProfile", request, status="Rejected")


# --- the station's own certificate ------------------------------------------------------------------------


async def _requested(s: Csms, status: str) -> x509.CertificateSigningRequest:
    """The signing request that the station makes when it is triggered, answered with `status`."""
    s.answer("SignCertificate", {"status": status}, times=1)
    trigger: JsonObject = {"requestedMessage": "SignChargingStationCertificate"}
    await s.accepted("TriggerMessage", trigger)
    asked = await s.expect("SignCertificate")
    kind = asked["certificateType"]
    s.require(kind in (None, "ChargingStationCertificate"), "for the station's certificate", kind)
    request = papers.read_csr(asked.text("csr"))
    if request is None:
        raise Failed("expected: a PEM signing request that verifies; came: something else")
    s.require(papers.strong_key(request), "a key of 2048 bits RSA or 224 bits EC at least")
    boot = s.voice.facts.boot
    serial, name = boot.serial if boot else "", papers.common_name(request)
    s.require(name == serial, "the commonName is the serial number", name, judgement=True)
    return request


@station_test("TC_A_11", effect=Effect.LOCK_OUT, security_profiles=(3,))
async def renewed_certificate(s: Csms) -> None:
    """A triggered renewal makes a new key; the signed certificate is accepted and used for the next connection."""
    before = s.connection
    request = await _requested(s, "Accepted")
    if before is not None:
        new_key = request.public_key() != _shown(before).public_key()
        s.require(new_key, "a new key pair")
    chain = papers.sign(request, s.place.lab.root.read(), s.clock.now())
    s.note_connection()
    await s.accepted(
        "CertificateSigned",
        {"certificateChain": chain, "certificateType": "ChargingStationCertificate"},
    )
    after = _shown(await _came_back(s))
    wanted = x509.load_pem_x509_certificate(chain.encode())
    s.require(after == wanted, "the new certificate is shown", after.serial_number)


async def _came_back(s: Csms) -> Connection:
    """The station connects anew, by itself or after the connection was dropped."""
    try:
        return await s.reconnected(within=5.0)
    except Failed:
        await s.close()
        return await s.reconnected()


@station_test("TC_A_14", security_profiles=(1, 2, 3))
async def invalid_renewed_certificate(s: Csms) -> None:
    """A chain that leads to an unknown root is Rejected and reported as InvalidChargingStationCertificate."""
    request = await _requested(s, "Accepted")
    now = s.clock.now()
    chain = papers.sign(request, new_root("unknown root", now), now)
    await s.accepted(
        "CertificateSigned",
        {"certificateChain": chain, "certificateType": "ChargingStationCertificate"},
        status="Rejected",
    )
    await s.expect_security_event("InvalidChargingStationCertificate")


@station_test("TC_A_15", security_profiles=(1, 2, 3))
async def renewal_refused(s: Csms) -> None:
    """When the CSMS does not sign, the station asks no more and goes on as before."""
    await _requested(s, "Rejected")
    await s.silence("SignCertificate", for_s=1.0)
    await s.accepted("TriggerMessage", {"requestedMessage": "Heartbeat"})
    await s.expect("Heartbeat")
