"""YAML for people and programs to read (``-o yaml``). Never used on a manifest: those are edited, not printed."""

from __future__ import annotations

from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from ksconfig.errors import Refused


def print_yaml(data: Any) -> str:
    """Plain data as block-style YAML."""
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 10_000
    out = StringIO()
    try:
        yaml.dump(data, out)
    except RecursionError:
        raise Refused("the value is nested too deeply to be printed as YAML", advice="Use -o json.") from None
    return out.getvalue().removesuffix("...\n")
