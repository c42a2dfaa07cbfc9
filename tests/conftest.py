"""What all tests share: one thread, no screen, the bundled names read once.

torch is imported where it is needed: a process that only hands out tests needs none.
"""

import os
import signal
import sys

import pytest
from hypothesis import settings

os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
os.environ.pop("CHARLM_STRICT", None)  # a test says itself what it builds strictly

# The same few examples in every run; `--hypothesis-profile=many` tries others as well.
settings.register_profile("few", derandomize=True, deadline=None, max_examples=20)
settings.register_profile("many", deadline=None, max_examples=500)
settings.load_profile("few")


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """A file that a test writes need not survive a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def names():
    from charlm.data import load_words

    return load_words()


@pytest.fixture(scope="session")
def vocab(names):
    from charlm.vocab import Vocabulary

    return Vocabulary.from_words(names)


@pytest.fixture
def generator():
    import torch

    return torch.Generator().manual_seed(2147483647)


@pytest.fixture(scope="session")
def few_words(tmp_path_factory, names):
    """A file of 400 names, that no test may change."""
    path = tmp_path_factory.mktemp("few") / "words.txt"
    path.write_text("\n".join(names[:400]))
    return path


@pytest.fixture
def undrawn(monkeypatch):
    """Let a training go without its picture, which takes longer than a small one."""
    monkeypatch.setattr("charlm.runs.cli._draw_losses", lambda job: None)


@pytest.fixture
def command(monkeypatch, capsys, undrawn):
    """Run `charlm ...` in this process: status, stdout, stderr."""
    from charlm.runs import cli

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
