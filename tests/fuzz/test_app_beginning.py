"""What `init` writes is what the loader and the schema take, whatever was answered."""

import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest
from hypothesis import given, strategies as st

from fuzz.app import beginning
from fuzz.app.beginning import Answers, checked_answers, file_text
from fuzz.app.config_schema import config_schema
from fuzz.config import ConfigError, load_config, load_regress
from fuzz.errors import UsageError
from fuzz.policy.failing import fail_on

VALIDATOR = jsonschema_rs.Draft7Validator(config_schema())
REACHED = {
    "station": ("127.0.0.1:9000", "[::1]:1", "0.0.0.0:9000", "cs.example:65535"),
    "csms": ("ws://127.0.0.1:1/{identity}", "wss://csms.example/ocpp/{identity}", "wss://[::1]/x"),
    "embedded": ("",),
}
FILES = st.sampled_from([Path("root.pem"), Path("/abs/a b.pem"), Path("sub/ü'\".pem")])


@st.composite
def answers(draw):
    side = draw(st.sampled_from(list(beginning.SIDES)))
    reach = draw(st.sampled_from(REACHED[side]))
    profile = draw(st.sampled_from(beginning.profiles_for(side, reach)))
    sources = beginning.certificates_for(side, profile) or ("lab",)
    return Answers(
        side=side,
        reach=reach,
        identity=draw(st.from_regex(r"\A[^:\W]{1,48}\Z|\A[\"'\\#=\[{]{1,9}\Z")),
        authorized=beginning.beyond_loopback(side, reach),
        security_profile=profile,
        certificates=draw(st.sampled_from(sources)),
        ca=draw(FILES),
        cert=draw(FILES),
        key=draw(FILES),
        strictness=draw(st.sampled_from(list(beginning.STRICTNESS))),
    )


def enabled(text: str) -> str:
    """The file with every disabled line switched on."""
    return re.sub(r"^#(?=\w+ = )", "", text, flags=re.M)


@given(answers())
def test_what_is_written_is_taken_by_loader_and_schema(tmp_path_factory, given_):
    file = tmp_path_factory.getbasetemp() / "made.toml"
    for text in (
        file_text(checked_answers(given_), file.parent),
        enabled(file_text(given_, file.parent)),
    ):
        file.write_text(text, "utf-8")
        assert VALIDATOR.is_valid(tomllib.loads(text))
        options, regress = load_config(file), load_regress(file)
        assert options.security_profile == given_.security_profile
        assert options.strict is (given_.strictness == "strict")
        assert {"station": options.listen, "csms": options.target, "embedded": ""}[
            given_.side
        ] == given_.reach
        fail_on(regress.fail_on)


@given(answers())
def test_the_file_begins_with_its_schema_and_explains_every_line(given_):
    lines = file_text(given_, Path()).splitlines()
    assert lines[0] == "#:schema ./ocppfuzz.schema.json"
    assert [line for line in lines[3:] if line and line[0] != "[" and " # " not in line] == []


def test_paths_are_seen_from_the_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = Answers(security_profile=2, certificates="own", cert=Path("c.pem"), key=Path("/k.pem"))
    Path("lab").mkdir()
    beginning.init(own, Path("lab/a.toml"), force=False)
    options = load_config(Path("lab/a.toml"))
    assert options.cert is not None
    assert options.cert.resolve() == tmp_path / "c.pem"
    assert options.key == Path("/k.pem")


def test_a_file_is_overwritten_only_by_force_and_nothing_else_is_touched(tmp_path):
    file = tmp_path / "ocppfuzz.toml"
    file.write_text("mine")
    with pytest.raises(UsageError, match="is there already; --force"):
        beginning.init(Answers(), file, force=False)
    assert [f.name for f in tmp_path.iterdir()] == ["ocppfuzz.toml"]
    assert file.read_text() == "mine"
    beginning.init(Answers(), file, force=True)
    assert load_config(file).listen == "127.0.0.1:9000"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"side": "both"}, "unknown side: both; possible: station, csms, embedded"),
        ({"reach": "9000"}, "'9000' is not HOST:PORT"),
        ({"reach": "0.0.0.0:9000"}, "is beyond loopback"),
        ({"identity": "a:b"}, "identity 'a:b' is none"),
        ({"identity": "x" * 49}, "1 to 48 visible characters"),
        ({"identity": "\udcff"}, "is none"),
        ({"security_profile": 7}, "possible: 1, 2, 3, 0"),
        ({"security_profile": 2, "certificates": "system"}, "possible: lab, own"),
        ({"security_profile": 2, "certificates": "own"}, "need cert; give --cert"),
        ({"strictness": "very"}, "possible: lenient, usual, strict"),
    ],
)
def test_answers_that_do_not_go_together_are_refused(wrong, said):
    with pytest.raises(ConfigError, match=re.escape(said)):
        checked_answers(Answers(**wrong))
