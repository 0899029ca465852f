"""Texts: JSON and YAML with the place of everything in them, edits as spans, and the proof of an edit. No I/O."""

from ksconfig.text.json_scanner import Node, parse_json
from ksconfig.text.spans import Edit, apply_edits, invert_edits

__all__ = ["Edit", "Node", "apply_edits", "invert_edits", "parse_json"]
