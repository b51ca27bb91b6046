"""What `retentiond vault` says: facts about the vault as sentences, and as JSON."""

from __future__ import annotations

import json as codec
import os
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from typing import Any

import typer

from agent.reports.words import say_count, say_size
from agent.usecases.vault import Verification
from agent.vault.base import Entry, Fate, Strays
from connectors.base import show_name

_FATES = {
    Fate.SEALED: "sealed",
    Fate.DESTROYED: "destroyed",
    Fate.ERASED: "erased",
    Fate.ABSENT: "without key",
}
_CEREMONY = "The next erasure ceremony mends it (retentiond dispose erase)."


def print_json(facts: dict[str, Any]) -> None:
    typer.echo(codec.dumps(facts, indent=2, ensure_ascii=False))


def tell_made(facts: dict[str, Any]) -> None:
    """What `vault init` has made or found, and why overwriting a key may not destroy it there."""
    typer.echo(f"{'Made' if facts['made'] else 'There is already'} a vault in {facts['directory']}.")
    typer.echo(f"Its key slots: {facts['slots']}")
    typer.echo(f"Its root key: {facts['key']}{' (new)' if facts['made_key'] else ''}")
    for doubt in facts["doubts"]:
        typer.echo(f"DOUBT: what is erased here may outlast it: {doubt}.")
    if facts["doubts"]:
        typer.echo("Put the keys elsewhere: vault.directory, vault.slots and vault.key_file in the settings.")
    if facts["made_key"]:
        typer.echo("Without that key nothing comes back out of the vault. Now give it to two officers:")
        typer.echo("  retentiond vault recovery make --recipient age1… --recipient age1… --output FILE")


def tell_entries(entries: Sequence[Entry]) -> None:
    for entry in entries:
        size = say_size(entry.stored_bytes) if entry.stored_bytes else "–"
        typer.echo(f"{entry.id}  {_FATES[entry.fate]:<11}  {size:>10}")
    counts = Counter(entry.fate for entry in entries)
    told = ", ".join(f"{counts[fate]:,} {word}" for fate, word in _FATES.items() if counts[fate])
    total = say_size(sum(entry.stored_bytes for entry in entries))
    typer.echo(f"{say_count(len(entries), 'object')} ({told}), {total}." if entries else "The vault is empty.")


def tell_strays(strays: Strays, told_already: Container[str] = ()) -> bool:
    """Says what belongs to no item, and what to do; leaves out objects of `told_already`. Whether it said anything."""
    sentences = list(_stray_sentences(strays, told_already))
    for said in sentences:
        typer.echo(said)
    return bool(sentences)


def _stray_sentences(strays: Strays, told_already: Container[str]) -> Iterator[str]:
    for id in strays.without_key:
        if id not in told_already:
            yield (
                f"DAMAGED: no key opens vault object {id}. Put the vault's key files back from a backup; until then "
                "nothing can be erased."
            )
    for id in strays.without_object:
        if id not in told_already:
            yield f"DAMAGED: vault object {id} is missing, its key is here. Put it back from a backup of the vault."
    for place in strays.damaged_keys:
        yield f"DAMAGED: place {place} of the key file is neither empty nor sound. {_CEREMONY}"
    for place in strays.damaged_slots:
        yield f"DAMAGED: place {place} of the file of key slots is neither empty nor sound. {_CEREMONY}"
    for id in strays.parts:
        yield f"Note: a copy of vault object {id} was never finished. Look after it:  retentiond dispose recover"
    for name in strays.foreign:
        yield f"Note: {_shown(name)} is none of the vault's objects. Move it away."


def _shown(name: str) -> str:
    return show_name(os.fsencode(name))


def stray_facts(strays: Strays) -> dict[str, Any]:
    return {
        "parts": list(strays.parts),
        "without_key": list(strays.without_key),
        "without_object": list(strays.without_object),
        "foreign": [_shown(name) for name in strays.foreign],
        "damaged_keys": list(strays.damaged_keys),
        "damaged_slots": list(strays.damaged_slots),
    }


def entry_facts(entry: Entry) -> dict[str, Any]:
    return {"id": entry.id, "fate": entry.fate.value, "stored_bytes": entry.stored_bytes}


def tell_sample(percent: float, seed: int, chosen: int, of: int) -> None:
    typer.echo(
        f"A sample of {percent:g} %: {chosen:,} of {say_count(of, 'object')}. "
        f"The same one again:  retentiond vault verify --sample {percent:g} --seed {seed}"
    )


def tell_verification(told: Verification) -> None:
    for fault in told.faults:
        typer.echo(f"DAMAGED: {fault.said}")
    tell_strays(told.strays, {fault.id for fault in told.faults})
    gone = f"; {told.gone:,} went away meanwhile" if told.gone else ""
    sound = f"{say_count(told.sound, 'object')} ({say_size(told.stored_bytes)}) read and decrypted, and sound{gone}."
    typer.echo(f"{sound} Nothing is damaged." if told.good else f"{sound} Something is damaged: see above.")


def verification_facts(told: Verification) -> dict[str, Any]:
    return {
        "good": told.good,
        "sound": told.sound,
        "stored_bytes": told.stored_bytes,
        "gone": told.gone,
        "damaged": [{"id": fault.id, "said": fault.said} for fault in told.faults],
        "strays": stray_facts(told.strays),
    }


def credential_procedure(credential: str) -> str:
    """How to change a root key that systemd hands over: only systemd can put a new one in its place."""
    kept = f"/etc/credstore.encrypted/{credential}"
    return f"""the root key is the systemd credential {credential!r}, which only systemd can replace.
  1. Make a new key in memory:     (umask 077; head -c 32 /dev/urandom > /run/{credential}.key)
  2. Encrypt it for systemd:       systemd-creds encrypt --name={credential} /run/{credential}.key {kept}.new
  3. Seal the vault with it, by this command as you gave it, so that it still has the old key:
                                   retentiond vault rotate-key --new-key-from /run/{credential}.key
  4. Put the credential in place:  mv {kept}.new {kept}
  5. Remove the key from memory:   rm /run/{credential}.key
  6. Make a new recovery bundle:   retentiond vault recovery make"""


def tell_rotated(key_file: str) -> None:
    typer.echo(f"The vault is sealed with a new root key: {key_file}. The old one was overwritten.")
    _tell_bundles_are_void()


def tell_resealed(new: str, credential: str, old: str | None) -> None:
    """What is left to do after sealing with a key that was given; `old` is the key file that was in use, if any."""
    typer.echo(f"The vault is sealed with the key in {new}. Nothing else opens it from now on.")
    typer.echo(f"Put that key in place now, as the systemd credential {credential}{f', or as {old}' if old else ''}.")
    if old:
        typer.echo(f"The old key is still in {old}. Overwrite it:  shred --remove {old}")
    _tell_bundles_are_void()


def _tell_bundles_are_void() -> None:
    typer.echo("Bundles made before open nothing any more. Make a new one:  retentiond vault recovery make")


def tell_bundle(path: str) -> None:
    typer.echo(f"{path}: each of the officers can open it alone. Keep it away from this machine and its backups.")
    typer.echo(f"Let each of them try it:  retentiond vault recovery test {path} --identity FILE")


def tell_restored(key_file: str, vault_id: str, *, tried: bool) -> None:
    opens = "and opens the vault" if tried else f"for the vault {vault_id}, which is not (wholly) here yet"
    typer.echo(f"{key_file}: the root key is back, {opens}.")
