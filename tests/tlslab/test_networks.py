from tlslab.networks import prefer, put, reset, slots


async def test_a_free_slot_is_one_that_is_not_in_the_priority(bench):
    await bench.settle()
    known = await slots(bench)
    assert (known.before, known.free) == ("0", 1)
    assert await prefer(bench, known.free, known.before) == "Accepted"
    assert bench.server.papers.priority == "1,0"


async def test_a_lower_profile_is_rejected_and_a_reset_begins_anew(bench):
    await bench.settle()
    assert await put(bench, 1, "ws://csms.test/", 1) == "Rejected"
    booted = bench.session.booted
    await reset(bench)
    assert bench.session.booted == booted + 1
    assert not bench.session.connected
