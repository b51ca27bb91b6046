"""A certificate for people: one page that needs nothing else, to be read or printed. The file is what counts."""

from __future__ import annotations

from typing import TextIO

from jinja2 import Environment, PackageLoader, StrictUndefined

from agent.certificate.form import SignedCertificate
from agent.reports import words

_WORDS = {
    "original": "original on the share",
    "vault_copy": "encrypted copy in the vault",
    "known_copy": "another file of the same content",
    "export": "copy handed back",
    "with_recipient": "copy with a recipient",
    "recycle_bin": "recycle bin of the source",
    "second_stage_recycle_bin": "second-stage recycle bin of the source",
    "preservation_hold_library": "copy that a retention policy of the source holds",
    "recoverable_items": "recoverable items of the mailbox",
    "service_backup": "backup of the service",
    "kept_by_source": "not dealt with: the source keeps it by itself",
    "deleted_permanently": "deleted by its source, past every recycle bin, as that has told",
    "recycled": "moved to the recycle bin by its source, as that has told",
    "cryptographic_erase": "every key that opened it was overwritten (cryptographic erase)",
    "overwritten": "overwritten in its place, then removed",
    "unlinked": "removed, not overwritten",
    "nothing_there": "removed; how cannot be said, since the act was cut off or others had done it",
    "purge_attempted": "purge, with the doubts or the time limit named beside it",
    "clear_attempted": "clear, attempted through the file system",
    "beyond_use": "beyond use: out of reach, not overwritten",
    "none": "none",
    "open_unknown": "whether somebody had it open could not be asked",
    "shared_extents": "other files or snapshots may share its blocks",
    "copies_on_write": "the file system leaves old blocks behind",
    "content_not_read": "its content was not read: the digest is of its id and version",
}


def write_html(one: SignedCertificate, stream: TextIO) -> None:
    """Writes the certificate as one self-contained page, in UTF-8. It is not checked: that is for `verify`."""
    template = _environment().get_template("certificate.html.jinja")
    page = template.stream(
        heading=one.certificate.heading,
        items=one.certificate.items,
        checkpoint=one.certificate.checkpoint,
        signer=one.signature.name,
        signature=one.data.decode().rpartition("\n\n")[2],
        sha256=one.sha256.hex(),
    )
    page.enable_buffering(200)
    stream.writelines(page)


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("agent.certificate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        say=lambda word: _WORDS.get(word) or words.say(word),
        number=words.say_number,
        count=words.say_count,
        day=words.say_day,
        moment=words.say_moment,
        size=words.say_size,
    )
    return environment
