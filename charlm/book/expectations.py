"""What a page expects of a number that comes out of a training or of a clock.

Such a number is one draw: another processor, or another seed, gives another. So a page
states the band that its sentences were written for. A miss stops nobody: the page shows
a note at that place, and the build lists it (`CHARLM_STRICT=1` makes the build fail).
What two ways must give to rounding is no expectation: that stays an `assert`.
"""

import json
import math
import os
from html import escape

from IPython.display import HTML, display

#: A file that gets one line of JSON for each expectation, met or missed; see
#: `make portable`.
RECORD = "CHARLM_EXPECTATIONS"


def expect(
    name: str,
    value: float,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    timed: bool = False,
) -> None:
    """State the band that the page's sentences were written for.

    Parameters
    ----------
    name : what the number is, in words: "dev loss of the wide tree"
    value : the number as it came out in this run
    low : the lower end of the band, included. An order is a difference with one end:
        "flat loses to tree" is `expect(..., flat - tree, low=0)`
    high : the upper end, included
    timed : it comes out of a clock, which other programs disturb: a miss is noted on
        the page, and fails no build

    Raises
    ------
    ValueError : where the band has no end, or is empty: it could not be missed, or not
        be met
    """
    value, low, high = float(value), float(low), float(high)
    if not low <= high or (math.isinf(low) and math.isinf(high)):
        raise ValueError(f"{name}: {low} to {high} is no band")
    met = low <= value <= high
    if RECORD in os.environ:
        record = {"name": name, "value": value, "low": low, "high": high}
        with open(os.environ[RECORD], "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
    if not met:
        display(HTML(_note(name, value, low, high, timed)))


def band(low: float, high: float) -> str:
    """Return a band in words: "2.05 to 2.15", "at least 0", "at most 3"."""
    if math.isinf(high):
        return f"at least {low:.4g}"
    return f"at most {high:.4g}" if math.isinf(low) else f"{low:.4g} to {high:.4g}"


def _note(name: str, value: float, low: float, high: float, timed: bool) -> str:
    """Return the note at a missed expectation's place, as HTML.

    The build finds it by data-expectation, or data-timed-expectation, which says the
    same as one line of text.
    """
    why = (
        "A time depends on what else the machine does."
        if timed
        else "A trained number is one draw, and yours is an unusual one."
    )
    said = f"{name}: here {value:.4g}, written for {band(low, high)}"
    return (
        '<div class="admonition warning expectation" '
        f'data-{"timed-" * timed}expectation="{escape(said)}">'
        '<p class="admonition-title">On this machine it came out differently</p>'
        f"<p>Here this number, {escape(name)}, came out as {value:.4g}; the text was "
        f"written for {band(low, high)}. {why} Read the sentences around it with that "
        "in mind.</p></div>"
    )
