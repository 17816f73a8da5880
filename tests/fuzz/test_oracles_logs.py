from dataclasses import replace

import pytest

from fuzz.records import ProcessEnd
from fuzz.testing import observation, scene, spoken, us

MEMORY, RACE = "O30 memory error reported", "O30 data race reported"
UNDEFINED, UNCAUGHT = "O30 undefined behaviour reported", "O30 uncaught failure"
TRACE = "O30 stack trace in the log (remark)"


def logged(*lines):
    return replace(observation(), log=lines)


@pytest.mark.parametrize(
    ("line", "spoke"),
    [
        ("==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x6020", MEMORY),
        ("==7== Invalid read of size 8", MEMORY),
        ("double free or corruption (fasttop)", MEMORY),
        ("*** stack smashing detected ***: terminated", MEMORY),
        ("WARNING: ThreadSanitizer: data race (pid=7)", RACE),
        ("WARNING: DATA RACE", RACE),
        ("peer.cpp:12:5: runtime error: signed integer overflow", UNDEFINED),
        ("terminate called after throwing an instance of 'std::bad_alloc'", UNCAUGHT),
        ("panic: runtime error: index out of range [5]", UNCAUGHT),
        ("fatal error: all goroutines are asleep - deadlock!", UNCAUGHT),
        ("thread 'main' panicked at src/main.rs:3:5:", UNCAUGHT),
        ("Segmentation fault (core dumped)", UNCAUGHT),
        ("(node:7) UnhandledPromiseRejectionWarning: Error: x", UNCAUGHT),
        ('Exception in thread "ocpp-1" java.lang.NullPointerException', UNCAUGHT),
        ("Task exception was never retrieved", UNCAUGHT),
        ("Traceback (most recent call last):", TRACE),
    ],
)
def test_what_runtimes_write_of_failures_is_found_by_its_kind(line, spoke):
    assert spoken(logged("connected", line, "connected")) == [spoke]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "12:30:05 invalid message: the payload breaks its schema",
        "refused: no panic, all is well",
        "runtime error budget: 5",
        "leaving; exception rate 0",
    ],
)
def test_ordinary_lines_are_left_alone(line):
    assert spoken(logged(line)) == []


def test_one_kind_is_told_once_a_case_and_each_kind_by_itself():
    asan = "ERROR: AddressSanitizer: SEGV"
    assert spoken(logged(asan, asan, "WARNING: DATA RACE")) == [MEMORY, RACE]


def test_a_line_that_repeats_what_we_said_counts_for_nothing():
    words = "AddressSanitizer: x"
    said = [2, "c1", "DataTransfer", {"vendorId": words}]
    seen = replace(scene(us(0, said)), log=(f"unknown vendor {words}",))
    assert spoken(seen) == []
    assert spoken(logged(f"unknown vendor {words}")) == [MEMORY]


def test_a_dead_process_says_enough():
    obs = replace(logged("Segmentation fault"), process=ProcessEnd(-11))
    assert spoken(obs) == ["O1 signal 11"]
