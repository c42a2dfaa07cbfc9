"""CPU time: the book's parts, and all its pages, beside the last cell of the lectures.

That cell trains the net of 76,579 parameters for 200,000 steps. A sample of its steps
is taken before each page, in this process, so that a busy machine slows both alike.
"""

from itertools import islice
from statistics import mean
from time import process_time

from execution import pages, run
from training import PLAIN_STEPS, TRAIN, VOCAB, plain_steps, plain_wavenet

from charlm.data import windows

SAMPLE = 200


def lecture():
    """Yield the CPU seconds of the lecture's cell, from one sample after another."""
    steps = plain_steps(plain_wavenet(), *windows(TRAIN, VOCAB, 8))
    list(islice(steps, SAMPLE))
    while True:
        start = process_time()
        list(islice(steps, SAMPLE))
        yield (process_time() - start) / SAMPLE * PLAIN_STEPS


def table():
    """Yield the lines of a table: each executed page, the parts, and all of them."""
    yield f"{'page, CPU time beside the lecture’s last cell':48} {'s':>6} {'ratio':>7}"
    samples, seconds = lecture(), {}
    cells = []
    for page in pages():
        cells.append(next(samples))
        seconds[page] = run(page).seconds
        yield f"{page:48} {seconds[page]:6.0f} {seconds[page] / cells[-1]:7.3f}"
    cell, total = mean(cells), sum(seconds.values())
    parts = sum(s for page, s in seconds.items() if page[0].isdigit())
    verdict = "" if parts <= 2 * cell else "  missed"
    yield f"{'the lecture’s cell, 200,000 steps':48} {cell:6.0f} {1:7.3f}"
    line = f"{'the seven parts':48} {parts:6.0f} {parts / cell:7.3f}"
    yield f"{line}  (target 2){verdict}"
    yield f"{'all pages':48} {total:6.0f} {total / cell:7.3f}"


if __name__ == "__main__":
    for line in table():
        print(line, flush=True)
