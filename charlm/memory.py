"""What a model remembers of the words that it learned from."""

from collections.abc import Collection, Sequence

from charlm.evaluate import Evaluation, Model, evaluate
from charlm.vocab import Vocabulary, check_list


def by_seen(
    model: Model, words: Sequence[str], train: Collection[str], vocab: Vocabulary
) -> tuple[Evaluation | None, Evaluation | None]:
    """Return the loss on the words that occur in train, and on the others.

    None stands for a loss on no words.

    Parameters
    ----------
    model : contexts (B, model.block_size) give logits (B, V)
    words : of characters that vocab has
    train : the words that the model learned from
    vocab : numbers the characters
    """
    check_list(words)
    check_list(train)
    known = set(train)
    parts = ([w for w in words if (w in known) is seen] for seen in (True, False))
    first, second = (evaluate(model, w, vocab) if w else None for w in parts)
    return first, second


def share_in(words: Sequence[str], known: Collection[str]) -> float:
    """Return the share of the words that occur among the known ones.

    Raises ValueError where there are no words.

    >>> share_in(["emma", "emmo", "ava", "emma"], ["emma", "mia"])
    0.5
    """
    check_list(words)
    check_list(known)
    if not words:
        raise ValueError("there are no words to look for")
    known = set(known)
    return sum(w in known for w in words) / len(words)
