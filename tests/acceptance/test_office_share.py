"""The main job on the sample office share, as a user runs it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.office_share import Manifest, make_office_share

Command = Callable[..., "subprocess.CompletedProcess[str]"]


def _facts(share: Path) -> dict[str, tuple[object, ...]]:
    """Everything about every name below the share that a scan could change, content included."""
    facts: dict[str, tuple[object, ...]] = {}
    for folder, folders, files in os.walk(os.fsencode(share)):
        for name in [b".", *folders, *files]:
            path = os.path.join(folder, name)
            before = os.lstat(path)
            attributes = (
                {} if stat.S_ISLNK(before.st_mode) else {key: os.getxattr(path, key) for key in os.listxattr(path)}
            )
            times = (before.st_atime_ns, before.st_mtime_ns, before.st_ctime_ns)
            facts[os.fsdecode(path)] = (
                before.st_mode,
                before.st_uid,
                before.st_gid,
                before.st_size,
                *times,
                str(attributes),
            )
    return facts


def _hashes(share: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in share.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
