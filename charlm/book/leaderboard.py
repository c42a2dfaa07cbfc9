"""Models side by side: what each costs, how good it is, and what it writes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape

import torch

from charlm.evaluate import Evaluation, Model, evaluate, n_parameters
from charlm.memory import by_seen
from charlm.sample import sample_words
from charlm.vocab import Vocabulary


@dataclass(frozen=True)
class LeaderboardEntry:
    """One model: its name, its learned numbers, its loss, its training, its words.

    unseen is its loss on those words that do not occur in train, None where nobody
    asked. seconds is None for a model that is not trained.
    """

    label: str
    parameters: int
    score: Evaluation
    unseen: Evaluation | None
    seconds: float | None
    samples: tuple[str, ...]


def leaderboard_row(
    label: str,
    model: Model,
    words: Sequence[str],
    vocab: Vocabulary,
    *,
    train: Collection[str] | None = None,
    parameters: int | None = None,
    seconds: float | None = None,
    samples: int = 5,
    seed: int = 4,
) -> LeaderboardEntry:
    """Return the model's row: its loss on words, and some words it makes up.

    They are the first words that it happens to write; none is chosen. They are cut
    after 12 characters.

    Parameters
    ----------
    label : the model's name
    model : as in `evaluate`; of a run, its model's parameters are counted
    words : as in `evaluate`
    vocab : as in `evaluate`
    train : the words it learned from, to score the others apart; None for no such score
    parameters : how many it has; None counts them
    seconds : how long it was trained; None for a model that is not
    samples : how many words to draw
    seed : from which one; the same for every row
    """
    generator = torch.Generator().manual_seed(seed)
    unseen = None if train is None else by_seen(model, words, train, vocab)[1]
    return LeaderboardEntry(
        label,
        parameters or n_parameters(getattr(model, "model", model)),
        evaluate(model, words, vocab),
        unseen,
        seconds,
        tuple(sample_words(model, vocab, samples, generator=generator, max_length=12)),
    )


def as_html(rows: Sequence[LeaderboardEntry]) -> str:
    """Return the rows as a table in HTML, losses in nats per character.

    Each cell carries the head of its column, for screens where a row becomes a block.
    """
    heads = ("model", "parameters", "loss", "on new names", "training", "writes")
    lines = ["".join(f'<th scope="col">{head}</th>' for head in heads)]
    for r in rows:
        cells = [
            f"{r.parameters:,}",
            f"{r.score:.3f}",
            "not scored" if r.unseen is None else f"{r.unseen:.3f}",
            "none" if r.seconds is None else f"{r.seconds:.0f} s",
            escape(", ".join(word or "(empty)" for word in r.samples)),
        ]
        label = f'<th scope="row">{escape(r.label)}</th>'
        named = zip(heads[1:], cells, strict=True)
        cells = [f'<td data-head="{head}">{cell}</td>' for head, cell in named]
        lines.append(label + "".join(cells))
    head, *body = (f"<tr>{line}</tr>" for line in lines)
    return (
        f'<table class="table leaderboard"><thead>{head}</thead>'
        f"<tbody>{''.join(body)}</tbody></table>"
    )
