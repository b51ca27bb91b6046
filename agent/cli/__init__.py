"""The terminal face: words in, words out."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """The `retentiond` command. A user's mistake ends in one plain message and its documented exit code."""
    from agent.cli.app import app
    from agent.errors import AgentError, ExitCode

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
