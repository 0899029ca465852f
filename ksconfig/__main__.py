"""``python -m ksconfig`` is the same program as ``ksconfig``: here both begin, and so does a Tab."""

from __future__ import annotations

import os
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, or complete one, and exit."""
    from ksconfig.cli import tab

    if tab.VARIABLE in os.environ:
        tab.complete_for_shell()
    from ksconfig.cli.main import main as run  # a Tab sets its alarm before it loads so much

    run()


if __name__ == "__main__":
    main()
