"""The process that has loaded every reader and forks the ones that parse: a fresh one then costs milliseconds.

It never touches a document itself. It is started by `agent.extraction.process` with one end of a socket, over which
it is asked to fork (a request comes with the socket of the new process) and to say how a process ended.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import socket
import sys

from agent.extraction.base import Limits
from agent.extraction.child import serve_confined
from agent.extraction.frames import FORK, NUMBER, WAIT, receive_exactly
from agent.extraction.router import load_readers

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Its arguments are our descriptor of the socket, and the limits of a document."""
    control = socket.socket(fileno=int(sys.argv[1]))
    limits = Limits(**json.loads(sys.argv[2]))
    die_with_parent()
    load_readers(limits)
    # libffi opens here what callbacks are made of: confined, or where no memory may become code, it cannot do so later.
    ctypes.CFUNCTYPE(None)(lambda: None)
    gc.freeze()  # what is loaded stays shared with the children, since the collector no longer writes to it
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if request == FORK and descriptors:
            control.sendall(NUMBER.pack(_fork(control, descriptors[0], limits)))
            os.close(descriptors[0])
        elif request == WAIT:
            (process,) = NUMBER.unpack(receive_exactly(control, NUMBER.size))
            control.sendall(NUMBER.pack(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])))
        else:
            return


def _fork(control: socket.socket, descriptor: int, limits: Limits) -> int:
    """The number of the new process. In that process it never returns."""
    ours = os.getpid()
    process = os.fork()
    if process:
        return process
    try:
        control.close()
        die_with_parent()
        if os.getppid() == ours:
            serve_confined(socket.socket(fileno=descriptor), limits)
    finally:
        os._exit(0)  # nothing that the parent would do at its end is done twice


def die_with_parent() -> None:
    """Ends this process when the thread that started it does."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
