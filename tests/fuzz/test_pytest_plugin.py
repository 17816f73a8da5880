"""The plugin as pytest runs it, in memory: nothing here opens a socket."""

import sys
from pathlib import Path

import pytest

# pytester forgets what is imported within it; a registry must not be filled twice.
import strategies.payloads  # noqa: F401
import tlslab.cases  # noqa: F401
from fuzz import pytest_entry, pytest_plugin
from fuzz.app import piecemeal
from fuzz.app.piecemeal import Fate, Outcome

pytest_plugins = ["pytester"]

ENTRY = (
    *("-p", "no:ocppfuzz", "-p", "fuzz.pytest_entry"),
    *("-p", "no:randomly", "-o", "asyncio_default_fixture_loop_scope=function"),
)
"""The module itself in the place of its installed copy, which may be an older one."""


class Told:
    """A desk that was told what becomes of each piece."""

    fates: dict[str, Outcome]
    attacked = "Charging Station of a test"

    def __init__(self, _options, _pieces, _say):
        pass

    def play(self, piece):
        return self.fates.get(piece.name, Outcome(Fate.PASSED))

    def close(self):
        pass


@pytest.fixture
def corpus(pytester) -> Path:
    """Two cases of the product's own corpus, where pytest is run."""
    folder = pytester.path / "corpus" / "schema"
    folder.mkdir(parents=True)
    ours = Path(__file__).parents[2] / "corpus" / "schema"
    for name in ("list-empty.json", "missing-member.json"):
        (folder / name).write_bytes((ours / name).read_bytes())
    return folder


@pytest.fixture
def fated(monkeypatch):
    """Decides what becomes of pieces."""

    def decide(**fates: Outcome) -> None:
        Told.fates = {f"schema/{name.replace('_', '-')}": fate for name, fate in fates.items()}
        monkeypatch.setattr(pytest_plugin, "Desk", Told)

    return decide


def test_without_its_option_it_adds_nothing(pytester, corpus):
    pytester.makepyfile("def test_own(): pass")
    done = pytester.runpytest_inprocess(*ENTRY)
    done.assert_outcomes(passed=1)
    done.stdout.no_fnmatch_line("*ocppfuzz attacked*")


def test_each_case_is_a_test_of_its_own_behind_those_of_the_project(pytester, corpus, fated):
    fated()
    pytester.makepyfile("def test_own(): pass")
    done = pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz", "--ocppfuzz-self-test", "-v")
    done.assert_outcomes(passed=3)
    done.stdout.fnmatch_lines(
        [
            "*::test_own PASSED*",
            "ocppfuzz::schema/list-empty PASSED*",
            "*schema/missing-member PASSED*",
        ]
    )
    done.stdout.fnmatch_lines(["ocppfuzz attacked: Charging Station of a test"])


def test_what_a_person_must_do_is_said_past_what_pytest_captures(tmp_path, monkeypatch):
    with (tmp_path / "terminal").open("w") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        aside = pytest_plugin.Aside()
        monkeypatch.setattr(sys, "stdout", None)
        aside.say("dial wss://here")
    aside.close()
    aside.say("too late")
    pytest_plugin.Aside().say("nowhere to say it")
    assert (tmp_path / "terminal").read_text() == "\nocppfuzz: dial wss://here\n"


def test_the_ini_option_asks_for_the_same(pytester, corpus, fated):
    fated()
    pytester.makeini("[pytest]\nocppfuzz = true\n")
    pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz-self-test").assert_outcomes(passed=2)


def test_a_failure_is_told_in_its_own_words_alone(pytester, corpus, fated):
    fated(list_empty=Outcome(Fate.FAILED, "silence (O4)\nagain: ocppfuzz replay x.json"))
    done = pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz", "--ocppfuzz-self-test")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(
        ["*schema/list-empty*", "silence (O4)", "again: ocppfuzz replay x.json"]
    )
    done.stdout.no_fnmatch_line("*Traceback*")
    done.stdout.no_fnmatch_line("*pytest_plugin*")


def test_what_cannot_be_played_is_skipped_with_its_reason(pytester, corpus, fated):
    fated(list_empty=Outcome(Fate.NOT_PLAYED, "it attacks a csms"))
    done = pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz", "--ocppfuzz-self-test", "-rs")
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(["SKIPPED*it attacks a csms"])
    assert done.ret == pytest.ExitCode.OK


def test_a_run_that_played_nothing_is_no_success(pytester, corpus, fated):
    gone = Outcome(Fate.NOT_PLAYED, "gone")
    fated(list_empty=gone, missing_member=gone)
    done = pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz", "--ocppfuzz-self-test")
    assert done.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    done.stdout.fnmatch_lines(["ocppfuzz: nothing was played, so nothing is proven"])


@pytest.mark.parametrize("how", [("-k", "missing"), ("ocppfuzz::schema/missing-member",)])
def test_cases_are_selected_as_tests_are(pytester, corpus, fated, how):
    fated()
    done = pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz", "--ocppfuzz-self-test", "-v", *how)
    done.stdout.fnmatch_lines(["ocppfuzz::schema/missing-member PASSED*"])
    assert done.parseoutcomes()["passed"] == 1


def test_the_telling_handshakes_come_on_request(pytester, corpus, fated):
    fated()
    done = pytester.runpytest_inprocess(
        *ENTRY, "--ocppfuzz", "--ocppfuzz-self-test", "--ocppfuzz-tls", "--collect-only", "-q"
    )
    ids = [line for line in done.outlines if line.startswith("ocppfuzz::tls/")]
    assert "ocppfuzz::tls/TS-33" in ids
    assert 10 < len(ids) < 30


def test_a_colleagues_warnings_filter_does_not_reach_our_threads(pytester, corpus, monkeypatch):
    class Warns(Told):
        def play(self, piece):
            import warnings

            warnings.warn("TLS 1.1 is deprecated", DeprecationWarning, stacklevel=1)
            return Outcome(Fate.PASSED)

    monkeypatch.setattr(pytest_plugin, "Desk", Warns)
    done = pytester.runpytest_inprocess(
        *ENTRY, "--ocppfuzz", "--ocppfuzz-self-test", "-W", "error::DeprecationWarning"
    )
    done.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "no target: name one in [[]target] of ocppfuzz.toml*"),
        (("--ocppfuzz-self-test", "--ocppfuzz-defect", "NOPE"), "unknown defect 'NOPE'; known:*"),
        (("--ocppfuzz-defect", "P05"), "a defect is planted in our own station only*"),
        (("--ocppfuzz-self-test", "--ocppfuzz-config", "x"), "a self-test attacks our own*"),
        (("--ocppfuzz-config", "gone.toml"), "cannot read *gone.toml*"),
        (
            ("--ocppfuzz-self-test", "--ocppfuzz-corpus", "gone"),
            "corpus folder *gone does not exist*",
        ),
        (("--ocppfuzz-self-test", "ocppfuzz::schema/gone"), "not found: ocppfuzz::schema/gone"),
    ],
)
def test_a_mistake_is_one_line_and_a_usage_error(pytester, corpus, given, told):
    done = pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz", *given)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"ERROR: ocppfuzz: {told}"])
    done.stderr.no_fnmatch_line("*Traceback*")


def test_a_target_of_ones_own_is_not_shared_by_processes(pytester, corpus):
    pytester.makefile(".toml", ocppfuzz='[target]\nlisten = "127.0.0.1:9000"\nidentity = "CS-1"\n')
    pytester.makepyfile(
        conftest="""
        import pytest

        @pytest.hookimpl(tryfirst=True)
        def pytest_configure(config):
            config.workerinput = {}
        """
    )
    done = pytester.runpytest_inprocess(*ENTRY, "-p", "no:xdist", "-p", "no:cov", "--ocppfuzz")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: ocppfuzz: one target is for one process; leave -n out"])


def test_a_property_of_ones_own_holds_for_the_station_in_memory(pytester):
    pytester.makepyfile(
        """
        from hypothesis import given, settings, strategies as st
        from fuzz.testing import CallRefused, payloads

        @settings(max_examples=20, deadline=None, database=None)
        @given(payload=payloads("GetVariables"))
        def test_each_variable_is_answered(ocppfuzz_station, payload):
            try:
                answer = ocppfuzz_station.call("GetVariables", payload)
            except CallRefused as refused:
                assert refused.code == "OccurrenceConstraintViolation"
                return
            assert len(answer["getVariableResult"]) == len(payload["getVariableData"])

        @settings(max_examples=5, deadline=None, database=None)
        @given(data=st.data())
        def test_the_fixture_gives_the_same_strategies(ocppfuzz_payloads, data):
            answer = data.draw(ocppfuzz_payloads("ClearCache", "response"))
            assert answer["status"] in ("Accepted", "Rejected")

        def test_it_has_booted(ocppfuzz_station):
            ocppfuzz_station.restart()
            assert ocppfuzz_station.received[0].action == "BootNotification"
        """
    )
    pytester.runpytest_inprocess(*ENTRY).assert_outcomes(passed=3)


def test_a_planted_defect_breaks_a_property_of_ones_own(pytester):
    pytester.makepyfile(
        """
        def test_no_text_is_a_boolean(ocppfuzz_station):
            told = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "Enabled"}, "attributeValue": "perhaps"}
            answer = ocppfuzz_station.call("SetVariables", {"setVariableData": [told]})
            assert answer["setVariableResult"][0]["attributeStatus"] == "Rejected"
        """
    )
    pytester.runpytest_inprocess(*ENTRY).assert_outcomes(passed=1)
    broken = pytester.runpytest_inprocess(*ENTRY, "--ocppfuzz-defect", "P20")
    broken.assert_outcomes(failed=1)


def test_a_project_keeps_its_own_package_of_the_same_name(pytester):
    pytester.mkpydir("fuzz")
    pytester.makepyfile(
        """
        import sys

        def test_own():
            import fuzz
            assert "site-packages" not in fuzz.__file__
            assert fuzz.__file__.startswith({here!r})
        """.replace("{here!r}", repr(str(pytester.path)))
    )
    done = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    done.assert_outcomes(passed=1)


def test_a_package_that_hides_ours_is_named(pytester, monkeypatch):
    other = pytester.mkpydir("fuzz")
    for name in [n for n in sys.modules if n == "fuzz" or n.startswith("fuzz.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(pytester.path)
    with pytest.raises(pytest.UsageError, match="hides that of ocppfuzz") as told:
        pytest_entry._plugin()
    assert str(other) in str(told.value)
    for name in [n for n in sys.modules if n == "fuzz" or n.startswith("fuzz.")]:
        monkeypatch.delitem(sys.modules, name)


def test_without_its_option_nothing_of_the_product_is_imported(pytester):
    pytester.makepyfile(
        """
        import sys

        def test_own():
            assert "ocppfuzz_pytest" in sys.modules
            heavy = {name.partition(".")[0] for name in sys.modules}
            assert not heavy & {"fuzz", "strategies", "tlslab", "cryptography", "scapy", "ocpp", "websockets"}
        """
    )
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_the_installed_copy_is_the_module_itself():
    import ocppfuzz_pytest

    text = Path(ocppfuzz_pytest.__file__).read_text("utf-8")
    assert text == Path(pytest_entry.__file__).read_text("utf-8"), "install the project again"


def test_items_tell_the_command_that_plays_them_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = piecemeal.options_for(config=None, corpus=None, self_test=True, defects=["P05"])
    all_ = {piece.name: piece for piece in piecemeal.pieces(options, None, handshakes=True)}
    assert all_["schema/list-empty"].again.endswith("corpus/schema/list-empty.json --defect P05")
    assert all_["tls/TS-33"].again == "ocppfuzz tls --only TS-33 --defect P05"
