import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from tlslab.describe import Digest, KeyKind
from tlslab.keys import kind_of, new_key, pem_of, sign
from tlslab.pki import load_key

QUICK = [kind for kind in KeyKind if kind is not KeyKind.RSA_3072]


@pytest.fixture(scope="module")
def keys():
    return {kind: new_key(kind) for kind in QUICK}


@pytest.mark.parametrize("kind", QUICK)
def test_a_new_key_is_of_its_kind_and_survives_pem(keys, kind):
    key = keys[kind]
    assert kind_of(key.public_key()) is kind
    assert load_key(pem_of(key)).public_key() == key.public_key()


@pytest.mark.parametrize("kind", QUICK)
@pytest.mark.parametrize("digest", [Digest.MD5, Digest.SHA1, Digest.SHA256])
def test_every_kind_signs_with_every_hash_that_fits(keys, kind, digest):
    key, data = keys[kind], b"to be signed"
    signature = sign(key, data, digest)
    used = getattr(hashes, digest.name)()
    match key.public_key():
        case rsa.RSAPublicKey() as public:
            public.verify(signature, data, padding.PKCS1v15(), used)
        case ec.EllipticCurvePublicKey() as public:
            public.verify(signature, data, ec.ECDSA(used))
        case ed25519.Ed25519PublicKey() as public:
            public.verify(signature, data)


def test_a_key_of_another_size_counts_as_the_usual_kind_of_its_family():
    assert kind_of(ec.generate_private_key(ec.SECP521R1()).public_key()) is KeyKind.EC_P256
    assert kind_of(rsa.generate_private_key(65537, 1536).public_key()) is KeyKind.RSA_2048
