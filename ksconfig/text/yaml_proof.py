"""The proof after every edit of YAML: two trees, as ruamel.yaml reads them, differ as planned and in nothing else."""

from __future__ import annotations

from collections.abc import Mapping

from ksconfig.errors import InternalError
from ksconfig.text.proof import REPORT
from ksconfig.text.yaml_tree import YamlMapping, YamlNode, YamlScalar, YamlSequence


def prove_yaml(
    before: YamlNode, after: YamlNode | None, replaced: Mapping[int, str], added: Mapping[int, dict[str, str]]
) -> None:
    """Prove that two trees differ exactly in the planned scalars.

    Args:
        before, after: the trees of one document, each as the YAML reader gave it.
        replaced: from the start of a scalar in the old text to its new value.
        added: from the start of a mapping in the old text to the string entries that it gains.

    Raises:
        InternalError: they differ in anything else.
    """
    pending: list[tuple[YamlNode, YamlNode | None]] = [(before, after)]
    seen: set[int] = set()
    while pending:
        old, new = pending.pop()
        if id(old) in seen:
            continue
        seen.add(id(old))
        if type(old) is not type(new) or new is None or old.tag != new.tag:
            raise InternalError("the edited YAML does not read back with the same structure", advice=REPORT)
        if isinstance(old, YamlScalar) and isinstance(new, YamlScalar):
            if new.value != replaced.get(old.start, old.value):
                raise InternalError("an edited YAML value does not read back as planned", advice=REPORT)
        elif isinstance(old, YamlMapping) and isinstance(new, YamlMapping):
            entries = _without(new, added.get(old.start, {}))
            if len(entries) != len(old.entries):
                raise InternalError("the edited YAML has gained or lost keys", advice=REPORT)
            for one, other in zip(old.entries, entries, strict=True):
                pending += zip(one, other, strict=True)
        elif isinstance(old, YamlSequence) and isinstance(new, YamlSequence):
            if len(old.items) != len(new.items):
                raise InternalError("the edited YAML has gained or lost items", advice=REPORT)
            pending += zip(old.items, new.items, strict=True)


def _without(mapping: YamlMapping, added: dict[str, str]) -> list[tuple[YamlNode, YamlNode]]:
    """The entries without those that were to be added, each of which must be there once, as planned."""
    left = dict(added)
    entries = []
    for key, value in mapping.entries:
        if isinstance(key, YamlScalar) and isinstance(value, YamlScalar) and left.get(key.value) == value.value:
            del left[key.value]
            continue
        entries.append((key, value))
    if left:
        raise InternalError("a new YAML key does not read back as planned", advice=REPORT)
    return entries
