"""What a file is that cannot be words of UTF-8 text, and the way out."""

from codecs import BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE

SAVE = "save its words as plain text, one a line"
UNPACK = "unpack it first"
#: What formats begin with, how they are called, and what to do.
BEGINNINGS = {
    b"\x1f\x8b": ("a gzip file", f"{UNPACK} (gunzip)"),
    b"BZh91AY&SY": ("a bzip2 file", f"{UNPACK} (bunzip2)"),
    b"\xfd7zXZ\0": ("an xz file", f"{UNPACK} (unxz)"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", f"{UNPACK} (unzstd)"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", UNPACK),
    b"PK\3\4": (
        "a zip archive, as spreadsheets and documents are",
        f"unpack it, or {SAVE}",
    ),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet or document", SAVE),
    b"%PDF-": ("a PDF", SAVE),
    b"{\\rtf": ("a rich-text document", SAVE),
    b"SQLite format 3\0": ("an SQLite database", SAVE),
    b"PAR1": ("a Parquet table", SAVE),
    b"\x89PNG": ("a picture", SAVE),
    b"\xff\xd8\xff": ("a picture", SAVE),
}
MARKS = {  # the longer ones first: UTF-32's begins with UTF-16's
    BOM_UTF32_LE: "UTF-32",
    BOM_UTF32_BE: "UTF-32",
    BOM_UTF16_LE: "UTF-16",
    BOM_UTF16_BE: "UTF-16",
}
#: Above this share of zero bytes a file is no text of one byte for most characters.
MOST_ZEROS = 0.2
#: A tar archive has this word at this place, and zeros after the name before it.
TAR, TAR_AT = b"ustar", 257
CONVERT = "save it as UTF-8, or convert it: iconv -f {} -t UTF-8 FILE > NEW"


def no_text(content: bytes) -> str | None:
    """Return what a file looks like, and what to do; None where it may be text."""
    for beginning, (name, way) in BEGINNINGS.items():
        if content.startswith(beginning):
            return f"looks like {name}: {way}"
    if content.startswith(TAR, TAR_AT) and b"\0" in content[:TAR_AT]:
        return f"looks like a tar archive: {UNPACK}"
    for mark, name in MARKS.items():
        if content.startswith(mark):
            return f"looks like {name} text: {CONVERT.format(name)}"
    if content.count(0) <= MOST_ZEROS * len(content):
        return None
    even, odd = content[::2].count(0), content[1::2].count(0)
    if max(even, odd) > 0.4 * len(content) and min(even, odd) < 0.1 * max(even, odd):
        name = "UTF-16LE" if odd > even else "UTF-16BE"
        return f"looks like {name} text: {CONVERT.format(name)}"
    return f"is no text: a large part of it is zero bytes; {SAVE}"


def not_utf_8(content: bytes, at: int) -> str:
    """Return which line is not UTF-8, how Windows would read it, and what to do."""
    line = content.count(b"\n", 0, at) + 1
    start = content.rfind(b"\n", 0, at) + 1
    raw = content[max(start, at - 40) : at + 40].split(b"\n")[0]
    try:
        seen = (
            f"cp1252, of older Windows programs, reads {raw.decode('cp1252')!r} there"
        )
    except UnicodeDecodeError:
        seen = "nor is it cp1252, of older Windows programs"
    way = CONVERT.format("cp1252") if "reads" in seen else "save it as UTF-8"
    return f", line {line}: this is not UTF-8 text ({seen}); {way}"
