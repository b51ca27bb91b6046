"""Text to findings."""

from __future__ import annotations

import os

# A worker has a core to itself, and the matrices here are small: more threads of numpy's would wait for each other.
# It must be said before numpy is loaded for the first time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
