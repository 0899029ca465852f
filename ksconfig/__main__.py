"""``python -m ksconfig`` is the same program as ``ksconfig``."""

from ksconfig.cli.main import main

if __name__ == "__main__":
    main()
