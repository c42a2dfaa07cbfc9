"""Draws assets/card.png, the picture that stands beside a link to the book elsewhere.

Run it in the book's folder: `python card.py`.
"""

import matplotlib.pyplot as plt
import torch

from charlm.book import plots
from charlm.counts import NGram
from charlm.data import load_words
from charlm.sample import sample_words
from charlm.vocab import Vocabulary

words = load_words()
vocab = Vocabulary.from_words(words)
bigram = NGram(vocab, order=2).fit(words)
names = sample_words(bigram, vocab, 40, generator=torch.Generator().manual_seed(3))
names = [name for name in names if 3 <= len(name) <= 8][:6]

plots.use_book_style()
figure = plt.figure(figsize=(12, 6.3), dpi=100, facecolor="#fbfaf7", layout="none")
figure.text(0.05, 0.7, "Character-Level\nLanguage Modeling", size=37, weight="bold")
figure.text(0.05, 0.59, "from Scratch", size=37, weight="bold", color=plots.BLUE)
figure.text(0.05, 0.47, "From counting letters to a small GPT", size=17)
for place, name in enumerate(names):
    x, y = 0.05 + 0.22 * (place % 2), 0.31 - 0.1 * (place // 2)
    figure.text(x, y, name, size=24, family="monospace", color=plots.ORANGE)

ax = figure.add_axes((0.56, 0.08, 0.41, 0.8))
ax.imshow(bigram.counts(), cmap="charlm", norm="symlog")
for ticks in (ax.set_xticks, ax.set_yticks):
    ticks(range(len(vocab)), vocab.labels, family="monospace")
ax.tick_params(length=0, labelsize=11, top=True, labeltop=True, labelbottom=False)
ax.grid(False)
ax.spines[:].set_visible(False)
figure.savefig("assets/card.png", metadata={"Software": None})
