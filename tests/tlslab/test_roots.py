import pytest

from tlslab.describe import Description, KeyKind
from tlslab.notes import NotAsked, Unfinished
from tlslab.pki import issue
from tlslab.rehearsal import BEGAN
from tlslab.roots import (
    additional_check,
    delete,
    find,
    hash_data,
    install,
    installed,
    listed,
    second,
    serial_of,
)


async def test_an_installed_root_is_listed_found_and_gone_afterwards(bench):
    await bench.settle()
    async with installed(bench) as trust:
        data = find(await listed(bench), trust.root.certificate)
        assert data is not None
        assert serial_of(data) == f"{trust.root.x509.serial_number:x}"
    assert find(await listed(bench), trust.root.certificate) is None
    assert len(await listed(bench)) == 1


async def test_a_root_is_gone_even_when_the_case_breaks_off(bench):
    await bench.settle()
    with pytest.raises(Unfinished):
        async with installed(bench):
            raise Unfinished("enough")
    assert len(await listed(bench)) == 1


async def test_a_second_root_is_signed_by_the_first_only_where_that_is_wanted(bench):
    alone = second(bench, "alone").root.x509
    under = second(bench, "under", signed=True).root.x509
    assert alone.issuer == alone.subject
    assert under.issuer == bench.authority.root.x509.subject
    bench.authority = None
    with pytest.raises(NotAsked):
        second(bench, "under", signed=True)


async def test_where_one_root_replaces_another_no_second_one_is_installed(bench):
    bench.server.papers.checks_roots = True
    assert await additional_check(bench)
    with pytest.raises(NotAsked):
        async with installed(bench):
            pass


@pytest.mark.parametrize(("algorithm", "length"), [("SHA256", 64), ("SHA384", 96), ("SHA512", 128)])
def test_hash_data_is_the_same_for_pem_and_der(algorithm, length):
    root = issue(Description("r", is_ca=True, key=KeyKind.EC_P256), now=BEGAN)
    data = hash_data(root.certificate, root.certificate, algorithm)
    assert data == hash_data(root.der, root.der, algorithm)
    assert len(data["issuerKeyHash"]) == length


def test_a_serial_number_is_compared_without_case_and_leading_zeros():
    assert serial_of({"serialNumber": "00AB"}) == "ab"
    assert serial_of({"serialNumber": "0"}) == "0"


async def test_garbage_is_rejected_and_what_is_not_there_is_not_found(bench):
    await bench.settle()
    assert await install(bench, "nothing") == "Rejected"
    absent = second(bench, "absent").root.certificate
    assert await delete(bench, hash_data(absent, absent)) == "NotFound"
