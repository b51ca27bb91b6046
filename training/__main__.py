"""Makes the shipped models, or measures how they would do on sets that they have not seen.

    python -m training all --data FOLDER           what `make model DATA=FOLDER` does
    python -m training names|special|kinds [--data FOLDER] [--leave-one-out]

FOLDER holds the public sets that the model cards name; only the names need it.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("what", choices=("all", "names", "special", "kinds"))
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the public sets, for the names")
    parser.add_argument("--leave-one-out", action="store_true", help="measure on each set what the others teach")
    parser.add_argument("--told", metavar="FILE", help="with special: write what is said of each set left out")
    arguments = parser.parse_args()
    if arguments.what in ("all", "names"):
        if arguments.data is None or not (arguments.data / "wikigold").is_dir():
            sys.exit("--data: name the folder that holds the public sets (wikigold, wnut17, crossner, litbank).")
        from training import names

        names.main(arguments.data, leave_one_out=arguments.leave_one_out)
    rest = ["--leave-one-out"] if arguments.leave_one_out else []
    if arguments.what in ("all", "kinds"):
        from training import kinds

        kinds.main(rest)
    if arguments.what in ("all", "special"):
        from training import special

        special.main([*rest, *(["--told", arguments.told] if arguments.told else [])])


if __name__ == "__main__":
    main()
