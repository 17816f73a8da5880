"""Takes out of recorded messages what must not leave the recording: identities, tokens, serial numbers, certificates, passwords.

Knows in which members they stand, and what a harmless value of the same shape is. The same value becomes the same
placeholder all over an import. Placeholders are counted and say nothing of what they stand for, not even as a hash.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from fuzz.traffic.events import Secret
from fuzz.traffic.jsontext import Leaf, Path, changed, string
from strategies.labels import JsonValue, Kind
from strategies.primitives import EXPIRED_CERTIFICATE, LAB_CSR
from strategies.version import Version, version as version_named

MAX_KNOWN = 200_000
"""Different values that are remembered; what comes after is replaced by one placeholder of its kind."""

SHORTEST_WORD = 4
"""Shorter values are replaced where they are expected only, and not wherever the same letters stand."""

PASSWORD = "{secret.password.20}"
"""A new password as a slot: the campaign makes one up, keeps it, and lets the target in with it (A01)."""

_MEMBERS: Mapping[str, Secret] = {
    "idtoken": Secret.TOKEN,
    "additionalidtoken": Secret.TOKEN,
    "customeridentifier": Secret.TOKEN,
    "emaid": Secret.TOKEN,
    "token": Secret.SECRET,
    "serialnumber": Secret.SERIAL,
    "iccid": Secret.SERIAL,
    "imsi": Secret.SERIAL,
    "vin": Secret.SERIAL,
    "mac": Secret.SERIAL,
    "evccid": Secret.SERIAL,
    "identity": Secret.IDENTITY,
    "stationid": Secret.IDENTITY,
    "chargepointid": Secret.IDENTITY,
    "user": Secret.NAME,
    "username": Secret.NAME,
    "apnusername": Secret.NAME,
    "apn": Secret.HOST,
    "server": Secret.HOST,
    "password": Secret.SECRET,
    "apnpassword": Secret.SECRET,
    "simpin": Secret.SECRET,
    "pin": Secret.SECRET,
    "key": Secret.SECRET,
    "secret": Secret.SECRET,
    "authorization": Secret.SECRET,
    "certificate": Secret.CERTIFICATE,
    "certificatechain": Secret.CERTIFICATE,
    "signingcertificate": Secret.CERTIFICATE,
    "csr": Secret.REQUEST,
    "issuernamehash": Secret.HASH,
    "issuerkeyhash": Secret.HASH,
    "exirequest": Secret.DATA,
    "exiresponse": Secret.DATA,
    "ocspresult": Secret.DATA,
    "signature": Secret.DATA,
    "publickey": Secret.DATA,
    "signedmeterdata": Secret.DATA,
}
"""Members that hold such a value, in lower case, wherever they stand."""

_IN_ACTION: Mapping[tuple[str, str], Secret] = {("NotifyCustomerInformation", "data"): Secret.TEXT}

_VARIABLES: Mapping[str, Secret] = {
    "basicauthpassword": Secret.SECRET,
    "identity": Secret.IDENTITY,
    "serialnumber": Secret.SERIAL,
    "iccid": Secret.SERIAL,
    "imsi": Secret.SERIAL,
    "organizationname": Secret.NAME,
    "masterpassgroupid": Secret.TOKEN,
    "macaddress": Secret.SERIAL,
    "ssid": Secret.NAME,
    "token": Secret.TOKEN,
    "vehicleid": Secret.SERIAL,
    "secccid": Secret.SERIAL,
    "seccid": Secret.SERIAL,
}
"""Variables whose value is one (Part 2 Appendices, section 3), in lower case."""

_VALUES = frozenset({"attributevalue", "actualvalue", "value"})

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]{0,20})://[^\s\"'<>\\]+")
_PEM = re.compile(r"-----BEGIN [A-Z ]{1,40}-----.*?(?:-----END [A-Z ]{1,40}-----\n?|\Z)", re.DOTALL)
_WORD = re.compile(r"[^\s\"'<>,;:/=@()\[\]{}|?&]+")
_HEX = re.compile(r"[0-9A-F]{8,}|[0-9a-f]{8,}")
_TELLING = re.compile(
    rf"""(["']?({"|".join(_MEMBERS)})["']?\s{{0,9}}[:=]\s{{0,9}}["']?)([^"',}}\]\s]+)""",
    re.IGNORECASE,
)
_HOST_END = ".invalid"
_SLOT = re.compile(r"\{(?=[a-z]+\.[a-z0-9.:-]+\})")


@dataclass(slots=True)
class Placeholders:
    """What stands for what, in one import; `version` tells which words are public because every schema has them."""

    version: Version
    _known: dict[str, str] = field(default_factory=dict)
    _inside: set[str] = field(default_factory=set)
    _counts: Counter[Secret] = field(default_factory=Counter)

    def learn(self, kind: Secret, value: str) -> None:
        """Have a placeholder for a value, wherever it turns up."""
        self.of(kind, value)
        if (
            len(value) >= SHORTEST_WORD
            and any(c.isdigit() for c in value)
            and len(self._inside) < 64
        ):
            self._inside.add(value)

    def learn_from(self, action: str, payload: JsonValue) -> None:
        """Have placeholders for everything of a payload that must not leave."""
        for _, kind, value in _found(action, payload):
            if isinstance(value, str):
                self.of(kind, value)

    def of(self, kind: Secret, value: str) -> str:
        """The placeholder of a value: equally long where that can be, so that limits are met or broken as before."""
        if not value:
            return value
        found = self._known.get(value)
        if found is None:
            if len(self._known) >= MAX_KNOWN:
                return _made(kind, value, 0)
            self._counts[kind] += 1
            found = self._known[value] = _made(kind, value, self._counts[kind])
        return found

    def hidden(self, text: str, action: str, payload: JsonValue, at: Path) -> str:
        """A message without what must not leave; `payload` is what it holds at `at`. No other byte changes."""
        wanted = {(*at, *path): kind for path, kind, _ in _found(action, payload)}
        new_password = _new_passwords(action, payload, at)

        def change(leaf: Leaf) -> str | None:
            # What a reader drops, such as the first of two members of one name, is on the wire all the same.
            kind = None if leaf.key else wanted.get(leaf.path) or _named(leaf.path)
            if leaf.text is None:
                return "0" if kind is not None and text[leaf.start : leaf.end].isdigit() else None
            if leaf.path in new_password and not leaf.key:
                return string(PASSWORD)
            new = leaf.text if kind is None else self.of(kind, leaf.text)
            new = new if kind is not None else self.plain(leaf.text)
            written = text[leaf.start : leaf.end]
            fixed = _without_slots(written if new == leaf.text else string(new))
            return None if fixed == written else fixed

        return changed(text, change)

    def plain(self, text: str) -> str:
        """Free text without what is known and without addresses."""
        if (
            text in self._known
            and len(text) >= SHORTEST_WORD
            and text not in _public(self.version.name)
        ):
            return self._elsewhere(text)
        if "-----BEGIN " in text:
            text = _PEM.sub(lambda m: self.of(Secret.CERTIFICATE, m.group()), text)
        if "://" in text:
            text = _URL.sub(lambda m: f"{m.group(1)}://{self._host(m.group())}/", text)
        for inside in self._inside:
            if inside in text:
                text = text.replace(inside, self._known[inside])
        return _WORD.sub(lambda m: self._word(m.group()), text)

    def odd(self, data: bytes) -> bytes:
        """A message that is no proper JSON, without what is known and what stands behind a name that tells."""
        text = data.decode("utf-8", "surrogateescape")
        text = _TELLING.sub(
            lambda m: m.group(1) + self.of(_MEMBERS[m.group(2).lower()], m.group(3)), text
        )
        return self.plain(text).encode("utf-8", "surrogateescape")

    def _word(self, word: str) -> str:
        if len(word) < SHORTEST_WORD or word in _public(self.version.name):
            return word
        return self._elsewhere(word) if word in self._known else word

    def _elsewhere(self, word: str) -> str:
        """The placeholder of a known value in free text: no longer than the word, since texts have limits."""
        known = self._known[word]
        return known if known.startswith("-----BEGIN") else known[: len(word)]

    def _host(self, url: str) -> str:
        return self.of(Secret.HOST, url.split("/")[2]).lower()


def _made(kind: Secret, value: str, number: int) -> str:
    if kind is Secret.HOST:
        return f"host{number:04}{_HOST_END}"
    if kind in (Secret.CERTIFICATE, Secret.REQUEST) and "-----BEGIN" in value:
        pem = LAB_CSR if kind is Secret.REQUEST else EXPIRED_CERTIFICATE
        return pem * min(value.count("-----BEGIN"), 8)
    if kind is Secret.DATA:
        return b64encode(f"DATA{number:0{max(4, len(value) // 4 * 3 - 4)}}".encode()).decode()
    if _HEX.fullmatch(value):
        digits = f"{number:0{len(value)}x}"
        return digits if len(digits) == len(value) else f"{number % 10**8:08}"
    if kind is Secret.HASH:
        return f"{number:0{max(4, len(value))}x}"
    return f"{kind.value}{number:0{max(4, len(value) - len(kind.value))}}"


def _found(action: str, payload: JsonValue) -> Iterator[tuple[Path, Secret, JsonValue]]:
    """Where in a payload something stands that must not leave, without recursion."""
    pending: list[tuple[Path, JsonValue, Secret | None]] = [((), payload, None)]
    while pending:
        path, value, of_variable = pending.pop()
        if isinstance(value, list):
            pending += [((*path, i), item, of_variable) for i, item in enumerate(value)]
        elif isinstance(value, dict):
            of_variable = _variable(value) or of_variable
            for name, member in value.items():
                below = (*path, name)
                kind = _kind(action, name, of_variable)
                if isinstance(member, dict | list):
                    pending.append((below, member, of_variable))
                elif kind is not None and isinstance(member, str | int) and member is not True:
                    yield below, kind, member


def _kind(action: str, name: str, of_variable: Secret | None) -> Secret | None:
    lower = name.lower()
    if of_variable is not None and lower in _VALUES:
        return of_variable
    return _IN_ACTION.get((action, lower)) or _MEMBERS.get(lower)


def _named(path: Path) -> Secret | None:
    """What the last name of a path says."""
    last = path[-1] if path else None
    return _MEMBERS.get(last.lower()) if isinstance(last, str) else None


def _variable(value: Mapping[str, Any]) -> Secret | None:
    """What the variable holds that an object speaks of."""
    variable = value.get("variable")
    name = variable.get("name") if isinstance(variable, dict) else None
    return _VARIABLES.get(name.lower()) if isinstance(name, str) else None


def _new_passwords(action: str, payload: JsonValue, at: Path) -> frozenset[Path]:
    """Where a SetVariables tells a new password of a length that may be set (16 to 40 characters, A00.FR.205)."""
    items = payload.get("setVariableData") if isinstance(payload, dict) else None
    if action != "SetVariables" or not isinstance(items, list):
        return frozenset()
    return frozenset(
        (*at, "setVariableData", i, "attributeValue")
        for i, item in enumerate(items)
        if isinstance(item, dict) and _sets_password(item)
    )


def _sets_password(item: Mapping[str, Any]) -> bool:
    variable, value = item.get("variable"), item.get("attributeValue")
    name = variable.get("name") if isinstance(variable, dict) else None
    named = isinstance(name, str) and name.lower() == "basicauthpassword"
    return named and isinstance(value, str) and 16 <= len(value) <= 40


def _without_slots(written: str) -> str:
    """A string in which nothing looks like a slot of ours: a recording must not fetch our secrets when it is played."""
    return _SLOT.sub(r"\\u007b", written)


@cache
def _public(name: str) -> frozenset[str]:
    """The words of the schemas and the names of actions: they say nothing about anybody."""
    version = version_named(name)
    found = set(version.actions)
    for action in version.actions:
        for kind in Kind:
            found.update(_listed(version.raw_schema(action, kind)))
    return frozenset(found)


def _listed(schema: Any) -> Iterator[str]:
    if isinstance(schema, str):
        yield schema
    elif isinstance(schema, dict):
        for name, part in schema.items():
            yield name
            yield from _listed(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _listed(part)
