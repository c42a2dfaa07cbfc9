"""Many words: what was read is not kept a second time while a model learns."""

import pytest

from charlm.runs import trainer
from charlm.runs.run import new
from charlm.runs.store import RunError


@pytest.mark.parametrize("model", ["ngram", "bigram"])
def test_the_words_are_let_go_once_they_are_split(tmp_path, names, model):
    file = tmp_path / "words.txt"
    file.write_text("\n".join(names[:100]))
    settings = {} if model == "ngram" else {"steps": 1}
    run = new(tmp_path / "run", file, model=model, **settings)
    file.unlink()  # what is still known was kept
    dev = run.words("dev")
    if model == "ngram":
        trainer.count(run)
    else:
        next(iter(trainer.begin(run)))
    assert run.words("dev") == dev
    with pytest.raises(RunError, match="which the run learned from, is not there"):
        run.words("train")
