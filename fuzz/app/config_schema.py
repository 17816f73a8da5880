"""The JSON Schema of `ocppfuzz.toml`, made of the options themselves, and what each key is for in a few words.

Knows `fuzz.config` and its types. Must not know who reads the schema, nor how a file comes to be.
`data/ocppfuzz.schema.json` is `ocppfuzz show config-schema`, kept; a test compares the two.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

from fuzz.config import (
    CONFIG_FILE,
    EDITIONS,
    EFFECTS,
    MODES,
    PHASES,
    RANDOM_PHASE,
    SECURITY_PROFILES,
    TABLES,
    TIERS,
    Identity,
    RegressOptions,
    RunOptions,
)
from fuzz.oracles.registry import oracles
from fuzz.pics.loading import known_pics
from strategies.labels import JsonValue
from strategies.version import version

KEPT_FILE = Path(__file__).parent / "data" / "ocppfuzz.schema.json"
IDENTITIES = "identities"

TEXTS: Mapping[str, Mapping[str, str]] = {
    "target": {
        "listen": "HOST:PORT where we wait for the Charging Station that is attacked",
        "url": "ws(s)://host/path/{identity} of the CSMS that is attacked; instead of listen",
        "identity": "identity of the Charging Station, theirs or the one that we play",
        "authorized": "true: you may attack it; asked for beyond loopback",
        "security_profile": "1 Basic, 2 TLS with Basic, 3 TLS with client certificate, 0 none",
        "ca": "root certificate of the peer (PEM)",
        "cert": "our certificate, chain included (PEM)",
        "key": "our private key, unencrypted (PEM)",
        "password_file": "file with the Basic password in its only line",
        "password_env": "environment variable that holds the Basic password",
        "start_cmd": "command that starts the target",
        "restart_cmd": "command, or http://... to post to, that restarts the target",
        "on_stuck": "who brings a target back that stays away: a command, or http://...",
        "operator": "who plugs in: cmd:COMMAND, http://..., class:MODULE:NAME, person",
        "unattended": "true: nobody is asked for anything",
        "wait_s": "how long the target is waited for, in seconds",
    },
    "run": {
        "capture_interface": "network interface whose packets are kept beside findings",
        "seed": "decides every draw; without it one is drawn and printed",
        "max_time_s": "seconds that a campaign may take",
        "max_cases": "cases that a campaign may play",
        "max_exchanges": "messages that a campaign may exchange",
        "fail_fast": "true: stop at the first confirmed finding",
        "phases": "the parts of a campaign, which take turns",
        "tier": "how much of the tables is played; sites: one operator each",
        "only": "only these actions",
        "exclude": "all actions but these",
        "findings": "folder of findings",
        "corpus": "folder of stored cases; without it ./corpus, else ours",
        "defects": "what is planted in the embedded station",
        "decoys": "odd but legal behaviour of the embedded station",
        "pics": "what the station claims: a PICS file, or the name of one of ours",
        "catcher": "HOST:PORT of ours, as the target reaches it, for what injections call",
        "quiet": "true: confirmed findings and the end only",
        "json": "true: the outcome as JSON on stdout",
        "color": "colour, whatever the terminal can",
    },
    "policy": {
        "allow": "what cases may leave behind, beyond nothing and volatile",
        "strict": "true: remarks count as findings",
        "oracles": "only these may speak; ocppfuzz show oracles",
        "edition": "the text of the specification that decides",
    },
    "regress": {
        "mode": "pr: a fixed list; nightly: all phases",
        "fail_on": "what fails a build: a severity, and bases such as leak",
        "handshakes": "cases of the TLS lab, such as TS-3*, or none",
        "whole": "true: a pull request plays what is otherwise left for the night",
        "wait_ready_s": "how long a target may take to come, in seconds",
        "before": "command, or http://... that is asked before anything is played",
        "allow_incomplete": "true: a list that was cut short passes too",
        "baseline": "file of findings that are accepted for a while",
        "quirks": "file of checks that are muted for one target",
        "lock": "file that says which checks and cases count",
    },
    IDENTITIES: {
        "identity": "identity of one more station that CI may play",
        "security_profile": "its security profile",
        "password_env": "environment variable with its Basic password",
        "cert_env": "environment variable with its certificate: PEM text, or a file's name",
        "key_env": "environment variable with its key: PEM text, or a file's name",
    },
}
"""What each key of each table is for; one line of a comment."""

EXAMPLES: Mapping[str, JsonValue] = {
    "listen": "127.0.0.1:9000",
    "url": "wss://csms.example/ocpp/{identity}",
    "identity": "CS-1",
    "ca": "root.pem",
    "cert": "cert.pem",
    "key": "key.pem",
    "password_file": "password.txt",
    "start_cmd": "./start.sh",
    "restart_cmd": "./restart.sh",
    "on_stuck": "http://127.0.0.1:8099/",
    "operator": "person",
    "capture_interface": "eth0",
    "seed": 1,
    "max_cases": 5_000,
    "max_exchanges": 20_000,
    "only": ["Reset"],
    "exclude": ["UpdateFirmware"],
    "corpus": "corpus",
    "defects": ["evse-index"],
    "decoys": ["D01"],
    "pics": "dc-2evse-ccs1",
    "catcher": "127.0.0.1:8088",
    "color": False,
    "allow": ["persistent"],
    "oracles": ["unanswered-call"],
    "handshakes": ["TS-3*"],
    "wait_ready_s": 120,
    "before": "./prepare.sh",
    "baseline": "known.json",
    "quirks": "quirks.toml",
}
"""Something to write where the default is nothing."""


def schema_text() -> str:
    """The schema as it is kept and printed, with a line's end."""
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def config_schema() -> dict[str, JsonValue]:
    """The schema of a whole file: draft 7, which is what editors read.

    A file that the loader takes is valid. What several keys mean together is left to the loader, but for pairs.
    """
    tables: dict[str, JsonValue] = {table: _table(table) for table in TABLES}
    tables[IDENTITIES] = {
        "description": "further stations whose credentials CI has in its environment",
        "type": "array",
        "items": _identity(),
    }
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": str(CONFIG_FILE),
        "description": "What ocppfuzz attacks, and how. Flags of the command line lie over it.",
        "type": "object",
        "additionalProperties": False,
        "properties": tables,
    }


def example(table: str, key: str) -> JsonValue:
    """What the key is without a file, or what could be written where that is nothing."""
    default = _default(table, key)
    return EXAMPLES.get(key) if default in (None, "", []) else default


def _table(table: str) -> dict[str, JsonValue]:
    made: dict[str, JsonValue] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _key(table, key) for key in TABLES[table]},
    }
    if table == "target":
        made["dependencies"] = {"cert": ["key"], "key": ["cert"]}
        made["not"] = {"required": ["listen", "url"]}
    return made


def _identity() -> dict[str, JsonValue]:
    keys = [field.name for field in fields(Identity)]
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["identity"],
        "dependencies": {"cert_env": ["key_env"], "key_env": ["cert_env"]},
        "properties": {key: _key(IDENTITIES, key) for key in keys},
    }


def _key(table: str, key: str) -> dict[str, JsonValue]:
    made: dict[str, JsonValue] = {"description": TEXTS[table][key]}
    default = _default(table, key)
    if default is not None:
        made["default"] = default
    if key in EXAMPLES:
        made["examples"] = [EXAMPLES[key]]
    return made | _shape(table, key)


def _shape(table: str, key: str) -> dict[str, JsonValue]:
    """The type of a key with the words or numbers that it may hold."""
    types = _types(table, key)
    words = _words(key)
    if Ellipsis in types:
        return {"type": "array", "items": {"type": "string", **words}}
    if bool in types:
        return {"type": "boolean"}
    if int in types:
        return {"type": "integer"} | _range(key)
    if float in types:
        return {"type": "number"} | _range(key)
    if key == "identity" and table == IDENTITIES:
        return {"type": "string", "minLength": 1}
    return {"type": "string"} | words


def _types(table: str, key: str) -> set[object]:
    hint = get_type_hints(_owner(table))[_field(table, key)]
    return set(get_args(hint)) or {hint}


def _range(key: str) -> dict[str, JsonValue]:
    if key == "security_profile":
        return {"enum": list(SECURITY_PROFILES)}
    return {"minimum": 0} if key == "seed" else {"exclusiveMinimum": 0}


def _words(key: str) -> dict[str, JsonValue]:
    """The words that a key may hold; where others are possible too, they are only offered."""
    match key:
        case "phases":
            return {"enum": [*PHASES, RANDOM_PHASE]}
        case "tier":
            return {"enum": list(TIERS)}
        case "edition":
            return {"enum": list(EDITIONS)}
        case "allow":
            return {"enum": list(EFFECTS)}
        case "mode":
            return {"enum": list(MODES)}
        case "only" | "exclude":
            return {"enum": [*sorted(version().actions)]}
        case "oracles":
            return _offered(o.name for o in oracles() if not o.compares)
        case "pics":
            return _offered(known_pics())
        case _:
            return {}


def _offered(words: Iterable[str]) -> dict[str, JsonValue]:
    return {"anyOf": [{"enum": [*words]}, {"type": "string"}]}


def _owner(table: str) -> type:
    return {"regress": RegressOptions, IDENTITIES: Identity}.get(table, RunOptions)


def _field(table: str, key: str) -> str:
    return key if table == IDENTITIES else TABLES[table][key]


def _default(table: str, key: str) -> JsonValue:
    """The default as a file would have it; None: nothing."""
    defaults = {field.name: field.default for field in fields(_owner(table))}
    return _written(defaults[_field(table, key)])


def _written(value: object) -> JsonValue:
    match value:
        case bool() | int() | float() | str():
            return value
        case Path():
            return str(value)
        case tuple():
            return [str(one) for one in value]
        case _:  # None, and what a dataclass calls no default
            return None
