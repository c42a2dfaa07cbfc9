"""The chapters' models with other seeds, for the error bars of the cover.

    python benchmarks/losses.py        about half an hour of CPU

executes each page that publishes a model under the seeds of `portable.py`, and writes
the dev losses of its models to book/losses.json. A model without a seed, such as a
table of counts, is left out: its losses are all the same. The GRU and the GPT have been
trained with other seeds by `seeds.py` and `ablations.py`; theirs are taken from there.
"""

import argparse
import json
import os
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from execution import BOOK, pages, run
from portable import SHIFT, SHIFTS


def losses(page, shift):
    """{model: loss} of what the page publishes under a seed."""
    done = run(page, SHIFT.format(shift=shift))
    if done.error:
        raise SystemExit(f"{page}, seed + {shift}:\n{done.error}")
    print(f"{page}, seed + {shift}: {done.seconds:.0f} s of CPU", flush=True)
    return done.losses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    given = parser.parse_args()
    work = [
        (page, shift)
        for page in pages("as_model(")
        if page[:2] in ("01", "02", "03", "04", "05")
        for shift in SHIFTS.values()
    ]
    found = defaultdict(list)
    with ThreadPoolExecutor(given.jobs) as pool:
        for result in pool.map(lambda job: losses(*job), work):
            for name, loss in result.items():
                found[name].append(round(loss, 5))
    runs = {
        "gru": json.loads((BOOK / "seeds.json").read_text("utf-8"))["gru"],
        "gpt": json.loads((BOOK / "ablations.json").read_text("utf-8"))["gpt"]["runs"],
    }
    for name, seeds in runs.items():
        found[name] = [run["dev"] for run in seeds]
    drawn = {name: values for name, values in found.items() if len({*values}) > 1}
    text = json.dumps(drawn, indent=1).replace("\n  ", " ").replace("\n ]", " ]")
    (BOOK / "losses.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
