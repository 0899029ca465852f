"""placeholder"""

from __future__ import annotations

from pathlib import Path

from conformance.case import Case
from sandbox.api import Api
from sandbox.releases import Release


def prepare(api: Api, release: Release, folder: Path) -> tuple[list[Case], list[str]]:
    return [], []
