"""Character-level language models, from counting bigrams to a small GPT.

The modules beside this one are what the book builds, one idea a file. `charlm.runs` is
the tool that trains them on a file of words; `charlm.book` is what only the pages need.

A *model* here is anything with a ``block_size`` that maps a batch of contexts
(B, block_size) to logits (B, vocab_size).
"""

__version__ = "0.1.0"
