"""What a cell prints, as it printed it: a page joins the pieces of a stream unchanged.

A kernel sends a long text in pieces, which end anywhere. MyST-NB ends a line after each
of them, in the middle of a word or a number too.
"""

from copy import deepcopy


def joined(outputs):
    """The outputs of a cell, neighbouring pieces of one stream as one."""
    whole = []
    for output in outputs:
        last = whole[-1] if whole else {}
        if output["output_type"] == "stream" and output["name"] == last.get("name"):
            last["text"] += output["text"]
        else:
            whole.append(deepcopy(output))  # the notebook stays as it is
    return whole


def shown(outputs):
    """The same for a page, each stream with one end of line after it."""
    whole = joined(outputs)
    for output in whole:
        if output["output_type"] == "stream":
            output["text"] = output["text"].rstrip() + "\n"
    return whole


def setup(app):
    import myst_nb.core.render  # it takes a second

    myst_nb.core.render.coalesce_streams = shown
    return {"parallel_read_safe": True, "parallel_write_safe": True}
