"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from ksconfig import secrecy

# How long an example takes says more of the machine than of the code.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def forget_secrets() -> Iterator[None]:
    """What one test has read as a secret is an ordinary word in the next."""
    yield
    secrecy._known.clear()
