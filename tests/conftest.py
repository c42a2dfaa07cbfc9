"""What all tests share: one thread, no screen, the bundled names read once."""

import signal
import sys

import matplotlib

matplotlib.use("agg")

import pytest
import torch
from hypothesis import settings

from charlm.data import load_words
from charlm.vocab import Vocabulary

torch.set_num_threads(1)

# The same examples in every run, on slow machines too.
settings.register_profile("charlm", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("charlm")


@pytest.fixture(scope="session")
def names() -> list[str]:
    return load_words()


@pytest.fixture(scope="session")
def vocab(names) -> Vocabulary:
    return Vocabulary.from_words(names)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(2147483647)


@pytest.fixture
def few_words(tmp_path, names):
    """A file of 400 names."""
    path = tmp_path / "words.txt"
    path.write_text("\n".join(names[:400]))
    return path


@pytest.fixture
def command(monkeypatch, capsys):
    """Run `charlm ...` in this process: status, stdout, stderr."""
    from charlm import cli

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["charlm", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        streams = capsys.readouterr()
        return end.value.code or 0, streams.out, streams.err

    before = signal.getsignal(signal.SIGINT)
    yield command
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def refused(command):
    """Run `charlm ...`, which must refuse with one sentence: that sentence."""

    def refused(*arguments):
        status, out, err = command(*arguments)
        assert (status, out) == (2, ""), err
        assert err.startswith("charlm: ") and err.count("\n") == 1, err
        assert len(err) < 700
        return err.removeprefix("charlm: ").strip()

    return refused
