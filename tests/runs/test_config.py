"""One table of models: what it says is what the classes themselves would do."""

import inspect
from importlib import import_module

import pytest

from charlm.evaluate import n_parameters
from charlm.runs.config import MODELS, ModelConfig, TrainConfig, configure
from charlm.vocab import InputError

NETWORKS = [name for name in MODELS if name != "ngram"]


def class_of(name):
    module, _, found = MODELS[name].network.partition(":")
    return getattr(import_module(module), found)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_defaults_are_those_of_the_class(name):
    arguments = inspect.signature(class_of(name)).parameters.values()
    own = {p.name: p.default for p in arguments if p.default is not p.empty}
    del own["generator"]
    assert MODELS[name].options.keys() == own.keys()
    if name not in ("rnn", "lstm"):  # they share the arguments of the GRU
        assert MODELS[name].options == own


def built(network):
    """What the options of a network can change: sizes, window, layers, heads."""
    heads = [getattr(part, "n_head", None) for part in network.modules()]
    return n_parameters(network), network.block_size, str(network), heads


@pytest.mark.parametrize("name", NETWORKS)
def test_every_option_changes_what_is_built(name):
    """None is taken and forgotten."""
    kind, network = MODELS[name], class_of(name)
    before = built(network(9, **kind.options))
    for option, value in kind.options.items():
        other = not value if isinstance(value, bool) else 2 * value
        changed = kind.options | {option: other}
        assert built(network(9, **changed)) != before, option


def test_what_train_gives_by_default():
    """A change here is a change of what everybody gets."""
    options, training = configure("wavenet", {})
    assert training is not None
    assert options.model_dump(exclude_none=True) == {
        **{"block_size": 8, "n_embd": 24, "n_hidden": 128},
    }
    assert training.model_dump() == {
        **{"steps": 2600, "batch_size": 1024, "learning_rate": 0.007},
        **{"weight_decay": 0.5, "warmup": 260, "eval_every": 130, "seed": 1},
    }


@pytest.mark.parametrize(
    "model, asked, sentence",
    [
        ("shared", {}, "there is no model 'shared', only ngram, bigram, mlp, wavenet"),
        ("mlp", {"momentum": 1}, "there is no setting 'momentum'"),
        ("mlp", {"order": 2}, "--order is no option of mlp, only of ngram"),
        ("ngram", {"smoothing": 0.1, "fallback": 1.0}, "--smoothing does without"),
        ("mlp", {"smoothing": 0.1}, "--smoothing is no option of mlp, only of ngram"),
        ("ngram", {"fallback": 0.0}, "fallback: input should be greater than 0, got"),
        ("ngram", {"steps": 2}, "--steps is no option of ngram, only of bigram, mlp"),
        ("wavenet", {"n_layer": 2}, "--n-layer is no option of wavenet, only of mlp"),
        ("mlp", {"n_hidden": 0}, "n-hidden: input should be greater than or equal"),
        ("mlp", {"steps": "4"}, "steps: input should be a valid integer"),
        ("mlp", {"steps": 4, "warmup": 4}, "a warm-up of 4 does not fit into 4 steps"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(model, asked, sentence):
    with pytest.raises(InputError) as error:
        configure(model, asked)
    assert str(error.value).startswith(sentence)


def test_no_setting_belongs_to_both():
    assert not ModelConfig.model_fields.keys() & TrainConfig.model_fields.keys()
