"""Firmware comes from a signer whose root is there for it, and a station's own certificate has its own key."""

import pytest

from strategies.model import Asked, Model, Told, Weight
from strategies.papers import CHAINED_SIGNER, SIGNER, SIGNING_ROOT, SIGNING_ROOT_HASH
from strategies.primitives import EXPIRED_CERTIFICATE, LAB_ROOT

MAKER, CSMS = "ManufacturerRootCertificate", "CSMSRootCertificate"
UNKNOWN = "firmware of an unknown signer accepted"


class Talk:
    """A model that follows what is asked and answered."""

    def __init__(self, profile=3):
        self.model = Model(profile=profile)
        self.at_s = 0.0

    def ask(self, action, payload, status="Accepted"):
        self.at_s += 1.0
        asked = Asked(self.at_s, action, payload, f"q{self.at_s}")
        self.model.saw(asked)
        if status:
            self.model.saw(Told(self.at_s + 0.5, asked, {"status": status}))
        return self

    def install(self, use=MAKER, status="Accepted"):
        root = {"certificateType": use, "certificate": SIGNING_ROOT}
        return self.ask("InstallCertificate", root, status)

    def delete(self, status="Accepted"):
        return self.ask("DeleteCertificate", {"certificateHashData": SIGNING_ROOT_HASH}, status)

    def update(self, signer, status="Accepted"):
        firmware = {"location": "x", "signingCertificate": signer, "signature": "AAAA"}
        return self.ask("UpdateFirmware", {"requestId": 1, "firmware": firmware}, status)

    @property
    def names(self):
        return [o.name for o in self.model.objections]


@pytest.mark.parametrize("signer", [SIGNER, CHAINED_SIGNER, SIGNING_ROOT])
def test_a_signer_whose_root_is_not_there_for_it_is_unknown(signer):
    assert Talk().delete("NotFound").update(signer).names == [UNKNOWN]
    assert Talk().delete("NotFound").install(CSMS).update(signer).names == [UNKNOWN]
    assert Talk().delete("NotFound").install().delete().update(signer).names == [UNKNOWN]
    assert Talk().delete("NotFound").install(CSMS).update(signer, "InvalidCertificate").names == []


@pytest.mark.parametrize("signer", [SIGNER, CHAINED_SIGNER, SIGNING_ROOT])
def test_a_signer_whose_root_may_be_there_is_known(signer):
    assert Talk().update(signer).names == []
    assert Talk().delete().update(signer).names == []
    assert Talk().delete("NotFound").install().update(signer).names == []
    assert Talk().delete("NotFound").install(status="").update(signer).names == []
    assert Talk().delete("NotFound").install().delete("Failed").update(signer).names == []
    assert Talk().delete("NotFound").install().install(CSMS).delete().update(signer).names == []


def test_a_signer_needs_a_certificate_that_holds():
    assert Talk().update("no certificate").names == [
        "firmware of a signer without a certificate accepted"
    ]
    assert Talk().update(EXPIRED_CERTIFICATE).names == ["firmware of an expired signer accepted"]
    # Without a signer it is the other, unsecured update, which a station may know.
    assert Talk().update("").names == []
    assert Talk().update("MIIB" * 100).names == []


def test_less_is_made_of_it_where_no_certificates_are_in_use():
    weights = [Talk(n).update("x").model.objections[0].weight for n in range(4)]
    assert weights == [Weight.MEDIUM, Weight.MEDIUM, Weight.HIGH, Weight.HIGH]


EMPTY = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("chain", ["lab", EMPTY, "", LAB_ROOT, EXPIRED_CERTIFICATE, SIGNER])
def test_nothing_of_ours_is_a_certificate_of_the_station(chain):
    answered = [
        Talk().ask("CertificateSigned", {"certificateChain": chain}, status).names
        for status in ("Accepted", "Rejected")
    ]
    words = "that cannot be read" if len(chain) < 99 else "of another key"
    assert answered == [[f"certificate {words} accepted"], []]


def test_what_may_be_a_certificate_of_the_station_is_left_to_it():
    other = LAB_ROOT.replace("MII", "MIJ")
    assert Talk().ask("CertificateSigned", {"certificateChain": other}).names == []
