"""``python -m ksconfig`` is the same program as ``ksconfig``: here both begin, and so does a Tab."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, or complete one, and exit."""
    try:
        from ksconfig.cli import tab

        if tab.VARIABLE in os.environ:
            tab.complete_for_shell()
        from ksconfig.cli.main import main as run  # a Tab sets its alarm before it loads so much
    except KeyboardInterrupt:  # before there is anything that could tell it better
        sys.stderr.write("interrupted: nothing was written\n")
        raise SystemExit(130) from None
    run()


if __name__ == "__main__":
    main()
