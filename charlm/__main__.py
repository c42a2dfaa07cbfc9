"""python -m charlm, and the command charlm: a Ctrl-C from the first moment on."""

import signal
import sys


def main() -> None:
    """Run the command line."""
    signal.signal(signal.SIGINT, lambda *_: sys.exit(130))
    from charlm.runs import cli

    cli.main()


if __name__ == "__main__":
    main()
