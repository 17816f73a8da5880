import json

from hypothesis import given, strategies as st

from fuzz.station.backoff import Backoff, Limits
from fuzz.station.bench import Bench
from fuzz.station.dialling import Dialling, Profile

FIRST = Profile("ws://first", 1)


def dialling(priority="0,1,2", attempts=2, level=1, *, down=False, anew=False):
    backoff = Backoff(lambda: Limits(10, 0, 5), lambda: 0.0)
    return Dialling(
        Profile("ws://first", level),
        backoff,
        priority=lambda: priority,
        attempts=lambda: attempts,
        may_go_down=lambda: down,
        anew_when_lost=anew,
    )


def tried(station, count):
    """The slots of the next attempts, all of which fail."""
    slots = []
    for _ in range(count):
        slots.append(station.choice.slot)
        station.failed()
    return slots


def add(station, profiles):
    """What SetNetworkProfile lets through."""
    station.profiles |= {
        slot: profile
        for slot, profile in profiles.items()
        if station.reaches(profile.security_profile)
    }


def started(**options):
    station = dialling(**options)
    station.begin()
    station.worked()
    station.profiles |= {1: Profile("ws://one", 1), 2: Profile("wss://two", 2)}
    return station


profiles = st.dictionaries(
    st.integers(0, 3),
    st.builds(
        Profile,
        st.sampled_from(["ws://a", "ws://b", "wss://c"]),
        st.integers(1, 3),
        st.integers(0, 90),
    ),
    max_size=4,
)
priorities = st.lists(st.integers(0, 4), unique=True, max_size=5).map(
    lambda slots: ",".join(map(str, slots))
)


def test_after_a_start_each_slot_has_its_attempts_and_then_the_last_that_worked_for_ever():
    station = started()
    station.begin()
    assert tried(station, 9) == [0, 0, 1, 1, 2, 2, 0, 0, 0]


def test_a_station_that_never_connected_begins_again_with_the_first_slot():
    station = dialling(priority="1,0")
    station.profiles[1] = Profile("ws://one", 1)
    station.begin()
    assert tried(station, 6) == [1, 1, 0, 0, 1, 1]


def test_a_lost_connection_is_dialled_again_at_the_same_place():
    station = started(priority="1,0")
    station.begin()
    station.worked()
    station.lost()
    assert tried(station, 4) == [1, 1, 1, 1]


def test_by_the_errata_a_lost_connection_begins_with_the_first_slot():
    station = started(anew=True)
    station.begin()
    tried(station, 2)
    assert station.worked()
    station.lost()
    assert tried(station, 3) == [0, 0, 1]


def test_a_higher_profile_that_worked_empties_the_lower_slots():
    station = started(priority="2,0")
    station.begin()
    assert station.worked()
    assert (station.security_profile, list(station.profiles)) == (2, [2])
    station.begin()
    assert tried(station, 5) == [2] * 5


def test_a_higher_profile_that_did_not_work_changes_nothing():
    station = started(priority="2,0")
    station.begin()
    assert tried(station, 2) == [2, 2]
    assert not station.worked()
    assert station.security_profile == 1


def test_a_change_of_the_slot_in_use_counts_after_a_start_and_leaves_a_way_back():
    station = started(priority="0")
    station.profiles[0] = Profile("ws://new", 1)
    station.lost()
    assert station.choice.profile.url == "ws://first"
    station.begin()
    urls = []
    for _ in range(4):
        urls.append(station.choice.profile.url)
        station.failed()
    assert urls == ["ws://new", "ws://new", "ws://first", "ws://first"]


def test_the_way_back_survives_a_start_of_the_process():
    station = started(priority="0")
    station.profiles[0] = Profile("ws://new", 1)
    again = dialling(priority="0")
    again.restore(station.lasting())
    again.begin()
    tried(again, 2)
    assert again.choice.profile == FIRST
    tried(again, 9)
    assert again.choice.profile == FIRST


def test_down_from_3_to_2_is_open_only_when_it_is_allowed_and_never_to_1():
    for down in (False, True):
        station = dialling(level=3, down=down)
        assert [station.reaches(level) for level in (1, 2, 3)] == [False, down, True]
    station.profiles[1] = Profile("wss://one", 2)
    station._priority = lambda: "1,0"
    station.begin()
    station.worked()
    assert station.security_profile == 2


def test_waits_grow_over_all_slots_and_are_short_again_after_success():
    station = started()
    station.begin()
    assert [station.failed() for _ in range(4)] == [10, 20, 40, 80]
    station.worked()
    assert station.lost() == 10


@given(
    profiles,
    priorities,
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
    st.lists(st.sampled_from(["begin", "fail", "work", "lose"]), max_size=40),
)
def test_whatever_fails_there_is_always_something_to_dial_and_never_below(
    given_profiles, priority, attempts, level, anew, events
):
    station = dialling(priority, attempts, level, anew=anew)
    station.begin()
    station.worked()
    add(station, given_profiles)
    for event in events:
        before = station.security_profile
        match event:
            case "begin":
                station.begin()
            case "fail":
                assert station.failed() >= 10
            case "work":
                station.worked()
            case "lose":
                assert station.lost() >= 10
        assert station.choice.profile.security_profile >= station.security_profile >= before
        assert station.choice.profile.url


@given(profiles, priorities, st.integers(1, 3))
def test_what_lasts_comes_back(given_profiles, priority, level):
    station = dialling(priority, 2, level)
    station.begin()
    station.worked()
    add(station, given_profiles)
    station.begin()
    station.worked()
    again = dialling(priority, 2, level)
    again.restore(json.loads(json.dumps(station.lasting())))
    assert again.profiles == station.profiles
    assert again.security_profile == station.security_profile
    for each in (station, again):
        each.begin()
    assert tried(again, 12) == tried(station, 12)


values = st.none() | st.booleans() | st.integers() | st.text(max_size=3)


@given(
    st.dictionaries(
        st.sampled_from(["slots", "first", "last", "securityProfile"]),
        values
        | st.dictionaries(
            st.sampled_from(["0", "1", "x", "slot", "url", "securityProfile", "messageTimeout"]),
            values | st.dictionaries(st.sampled_from(["url", "securityProfile"]), values),
        ),
    )
)
def test_a_broken_state_leaves_a_station_that_dials(state):
    station = dialling()
    station.restore(state)
    station.begin()
    tried(station, 5)
    assert station.choice.profile.url is not None


def test_the_back_off_variables_count_at_once():
    bench = Bench().boot()
    for name in ("RetryBackOffWaitMinimum", "RetryBackOffRandomRange"):
        item = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": name}}
        bench.ask("SetVariables", {"setVariableData": [{**item, "attributeValue": "3"}]})
    bench.lose()
    assert bench.station.deadline == bench.now + 4.5
