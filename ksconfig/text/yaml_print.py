"""YAML for people and programs to read (``-o yaml``). Never used on a manifest: those are edited, not printed."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from ksconfig.errors import Refused

#: What YAML prints as it is, and a terminal obeys: marks that turn the direction of a text.
_MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def print_yaml(data: Any) -> str:
    """Plain data as block-style YAML; if it holds marks of direction, all beyond ASCII is escaped."""
    text = _dumped(data, unicode=True)
    return _dumped(data, unicode=False) if _MARKS.search(text) else text


def _dumped(data: Any, *, unicode: bool) -> str:
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 10_000
    yaml.allow_unicode = unicode
    out = StringIO()
    try:
        yaml.dump(data, out)
    except RecursionError:
        raise Refused("the value is nested too deeply to be printed as YAML", advice="Use -o json.") from None
    return out.getvalue().removesuffix("...\n")
