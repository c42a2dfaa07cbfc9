"""The time of a page is said as a reader would say it."""

import pytest
from bookext.roles import duration


@pytest.mark.parametrize(
    "seconds, text",
    [(0.2, "under 1 s"), (1.4, "1 s"), (12.3, "12 s"), (99, "99 s"), (180, "3 min")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text
