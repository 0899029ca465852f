"""The certificates of a sandbox, made with openssl."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

_DAYS = "365"


class Authority:
    """A certificate authority in a folder; it signs server certificates there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.certificate = folder / "ca.crt"

    def make(self) -> None:
        """Make the authority, and the key pair that signs the tokens of ServiceAccounts."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._new_key("ca")
        self._openssl(
            "req", "-x509", "-new", "-key", "ca.key", "-subj", "/CN=sandbox", "-days", _DAYS, "-out", "ca.crt"
        )  # fmt: skip
        self._openssl("genrsa", "-out", "sa.key", "2048")
        self._openssl("rsa", "-in", "sa.key", "-pubout", "-out", "sa.pub")

    def issue(self, name: str, hosts: Sequence[str]) -> tuple[Path, Path]:
        """A certificate for ``hosts`` (names, or addresses with ``IP:`` before them) and its key."""
        self._new_key(name)
        names = ",".join(host if host.startswith("IP:") else f"DNS:{host}" for host in hosts)
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
        self._openssl("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}", "-out", f"{name}.csr")
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
            "-extfile", f"{name}.ext", "-days", _DAYS, "-out", f"{name}.crt",
        )  # fmt: skip
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    def _new_key(self, name: str) -> None:
        self._openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{name}.key")

    def _openssl(self, *arguments: str) -> None:
        done = subprocess.run(
            ["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, check=False, umask=0o077
        )
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr.strip()}")
