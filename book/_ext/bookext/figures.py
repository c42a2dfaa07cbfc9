"""Figure 2.3 is the third of Part 2: one counter for each page, pictures of all kinds.

Sphinx counts through the whole book. Its numbers are changed after it has stored them,
so that the next build still sees which of them have moved.
"""

from bookext.place import PART


def renumber(app, env):
    for page, kinds in env.toc_fignumbers.items():
        part = PART.match(env.titles[page].astext())
        prefix = (int(part[1]),) if part else ()
        for numbers in kinds.values():
            before = (
                min(number[-1] for number in numbers.values()) - 1 if numbers else 0
            )
            for name, number in numbers.items():
                numbers[name] = (*prefix, number[-1] - before)


def setup(app):
    app.connect("env-check-consistency", renumber)
