"""The abstract tells the result of each certification profile and the answer times, and what it is not."""

from fuzz.report.abstract import DISCLAIMER, Abstract, ProfileCount, Row, Timing, abstract_lines


def shown(**given):
    made = {
        "subject": {"Vendor": "v\x1b[31m", "Model": ""},
        "profiles": (ProfileCount("Core", 3, 0, 0, 2),),
        "rows": (),
        "judgements": (),
        "timings": (),
        "seconds": 12.4,
    }
    return "\n".join(line.text for line in abstract_lines(Abstract(**{**made, **given})))


def test_it_says_that_it_is_no_certification_result():
    assert DISCLAIMER in shown()
    assert "not an OCA certification result" in DISCLAIMER


def test_strings_of_the_station_have_no_power_over_the_terminal():
    text = shown(rows=(Row("TC_B_01", "failed", "came: \x1b[2J"),))
    assert "\x1b" not in text
    assert "v\\x1b[31m" in text
    assert "came: \\x1b[2J" in text
    assert "Model   not said" in text


def test_a_profile_passes_when_everything_was_played_and_nothing_failed():
    assert ProfileCount("Core", 3, 0, 0, 2).verdict == "Pass"
    assert ProfileCount("Core", 3, 1, 1, 2).verdict == "Fail"
    assert ProfileCount("Core", 3, 0, 1, 2).verdict == "Incomplete"
    assert ProfileCount("Core", 0, 0, 0, 2).verdict == "Incomplete"


def test_times_have_minimum_maximum_and_average():
    text = shown(timings=(Timing("Response", 10, (0.1, 0.2, 0.6)), Timing("Stop", 30)))
    assert "0.100" in text
    assert "0.600" in text
    assert "0.300" in text
    assert text.count("not measurable") == 3
    assert "exceeded" not in text


def test_a_time_beyond_the_limit_is_marked():
    assert "10 (exceeded)" in shown(timings=(Timing("Response", 10, (11.0,)),))


def test_judgements_are_listed_and_a_partial_run_says_so():
    text = shown(judgements=(Row("TC_A_11", "passed", "this holds"),), all_tests=False)
    assert "TC_A_11: this holds" in text
    assert "Only some of the tests" in text
    assert "Only some of the tests" not in shown()
