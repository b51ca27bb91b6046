"""Watches with strace what the processes that parse ask of the kernel: no network, no program, no change to a file.

python -m tests.extraction.traced FOLDER      prints each call that was let through and should not have been
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

_TRACED = (
    "%network,%process,kill,tkill,tgkill,ptrace,open,openat,openat2,creat,unlink,unlinkat,rename,renameat,renameat2,"
    "mkdir,mkdirat,rmdir,link,linkat,symlink,symlinkat,mknod,mknodat,chmod,fchmod,fchmodat,chown,fchown,lchown,fchownat,"
    "truncate,ftruncate,setxattr,lsetxattr,fsetxattr,utimensat,mount,umount2,bpf,io_uring_setup"
)
_LINE = re.compile(r"(\d+) +(\w+)\((.*)\) += (-?\d+)(.*)")
# What the socket to the parent, threads and the end of a process need.
_ALLOWED = re.compile(
    r"(?:recvmsg|recvfrom|sendto|sendmsg|exit|exit_group|wait4|waitid|rt_sigreturn|getpid|arch_prctl|getsockname|getsockopt)"
)
_READ_ONLY = re.compile(r"O_(?:WRONLY|RDWR|CREAT|TRUNC)")
_EXTRACT = """
import os, sys
sys.path.insert(0, sys.argv[1])
from agent.extraction.base import Limits
from agent.extraction.process import ProcessExtractor
extractor = ProcessExtractor(Limits())
for folder, _, names in os.walk(sys.argv[2]):
    for name in sorted(names):
        with open(os.path.join(folder, name), "rb") as document:
            extractor.extract(document.fileno(), os.fsencode(name), lambda chunk: None)
extractor.close()
"""


@dataclass
class Traced:
    """What was seen: the processes that parsed, how many of their calls were refused, and which wrongly were not."""

    processes: set[str] = field(default_factory=set)
    calls: int = 0
    refused: int = 0
    let_through: list[str] = field(default_factory=list)


def trace(folder: Path) -> Traced:
    """Extracts from every file below the folder under strace. Raises `CalledProcessError` if that fails."""
    with tempfile.TemporaryDirectory() as scratch:
        log = Path(scratch) / "trace"
        root = str(Path(__file__).parents[2])
        command = ["strace", "-f", "-s", "200", "-e", f"trace={_TRACED}", "-o", str(log)]
        subprocess.run([*command, sys.executable, "-c", _EXTRACT, root, str(folder)], check=True)
        return _judged(log.read_text(errors="replace").splitlines())


def _judged(lines: list[str]) -> Traced:
    traced = Traced()
    zygotes: set[str] = set()
    libraries = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    for line in lines:
        found = _LINE.match(_joined(line, lines))
        if not found:
            continue
        process, call, arguments, answer, _ = found.groups()
        if call == "execve" and '"-I"' in arguments and answer == "0":
            zygotes.add(process)
        elif process in zygotes and call in ("clone", "fork", "vfork") and int(answer) > 0:
            traced.processes.add(answer)
        elif process in traced.processes:
            traced.calls += 1
            if int(answer) < 0:
                traced.refused += 1
            elif not _harmless(call, arguments, libraries):
                traced.let_through.append(line)
    return traced


def _joined(line: str, lines: list[str]) -> str:
    """A call that another process interrupted is told in two lines; its answer stands in the second one."""
    unfinished = re.match(r"(\d+) +(\w+)\((.*) <unfinished \.\.\.>", line)
    if unfinished is None:
        return line
    process, call, arguments = unfinished.groups()
    resumed = re.compile(rf"{process} +<\.\.\. {call} resumed>(.*)")
    for later in lines[lines.index(line) + 1 :]:
        if found := resumed.match(later):
            return f"{process} {call}({arguments}{found[1]}"
    return line


def _harmless(call: str, arguments: str, libraries: tuple[str, ...]) -> bool:
    if call in ("open", "openat"):
        path = re.search(r'"((?:[^"\\]|\\.)*)"', arguments)
        its_own = path is not None and path[1] == "/proc/self/statm"  # opened before the rights are given up
        inside = path is not None and os.path.realpath(path[1]).startswith(libraries)
        return not _READ_ONLY.search(arguments) and (its_own or inside)
    if call in ("clone", "clone3"):
        return "CLONE_THREAD" in arguments
    return _ALLOWED.fullmatch(call) is not None


def main() -> int:
    traced = trace(Path(sys.argv[1]))
    told = [
        f"{len(traced.processes)} processes parsed; {traced.calls:,} calls of these kinds, {traced.refused:,} refused",
        *traced.let_through,
        f"{len(traced.let_through)} let through that should not have been",
    ]
    sys.stdout.write("\n".join(told) + "\n")
    return bool(traced.let_through)


if __name__ == "__main__":
    sys.exit(main())
