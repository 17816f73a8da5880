from fuzz.station.bench import Bench


def test_no_vendor_is_known():
    for data in (None, 5, "x" * 100_000, {"deep": [[]]}):
        answer = Bench().boot().ask("DataTransfer", {"vendorId": "v", "data": data})
        assert answer == [3, "q", {"status": "UnknownVendorId"}]


def test_of_the_own_vendor_no_message_is_known():
    answer = Bench().boot().ask("DataTransfer", {"vendorId": "ocppfuzz-lab", "messageId": "m"})
    assert answer[2] == {"status": "UnknownMessageId"}


def test_there_is_no_cache_to_clear():
    answer = Bench().boot().ask("ClearCache", {})
    assert answer[2] == {"status": "Rejected", "statusInfo": {"reasonCode": "NotEnabled"}}
