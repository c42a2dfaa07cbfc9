"""Attention: against loops and torch.nn, no look ahead, three ways to the same."""

import ast
import inspect
import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from charlm import attention
from charlm.attention import GPT, Block, MultiHead, attention_weights, causal_mask
from charlm.data import load_words, soft_targets, split_words, windows
from charlm.evaluate import evaluate
from charlm.prefixes import batches_of_words, distinct_prefixes
from charlm.sample import sample_words
from charlm.train import adamw, cosine, training_steps
from charlm.vocab import Vocabulary

TRAIN, DEV, _ = split_words(load_words())
VOCAB = Vocabulary.from_words(TRAIN)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def gpt(dropout=0.0, seed=0, **sizes):
    return GPT(27, dropout=dropout, generator=seeded(seed), **sizes).double()


def in_rows(words, T=16):
    """Words from the left, beginning with the boundary: (W, T)."""
    ids = [[0, *VOCAB.encode(word)][:T] for word in words]
    return torch.tensor([row + [0] * (T - len(row)) for row in ids])


def test_each_query_takes_the_mean_of_the_values_that_it_may_read():
    q, k, v = (randn(2, 5, 3, seed=seed) for seed in range(3))
    out = attention.attention(q, k, v, causal_mask(5))
    for b in range(2):
        for t in range(5):
            score = [math.exp(q[b, t] @ k[b, s] / math.sqrt(3)) for s in range(t + 1)]
            mean = sum(w * v[b, s] for s, w in enumerate(score)) / sum(score)
            torch.testing.assert_close(out[b, t], mean)


@pytest.mark.parametrize("T", [1, 2, 16])
def test_the_fused_attention_of_torch_is_the_same(T):
    found = []
    for function in (
        lambda q, k, v: attention.attention(q, k, v, causal_mask(T)),
        lambda q, k, v: attention_weights(q, k, causal_mask(T)) @ v,
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    ):
        qkv = [randn(3, 4, T, 8, seed=s).requires_grad_() for s in range(3)]
        out = function(*qkv)
        found.append([out, *torch.autograd.grad(out.square().sum(), qkv)])
    for other in found[1:]:
        torch.testing.assert_close(found[0], other, rtol=0, atol=1e-12)


def test_weights_are_shares_and_zero_ahead():
    weights = attention_weights(randn(7, 6, 4), randn(7, 6, 4, seed=1), causal_mask(6))
    torch.testing.assert_close(weights.sum(-1), torch.ones(7, 6).double())
    assert (weights.triu(1) == 0).all() and (weights.tril() > 0).sum() == 7 * 21


def torch_twin(ours, n_embd, n_head):
    twin = nn.MultiheadAttention(n_embd, n_head, batch_first=True).double()
    with torch.no_grad():
        twin.in_proj_weight.copy_(ours.qkv.weight)
        twin.in_proj_bias.copy_(ours.qkv.bias)
        twin.out_proj.weight.copy_(ours.out.weight)
        twin.out_proj.bias.copy_(ours.out.bias)
    return twin


@pytest.mark.parametrize("n_head", [1, 2, 4])
def test_several_heads_are_those_of_torch(n_head):
    ours = MultiHead(8, n_head, generator=seeded()).double()
    with torch.no_grad():
        ours.qkv.bias.copy_(randn(24, seed=7))
    twin = torch_twin(ours, 8, n_head)
    x, dout = randn(5, 6, 8).requires_grad_(), randn(5, 6, 8, seed=1)
    a = ours(x)
    b, _ = twin(x, x, x, attn_mask=~causal_mask(6), need_weights=False)
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
    theirs = [twin.in_proj_weight, twin.in_proj_bias, *twin.out_proj.parameters()]
    torch.testing.assert_close(
        torch.autograd.grad(a, [x, *ours.parameters()], dout),
        torch.autograd.grad(b, [x, *theirs], dout),
        rtol=0,
        atol=1e-12,
    )


def test_a_block_is_an_encoder_layer_of_torch():
    ours = Block(8, 2, generator=seeded()).double()
    twin = nn.TransformerEncoderLayer(
        8, 2, 32, 0.0, "gelu", batch_first=True, norm_first=True
    ).double()
    pairs: list[Any] = [(ours.norm1, twin.norm1), (ours.norm2, twin.norm2)]
    pairs += [
        (ours.feed_forward[0], twin.linear1),
        (ours.feed_forward[2], twin.linear2),
    ]
    for mine, its in pairs:
        its.load_state_dict(mine.state_dict())
    twin.self_attn = torch_twin(ours.attention, 8, 2)
    x = randn(5, 6, 8)
    torch.testing.assert_close(ours(x), twin(x, ~causal_mask(6)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("t", [0, 1, 7, 15])
def test_no_logit_depends_on_what_comes_later(t):
    model, seen = gpt(n_embd=8, n_head=2), []
    model.characters.register_forward_hook(lambda *call: seen.append(call[2]))
    idx = torch.randint(27, (3, 16), generator=seeded())
    logits = model.all_places(idx)
    (grad,) = torch.autograd.grad(logits[:, t].square().sum(), seen[0])
    assert (grad[:, t + 1 :] == 0).all()
    assert (grad[:, : t + 1].abs().amax(2) > 0).all()


def test_without_the_mask_it_does():
    model, seen = gpt(n_embd=8, n_head=2), []
    for block in model.blocks:
        block.attention.mask = lambda T: torch.ones(T, T, dtype=torch.bool)
    model.characters.register_forward_hook(lambda *call: seen.append(call[2]))
    logits = model.all_places(torch.randint(27, (3, 16), generator=seeded()))
    (grad,) = torch.autograd.grad(logits[:, 3].square().sum(), seen[0])
    assert (grad[:, 4:].abs().amax(2) > 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_contexts_rows_and_steps_give_the_same(seed):
    words = TRAIN[40 * seed : 40 * seed + 40]
    model, rows = gpt(seed=seed, n_embd=16), in_rows(words)
    at_once = model.all_places(rows)  # (W, T, V)
    state = model.start(len(words))
    for t in range(16):
        logits, state = model.step(rows[:, t], state)
        torch.testing.assert_close(logits, at_once[:, t], rtol=0, atol=1e-12)
        assert state.shape == (40, t + 1, 3, 32)
    X, _ = windows(words, VOCAB, 16)
    expected = [at_once[i, : len(word) + 1] for i, word in enumerate(words)]
    order = torch.randperm(len(X), generator=seeded(seed))
    found = model(X[order])
    torch.testing.assert_close(found, torch.cat(expected)[order], rtol=0, atol=1e-12)


def test_a_mask_with_a_window_gives_the_same_in_contexts_and_rows():
    words = TRAIN[:40]
    model, rows = gpt(n_embd=16), in_rows(words)
    everything = model.all_places(rows)
    for block in model.blocks:
        block.attention.mask = lambda T: causal_mask(T).triu(-1)  # itself, and before
    at_once = model.all_places(rows)
    expected = [at_once[i, : len(word) + 1] for i, word in enumerate(words)]
    found = model(windows(words, VOCAB, 16)[0])
    torch.testing.assert_close(found, torch.cat(expected), rtol=0, atol=1e-12)
    assert (everything - at_once)[:, 2:].abs().amin() > 0


def test_the_gradients_of_contexts_and_rows_are_the_same():
    words = TRAIN[:40]
    model, rows = gpt(n_embd=16), in_rows(words)
    X, Y = windows(words, VOCAB, 16)
    at_once = model.all_places(rows)
    plain = torch.cat([at_once[i, : len(word) + 1] for i, word in enumerate(words)])
    parameters = list(model.parameters())
    a = torch.autograd.grad(F.cross_entropy(model(X), Y), parameters)
    b = torch.autograd.grad(F.cross_entropy(plain, Y), parameters)
    torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_each_distinct_prefix_is_computed_once():
    model, rows = gpt(n_embd=8), []
    model.blocks[0].feed_forward.register_forward_hook(
        lambda part, x, out: rows.append(len(out))
    )
    X, _ = windows(TRAIN[:500], VOCAB, 16)
    model(X)
    distinct = {word[:n] for word in TRAIN[:500] for n in range(len(word) + 1)}
    assert rows == [len(distinct)] and 3 * len(distinct) < 2 * len(X)


def test_a_row_holds_a_longest_prefix_and_each_prefix_has_a_place():
    idx = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 5], [0, 0, 5, 2], [0, 0, 5, 3]])
    levels, _ = distinct_prefixes(torch.cat([idx, torch.tensor([[4, 4, 4, 4]])]), 27)
    rows = attention.rows_of(levels, 5)
    ids = torch.cat([level.ids for level in levels])[rows.prefixes].tolist()
    assert sorted(ids) == [[0, 5, 2, 2, 2], [0, 5, 3, 3, 3], [4, 4, 4, 4, 4]]
    n = sum(len(level.ids) for level in levels)
    assert rows.prefixes.flatten()[rows.at].tolist() == list(range(n))


def test_long_contexts_are_cut_and_contexts_may_begin_inside_a_word():
    model = gpt(n_embd=8, block_size=4)
    idx = torch.randint(1, 27, (6, 9), generator=seeded())
    torch.testing.assert_close(model(idx), model.all_places(idx[:, -4:])[:, -1])
    assert model(idx[:0]).shape == (0, 27)


def test_the_cache_is_full_after_block_size_steps():
    model = gpt(n_embd=8, block_size=2)
    state = model.start(1)
    for _ in range(2):
        _, state = model.step(torch.tensor([0]), state)
    with pytest.raises(ValueError, match="only 2 places"):
        model.step(torch.tensor([0]), state)


def test_states_can_be_picked_by_row():
    model, rows = gpt(n_embd=8), in_rows(["emma", "olivia", "ava"])
    state = model.start(3)
    for t in range(2):
        _, state = model.step(rows[:, t], state)
    going = torch.tensor([2, 0])
    logits, _ = model.step(rows[going, 2], state[going])
    torch.testing.assert_close(logits, model.all_places(rows)[going, 2])


def test_without_positions_the_order_of_the_past_is_lost():
    model = gpt(n_embd=8, n_layer=1)
    a, b = in_rows(["lea", "ela"])[:, :4]
    assert not model.all_places(a[None])[0, 3].allclose(model.all_places(b[None])[0, 3])
    nn.init.zeros_(model.places.weight)
    torch.testing.assert_close(
        model.all_places(a[None])[0, 3], model.all_places(b[None])[0, 3]
    )


def test_dropout_is_drawn_in_train_mode_only():
    model, idx = gpt(dropout=0.3, n_embd=8), in_rows(["emma"])
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = model.all_places(idx), model.all_places(idx)
        assert not first.allclose(second)
        torch.manual_seed(0)
        assert model.all_places(idx).equal(first)
    model.eval()
    assert model.all_places(idx).equal(model.all_places(idx))
    bare = gpt(n_embd=8)
    bare.load_state_dict(model.state_dict())
    assert bare.train().all_places(idx).equal(model.all_places(idx))


def test_the_generator_alone_draws_the_weights():
    before = torch.random.get_rng_state()
    models = [gpt(seed=seed, n_embd=8) for seed in (1, 1, 2)]
    assert torch.random.get_rng_state().equal(before)
    same, other = (
        all(a.equal(b) for a, b in zip(models[0].parameters(), m.parameters()))
        for m in models[1:]
    )
    assert same and not other


@pytest.mark.parametrize("n_layer", [1, 2, 8])
def test_residual_projections_shrink_with_the_number_of_sums(n_layer):
    model = gpt(n_embd=64, n_layer=n_layer)
    for block in model.blocks:
        for last in block.attention.out, block.feed_forward[2]:
            gain = last.weight.std().item() * last.in_features**0.5
            assert gain == pytest.approx((2 * n_layer) ** -0.5, rel=0.05)
        assert block.attention.qkv.weight.std().item() * 8 == pytest.approx(1, rel=0.05)


def test_the_first_loss_is_that_of_guessing():
    assert evaluate(gpt(), DEV[:300], VOCAB).loss == pytest.approx(
        math.log(27), abs=0.1
    )


def test_sizes():
    assert sum(p.numel() for p in gpt().parameters()) == 154_587
    assert sum(p.numel() for p in gpt(n_layer=2).parameters()) == 104_603


def test_it_learns_and_samples():
    X, Y = windows(TRAIN, VOCAB, 16)
    model = GPT(27, n_embd=16, n_layer=1, dropout=0.0, generator=seeded())
    targets = soft_targets(X, Y, 27)
    words = batches_of_words(X, targets, 64, generator=seeded(), steps=100)
    schedule = cosine(0.02, 100, 10)
    list(training_steps(model, adamw(model, 0.02, 0.1), words, schedule))
    assert evaluate(model, DEV, VOCAB).loss < 2.4
    names = sample_words(model, VOCAB, 5, generator=seeded(), max_length=40)
    assert len(names) == 5 and all(names)


def plain_lines():
    """The lines that compute a GPT, without docstrings, trie and cache."""
    tree = ast.parse(inspect.getsource(attention))
    left_out = {"Rows", "rows_of"}, {"step", "start"}
    body = [node for node in tree.body if getattr(node, "name", "") not in left_out[0]]
    for node in body:
        inside = getattr(node, "body", [])
        if getattr(node, "name", "") == "GPT":
            inside[:] = [n for n in inside if getattr(n, "name", "") != "forward"]
        inside[:] = [n for n in inside if getattr(n, "name", "") not in left_out[1]]
        for part in [node, *inside]:
            if isinstance(part, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
                part
            ):
                del part.body[0]
    return [line for node in body for line in ast.unparse(node).splitlines() if line]


def test_a_whole_gpt_takes_fewer_than_80_lines():
    assert 50 < len(plain_lines()) < 80
