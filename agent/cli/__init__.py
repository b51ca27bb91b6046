"""The terminal face: words in, words out."""

from __future__ import annotations

import io
import os
import sys


def main() -> None:
    """The `retentiond` command. A user's mistake ends in one plain message and its documented exit code.

    A defect of ours is told by where it happened: its own words may quote a document.
    """
    from agent.cli.app import app
    from agent.errors import AgentError, ExitCode

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal may lack a letter; that is no reason to stop
    try:
        app(prog_name="retentiond")
    except AgentError as error:
        sys.stderr.write(f"retentiond: {error}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write(
            "retentiond: interrupted; what was done so far is kept, and the next scan goes on from there.\n"
        )
        sys.exit(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): not our fault, and nothing to say to nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.OK)
    except Exception as defect:  # noqa: BLE001 — the last line before the user
        sys.stderr.write(_told_without_values(defect))
        sys.exit(ExitCode.DEFECT)


def _told_without_values(defect: BaseException) -> str:
    """Kind and places of an error, without its message and without any variable."""
    import traceback

    lines = [f"retentiond: this is a defect of ours ({type(defect).__name__}). Please report these lines:\n"]
    frames = traceback.extract_tb(defect.__traceback__)
    lines.extend(f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in frames)
    return "".join(lines)
