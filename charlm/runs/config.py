"""What a run is: its model, its words and its training, checked, and kept as JSON."""

import re
from importlib.metadata import version
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    field_validator,
    model_validator,
)

from charlm import __version__
from charlm.runs.models import MODELS
from charlm.vocab import InputError, Vocabulary

MAX_STEPS = 10**9
#: What `Run.words` takes.
SPLITS = ("train", "dev", "test", "all")
# The other way of an n-gram with what it has not seen; it takes the place of fallback.
SMOOTHING = "smoothing"


class Checked(BaseModel):
    """Exact types, no unknown field, and no change later on."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Return the checked values; an InputError says in a sentence what is wrong."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise InputError(sentence(error)) from None


class ModelConfig(Checked):
    """The hyper-parameters of a model; None where a model has no such thing.

    Parameters
    ----------
    order : characters counted at once: 1 to 64
    smoothing : added to each count, in place of a fallback: 0 to 1,000,000
    fallback : the weight of shorter contexts: above 0, up to 1,000,000
    block_size : length of a context: 1 to 1,024; for a tree a power of two from 2 up
    n_embd : numbers that stand for a character: 1 to 16,384
    n_hidden : units of a hidden layer: 1 to 16,384
    n_layer : hidden layers, or blocks: 1 to 256
    n_head : attention heads of a block, a divisor of n_embd: 1 to 256
    dropout : the share of numbers that training leaves out: 0 to below 1
    batch_norm : whether to normalize before a tanh
    """

    order: int | None = Field(None, ge=1, le=64)
    smoothing: float | None = Field(None, ge=0, le=1e6)
    fallback: float | None = Field(None, gt=0, le=1e6)
    block_size: int | None = Field(None, ge=1, le=1024)
    n_embd: int | None = Field(None, ge=1, le=16384)
    n_hidden: int | None = Field(None, ge=1, le=16384)
    n_layer: int | None = Field(None, ge=1, le=256)
    n_head: int | None = Field(None, ge=1, le=256)
    dropout: float | None = Field(None, ge=0, lt=1)
    batch_norm: bool | None = None


class DataConfig(Checked):
    """The file of words, recognized by its digest; path None is the bundled names.

    Parameters
    ----------
    path : seen from the run's directory, absolute in format 1; None for the bundled
        names
    bytes : the length of the file: 1 or more
    sha256 : its digest, 64 hexadecimal digits
    words : how many there are: 1 or more
    split_seed : shuffles the words before they are split
    """

    path: str | None
    bytes: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    words: int = Field(ge=1)
    split_seed: int = 42

    # A path may have bytes that are no text: Python keeps each as a lone surrogate,
    # JSON has none. A zero character, which no path has, marks them there.
    @field_serializer("path", when_used="json")
    def _as_text(self, path: str | None) -> str | None:
        return path and re.sub(
            "[\ud800-\udfff]", lambda char: f"\0{ord(char[0]):04x}", path
        )

    @field_validator("path")
    @classmethod
    def _from_text(cls, path: str | None) -> str | None:
        return path and re.sub(
            "\0([0-9a-f]{4})", lambda code: chr(int(code[1], 16)), path
        )


class TrainConfig(Checked):
    """AdamW with a learning rate that warms up and falls along a cosine.

    Parameters
    ----------
    steps : updates of the weights: 1 to 1,000,000,000
    batch_size : examples, or whole words, per step: 1 to ``2**20``; at least 2 with
        batch normalization
    learning_rate : the highest one: above 0, up to 100
    weight_decay : shrinks the weights: 0 to 100
    warmup : steps of rising rate: 0 or more, fewer than steps
    eval_every : steps from one evaluation to the next: 1 or more
    seed : repeats weights and batches: ``-2**63`` to ``2**64 - 1``
    """

    steps: int = Field(ge=1, le=MAX_STEPS)
    batch_size: int = Field(ge=1, le=2**20)
    learning_rate: float = Field(gt=0, le=100, allow_inf_nan=False)
    weight_decay: float = Field(ge=0, le=100, allow_inf_nan=False)
    warmup: int = Field(ge=0)
    eval_every: int = Field(ge=1)
    seed: int = Field(ge=-(2**63), lt=2**64)

    @model_validator(mode="after")
    def _warm_up_fits(self) -> Self:
        if self.warmup >= self.steps:
            raise ValueError(
                f"a warm-up of {self.warmup} does not fit into {self.steps} steps"
            )
        return self


class Config(Checked):
    """Everything that says how a run came about.

    Parameters
    ----------
    format : of the directory; 1 is that of charlm 0.1
    model : a key of `charlm.runs.models.MODELS`
    options : what that model is built with
    chars : the characters that it knows, sorted
    data : the words that it learns from
    recipe : how it is trained; None for counts
    versions : of charlm and torch, when it was begun; None in format 1
    longest : the characters of the longest word: 1 or more; None if it was not noted
    """

    format: Literal[1, 2] = 2
    model: str
    options: ModelConfig
    chars: tuple[str, ...] = Field(max_length=0x110000)
    data: DataConfig
    recipe: TrainConfig | None
    versions: dict[str, str] | None = None
    longest: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.model not in MODELS:
            raise ValueError(f"there is no model {self.model!r:.80}")
        kind = MODELS[self.model]
        names = {*self.model_options}
        if SMOOTHING in names and "fallback" not in names:
            names = names - {SMOOTHING} | {"fallback"}
        if names != {*kind.options}:
            raise ValueError(f"these are not the options of {self.model}")
        if (self.recipe is None) != (kind.recipe is None):
            raise ValueError(f"{self.model} is trained in another way")
        least = 2 if self.options.batch_norm else kind.least_batch
        if self.recipe is not None and self.recipe.batch_size < least:
            raise ValueError(f"{self.model} needs batches of at least {least} examples")
        Vocabulary(self.chars)
        return self

    @property
    def vocab(self) -> Vocabulary:
        """The vocabulary of the data."""
        return Vocabulary(self.chars)

    @property
    def model_options(self) -> dict[str, Any]:
        """The arguments that build the model."""
        return self.options.model_dump(exclude_none=True)


def versions() -> dict[str, str]:
    """Return the versions of charlm and torch that are at work."""
    return {"charlm": __version__, "torch": version("torch")}


def sentence(error: ValidationError) -> str:
    """Return what is wrong first, as "n-hidden: input should be ..., got 0"."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])).replace("_", "-")
    what = first["msg"].removeprefix("Value error, ")
    if not where:
        return what
    return f"{where}: {what[0].lower()}{what[1:]}, got {first['input']!r:.80}"


def configure(
    model: str, asked: dict[str, Any]
) -> tuple[ModelConfig, TrainConfig | None]:
    """Return how a model is built and trained, with what is asked for in place.

    Unless asked, the warm-up takes a tenth of the steps, and there are twenty
    evaluations. The second is None for a model that only counts. Raises InputError for
    an unknown model or setting, one that the model lacks, or a value out of range.

    Parameters
    ----------
    model : a key of `charlm.runs.models.MODELS`
    asked : fields of `ModelConfig` and `TrainConfig`, by name
    """
    if model not in MODELS:
        raise InputError(f"there is no model {model!r}, only {', '.join(MODELS)}")
    kind = MODELS[model]
    for name in asked:
        if name in ModelConfig.model_fields:
            own = "fallback" if name == SMOOTHING else name
            able = [other for other, k in MODELS.items() if own in k.options]
        elif name in TrainConfig.model_fields:
            able = [other for other, k in MODELS.items() if k.recipe is not None]
        else:
            raise InputError(f"there is no setting {name!r}")
        if model not in able:
            raise InputError(
                f"--{name.replace('_', '-')} is no option of {model}, "
                f"only of {', '.join(able)}"
            )
    if {SMOOTHING, "fallback"} <= asked.keys():
        raise InputError("--smoothing does without --fallback: leave out one of them")
    options = {k: v for k, v in asked.items() if k in ModelConfig.model_fields}
    defaults = dict(kind.options)
    if SMOOTHING in asked:
        defaults = {"order": 4}  # longer contexts would be unseen
    chosen = ModelConfig.of(defaults | options)
    if kind.recipe is None:
        return chosen, None
    recipe = kind.recipe | {k: v for k, v in asked.items() if k not in options}
    steps = recipe["steps"] if isinstance(recipe["steps"], int) else 1
    derived = {"seed": 1, "warmup": steps // 10, "eval_every": -(-steps // 20)}
    return chosen, TrainConfig.of(derived | recipe)
