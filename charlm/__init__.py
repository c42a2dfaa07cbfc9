"""Character-level language models, from counting bigrams to a WaveNet.

One idea a module, in the order in which the book builds them:

===============  ==========================================================
``vocab``        characters to integers and back; the boundary is 0
``data``         read words, split them, cut them into windows and batches
``counts``       n-gram models: tables of counts, no network
``models``       networks on torch.nn: a bigram, an MLP, a WaveNet
``gated``        one more network: a WaveNet with gates and skips
``train``        the loop as a generator, schedules, and ``fit``
``evaluate``     the loss of any model, with its standard error
``honesty``      what a loss alone does not say: doubt, leaks, calibration
``sample``       new words from any model, in batches
``leaderboard``  models side by side, as rows and as a table
``layers``       a small torch.nn in plain classes
``backprop``     backward passes derived by hand, and ``compare``
``scalar``       autograd for single numbers
``diagnostics``  activations, gradients and updates in numbers
``plots``        the book's figures; the only module that draws
``publish``      numbers and models for a page's scripts
``exercises``    checks of a reader's answers
===============  ==========================================================

And for words of your own, in Python or by the command ``charlm``:

===============  ==========================================================
``training``     ``train`` a model on a file; stop it, and go on with it
``runs``         ``open_run``: words from a model, and its loss
``comparison``   runs side by side, and one of them layer by layer
``checkpoint``   a run directory: JSON, CSV and safetensors
``config``       what a run is: model, data and recipe, checked
``distributed``  one training on several processes
``cli``          the command line, and ``progress`` its bar
===============  ==========================================================

A *model* here is anything with a ``block_size`` that maps a batch of contexts
(B, block_size) to logits (B, vocab_size).
"""

__version__ = "0.1.0"
