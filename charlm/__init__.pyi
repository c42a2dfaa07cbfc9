from charlm.data import load_words as load_words
from charlm.runs.run import Run as Run
from charlm.runs.run import open_run as open_run
from charlm.runs.trainer import train as train

__version__: str
