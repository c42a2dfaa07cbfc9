"""What a run is: its model, its data and its recipe, checked, and kept as JSON."""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from charlm.vocab import InputError, Vocabulary

#: What each model is built with where nothing else is asked for.
OPTIONS: dict[str, dict[str, Any]] = {
    "ngram": {"order": 4, "smoothing": 0.1},
    "bigram": {},
    "mlp": {
        "block_size": 3,
        "n_embd": 10,
        "n_hidden": 200,
        "n_layer": 1,
        "batch_norm": False,
    },
    "wavenet": {"block_size": 8, "n_embd": 24, "n_hidden": 128},
    "conv": {"block_size": 8, "n_embd": 24, "n_hidden": 128},
    "shared": {"block_size": 8, "n_embd": 24, "n_hidden": 128},
    "gated": {"block_size": 8, "n_hidden": 32},
}


QUICK = {
    "steps": 2600,
    "batch_size": 1024,
    "learning_rate": 0.007,
    "weight_decay": 0.5,
}
#: How each is trained where nothing else is asked for; warmup and eval_every are steps.
RECIPES: dict[str, dict[str, Any]] = {
    "bigram": {
        "steps": 1000,
        "batch_size": 4096,
        "learning_rate": 0.1,
        "weight_decay": 0.0,
    },
    "mlp": {**QUICK, "steps": 4000, "learning_rate": 0.01, "weight_decay": 0.1},
    "wavenet": QUICK,
    "conv": QUICK,
    "shared": QUICK,
    "gated": {**QUICK, "weight_decay": 0.1},
}
MAX_STEPS = 2**53

# Batch normalisation takes a deviation, so it needs two rows at least. The rows of
# "shared" are the different contexts of a batch: a few examples may all be the same.
LEAST_BATCH = {"wavenet": 2, "conv": 2, "shared": 16}


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


class Options(Checked):
    """The hyper-parameters of a model; None where a model has no such thing.

    Parameters
    ----------
    order
        Characters counted at once: 1 to 64.
    smoothing
        Added to each count: 0 to 1,000,000.
    block_size
        Length of a context: 1 to 1,024; for a tree a power of two from 2 up.
    n_embd
        Numbers that stand for a character: 1 to 16,384.
    n_hidden
        Units of a hidden layer: 1 to 16,384.
    n_layer
        Hidden layers: 1 to 256.
    batch_norm
        Whether to normalise before a tanh.
    """

    order: int | None = Field(None, ge=1, le=64)
    smoothing: float | None = Field(None, ge=0, le=1e6)
    block_size: int | None = Field(None, ge=1, le=1024)
    n_embd: int | None = Field(None, ge=1, le=16384)
    n_hidden: int | None = Field(None, ge=1, le=16384)
    n_layer: int | None = Field(None, ge=1, le=256)
    batch_norm: bool | None = None


class Data(Checked):
    """The file of words, recognised by its hash; path None is the bundled names."""

    path: str | None
    bytes: int = Field(ge=1)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    words: int = Field(ge=1)
    split_seed: int = 42


class Recipe(Checked):
    """AdamW with a rate that warms up and falls along a cosine.

    Parameters
    ----------
    steps
        Updates of the weights: 1 to ``2**53``.
    batch_size
        Examples a step: 1 to ``2**20``; at least 2 with batch normalisation, at least
        16 for shared.
    learning_rate
        The highest rate: above 0, up to 100.
    weight_decay
        Shrinks the weights: 0 to 100.
    warmup
        Steps of rising rate: 0 or more, fewer than steps.
    eval_every
        Steps to an evaluation: 1 or more.
    seed
        Repeats weights and batches: ``-2**63`` to ``2**64 - 1``.
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
    """Everything that says how a run came about; recipe is None for counts."""

    format: Literal[1] = 1
    model: str
    options: Options
    chars: tuple[str, ...] = Field(max_length=0x110000)
    data: Data
    recipe: Recipe | None

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.model not in OPTIONS:
            raise ValueError(f"there is no model {self.model!r:.80}")
        if self.model_options.keys() != OPTIONS[self.model].keys():
            raise ValueError(f"these are not the options of {self.model}")
        if (self.recipe is None) != (self.model not in RECIPES):
            raise ValueError(f"{self.model} is trained in another way")
        least = 2 if self.options.batch_norm else LEAST_BATCH.get(self.model, 1)
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


def sentence(error: ValidationError) -> str:
    """Return what is wrong first, as "n-hidden: input should be ..., got 0"."""
    first = error.errors(include_url=False)[0]
    where = ".".join(map(str, first["loc"])).replace("_", "-")
    what = first["msg"].removeprefix("Value error, ")
    if not where:
        return what
    return f"{where}: {what[0].lower()}{what[1:]}, got {first['input']!r:.80}"


def options_for(model: str, asked: dict[str, Any]) -> Options:
    """Return the options of a model, with those that are asked for in place.

    Raises InputError for an unknown model, an option it lacks, a value out of range.
    """
    return Options.of(_merged(model, OPTIONS, asked))


def recipe_for(model: str, asked: dict[str, Any]) -> Recipe | None:
    """Return how a model is trained, with what is asked for in place.

    Unless asked, the warm-up takes a tenth of the steps, and there are twenty
    evaluations. None for a model that only counts. Raises InputError.
    """
    if model == "ngram" and not asked:
        return None
    values = {"seed": 1} | _merged(model, RECIPES, asked)
    steps = values["steps"] if isinstance(values["steps"], int) else 1
    return Recipe.of({"warmup": steps // 10, "eval_every": -(-steps // 20)} | values)


def _merged(
    model: str, defaults: dict[str, dict[str, Any]], asked: dict[str, Any]
) -> dict[str, Any]:
    if model not in OPTIONS:
        raise InputError(f"there is no model {model!r}, only {', '.join(OPTIONS)}")
    known = defaults.get(model, {})
    for name in asked:
        able = [other for other, options in defaults.items() if name in options]
        if name not in known and (able or model not in defaults):
            raise InputError(
                f"--{name.replace('_', '-')} is no option of {model}, "
                f"only of {', '.join(able or defaults)}"
            )
    return known | asked
