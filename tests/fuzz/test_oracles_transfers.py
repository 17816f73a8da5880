"""Who says that a transfer succeeded was seen where it went."""

import json
from dataclasses import replace

import pytest

from fuzz.oracles.registry import judge
from fuzz.records import Caught, Entry, Expect, Who
from fuzz.testing import case, observation
from strategies.labels import Expectation, Stance, Tier

SCENE = Expectation(Stance.UNSPECIFIED, Tier.MODEL)
OURS = "http://127.0.0.1:4711/ok/qwertz"
LOG = ("GetLog", "LogStatusNotification", "PUT", ("Uploading", "Uploaded"))
FIRMWARE = ("UpdateFirmware", "FirmwareStatusNotification", "GET", ("Downloading", "Downloaded"))


def said(kind, *words, where=OURS, status="Accepted", id_=5, told=5, visits=(), requests=1):
    """One request, its answer, what is told of it, and who came."""
    action, message, *_ = kind
    place = {"log": {"remoteLocation": where}, "firmware": {"location": where}}
    entries = []
    for n in range(requests):
        asked = [2, f"q{n}", action, {"requestId": id_, **place}]
        entries.append(Entry(1.0, Who.US, "text", json.dumps(asked)))
        answer = [3, f"q{n}", {"status": status}]
        entries.append(Entry(1.1, Who.TARGET, "text", json.dumps(answer)))
    for n, word in enumerate(words):
        call = [2, f"s{n}", message, {"requestId": told, "status": word}]
        entries.append(Entry(2.0 + n, Who.TARGET, "text", json.dumps(call)))
        entries.append(Entry(2.1 + n, Who.HARNESS, "text", json.dumps([3, f"s{n}", {}])))
    played = case(SCENE, steps=(Expect(message, 1.0),))
    caught = tuple(Caught(2.0, "http", path, method) for method, path in visits)
    obs = replace(observation(played, replies=[]), entries=tuple(entries), caught=caught)
    return [v.symptom for v in judge(obs) if v.oracle == "O36"]


@pytest.mark.parametrize("kind", [LOG, FIRMWARE])
def test_a_transfer_that_succeeded_was_made(kind):
    *_, method, words = kind
    found = [f"{words[-1]} and nobody came"]
    assert said(kind, *words) == found
    assert said(kind, *words, visits=[("HEAD", "/ok/qwertz")]) == found
    assert said(kind, *words, visits=[(method, "/ok/qwertz/a.log")]) == []


@pytest.mark.parametrize("kind", [LOG, FIRMWARE])
def test_what_may_be_another_transfer_proves_nothing(kind):
    *_, words = kind
    begun, done = words
    assert said(kind, begun) == []
    assert said(kind, done) == []
    assert said(kind, done, begun) == []
    assert said(kind, *words, told=6) == []
    assert said(kind, *words, requests=2) == []
    assert said(kind, *words, status="AcceptedCanceled") == []
    assert said(kind, *words, where="http://127.0.0.1:9/ocppfuzz") == []
    assert said(kind, *words, where="{canary.url}") == []
    assert said(kind, *words, visits=[("GET", "/ok/foreign")] * 64) == []
