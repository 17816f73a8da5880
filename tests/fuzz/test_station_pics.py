import pytest

from fuzz.errors import UsageError
from fuzz.station.pics import known_pics, load_pics


def test_the_reference_station_has_two_evses_with_one_connector_each():
    pics = load_pics("dc-2evse-ccs1")
    assert pics.each_connector() == ((1, 1), (2, 1))
    assert (pics.vendor, pics.model, pics.serial) == (
        "ocppfuzz-lab",
        "dc-2evse-ccs1",
        "OCPPFUZZ0001",
    )


def test_every_known_file_can_be_read():
    assert [load_pics(name).name for name in known_pics()] == list(known_pics())


@pytest.mark.parametrize("name", ["none", "", "../dc-2evse-ccs1"])
def test_an_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(UsageError, match="dc-2evse-ccs1"):
        load_pics(name)
