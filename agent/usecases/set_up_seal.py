"""The root key of the vault as a systemd credential: sealed with a key of this machine, in the clear on no disk."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from agent.usecases.set_up_machine import Run
from agent.vault.keys import KEY_BYTES

HOST_KEY = "the host key of this machine"
# How a credential begins, after base64, says what it is sealed with (systemd, src/shared/creds-util.h).
_SEALED_WITH = {
    bytes.fromhex("5a1c6a86df9d4096b1d5a65e0862f19a"): HOST_KEY,
    bytes.fromhex("0c7cc07b117645919c4b0bea08bc20fe"): "the TPM2 of this machine",
    bytes.fromhex("93a894094874449090caf2fc93cab553"): "the TPM2 and the host key of this machine",
}


@dataclass(frozen=True, slots=True)
class Sealing:
    """What came of it: the sealed key, or why there is none."""

    sealed: bytes | None
    why_not: str = ""


def seal(run: Run, name: str, key: bytes) -> Sealing:
    """Seals the key, and opens it again to see that this machine can. The key goes through pipes only."""
    done = run(("systemd-creds", "encrypt", f"--name={name}", "-", "-"), key)
    if done.code != 0 or not done.output:
        return Sealing(None, done.complaint or "systemd-creds has given nothing")
    opened = run(("systemd-creds", "decrypt", f"--name={name}", "--newline=no", "-", "-"), done.output)
    if opened.code != 0 or opened.output != key:
        return Sealing(None, opened.complaint or "what systemd-creds has sealed it does not open")
    return Sealing(done.output)


def why_it_does_not_open(run: Run, name: str, file: Path) -> str:
    """What keeps this machine from opening the sealed key in the file; empty if it opens."""
    done = run(("systemd-creds", "decrypt", f"--name={name}", "--newline=no", str(file), "-"), b"")
    if done.code != 0:
        return done.complaint or "systemd-creds has failed"
    return "" if len(done.output) == KEY_BYTES else f"it holds no key of {KEY_BYTES} bytes"


def sealed_with(sealed: bytes) -> str:
    """With what it is sealed, in words."""
    try:
        begins = base64.b64decode(sealed[:64].strip())[:16]
    except binascii.Error:
        begins = b""
    return _SEALED_WITH.get(begins, "a key of this machine")
