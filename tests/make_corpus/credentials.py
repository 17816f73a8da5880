"""Credentials: new passwords, as slots that are filled when they are said; played only where `lock-out` is allowed."""

from __future__ import annotations

from pieces import get, sets
from recipe import ACCEPT, MAY_REFUSE, Fault, Recipe, call, table

from fuzz.records import Case
from strategies.labels import Expectation, JsonObject, Stance, Tier

# Part 2 names 16 as the least; TC_A_10 wants a refusal by status, and the old password to stay.
TOO_SHORT = Expectation(Stance.REJECT, Tier.MODEL, Fault.DEVICE_MODEL)
AT = "/setVariableData/0/attributeValue"

LINES = """
= A01; SecurityCtrlr.BasicAuthPassword: a password has 16 to 40 characters
password-of-20-characters | {secret.password} | A new password that is as it should be. | the answer is never sent, since the connection is torn down first
password-of-15-characters | {secret.password.15} | A new password that is one character too short. | length is checked on the way in, after the old one is gone
password-of-1000-characters | {secret.password.1000} | A new password that is far too long. | it is cut when it is stored, and nobody gets in again
"""

KINDS = {
    "{secret.password}": (ACCEPT, ""),
    "{secret.password.15}": (TOO_SHORT, f"{AT} minLength:one-less"),
    "{secret.password.1000}": (MAY_REFUSE, f"{AT} maxLimit:far-more"),
}


def _password(value: str) -> JsonObject:
    return sets(get("SecurityCtrlr", "BasicAuthPassword", attributeValue=value))


def _set(value: str) -> Case:
    expectation, at = KINDS[value]
    control = _password("{secret.password}") if at else None
    return call("SetVariables", _password(value), control, expectation, at)


CASES: list[Recipe] = table(_set, LINES)
