"""Where two JSON values differ, as assignments that lead from the one to the other."""

from __future__ import annotations

from typing import Any

from ksconfig.text.json_path import Path
from ksconfig.text.proof import ABSENT


def json_differences(old: Any, new: Any, path: Path = ()) -> list[tuple[Path, Any, Any]]:
    """Path, old and new value of every difference, as deep inside objects as they go; arrays count as one value.

    `ABSENT` stands for a member that is not there.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for name in [*old, *(name for name in new if name not in old)]:
            found += json_differences(old.get(name, ABSENT), new.get(name, ABSENT), (*path, name))
        return found
    return [] if type(old) is type(new) and old == new else [(path, old, new)]
