"""Many words: what was read is not kept a second time while a model learns."""

import pytest

from charlm.runs import run as runs
from charlm.runs import trainer as training


@pytest.mark.parametrize("model", ["ngram", "bigram"])
def test_the_words_are_let_go_once_they_are_split(tmp_path, names, model):
    file = tmp_path / "words.txt"
    file.write_text("\n".join(names[:100]))
    settings = {} if model == "ngram" else {"steps": 1}
    run = runs.new(tmp_path / "run", file, model=model, **settings)
    assert run.kept_words == names[:100]
    if model == "ngram":
        training.count(run)
    else:
        next(iter(training.begin(run)))
    assert run.kept_words is None
