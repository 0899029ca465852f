"""What all tests share."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from ksconfig import secrecy
from tests.registry.local import Buildah, Registry

# A shell starts what runs in its background deaf to interrupts, and so are the commands of the tests then.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of the code.
settings.register_profile("steady", deadline=None)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def forget_secrets() -> Iterator[None]:
    """What one test has read as a secret is an ordinary word in the next."""
    yield
    secrecy._known.clear()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that anybody may use, without TLS."""
    held = Registry(tmp_path_factory.mktemp("registry"))
    yield held
    held.stop()


@pytest.fixture(scope="session")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """A buildah whose storage goes with the tests."""
    held = Buildah(tmp_path_factory.mktemp("buildah"))
    yield held
    held.clear()
