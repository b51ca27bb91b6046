"""`make soak`: everything at once under the running service, for as long as you like, and nothing may go wrong.

python -m tests.soak --minutes 30 --seed 7                  with a kill every two minutes or so, in the first half
python -m tests.soak --minutes 30 --kill-every 0 --json     without any
"""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.soak.soak import Soak, Wanted
from tests.soak.telling import facts, lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0, help="for how long people act; the checks come on top")
    parser.add_argument("--seed", type=int, help="of all that is left to chance; left out: another each time")
    parser.add_argument("--folder", type=Path, help="a new folder for everything, which stays; left out: one that goes")
    parser.add_argument("--kill-every", type=float, default=120.0, metavar="SECONDS", help="about; 0: never")
    parser.add_argument("--files", type=int, default=150, help="how many lie there when the service starts first")
    parser.add_argument("--json", action="store_true", help="tell facts instead of a table")
    chosen = parser.parse_args()
    seed = secrets.randbits(32) if chosen.seed is None else chosen.seed
    _say(f"seed {seed}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the service ends with us
    with _folder(chosen.folder) as folder:
        wanted = Wanted(chosen.minutes * 60, seed, folder, chosen.kill_every, files=chosen.files)
        result = Soak(wanted, _say).run()
    if chosen.json:
        sys.stdout.write(json.dumps(facts(result), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(result))
    return 1 if result.findings.kinds else 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


@contextmanager
def _folder(named: Path | None) -> Iterator[Path]:
    if named is not None:
        named.mkdir(parents=True)
        yield named.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
