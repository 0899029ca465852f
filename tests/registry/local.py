"""A registry on a loopback port, and buildah with a storage of its own: started and ended by the tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PROGRAMS = ("buildah", "docker-registry", "openssl")
USER, PASSWORD = "tester", "open sesame"
#: bcrypt of the password, with the fewest rounds.
_HTPASSWD = f"{USER}:$2b$04$AsJ8W/e6qLdCrJtlM5/Suu.OS6SLA5VLYnqiXwP3lB7qL0X0FCao.\n"
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")
_START_SECONDS = 20


def missing() -> tuple[str, ...]:
    """The programs that these tests need and do not find."""
    return tuple(program for program in PROGRAMS if shutil.which(program) is None)


class Registry:
    """One registry.

    Attributes:
        host: "127.0.0.1:PORT".
        ca: the certificate that it shows, if it speaks TLS; ``cert_dir`` holds it as buildah wants it.
    """

    def __init__(self, folder: Path, *, login: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config = {
            "version": 0.1,
            "log": {"level": "info"},
            "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
            "http": {"addr": "127.0.0.1:0", "secret": "none"},
        }
        self.ca: Path | None = None
        self.cert_dir = folder / "certs.d"
        if login:
            (folder / "htpasswd").write_text(_HTPASSWD)
            config["auth"] = {"htpasswd": {"realm": "test", "path": str(folder / "htpasswd")}}
            self.ca, key = make_certificate(folder)
            self.cert_dir.mkdir()
            shutil.copyfile(self.ca, self.cert_dir / "ca.crt")
            config["http"] |= {"tls": {"certificate": str(self.ca), "key": str(key)}}  # type: ignore[operator]
        (folder / "config.json").write_text(json.dumps(config))
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                ["docker-registry", "serve", str(folder / "config.json")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            self.host = self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self) -> str:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            found = _LISTENING.search(self._log.read_text(errors="replace"))
            if found:
                return found[1]
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"docker-registry did not start:\n{self._log.read_text(errors='replace')}")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that is its own authority, and its key."""
    certificate, key = folder / "ca.crt", folder / "ca.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


class Buildah:
    """buildah with its storage in a folder of the test."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        storage = folder / "storage.conf"
        storage.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/storage"\nrunroot = "{folder}/run"\n')
        policy = folder / "home" / ".config" / "containers"
        policy.mkdir(parents=True)
        (policy / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
        self.environment = os.environ | {
            "CONTAINERS_STORAGE_CONF": str(storage),
            "BUILDAH_ISOLATION": "chroot",
            "STORAGE_DRIVER": "vfs",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder),
        }

    def run(self, *arguments: str) -> str:
        """Run buildah; its output."""
        done = subprocess.run(
            ["buildah", *arguments], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"buildah {' '.join(arguments)}\n{done.stderr}"
        return done.stdout.strip()

    def push_empty(self, reference: str, *more: str, content: Path | None = None, arch: str = "") -> None:
        """Make an image from nothing, with a folder's content, and push it."""
        container = self.run("from", "scratch")
        if content is not None:
            self.run("copy", container, str(content), "/")
        if arch:
            self.run("config", "--os", "linux", "--arch", arch, container)
        self.run("commit", container, reference)
        self.run("push", *(more or ("--tls-verify=false",)), reference)
        self.run("rm", container)

    def clear(self) -> None:
        """Remove all that it stored."""
        subprocess.run(["buildah", "rm", "--all"], env=self.environment, capture_output=True, check=False)
        subprocess.run(["buildah", "rmi", "--all", "--force"], env=self.environment, capture_output=True, check=False)


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str


def run(program: str, *arguments: str, **environment: str) -> Done:
    """Run ksconfig, or a script of the project, as a user does: a process of its own."""
    command = [sys.executable, "-m", "ksconfig"] if program == "ksconfig" else [str(ROOT / program)]
    done = subprocess.run(
        [*command, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)
