"""What pytest loads of ocppfuzz in every run: the names of options and fixtures, nothing else.

Installed as the module `ocppfuzz_pytest`. It imports `fuzz` only when it is used: a project may have a package of its own
with that name, which must not be hidden from its tests. What is behind the names is in `fuzz.pytest_plugin`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from fuzz.app.standins import BenchStation, StandInCsms

NAME = "ocppfuzz"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, all without effect unless `--ocppfuzz` or a fixture asks."""
    group = parser.getgroup(NAME, "attack a Charging Station or CSMS with ocppfuzz")
    group.addoption(
        "--ocppfuzz", action="store_true", help="Play the corpus of ocppfuzz, one test a case."
    )
    group.addoption(
        "--ocppfuzz-tls",
        action="store_true",
        help="Play the most telling handshakes of its TLS lab, too.",
    )
    group.addoption(
        "--ocppfuzz-corpus", metavar="DIR", help="Default: ./corpus, else that of ocppfuzz."
    )
    group.addoption(
        "--ocppfuzz-config", metavar="FILE", help="Who is attacked; default: ./ocppfuzz.toml."
    )
    group.addoption(
        "--ocppfuzz-self-test", action="store_true", help="Attack the station of ocppfuzz itself."
    )
    group.addoption(
        "--ocppfuzz-defect",
        action="append",
        default=[],
        metavar="NAME",
        help="Plant a defect in that station. Repeatable.",
    )
    parser.addini(
        NAME, "Play the corpus of ocppfuzz, as --ocppfuzz does.", type="bool", default=False
    )


def pytest_configure(config: pytest.Config) -> None:
    """Load the rest where it is wanted."""
    if config.getoption(NAME) or config.getini(NAME):
        plugin = _plugin()
        config.pluginmanager.register(plugin.Items(config), f"{NAME}-items")


def _plugin() -> Any:
    """`fuzz.pytest_plugin`, of this product."""
    try:
        return importlib.import_module("fuzz.pytest_plugin")
    except ModuleNotFoundError as missing:
        if missing.name not in ("fuzz.pytest_plugin", "fuzz"):
            raise
    import fuzz

    raise pytest.UsageError(
        f"the package fuzz of {next(iter(fuzz.__path__), '?')} hides that of ocppfuzz; call `pytest` instead of "
        "`python -m pytest`, from a folder that has no fuzz/ of its own"
    )


@pytest.fixture(scope="module")
def ocppfuzz_station(pytestconfig: pytest.Config) -> BenchStation:
    """The reference station of ocppfuzz in memory, booted: `ocppfuzz_station.call("GetVariables", {...})`."""
    station: BenchStation = _plugin().station(pytestconfig)
    return station


@pytest.fixture(scope="module")
def ocppfuzz_csms(pytestconfig: pytest.Config) -> Iterator[StandInCsms]:
    """A CSMS on a port of this machine for a station under test to dial: `url`, `ca`, `received`, `call(...)`."""
    csms: StandInCsms = _plugin().csms(pytestconfig)
    yield csms
    csms.close()


@pytest.fixture(scope="session")
def ocppfuzz_payloads() -> Any:
    """`payloads(action, kind="request")` of `fuzz.testing`: a Hypothesis strategy of proper payloads."""
    return _plugin().payloads
