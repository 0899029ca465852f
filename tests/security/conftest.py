"""Secrets of every kind, and a way to run a command and look for them everywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

#: What must never be seen; each where its name says.
SECRETS = {
    name: f"planted-{name}-s3cr3t"
    for name in ("token", "password", "key", "plugin", "plugin-token", "server", "proxy", "docker", "auth")
}


class Done(NamedTuple):
    """What a command did."""

    code: int
    said: str


class Home:
    """A home directory with planted secrets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("work", "tmp", ".docker"):
            (folder / name).mkdir()

    def kubeconfig(self, user: Any, **cluster: Any) -> Path:
        """Write a kubeconfig."""
        path = self.folder / "kubeconfig"
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "one",
            "clusters": [{"name": "c", "cluster": cluster}], "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
        }  # fmt: skip
        path.write_text(json.dumps(config))
        return path

    def run(self, *arguments: str, **environment: str) -> Done:
        """Run a command; no secret may be in what it prints, or in a file that it writes."""
        done = subprocess.run(
            [sys.executable, "-m", "ksconfig", *arguments],
            cwd=self.folder / "work",
            env={
                **os.environ, "HOME": str(self.folder), "TMPDIR": str(self.folder / "tmp"), "KUBECONFIG":
                str(self.folder / "kubeconfig"), "DOCKER_CONFIG": str(self.folder / ".docker"), **environment,
            },
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False,
        )  # fmt: skip
        said = done.stdout.decode()
        written = [path.read_bytes().decode(errors="replace") for path in self._written()]
        for name, secret in SECRETS.items():
            assert secret not in said, f"the {name} is in what {arguments} printed:\n{said}"
            assert not any(secret in text for text in written), f"the {name} is in a file that {arguments} wrote"
        return Done(done.returncode, said)

    def _written(self) -> list[Path]:
        return [path for name in ("work", "tmp") for path in (self.folder / name).rglob("*") if path.is_file()]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    return Home(folder)


Certificate = Callable[[str], Path]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """Make a certificate for a name, signed by itself; key and certificate in one file."""

    def make(name: str) -> Path:
        path = tmp_path / f"{name}.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
             "-subj", "/CN=stub", "-addext", f"subjectAltName={name}", "-keyout", path, "-out", f"{path}.crt"],
            check=True, capture_output=True,
        )  # fmt: skip
        path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
        return path

    return make
