"""Runs an act in a process of its own and makes one of its system calls fail, or kills it before one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Every call by which anything on a disk changes.
CHANGING = (
    "write,pwrite64,pwritev,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,link,linkat,unlink,unlinkat,"
    "ftruncate,fallocate,fchmod,fchown,utimensat,fsetxattr,setxattr,fremovexattr,mkdir,mkdirat,copy_file_range"
)
FINISHED, FAILED = 0, 3
KILL = "kill"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens at the `number`-th call of that name: `kill` before it is made, or an error of that name."""

    call: str
    number: int
    how: str

    def injection(self) -> str:
        what = "signal=KILL" if self.how == KILL else f"error={self.how}"
        return f"inject={self.call}:{what}:when={self.number}"

    def __str__(self) -> str:
        return f"{self.how} at {self.call} {self.number}"


@dataclass(frozen=True, slots=True)
class Ran:
    """How the process ended, the calls it made, and whether the fault was met."""

    status: int | None  # none if it was killed
    calls: Counter[str]
    met: bool
    said: str


def run(act: Callable[[], None], trace: Path, fault: Fault | None = None, traced: bool = True) -> Ran:
    """Runs `act` in a forked process; with `traced`, under strace from its first step on."""
    said = trace.with_suffix(".said")
    said.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        _be_the_child(act, said, wait=traced)
    if not traced:
        _, status = os.waitpid(child, 0)
        return Ran(_exit_code(status), Counter(), False, _read(said))
    os.waitpid(child, os.WUNTRACED)
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={CHANGING}", "-p", str(child)]
    if fault is not None:
        command += ["-e", fault.injection()]
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_until_traced(child)
    os.kill(child, signal.SIGCONT)
    _, status = os.waitpid(child, 0)
    tracer.wait()
    text = trace.read_text(errors="replace")
    calls = Counter(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
    met = "(INJECTED)" in text or (fault is not None and fault.how == KILL and "killed by SIGKILL" in text)
    return Ran(_exit_code(status), calls, met, _read(said))


def _be_the_child(act: Callable[[], None], said: Path, *, wait: bool) -> None:
    code = FAILED
    try:
        if wait:
            os.kill(os.getpid(), signal.SIGSTOP)
        act()
        code = FINISHED
    except BaseException:  # noqa: BLE001 — whatever it is, the parent wants to know
        try:
            said.write_text(traceback.format_exc())
        except OSError:
            code = FAILED
    finally:
        os._exit(code)


def _wait_until_traced(child: int) -> None:
    for _ in range(2_000):
        with open(f"/proc/{child}/status", encoding="ascii") as lines:
            if any(line.startswith("TracerPid:") and line.split()[1] != "0" for line in lines):
                return
        time.sleep(0.001)
    raise RuntimeError("strace did not attach")


def _exit_code(status: int) -> int | None:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else None


def _read(said: Path) -> str:
    return said.read_text() if said.exists() else ""
