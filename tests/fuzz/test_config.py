"""Options come out of the file and the flags as meant, or are refused with what would be possible."""

from pathlib import Path

import pytest

from fuzz.config import (
    EFFECTS,
    TABLES,
    ConfigError,
    Identity,
    RegressOptions,
    RunOptions,
    campaign_hash,
    host_and_port,
    is_loopback,
    load_config,
    load_regress,
    password_of,
)
from fuzz.records import Effect


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OCPPFUZZ_PASSWORD", raising=False)


@pytest.fixture
def write(tmp_path):
    def write(text: str) -> Path:
        file = tmp_path / "ocppfuzz.toml"
        file.write_text(text)
        return file

    return write


def test_without_a_file_and_flags_the_embedded_station_is_attacked_for_a_minute():
    options = load_config()
    assert options == RunOptions()
    assert options.embedded
    assert (options.max_time_s, options.security_profile, options.tier) == (60, 3, "full")


def test_the_file_in_the_current_folder_is_read_and_flags_lie_over_it(write):
    write('[run]\nseed = 1\nmax_time_s = 5\nonly = ["Reset"]\n[policy]\nstrict = true\n')
    options = load_config(flags={"seed": 2})
    assert (options.seed, options.max_time_s, options.only, options.strict) == (
        2,
        5.0,
        ("Reset",),
        True,
    )


@pytest.mark.parametrize(("given", "pics"), [("x.toml", "{}/x.toml"), ("ac", "ac")])
def test_a_pics_file_starts_at_the_folder_too_and_a_name_is_none(tmp_path, given, pics):
    file = tmp_path / "my.toml"
    file.write_text(f"[run]\npics = '{given}'")
    assert load_config(file).pics == pics.format(tmp_path)


def test_paths_in_the_file_start_at_its_folder(tmp_path):
    (tmp_path / "lab").mkdir()
    file = tmp_path / "lab" / "a.toml"
    file.write_text('[run]\nfindings = "out"\n')
    assert load_config(file).findings_dir == tmp_path / "lab" / "out"


def test_every_field_that_is_no_single_call_decision_has_a_key():
    keyed = {field for keys in TABLES.values() for field in keys.values()}
    assert set(RunOptions.__slots__) - keyed == {"resume", "plan", "self_test"}


def test_the_effects_are_those_of_the_records():
    assert tuple(e.value for e in Effect) == EFFECTS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[runs]", "unknown table in .*: 'runs'; did you mean run?"),
        (
            "[run]\nmax_case = 1",
            r"unknown key in \[run\] of .*: 'max_case'; did you mean max_cases",
        ),
        ("[policy]\nxyz = 1", r"'xyz'; known: allow, strict, oracles, edition"),
        ("run = 1", r"run is not a table; write \[run\]"),
        ("[run]\ncatcher = '8088'", "'8088' is not HOST:PORT"),
        ("[run]\nseed = 'a'", r"\[run\] seed in .* is of type str; write int"),
        ("[run]\nseed = true", "is of type bool; write int"),
        ("[run]\nonly = 'Reset'", "is not a list of strings"),
        ("[run]\nonly = [1]", "is not a list of strings"),
        ("[run]\nonly = ['reset']", "unknown action: 'reset'; did you mean Reset?"),
        ("[run]\nphases = ['systemtic']", "unknown phase: 'systemtic'; did you mean systematic?"),
        ("[run]\ntier = 'fill'", "unknown tier: 'fill'; did you mean full?"),
        ("[run]\nmax_time_s = 0", "--max-time is 0.0; it must be above 0"),
        ("[run]\nmax_time_s = nan", "--max-time is nan; it must be above 0"),
        ("[run]\nmax_time_s = inf", "--max-time is inf; it must be above 0"),
        ("[run]\nseed = -1", "seed is -1; it must be 0 or more"),
        ("[policy]\nallow = ['persistant']", "did you mean persistent?"),
        ("[policy]\nedition = 'ed2'", "unknown edition: 'ed2'; did you mean ed3?"),
        ("[target]\nsecurity_profile = 4", "unknown security profile 4; known: 0, 1, 2, 3"),
        ("[target]\nlisten = '127.0.0.1'", "is not HOST:PORT"),
        ("[target]\nlisten = '127.0.0.1:99999'", "is not HOST:PORT"),
        ("[target]\nlisten = '127.0.0.1:²'", "is not HOST:PORT"),
        ("[target]\nurl = 'http://x/'", "is no ws or wss URL"),
        ("[target]\nurl = 'ws://[::1/'", "is not a URL"),
        ("[target]\nurl = 'ws://a:b@127.0.0.1/'", "a password does not belong into the URL"),
        ("[target]\nurl = 'ws://127.0.0.1/{identity}'", "no identity is given"),
        ("[target]\nurl = 'ws://127.0.0.1/'\nsecurity_profile = 3", "does not go with ws"),
        ("[target]\nurl = 'ws://127.0.0.1/'\nlisten = '127.0.0.1:1'", "exclude each other"),
        ("[target]\nstart_cmd = 'x'", "the embedded station is ours"),
        ("[target]\nlisten = '127.0.0.1:1'\n[run]\ndefects = ['P01']", "embedded station only"),
        ("[target]\ncert = 'x'", "cert and key belong together"),
        ("[target]\nurl = 'ws://127.0.0.1/'\n[run]\npics = 'x'", "pics tells of a station"),
        ("[target", "is not readable as TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_could(write, text, message):
    with pytest.raises(ConfigError, match=message):
        load_config(write(text))


def test_a_number_of_cases_alone_is_the_whole_budget(write):
    assert load_config(flags={"max_cases": 5}).max_time_s is None
    assert load_config(flags={"max_cases": 5, "max_time_s": 9.0}).max_time_s == 9


def test_a_file_that_is_named_must_exist():
    with pytest.raises(ConfigError, match=r"cannot read none\.toml: No such file"):
        load_config(Path("none.toml"))


@pytest.mark.parametrize("place", ["listen = '192.0.2.1:9000'", "listen = '0.0.0.0:9000'"])
def test_beyond_loopback_authorisation_and_identity_are_needed(write, place):
    for rest in ("", "authorized = true", "identity = 'CS-1'"):
        with pytest.raises(ConfigError, match="is beyond loopback: write identity and authorized"):
            load_config(write(f"[target]\n{place}\n{rest}\n"))
    options = load_config(write(f"[target]\n{place}\nauthorized = true\nidentity = 'CS-1'\n"))
    assert options.identity == "CS-1"


def test_a_listener_named_by_a_flag_takes_the_place_of_a_target_in_the_file(write):
    write("[target]\nurl = 'ws://127.0.0.1:1/'\nidentity = 'CS-1'\n")
    options = load_config(flags={"listen": "127.0.0.1:9000"})
    assert (options.listen, options.target, options.identity) == ("127.0.0.1:9000", None, "CS-1")


@pytest.mark.parametrize(
    ("keys", "profile"),
    [
        ("url = 'ws://127.0.0.1/'", 0),
        ("url = 'ws://127.0.0.1/'\npassword_file = 'p.txt'", 1),
        ("url = 'wss://127.0.0.1/'", 2),
        ("url = 'wss://127.0.0.1/'\ncert = 'c'\nkey = 'k'", 3),
        ("listen = '127.0.0.1:9000'", 3),
    ],
)
def test_the_security_profile_follows_from_what_is_given(write, tmp_path, keys, profile):
    (tmp_path / "p.txt").write_text("secret")
    assert load_config(write(f"[target]\n{keys}\n")).security_profile == profile


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("localhost.example", False),
        ("10.0.0.1", False),
    ],
)
def test_only_this_machine_is_loopback(host, expected):
    assert is_loopback(host) is expected


def test_an_ipv6_address_is_written_in_brackets():
    assert host_and_port("[::1]:9000") == ("::1", 9000)


def test_the_password_comes_from_file_or_environment_and_is_no_option(tmp_path):
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert password_of(RunOptions(password_file=file), {"OCPPFUZZ_PASSWORD": "other"}) == "secret"
    assert password_of(RunOptions(), {"OCPPFUZZ_PASSWORD": "other"}) == "other"
    assert password_of(RunOptions(), {}) is None


@pytest.mark.parametrize("text", ["", "two\nlines\n", "\n"])
def test_a_password_file_holds_exactly_one_line(tmp_path, text):
    file = tmp_path / "password"
    file.write_text(text)
    with pytest.raises(ConfigError, match="must hold exactly one line"):
        password_of(RunOptions(password_file=file), {})


def test_the_campaign_is_the_same_when_only_its_display_or_budget_differs():
    same = RunOptions(quiet=True, max_time_s=5, findings_dir=Path("x"), resume=True, seed=4)
    assert campaign_hash(same) == campaign_hash(RunOptions())
    assert campaign_hash(RunOptions(only=("Reset",))) != campaign_hash(RunOptions())


# --- regress ------------------------------------------------------------------------------------------------


def test_regress_has_a_table_of_its_own_and_identities(write, tmp_path):
    file = write(
        '[regress]\nmode = "nightly"\nlock = "ci/a.lock"\nwait_ready_s = 30\n'
        '[[identities]]\nidentity = "CS-1"\nsecurity_profile = 3\ncert_env = "C"\nkey_env = "K"\n'
    )
    wanted = load_regress(file, {"fail_on": "low"})
    assert wanted == RegressOptions(
        mode="nightly",
        lock=tmp_path / "ci/a.lock",
        wait_ready_s=30.0,
        fail_on="low",
        identities=(Identity("CS-1", 3, cert_env="C", key_env="K"),),
    )
    assert load_config(file) == RunOptions()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[regress]\nmode = 3", "mode in .* is of type int; write str"),
        ('[regress]\nmode = "daily"', "unknown mode: 'daily'; did you mean nightly"),
        ("[regress]\nfailon = 1", "unknown key in .regress. of .*: 'failon'; did you mean fail_on"),
        ("[regress]\nwait_ready_s = 0", "--wait-ready is 0.0; it must be above 0"),
        ("[identities]\nidentity = 'a'", r"write \[\[identities\]\]"),
        ("[[identities]]\nidentty = 'a'", "did you mean identity"),
        ("[[identities]]\npassword_env = 'a'", r"\[\[identities\]\] 1 in .* has no identity"),
        ("[[identities]]\nidentity = 'a'\nkey = 'k'", "a secret does not belong into the file"),
        ("[[identities]]\nidentity = 'a'\nkey_env = 'K'", "cert_env and key_env belong together"),
        ("[[identities]]\nidentity = 'a'\nsecurity_profile = 7", "unknown security profile 7"),
    ],
)
def test_what_regress_cannot_mean_is_refused_with_its_place(write, text, said):
    with pytest.raises(ConfigError, match=said):
        load_regress(write(text))


def test_the_environment_variable_of_the_password_can_be_named():
    options = RunOptions(password_env="CS1_PW")
    assert password_of(options, {"CS1_PW": "one", "OCPPFUZZ_PASSWORD": "two"}) == "one"
    assert password_of(options, {"OCPPFUZZ_PASSWORD": "two"}) is None
