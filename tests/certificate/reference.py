"""A certificate checked once more: from docs/how-to/issue-and-check-certificates.md alone, without a line of ours.

What it needs is Ed25519 and SHA-256. Every fault raises an exception of whatever kind.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

_SAYS = {
    "sealed": ("item_quarantined", "planned", "quarantined_at"),
    "destroyed": ("item_destroyed", "destroying", "destroyed_at"),
    "erased": ("epoch_erased", "destroyed", "erased_at"),
}

_OF_SERVICES = {"recycle_bin", "second_stage_recycle_bin", "preservation_hold_library", "recoverable_items"}
_OF_SERVICES |= {"service_backup"}
_TEXT, _ANY, _WORD, _HASH = r"(?s).+", r"(?s).*", r"[a-z][a-z0-9_]{0,39}", r"[0-9a-f]{64}"
_DAY, _MOMENT = r"\d{4}-\d\d-\d\d", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
_ENTRY = {"position": int, "leaf": _TEXT, "proof": [_HASH]}
_FORM: dict[str, Any] = {
    **dict.fromkeys(("organisation", "software", "batch", "statement", "checkpoint"), _TEXT),
    "version": int,
    "id": r"[0-9a-f]{32}",
    "issued_at": _MOMENT,
    "limits": [_TEXT],
    "officers": [{"role": _TEXT, "name": _TEXT, "contact": _TEXT}],
    "items": [
        {
            "disposal": int,
            "size_bytes": int,
            "pseudonym": _HASH,
            "content": _HASH,
            "source": _TEXT,
            "outcome": "review|destroy|anonymise|minimise|hand_back|thin|quarantine|retain_permanently",
            **dict.fromkeys(("quarantined_at", "holds_checked_at", "destroyed_at", "erased_at"), _MOMENT),
            "destroyed_by": _TEXT,
            "account": {
                **dict.fromkeys(("schedule_id", "schedule_version", "mandate", "rule", "placement?"), _TEXT),
                "class_id": _ANY,
                "class_title": _ANY,
                "clock": _ANY,
                "due_on": _DAY,
                "approvals": [{"act": int, "by": _TEXT, "stage": _TEXT, "at": _MOMENT}],
            },
            "copies": [
                {
                    "kind": "original|vault_copy|known_copy|snapshot|backup|replica|export|with_recipient|recycle_bin|"
                    "second_stage_recycle_bin|preservation_hold_library|recoverable_items|service_backup",
                    "method": _WORD,
                    "category": "purge|purge_attempted|clear_attempted|beyond_use|none",
                    "at?": _MOMENT,
                    "doubts?": [_TEXT],
                    "remains_until?": _DAY,
                }
            ],
            "evidence": {"sealed": _ENTRY, "destroyed": _ENTRY, "erased": _ENTRY},
            "source_item?": _HASH,
        }
    ],
}


def need(condition: object, what: str) -> None:
    if not condition:
        raise ValueError(what)


def fits(said: Any, form: Any) -> bool:
    """Whether a JSON value has the form that the document describes. A field with a question mark may be missing."""
    if isinstance(form, dict):
        wanted = {name.removesuffix("?"): (inside, name[-1] == "?") for name, inside in form.items()}
        return (
            type(said) is dict
            and said.keys() <= wanted.keys()
            and all(fits(said[name], inside) if name in said else free for name, (inside, free) in wanted.items())
        )
    if isinstance(form, list):
        return type(said) is list and all(fits(one, form[0]) for one in said)
    if form is int:
        return type(said) is int and 0 <= said < 2**63
    if type(said) is not str or not re.fullmatch(form, said, re.ASCII):
        return False
    if form in (_DAY, _MOMENT):
        datetime.fromisoformat(said)  # raises for a day that is in no calendar
    return True


def open_note(note: bytes, keys: list[str]) -> tuple[str, str, int]:
    """Text and signer of a C2SP signed note whose signatures by our keys are all good, and how many lines it has."""
    text, parting, below = note.decode().rpartition("\n\n")
    need(parting and below.endswith("\n"), "no signature")
    signers, lines = [], below[:-1].split("\n")
    for line in lines:
        dash, name, encoded = line.split(" ")
        need(dash == "\N{EM DASH}", "no signature line")
        data = b64decode(encoded, validate=True)
        need(b64encode(data).decode() == encoded, "loose Base64")
        ours = [key for key in keys if key.startswith(f"{name}+{data[:4].hex()}+")]
        if not ours:
            continue
        public = b64decode(ours[0].split("+", 2)[2])
        need(public[0] == 1 and sha256(name.encode() + b"\n" + public).digest()[:4] == data[:4], "another key")
        Ed25519PublicKey.from_public_bytes(public[1:]).verify(data[4:], text.encode() + b"\n")
        signers.append(name)
    need(len(set(signers)) == 1, "not signed by a key of ours")
    return text + "\n", signers[0], len(lines)


def root_by(position: int, size: int, leaf: bytes, proof: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3, read as a recursion: the root that a path leads to. Takes the path from its end."""
    if size == 1:
        return leaf
    left = 1
    while left * 2 < size:
        left *= 2
    above = proof.pop()
    if position < left:
        return sha256(b"\1" + root_by(position, left, leaf, proof) + above).digest()
    return sha256(b"\1" + above + root_by(position - left, size - left, leaf, proof)).digest()


def microseconds(moment: str) -> int:
    at = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def check(data: bytes, keys: list[str]) -> dict[str, Any]:
    """What the certificate says, if all of it is proven."""
    text, signer, lines = open_note(data, keys)
    need(lines == 1 and text.count("\n") == 1, "not one line with one signature")
    said = json.loads(text)
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    need(canonical + "\n" == text, "not canonical")
    need(said["version"] in (1, 2) and fits(said, _FORM), "another version or form")
    need((said["version"] == 2) == any("source_item" in item for item in said["items"]), "the other version")
    need('doubts":[]' not in text and 'placement":""' not in text, "an empty field that should be missing")
    checkpoint, log, _ = open_note(said["checkpoint"].encode(), keys)
    origin, size, root = checkpoint.splitlines()[:3]
    need(origin == log and signer == f"{log}/certificates", "keys used for what they are not")
    need(said["items"] and said["limits"], "nothing in it")
    need(len({item["pseudonym"] for item in said["items"]}) == len(said["items"]), "an item twice")
    for item in said["items"]:
        kinds = [copy["kind"] for copy in item["copies"]]
        need(kinds.count("original") == 1, "not one original")
        need(kinds.count("vault_copy") == ("source_item" not in item), "a copy in the vault too many or too few")
        need("source_item" in item or not set(kinds) & _OF_SERVICES, "a copy that only services keep")
        need(len({approval["by"].casefold() for approval in item["account"]["approvals"]}) > 1, "not two people")
        need(all(approval["at"] <= item["destroyed_at"] for approval in item["account"]["approvals"]), "too late")
        positions = []
        for state, (kind, before, moment) in _SAYS.items():
            entry = item["evidence"][state]
            leaf, proof = json.loads(entry["leaf"]), [bytes.fromhex(one) for one in entry["proof"]]
            hashed = sha256(b"\0" + entry["leaf"].encode()).digest()
            positions.append(entry["position"])
            need(entry["position"] < int(size), "beyond the checkpoint")
            need(root_by(entry["position"], int(size), hashed, proof) == b64decode(root), "not in the log")
            need(not proof, "proof too long")
            need((leaf["kind"], leaf["before"], leaf["after"]) == (kind, before, state), "another act")
            need(leaf["item"] == item["pseudonym"], "another item")
            need(leaf["references"]["disposal"] == str(item["disposal"]), "another disposal")
            need(leaf["at"] == microseconds(item[moment]), "another time")
            need(state != "sealed" or leaf["digests"]["content"] == item["content"], "another content")
        need(positions == sorted(set(positions)), "out of order")
    return dict(said)
