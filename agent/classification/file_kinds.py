"""Which kind of file a format or an extension is: the only place that says so."""

from __future__ import annotations

from agent.model.condition import FileKind
from agent.model.record import Record

_NAMES: dict[FileKind, str] = {
    FileKind.DOCUMENT: "doc docm docx dot dotm dotx odt ott rtf pages wpd wps",
    FileKind.SPREADSHEET: "xls xlsb xlsm xlsx xlt xltm xltx ods ots csv tsv numbers",
    FileKind.PRESENTATION: "ppt pptm pptx pps ppsm ppsx pot potx odp otp key",
    FileKind.PDF: "pdf",
    FileKind.MAIL: "eml msg mbox pst ost mht emlx mail ics vcf",
    FileKind.TEXT: "txt text log md rst json xml yaml yml ini conf",
    FileKind.WEB_PAGE: "html htm xhtml mhtml",
    FileKind.IMAGE: "jpg jpeg jpe png gif bmp tif tiff webp heic heif svg psd image",
    FileKind.AUDIO: "mp3 wav m4a wma aac ogg oga flac amr audio",
    FileKind.VIDEO: "mp4 m4v mov avi wmv mkv webm mpg mpeg 3gp video",
    FileKind.ARCHIVE: "zip 7z rar tar gz tgz bz2 tbz xz txz zst cab iso archive",
    FileKind.DATABASE: "mdb accdb sqlite sqlite3 db dbf bak sql",
}
_KIND_OF = {name: kind for kind, names in _NAMES.items() for name in names.split()}

# What extraction calls any readable text; only the extension tells a table of values or a page from prose.
_NO_ANSWER = frozenset({"", "unknown", "text", "txt", "xml"})


def file_kind_of(record: Record) -> FileKind:
    """The kind by what the content was found to be, or by the extension where the content does not say."""
    by_format = _KIND_OF.get(record.format)
    if by_format is not None and record.format not in _NO_ANSWER:
        return by_format
    stem, dot, extension = record.path.rpartition("/")[2].rpartition(".")
    by_extension = _KIND_OF.get(extension.lower()) if stem and dot else None
    return by_extension or by_format or FileKind.OTHER
