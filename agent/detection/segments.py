"""How a text is cut into parts to be searched one by one, so that a seam changes nothing.

A long text is searched in pieces that overlap; inside a piece, a segment is what the gate looks at for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# Presidio's work grows with the square of the length of a text, so a long one is searched in pieces that overlap: half
# of the overlap for a finding to end in, half for the words before the next piece's first finding.
PIECE = 8_000
OVERLAP = 600


def pieces(text: str, piece: int = PIECE, overlap: int = OVERLAP) -> Iterator[tuple[int, int, int, int]]:
    """The pieces in which a text is searched: its start, between what findings that count begin, its end.

    A piece starts at the beginning of a word where there is one near. Offsets count characters.
    """
    start = own_from = 0
    while len(text) - start > piece:
        end = start + piece
        own_to = end - overlap // 2
        yield start, own_from, own_to, end
        own_from = own_to
        start = _word_start(text, own_from - overlap // 2, overlap // 4)
    yield start, own_from, len(text), len(text)


def _word_start(text: str, near: int, room: int) -> int:
    """The first beginning of a word behind `near`, if there is one in the room."""
    for position in range(near, near + room):
        if text[position - 1].isspace():
            return position
    return near


def segments(text: str, core: int, before: int, behind: int) -> Iterator[tuple[int, int, int, int]]:
    """Where to look for what begins in each stretch of `core` characters: from, the stretch's start and end, to.

    Looked at are `before` characters before the stretch, and `behind` after it up to the next ASCII white space: what
    begins in the stretch and is no longer than `behind`, or holds no white space, is seen whole.
    """
    length = len(text)
    for start in range(0, length, core):
        stop = min(length, start + core)
        yield max(0, start - before), start, stop, word_end(text, min(length, stop + behind))


def word_end(text: str, position: int) -> int:
    """The first ASCII white space at or behind the position, or the end of the text."""
    length = len(text)
    while position < length and text[position] not in " \t\n\r\v\f":
        position += 1
    return position


def joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches in order of their start, with those that touch or overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in stretches:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found
