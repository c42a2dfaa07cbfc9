"""python -m charlm, and the command charlm: a Ctrl-C from the first moment on."""

import signal
import sys

from charlm import __version__


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    if sys.argv[1:] == ["--version"]:  # at once, before anything is imported
        try:
            print(f"charlm {__version__}", flush=True)
        except OSError as error:
            sys.exit(f"charlm: the output cannot be written: {error.strerror}")
        sys.exit()
    from charlm.runs import cli

    cli.main()


if __name__ == "__main__":
    main()
