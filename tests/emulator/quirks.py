"""How the emulated service behaves where the real one is known to differ from place to place, or not known at all.

Every drive has its own `quirks`; a test sets what it is about. The defaults are what is documented.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Quirks:
    """Switches of one drive."""

    # How changes are told
    page_size: int = 200  # entries in a page of changes or children, where the caller names no number
    token_days: float = 30.0  # how long a token of the change feed is taken, by the emulator's clock
    resync_code: str = "resyncChangesApplyDifferences"  # or resyncChangesUploadDifferences
    resync_nested: bool = False  # the code is in innerError, and error.code says resyncRequired
    tells_parents: bool = True  # the folders above what changed are told too
    tells_children_of_deleted: bool = False  # a deleted folder's content is told as deleted one by one
    loses_recreated: bool = False  # a folder made anew at the place of a deleted one: the deletion is never told
    tells_twice: int = 0  # every so many entries, one is told twice in the same page, first as it was created
    empty_last_page: bool = False  # the link to ask for changes later comes in a page of its own
    delta_expands: str = "yes"  # $expand in the change feed: "yes", "ignored" or "refused"
    delta_ctags: bool = False  # cTag is in the change feed
    delta_hashes: bool = True  # file.hashes is in the change feed

    # What is said about items
    hashes: bool = True  # quickXorHash is given at all
    conditions: bool = True  # If-Match is honoured
    no_label_is_not_found: bool = False  # asking for the label of an item without one answers 404, not {}

    # What acts do
    office_rewrites: bool = False  # setting a column rewrites an Office file: other bytes, size, hash
    moves_drop_labels: bool = False  # an item that is moved loses its retention label
    moves_drop_sharing: bool = False  # an item that is moved loses permissions of its own
    records_move: bool = False  # a locked record may be moved inside its drive
    kept_may_be_deleted: bool = False  # what a label retains can be deleted: a copy goes to the hold library
    folder_hold_is_a_fault: bool = False  # deleting a folder with something held in it answers 500
    async_moves: bool = False  # moves inside the drive, too, are answered with 202 where the caller prefers that
    delete_ignores_condition: bool = False  # DELETE takes no notice of If-Match
