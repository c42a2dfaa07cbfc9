"""The command line: train, sample, evaluate, compare, info.

Results go to stdout, progress to stderr. torch and pydantic are imported by a command
that needs them, never for help.
"""

import errno
import io
import json
import math
import os
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from charlm import __version__
from charlm.runs.models import DEFAULT, MODELS
from charlm.runs.terminal import escaped, shown

if TYPE_CHECKING:
    from charlm.evaluate import Evaluation
    from charlm.runs.run import Run
    from charlm.runs.trainer import Trainer

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# Text, also where a notebook calls `main`.
out = Console(markup=False, emoji=False, force_jupyter=False)
err = Console(stderr=True, force_jupyter=False)


def _by_model(name: str) -> str:
    """Return the default of a setting as "3 for mlp, 8 for wavenet, conv"."""
    models: dict[Any, list[str]] = {}
    for model, kind in MODELS.items():
        values = kind.options | (kind.recipe or {})
        if name in values:
            models.setdefault(values[name], []).append(model)
    return "; ".join(f"{value} for {', '.join(of)}" for value, of in models.items())


def _setting(name: str, help: str, default: str | None = None) -> Any:
    of_model = any(name in kind.options for kind in MODELS.values())
    group = "Model" if of_model else "Training"
    return typer.Option(
        help=help,
        show_default=default or _by_model(name),
        rich_help_panel=group,
    )


RunDirectory = Annotated[Path, typer.Argument(help="The directory of a run.")]
File = Annotated[
    Path | None,
    typer.Argument(
        help="A UTF-8 file, one word a line; - for standard input.",
        show_default="the names",
    ),
]
WORDS = "words.txt"  # where a run keeps the words of a pipe
DEVICES = ("auto", "cpu", "cuda", "mps")
SPLITS = ("train", "dev", "test", "all")
Device = Annotated[
    str, typer.Option(help="auto, cpu, cuda or mps.", autocompletion=lambda: DEVICES)
]
WordsFile = Annotated[
    Path | None,
    typer.Option(
        "--words",
        help="The file that the run learned from.",
        show_default="found near the run",
    ),
]
Threads = Annotated[
    int, typer.Option(min=1, max=512, help="Small models are fastest with one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

Order = Annotated[int | None, _setting("order", "Characters counted at once.")]
Fallback = Annotated[
    float | None,
    _setting("fallback", "Weight of shorter contexts."),
]
Smoothing = Annotated[
    float | None,
    _setting("smoothing", "Added to each count, in place of a fallback.", "none"),
]
BlockSize = Annotated[int | None, _setting("block_size", "Length of a context.")]
NEmbd = Annotated[int | None, _setting("n_embd", "Numbers that stand for a character.")]
NHidden = Annotated[int | None, _setting("n_hidden", "Units of a hidden layer.")]
NLayer = Annotated[int | None, _setting("n_layer", "Hidden layers, or blocks.")]
NHead = Annotated[int | None, _setting("n_head", "Attention heads of a block.")]
Dropout = Annotated[
    float | None, _setting("dropout", "The share of numbers left out in training.")
]
BatchNorm = Annotated[bool | None, _setting("batch_norm", "Normalize before a tanh.")]
Steps = Annotated[
    int | None,
    _setting("steps", "Training steps: updates of the weights, up to 10^9."),
]
BatchSize = Annotated[
    int | None, _setting("batch_size", "Examples, or whole words, per step.")
]
Rate = Annotated[float | None, _setting("learning_rate", "The highest rate.")]
Decay = Annotated[
    float | None, _setting("weight_decay", "Shrinks the weights (AdamW).")
]
Warmup = Annotated[
    int | None, _setting("warmup", "Steps of rising rate.", "a tenth of the steps")
]
EvalEvery = Annotated[
    int | None,
    _setting("eval_every", "Steps to an evaluation.", "a twentieth of the steps"),
]
Seed = Annotated[int | None, _setting("seed", "Repeats weights and batches.", "1")]
SplitSeed = Annotated[
    int, typer.Option(help="Shuffles the words before they are split.")
]


def _version(asked: bool) -> None:
    if asked:
        print(f"charlm {__version__}")
        raise typer.Exit


@app.callback()
def charlm(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Character-level language models: train one on your words, and let it invent."""


@app.command()
def train(
    context: typer.Context,
    file: File = None,
    model: Annotated[
        str,
        typer.Option(help=f"{', '.join(MODELS)}.", autocompletion=lambda: list(MODELS)),
    ] = DEFAULT,
    directory: Annotated[
        Path | None,
        typer.Option("--out", help="The run's directory.", show_default="runs/MODEL"),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with a run that was stopped.")
    ] = None,
    words: WordsFile = None,
    order: Order = None,
    fallback: Fallback = None,
    smoothing: Smoothing = None,
    block_size: BlockSize = None,
    n_embd: NEmbd = None,
    n_hidden: NHidden = None,
    n_layer: NLayer = None,
    n_head: NHead = None,
    dropout: Dropout = None,
    batch_norm: BatchNorm = None,
    steps: Steps = None,
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    weight_decay: Decay = None,
    warmup: Warmup = None,
    eval_every: EvalEvery = None,
    seed: Seed = None,
    split_seed: SplitSeed = 42,
    device: Device = "auto",
    threads: Threads = 1,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, no advice.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train a model on a file of words.

    The run's directory gets the parameters with the lowest dev loss, the
    losses, and their curve. A run that was stopped goes on with --resume.
    """
    import torch

    from charlm.runs import trainer
    from charlm.runs.config import ModelConfig, TrainConfig
    from charlm.runs.run import new
    from charlm.vocab import InputError

    torch.set_num_threads(threads)
    if resume is not None:
        _alone(context, "resume", "words", "device", "threads", "quiet", "as_json")
        job = trainer.resume(resume, device, words)
    elif words is not None:
        raise InputError("--words goes with --resume: give a new run its file alone")
    else:
        names = (*ModelConfig.model_fields, *TrainConfig.model_fields)
        given = {n: context.params[n] for n in names if context.params[n] is not None}
        directory = directory or Path("runs", model)
        run = new(directory, file, model=model, split_seed=split_seed, **given)
        notes = [] if quiet else _notes(run, file)
        if run.config.recipe is None:
            trainer.count(run)
            _say(*notes)
            _report(run.load(), as_json)
            return None if quiet else _advise(run, file)
        job = trainer.begin(run, device)
        _say(*notes)
    _follow(job, quiet)
    if job.group.rank == 0:
        _draw_losses(job)
        _report(job.run.load(device), as_json)
        if not quiet and resume is None:
            _advise(job.run, file)


def _advise(run: "Run", file: Path | None) -> None:
    """Say what a user may try next: samples, and another model to compare with."""
    directory, words = str(run.directory), [str(file)] if file else []
    if run.store.has(WORDS) and file:  # from a pipe: the run has kept them
        words = [str(run.directory / WORDS)]
    other = "ngram" if run.config.model != "ngram" else DEFAULT
    advice = {
        "for words": ["sample", directory, "--novel"],
        "for another model": ["train", *words, "--model", other],
        "then side by side": ["compare", directory, f"runs/{other}"],
    }
    for what, command in advice.items():
        print(f"{what}: {shlex.join(['charlm', *command])}", file=sys.stderr)


def _notes(run: "Run", file: Path | None) -> list[str]:
    """Return which words were found, and what about them may not be meant."""
    from charlm.runs.hints import found, hints

    if os.environ.get("RANK", "0") != "0":
        return []
    words, chars = run.words(), run.config.chars
    return [
        found(words, chars),
        *(f"hint: {hint}" for hint in hints(words, chars, file)),
    ]


def _alone(context: typer.Context, *allowed: str) -> None:
    """Refuse options that go with a new run only."""
    from charlm.vocab import InputError

    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        given = source is not None and source.name == "COMMANDLINE"
        if given and parameter.name not in allowed:
            raise InputError(
                f"--resume goes on as the run began: leave out {parameter.opts[0]}"
            )


def _follow(job: "Trainer", quiet: bool) -> None:
    """Make all steps, and show how far they are; Ctrl-C and SIGTERM save them."""
    from charlm.runs.progress import show_progress
    from charlm.train import NonFiniteLossError

    directory = job.run.directory
    shown = nullcontext() if quiet else show_progress(job, err)
    with _interruptible(job.group.size == 1) as stopped, shown as show:
        try:
            for step, row in job:
                if show:
                    show(step, row)
                if stopped:
                    job.save()
                    break
        except NonFiniteLossError as error:
            if job.state.rows:
                left = f"{directory} keeps what was best before"
            else:
                left = "train anew with a lower rate into another --out"
            _say(f"charlm: {error}; {left}")
            raise typer.Exit(1) from None
    if stopped and not job.finished:
        _say(f"stopped after step {job.state.step:,} of {job.recipe.steps:,}")
        _say(f"to go on: {shlex.join(['charlm', 'train', '--resume', str(directory)])}")
        raise typer.Exit(128 + stopped[0])


@contextmanager
def _interruptible(alone: bool) -> Iterator[list[int]]:
    """Give a list, and put the first signal there that asks to stop.

    A second one ends the program. torchrun ends its processes itself, so that of
    several none must wait for the others.
    """
    stopped: list[int] = []

    def stop(number: int, frame: Any) -> None:
        stopped.append(number)
        give_back()

    def give_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    signals = (signal.SIGINT, signal.SIGTERM) if alone else (signal.SIGINT,)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        yield stopped
    finally:
        give_back()


def _draw_losses(job: "Trainer") -> None:
    from charlm.runs.picture import draw_losses  # matplotlib takes a second

    job.store.write_picture(draw_losses(job.state.rows))


def _report(run: "Run", as_json: bool) -> None:
    score = run.evaluate(run.words("dev"))
    if as_json:
        return _print_json(
            run=str(run.directory), parameters=run.n_parameters, **_numbers(score)
        )
    _say_score(score, "dev")
    name = shown(run.directory)
    print(f"{name}: {run.config.model}, {run.n_parameters:,} parameters")


@app.command()
def sample(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="The directory of a run.", show_default="one that knows names"
        ),
    ] = None,
    n: Annotated[
        int, typer.Option("-n", "--number", max=10**7, help="How many words.")
    ] = 20,
    prefix: Annotated[str, typer.Option(help="How each begins.")] = "",
    temperature: Annotated[
        float, typer.Option(help="Below 1: likelier words; above 1: stranger ones.")
    ] = 1.0,
    top_k: Annotated[
        int | None, typer.Option(help="Only the likeliest k.", show_default="all")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Repeats the words.", show_default="by chance")
    ] = None,
    novel: Annotated[
        bool, typer.Option("--novel", help="Only words that the run's file lacks.")
    ] = False,
    words: WordsFile = None,
    min_length: Annotated[
        int, typer.Option(min=0, help="Only words of so many characters or more.")
    ] = 0,
    max_length: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Only words of so many characters or fewer.",
            show_default="as in the run's file, at least 100",
        ),
    ] = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Let a model invent words, one per line."""
    from charlm.runs.run import open_run

    opened = open_run(run, device, words=words)
    drawn, cut = opened.draw(
        n,
        prefix=prefix,
        temperature=temperature,
        top_k=top_k,
        seed=seed,
        novel=novel,
        min_length=min_length,
        max_length=max_length,
    )
    if as_json:
        _print_json(words=drawn)
    else:
        print(*map(shown, drawn), sep="\n", end="\n" * bool(drawn))
    if cut:
        _say(
            f"{cut} of {n} words had not ended and are cut at {opened.limit} "
            "characters: --max-length draws whole ones"
        )
    if len(drawn) < n and novel:
        _say(f"found only {len(drawn)} of {n} words that the file lacks")
    elif len(drawn) < n:
        _say(f"found only {len(drawn)} of {n} words of these lengths")


@app.command()
def evaluate(
    run: RunDirectory,
    file: Annotated[
        Path | None,
        typer.Argument(help="Other words, one per line.", show_default="the run's own"),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="train, dev, test or all words.",
            show_default="dev; all of FILE",
            autocompletion=lambda: SPLITS,
        ),
    ] = None,
    full: Annotated[
        bool,
        typer.Option(
            "--full",
            help="Also: redrawn words, seen and unseen words apart, "
            "copied samples, calibration.",
        ),
    ] = False,
    words: WordsFile = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Measure a model on words, in nats and in bits per character."""
    from charlm.runs.run import open_run

    trained = open_run(run, device, words=words)
    chosen = trained.words(split or ("dev" if file is None else "all"), file)
    found = trained.report(chosen) if full else None
    score = found.score if found else trained.evaluate(chosen)
    if as_json:
        return _print_json(**_numbers(score), **(found.as_dict() if found else {}))
    _say_score(score, split or ("dev" if file is None else str(file)))
    print(*(found.sentences() if found else []), sep="\n", end="\n" * bool(found))


@app.command("compare")
def compare_runs(
    directories: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="The directories of runs.")
    ],
    split: Annotated[
        str,
        typer.Option(help="train, dev, test or all.", autocompletion=lambda: SPLITS),
    ] = "dev",
    words: WordsFile = None,
    device: Device = "auto",
    as_json: AsJson = False,
) -> None:
    """Compare models on the same words: differences from the best, and errors."""
    from charlm.runs.compare import compare

    rows = compare(directories, split, device, words)
    if as_json:
        return print(json.dumps(_finite([row.as_dict() for row in rows]), indent=2))
    table = Table("run", box=None)
    for head in ("parameters", "loss", "bits", "worse than the first by"):
        table.add_column(head, justify="right")
    for row in rows:
        table.add_row(*map(shown, row.cells()))
    out.print(table)


@app.command()
def info(run: RunDirectory, as_json: AsJson = False) -> None:
    """Show how a run came about, and its model layer by layer."""
    from charlm.runs.compare import list_layers
    from charlm.runs.hints import show_alphabet
    from charlm.runs.run import open_run

    trained = open_run(run)
    config, shapes = trained.config.model_dump(exclude_none=True), list_layers(trained)
    if as_json:
        return _print_json(
            config=config, parameters=trained.n_parameters, layers=shapes
        )
    chars = config.pop("chars")
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")
    for name, value in config.items():
        pairs = value.items() if isinstance(value, dict) else [(name, value)]
        for key, entry in pairs:
            table.add_row(key.replace("_", "-"), shown(entry), style=None)
    table.add_row("characters", f"{len(chars):,}: {show_alphabet(chars)}")
    table.add_row("parameters", f"{trained.n_parameters:,}")
    out.print(table)
    out.print()
    table = Table("layer", "kind", box=None)
    table.add_column("output", justify="right")
    table.add_column("parameters", justify="right")
    for name, kind, shape, size in shapes:
        table.add_row(name, kind, " × ".join(map(str, shape)), f"{size:,}")
    out.print(table)


def _numbers(score: "Evaluation") -> dict[str, float | int | None]:
    return {
        "loss": score.loss,
        "bits_per_char": score.bits_per_char,
        "standard_error": score.standard_error,
        "characters": score.characters,
    }


def _say_score(score: "Evaluation", what: str) -> None:
    print(
        f"{shown(what)}: {score} nats, {score.bits_per_char:.3f} bits a character, "
        f"on {score.characters:,} characters"
    )


def _print_json(**result: Any) -> None:
    print(json.dumps(_finite(result), indent=2))


def _finite(value: Any) -> Any:
    """Return the value as JSON can say it: null for what is not finite."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _say(*sentences: str) -> None:
    with suppress(OSError):  # a full disk: the exit status says it all
        for sentence in sentences:
            print(escaped(sentence), file=sys.stderr)


def main() -> None:
    """Run the command line; exit with a status of the page "The command line"."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # show what its encoding lacks
            stream.reconfigure(errors="backslashreplace")
    if os.environ.get("RANK", "0") != "0":
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:  # it is closed
                sys.stdout.flush()
    except Exception as error:
        from charlm.vocab import InputError

        if isinstance(error, OSError):
            _no_output(error)
        if not isinstance(error, InputError):
            raise
        _say(f"charlm: {error}")
        sys.exit(2)


def _no_output(error: OSError) -> None:
    """Exit with 1 where the output cannot be written; return at any other error."""
    if error.filename is not None:  # of a file: that would be a mistake of ours
        return
    with suppress(OSError, ValueError):  # what is left has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno != errno.EPIPE:  # as of `charlm sample RUN | head`: no mistake
        _say(f"charlm: the output cannot be written: {error.strerror}")
    sys.exit(1)
