"""What stands back does so in all its threads and children, never forward again, and says what it has achieved."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap

import pytest

from agent.execution.priority import Quieted, StorageClass, quieten

_SHOW = """
import ctypes, json, os, subprocess, sys, threading
from agent.execution import priority
from agent.execution.priority import quieten

def classes(thread=0):
    value = ctypes.CDLL(None).syscall(priority._CALLS[os.uname().machine][1], 1, thread)
    return [os.getpriority(os.PRIO_PROCESS, thread), value >> 13, value & 0x1FFF]

def told(quieted):
    return [quieted.nice, quieted.storage.value]

def child():
    script = "import ctypes,os; v=ctypes.CDLL(None).syscall(%d,1,0); print(os.nice(0), v >> 13, v & 0x1FFF)"
    number = priority._CALLS[os.uname().machine][1]
    out = subprocess.run([sys.executable, "-c", script % number], capture_output=True, text=True, check=True).stdout
    return [int(word) for word in out.split()]
"""


def run(script: str) -> object:
    """What the script shows, in a process of its own: what is given up here cannot be had back."""
    if os.uname().machine not in ("x86_64", "aarch64", "riscv64"):
        pytest.skip("the numbers of the calls are not known here")
    answer = subprocess.run(
        [sys.executable, "-c", _SHOW + textwrap.dedent(script)], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_it_holds_for_this_process_and_its_children() -> None:
    shown = run("print(json.dumps([told(quieten(7, idle_io=False)), classes(), child()]))")
    assert shown == [[7, "last"], [7, 2, 7], [7, 2, 7]]


def test_idle_storage_comes_after_everybody() -> None:
    shown = run("print(json.dumps([told(quieten(19, idle_io=True)), classes()[:2], child()[:2]]))")
    assert shown == [[19, "idle"], [19, 3], [19, 3]]


def test_threads_that_run_already_stand_back_too() -> None:
    shown = run("""
        started, end = threading.Event(), threading.Event()
        numbers = []
        def live():
            numbers.append(threading.get_native_id())
            started.set()
            end.wait()
        thread = threading.Thread(target=live)
        thread.start()
        started.wait()
        quieten(5, idle_io=True)
        print(json.dumps(classes(numbers[0])[:2]))
        end.set()
    """)
    assert shown == [5, 3]


def test_nothing_is_taken_back() -> None:
    shown = run("""
        quieten(10, idle_io=True)
        print(json.dumps([told(quieten(3, idle_io=False)), classes()[:2]]))
    """)
    assert shown == [[10, "idle"], [10, 3]]


def test_it_needs_no_rights() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    shown = run("""
        os.setgroups([]); os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)
        print(json.dumps([told(quieten(19, idle_io=True)), told(quieten(0, idle_io=False))]))
    """)
    assert shown == [[19, "idle"], [19, "idle"]]


def test_where_the_system_refuses_it_says_what_holds() -> None:
    shown = run("""
        priority._CALLS.clear()
        def refuse(*arguments):
            raise PermissionError
        os.setpriority = refuse
        print(json.dumps(told(quieten(19, idle_io=True))))
    """)
    assert shown == [0, "usual"]


@pytest.mark.parametrize("nice", [-1, 20])
def test_a_nice_value_that_there_is_not_is_refused(nice: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 19"):
        quieten(nice, idle_io=False)


def test_what_holds_is_a_plain_fact() -> None:
    assert Quieted(5, StorageClass.LAST) == Quieted(5, StorageClass("last"))
