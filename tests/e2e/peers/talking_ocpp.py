"""A station or a CSMS of the plain `ocpp` package that say one conversation, full of what must not leave a recording.

    talking_ocpp.py csms LOG [--cert FILE --key FILE]     prints its port
    talking_ocpp.py station LOG URL [--ca FILE --keylog FILE]   prints "over" at the end, then serves on

What the package's own logger prints goes to the file LOG.
"""

import argparse
import asyncio
import logging
import ssl

import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from ocpp.routing import on
from ocpp.v201 import ChargePoint, call, call_result

NOW = "2026-01-01T00:00:00Z"
TOKEN = {"idToken": "04A2B3C4D5E6F7", "type": "ISO14443"}
CHAIN = "-----BEGIN CERTIFICATE-----\nMIIBsecretsecret\n-----END CERTIFICATE-----\n"


def request_of(name):
    """A CSR that a CA would read, PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    signed = made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


class Csms(ChargePoint):
    @on("BootNotification")
    def boot(self, **_):
        return call_result.BootNotification(current_time=NOW, interval=300, status="Accepted")

    @on("StatusNotification")
    def status(self, **_):
        return call_result.StatusNotification()

    @on("Authorize")
    def authorize(self, **_):
        return call_result.Authorize(id_token_info={"status": "Accepted", "group_id_token": TOKEN})

    @on("SignCertificate")
    def sign(self, **_):
        return call_result.SignCertificate(status="Accepted")

    @on("DataTransfer")
    def data(self, **_):
        return call_result.DataTransfer(status="UnknownVendorId")

    async def talk(self):
        name = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
        await self.call(call.GetVariables(get_variable_data=[name]))
        await self.call(
            call.SetVariables(
                set_variable_data=[{**name, "attribute_value": "a-new-secret-password"}]
            )
        )
        await self.call(call.CertificateSigned(certificate_chain=CHAIN))
        text = f"{self.id} asks for {{secret.password}} at https://me:pass@charging.example/x?key=1"
        await self.call(call.DataTransfer(vendor_id="lab", data={"text": text, "token": "t-4711"}))
        await self.call(call.TriggerMessage(requested_message="Heartbeat"))


class Station(ChargePoint):
    @on("GetVariables")
    def get_variables(self, get_variable_data, **_):
        found = [{"attribute_status": "UnknownComponent", **d} for d in get_variable_data]
        return call_result.GetVariables(get_variable_result=found)

    @on("SetVariables")
    def set_variables(self, set_variable_data, **_):
        found = [
            {"attribute_status": "Rejected", **{n: d[n] for n in ("component", "variable")}}
            for d in set_variable_data
        ]
        return call_result.SetVariables(set_variable_result=found)

    @on("CertificateSigned")
    def certificate_signed(self, **_):
        return call_result.CertificateSigned(status="Rejected")

    @on("DataTransfer")
    def data(self, **_):
        return call_result.DataTransfer(status="UnknownVendorId")

    @on("TriggerMessage")
    def trigger(self, **_):
        return call_result.TriggerMessage(status="NotImplemented")

    @on("ChangeAvailability")
    def change_availability(self, **_):
        return call_result.ChangeAvailability(status="Accepted")

    async def talk(self):
        station = {"model": "plain", "vendor_name": "nobody", "serial_number": "SN-99887766"}
        await self.call(call.BootNotification(charging_station=station, reason="PowerUp"))
        await self.call(
            call.StatusNotification(
                timestamp=NOW, connector_status="Available", evse_id=1, connector_id=1
            )
        )
        await self.call(call.Authorize(id_token=TOKEN))
        await self.call(call.SignCertificate(csr=request_of("SN-99887766")))
        await self.call(call.DataTransfer(vendor_id="lab", data="Zürich € 04A2B3C4D5E6F7"))


async def serve(log, cert, key):
    context = None
    if cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)

    async def connected(connection):
        csms = Csms(connection.request.path.rpartition("/")[2], connection)
        started = asyncio.create_task(csms.start())
        if csms.id == "CS-SECRET-7":
            await csms.talk()
        await started

    async with websockets.serve(
        connected, "127.0.0.1", 0, ssl=context, subprotocols=["ocpp2.0.1"]
    ) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.get_running_loop().create_future()


async def dial(url, ca, keylog):
    context = None
    if ca:
        context = ssl.create_default_context(cafile=ca)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.keylog_filename = keylog
    while True:
        try:
            async with websockets.connect(
                url, ssl=context, subprotocols=["ocpp2.0.1"]
            ) as connection:
                station = Station(url.rpartition("/")[2], connection)
                started = asyncio.create_task(station.start())
                await station.talk()
                await asyncio.sleep(0.5)  # the other end may not have said everything yet
                print("over", flush=True)
                await started
        except Exception as error:  # a station in the field has a supervisor; this is it
            print(type(error).__name__, flush=True)
        await asyncio.sleep(0.1)


parser = argparse.ArgumentParser()
parser.add_argument("role")
parser.add_argument("log")
parser.add_argument("url", nargs="?")
for option in ("--cert", "--key", "--ca", "--keylog"):
    parser.add_argument(option)
given = parser.parse_args()
logging.basicConfig(filename=given.log, level=logging.WARNING)
logging.getLogger("ocpp").setLevel(logging.INFO)
asyncio.run(
    serve(given.log, given.cert, given.key)
    if given.role == "csms"
    else dial(given.url, given.ca, given.keylog)
)
