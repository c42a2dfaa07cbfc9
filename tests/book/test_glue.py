"""What a page glues is what MyST-NB's own function, slower to import, would glue."""

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from myst_nb.ext.glue import glue as their_glue

from charlm.book.glue import glue


@pytest.fixture(autouse=True)
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.mark.parametrize("value", [2.4544, "mor", [1, 2]])
def test_it_glues_what_myst_nb_would(value):
    with capture_output() as ours:
        glue("loss", value)
    with capture_output() as theirs:
        their_glue("loss", value, display=False)
    (one,), (other,) = ours.outputs, theirs.outputs
    assert one.data == other.data and one.metadata == other.metadata
    assert one.metadata["scrapbook"]["name"] == "loss"
