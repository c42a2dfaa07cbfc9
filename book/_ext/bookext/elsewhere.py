"""Names that a chapter builds or explains in other words than the package's.

The reference finds by itself where a chapter builds a name by hand, shows its source or
uses it. These are the others: how the chapter treats them, its page, the section's id,
and a part of what stands there about them, which a test looks for.
"""

BUILT, EXPLAINED = "Built in", "Explained in"
PART_1, PART_2, PART_3, PART_4, PART_5 = (
    *("book/01_bigrams", "book/02_mlp", "book/03_activations"),
    *("book/04_backprop", "book/05_wavenet"),
)
ROWS = [
    ("data.windows", BUILT, PART_2, "contexts", "def windows("),
    ("models.MLP", BUILT, PART_2, "the-forward-pass-by-hand", ""),
    ("models.NeuralBigram", EXPLAINED, PART_1, "a-matrix-of-log-counts", "logits"),
    ("models.BatchNorm1d", EXPLAINED, PART_5, "habits-of-a-module", "`BatchNorm1d`"),
    (
        *("models.FlattenConsecutive", EXPLAINED, PART_5, "habits-of-a-module"),
        "`FlattenConsecutive`",
    ),
    ("models.TANH_GAIN", EXPLAINED, PART_3, "ten-layers-and-the-gain", "5/3"),
    ("layers.ReLU", EXPLAINED, PART_3, "other-nonlinearities", "{term}`ReLU`"),
    ("layers.Unflatten", EXPLAINED, PART_5, "one-changed-import", "nn.Unflatten("),
    (
        *("backprop.linear_backward", EXPLAINED, PART_4),
        *("back-through-a-linear-layer", "x.T @ dy"),
    ),
    ("backprop.tanh_backward", EXPLAINED, PART_4, "back-through-tanh", "1 - h**2"),
    (
        *("backprop.batch_norm_backward", BUILT, PART_4, "meet-the-package"),
        ":pyobject: batch_norm_backward",
    ),
    ("backprop.embedding_backward", EXPLAINED, PART_4, "back-to-the-letters", "dC"),
]
ELSEWHERE = {f"charlm.{name}": row for name, *row in ROWS}
