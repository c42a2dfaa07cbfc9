"""A cell that fails on purpose fails as its page says, and shows one line of it.

Such a cell is tagged `raises-exception`, so that the page goes on after it. Its option
`raises` has a part of the message, as in `:raises: shapes cannot be multiplied`, or a
list of messages where machines differ. The traceback is cut down to its last line
before it is kept, for the page and for the notebook. Another error, or none, is told
like a missed expectation: in a note at its place, and by the build, which fails with
CHARLM_STRICT=1.
"""

from textwrap import shorten

from docutils import nodes
from sphinx.transforms import SphinxTransform

TAG = "raises-exception"
MESSAGE = 400  # characters of a message that are shown
DIFFERENT = "On this machine it came out differently"
OTHER_WORDS = (
    "Other versions of PyTorch or Python may say the same in other words: {}. "
    "Read the sentences around it with that in mind."
)


def cut_down(output):
    """Replace a traceback by its last line: the type of the error and its message."""
    message = output["evalue"].strip()
    if len(message) > MESSAGE:
        message = message[:MESSAGE].rsplit(maxsplit=1)[0] + " […]"
    kind = output["ename"].rpartition(".")[2]
    output["traceback"] = [f"{kind}: {message}" if message else kind]


def fault(raises, shown):
    """What is wrong with what a cell shows, in words; "" if nothing is."""
    accepted = [raises] if isinstance(raises, str) else raises
    wanted = " or ".join(f'"{message}"' for message in accepted)
    if not any(accepted):
        return f"a cell tagged {TAG} needs the option `raises`, a part of the message"
    should = f"this cell should fail with {wanted}"
    if not shown:
        return f"{should}, but it raises no error"
    if any(in_one_line(message) in in_one_line(shown) for message in accepted):
        return ""
    return f"{should}, but it fails with: {shorten(shown, 200, placeholder=' …')}"


def in_one_line(text):
    return " ".join(text.split())


class CheckErrors(SphinxTransform):
    """Compare each error that a page shows with the one that it announces."""

    default_priority = 11  # after `expectations` has begun its list

    def apply(self):
        missed = self.env.metadata[self.env.docname].setdefault("missed", [])
        for cell in list(self.document.findall(nodes.container)):
            metadata = cell.get("cell_metadata") or {}
            if TAG not in metadata.get("tags", []):
                continue
            blocks = cell.findall(nodes.literal_block)
            shown = [b.astext() for b in blocks if "traceback" in b["classes"]]
            if found := fault(metadata.get("raises", []), "\n".join(shown)):
                missed.append((cell.line, found, False))
                cell.parent.insert(cell.parent.index(cell), note(found))


def note(found):
    text = OTHER_WORDS.format(found)
    parts = [nodes.title("", DIFFERENT), nodes.paragraph("", text)]
    return nodes.admonition("", *parts, classes=["warning", "expectation"])


def setup(app):
    app.add_transform(CheckErrors)
