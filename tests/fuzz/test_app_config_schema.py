"""The schema of `ocppfuzz.toml` says what the loader says, and lies in the package as it is made."""

import json

import jsonschema_rs
import pytest
import tomlkit
from hypothesis import given, strategies as st

from fuzz.app.config_schema import (
    EXAMPLES,
    IDENTITIES,
    KEPT_FILE,
    TEXTS,
    config_schema,
    example,
    schema_text,
)
from fuzz.config import (
    EDITIONS,
    EFFECTS,
    MODES,
    PHASES,
    TABLES,
    TIERS,
    ConfigError,
    load_config,
    load_regress,
)

VALIDATOR = jsonschema_rs.Draft7Validator(config_schema())
ALONE = ("listen", "url", "cert", "key", "defects", "decoys", "start_cmd", "restart_cmd")
"""Keys whose sense hangs on other keys, which is the loader's business."""
KEYS = [(t, k) for t, keys in TABLES.items() for k in keys if k not in ALONE and k != "catcher"]
WORDS = (*PHASES, *TIERS, *EDITIONS, *EFFECTS, *MODES, "Reset", "Rset", "x", "")
VALUES = st.one_of(
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([-0.5, 0.5, 60.5]),
    st.sampled_from(WORDS),
    st.lists(st.sampled_from(WORDS), max_size=2),
    st.lists(st.integers(0, 1), min_size=1, max_size=1),
    st.just({"a": 1}),
)


def test_the_kept_file_is_the_generated_one():
    assert KEPT_FILE.read_text("utf-8") == schema_text(), (
        f"write it anew: ocppfuzz show config-schema > {KEPT_FILE.name}"
    )


def test_the_schema_is_one():
    jsonschema_rs.meta.validate(json.loads(schema_text()))


def test_every_key_has_a_text_and_something_to_write():
    assert {t: set(keys) for t, keys in TEXTS.items() if t != IDENTITIES} == {
        t: set(keys) for t, keys in TABLES.items()
    }
    assert [k for t, keys in TABLES.items() for k in keys if example(t, k) in (None, "", [])] == []


def test_no_example_is_left_over():
    assert set(EXAMPLES) - {key for keys in TABLES.values() for key in keys} == set()


@given(st.sampled_from(KEYS), VALUES)
def test_a_key_with_a_value_is_valid_where_the_loader_takes_it(tmp_path_factory, place, value):
    table, key = place
    file = tmp_path_factory.getbasetemp() / "one.toml"
    file.write_text(tomlkit.dumps({table: {key: value}}))
    try:
        load_config(file)
        load_regress(file)
        taken = True
    except ConfigError:
        taken = False
    assert VALIDATOR.is_valid({table: {key: value}}) is taken


@pytest.mark.parametrize(
    ("document", "valid"),
    [
        ({}, True),
        ({"runs": {}}, False),
        ({"run": {"sed": 1}}, False),
        ({"target": {"listen": "127.0.0.1:9000", "url": "ws://127.0.0.1/"}}, False),
        ({"target": {"cert": "c.pem"}}, False),
        ({"target": {"cert": "c.pem", "key": "k.pem"}}, True),
        ({"identities": [{"identity": "CS-2", "password_env": "P"}]}, True),
        ({"identities": [{"password_env": "P"}]}, False),
        ({"identities": [{"identity": "CS-2", "key_env": "P"}]}, False),
        ({"identities": {"identity": "CS-2"}}, False),
    ],
)
def test_what_belongs_together_is_asked_for(document, valid):
    assert VALIDATOR.is_valid(document) is valid
