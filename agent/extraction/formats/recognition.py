"""Text in pictures, recognised by Tesseract: an extra, used only if the settings name the languages to read."""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Iterator
from typing import Any

from agent.extraction.budget import Budget
from agent.extraction.document import Unread

_DATA = ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata", "/usr/share/tessdata")
_MOST_PIXELS = 100_000_000
_LONGEST_SIDE = 4_000  # pixels: an A4 page at 300 dots an inch, and some room
_SMALL_SIDE = 1_200  # a picture from a screen: its letters are too small unless it is enlarged
_FORMATS = ("JPEG", "PNG", "TIFF", "GIF", "BMP", "WEBP")

_engine: Any = None  # made by the zygote and inherited by every process it forks


def missing(languages: str) -> str:
    """What must be installed before these languages (`eng`, `eng+cym`) can be read; nothing if all is there."""
    modules = [name for name in ("tesserocr", "PIL") if importlib.util.find_spec(name) is None]
    if modules:
        return "the Python packages of retentiond[ocr]"
    unknown = [language for language in languages.split("+") if _folder_with(language) is None]
    return " ".join(f"tesseract-ocr-{language}" for language in unknown)


def prepare(languages: str) -> None:
    """Loads the engine, if any language is asked for and it is installed. Takes a tenth of a second a language."""
    global _engine
    if not languages or missing(languages):
        return
    import tesserocr
    from PIL import Image

    Image.init()  # it would look for its decoders later, when nothing can be opened any more
    _engine = tesserocr.PyTessBaseAPI(path=_folder_with(languages.split("+")[0]), lang=languages)
    _engine.SetVariable("debug_file", "")  # it would open one, which it may not, and does not survive that


def _folder_with(language: str) -> str | None:
    return next((folder for folder in _DATA if os.path.isfile(f"{folder}/{language}.traineddata")), None)


def text_of_pixels(budget: Budget, pixels: bytes, width: int, height: int, stride: int) -> str:
    """The text in a grey picture of one byte a pixel. Raises `Unread` if it is not to be had, or not in time."""
    if _engine is None:
        raise Unread("picture_not_read")
    if not budget.picture():
        raise Unread("picture_limit")
    _engine.SetImageBytes(pixels, width, height, 1, stride)
    try:
        if not _engine.Recognize(int(budget.picture_seconds * 1000)):
            raise Unread("picture_time")
        return str(_engine.GetUTF8Text())
    except RuntimeError:
        raise Unread("picture_not_read") from None
    finally:
        _engine.Clear()


def text_of_picture(budget: Budget, content: bytes) -> Iterator[str]:
    """The text of each page of a picture file. Raises `Unread` if it is not to be had."""
    if _engine is None:
        raise Unread("picture_not_read")
    from PIL import Image, ImageOps, ImageSequence

    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as picture:
            if picture.width * picture.height > _MOST_PIXELS:
                raise Unread("picture_too_large")
            for frame in ImageSequence.Iterator(picture):
                page = ImageOps.exif_transpose(frame.convert("L"))
                longest = max(page.size)
                if longest > _LONGEST_SIDE:
                    page.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
                elif longest < _SMALL_SIDE:
                    page = page.resize((page.width * 2, page.height * 2))
                yield text_of_pixels(budget, page.tobytes(), page.width, page.height, page.width)
                if picture.format == "GIF":
                    return  # the other pictures of a GIF are motion
    except (OSError, ValueError, SyntaxError, TypeError, LookupError, ArithmeticError, Image.DecompressionBombError):
        raise Unread("picture_damaged") from None
