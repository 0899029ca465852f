"""What registries say to references, over the OCI distribution API.

`python-dxf` does the requests: challenges, tokens, TLS, time-outs. It is loaded only here, and only when asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from ksconfig.errors import FileFailure, UsageError
from ksconfig.model.plain import mapping, string
from ksconfig.model.reference import Reference
from ksconfig.model.registry import DOCKER_HUB, Answer, Location, Platform, is_loopback, locate
from ksconfig.source.registry.logins import Login, Logins
from ksconfig.source.registry.session import bounded_session

if TYPE_CHECKING:
    from dxf import DXF, DXFBase
    from requests import Response

EXTRA = "ksconfig[registry]"
_SECONDS = 10.0
_AT_ONCE = 8
_LARGEST_CONFIG = 16 * 1024 * 1024
_HUB_HOST = "registry-1.docker.io"
_IMAGE_CONFIGS = ("application/vnd.docker.container.image.v1+json", "application/vnd.oci.image.config.v1+json")
_PEM = b"-----BEGIN CERTIFICATE-----"


class Registries:
    """Registries, asked as one user. Each reference is asked for once.

    Args:
        ca: certificates to be trusted besides those of the system; SSL_CERT_FILE names others in their place.
        seconds: how long to wait for a connection, and for each answer.

    Raises:
        UsageError: the extra is not installed.
        FileFailure: the certificates, or Docker's configuration, cannot be read.
    """

    def __init__(self, ca: Path | None = None, *, seconds: float = _SECONDS) -> None:
        try:
            import dxf  # noqa: F401
        except ImportError:
            raise UsageError(
                "looking into registries needs more packages", advice=f'Install them: pip install "{EXTRA}".'
            ) from None
        self._seconds = seconds
        self._bundle = _bundle(ca)
        self._logins = Logins()
        self._lock = Lock()
        self._answers: dict[Location, Answer] = {}
        self._silent: dict[str, str] = {}
        self._known: dict[str, Login] = {}

    def close(self) -> None:
        """Remove what was kept on disk."""
        if self._bundle is not None:
            self._bundle.close()
            self._bundle = None

    def look_all(self, references: Iterable[Reference]) -> dict[Reference, Answer]:
        """The answers to several references, asked for at the same time."""
        wanted = list(dict.fromkeys(references))
        pool = ThreadPoolExecutor(_AT_ONCE)
        try:
            return dict(zip(wanted, pool.map(self.look, wanted), strict=True))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)  # who interrupts does not wait for the others' answers

    def look(self, reference: Reference) -> Answer:
        """What the registry of a reference says to it."""
        location = locate(reference)
        with self._lock:
            if location in self._answers:
                return self._answers[location]
            if location.host in self._silent:
                return Answer("unreachable", why=self._silent[location.host])
        answer = self._ask(location)
        with self._lock:
            if answer.outcome == "unreachable":
                self._silent[location.host] = answer.why
            else:
                self._answers[location] = answer
        return answer

    def _login(self, host: str) -> Login:
        with self._lock:  # a helper may ask a person: one at a time, and once
            if host not in self._known:
                self._known[host] = self._logins.of(host)
            return self._known[host]

    def _ask(self, location: Location) -> Answer:
        from requests.exceptions import SSLError

        try:
            return self._ask_by(location, insecure=False)
        except SSLError as error:
            said = str(error)
            if is_loopback(location.host) and "CERTIFICATE" not in said:
                return self._ask_by(location, insecure=True)  # it speaks plain HTTP, which is for this machine alone
            if "CERTIFICATE_VERIFY_FAILED" in said:
                why = f"the certificate of {location.host} is not trusted; --registry-ca names the file of its CA"
            else:
                why = f"{location.host} speaks no TLS, which only registries on this machine may do without"
            return Answer("unreachable", why=why)

    def _ask_by(self, location: Location, *, insecure: bool) -> Answer:
        from dxf import DXF
        from dxf.exceptions import DXFAuthInsecureError, DXFError, DXFUnauthorizedError
        from requests.exceptions import HTTPError, RequestException, SSLError

        used: list[Login] = []

        def log_in(client: DXFBase, response: Response) -> None:
            used.append(self._login(location.host))
            user, password = used[-1].user or None, used[-1].password
            client.authenticate(user, password if user else None, actions=["pull"], response=response)

        host = _HUB_HOST if location.host == DOCKER_HUB else location.host
        verify: bool | str = self._bundle.name if self._bundle is not None else True
        try:
            with DXF(host, location.path, log_in, insecure, tlsverify=verify, timeout=self._seconds) as client:
                client._sessions[0] = bounded_session(3 * self._seconds)
                return _look(client, location)
        except SSLError as error:
            if "CERTIFICATE" in str(error) or not insecure:
                raise
            return Answer("unreachable", why=f"{location.host} did not answer: {_one_line(error)}")
        except DXFUnauthorizedError:
            return Answer("login-refused", why=_why_unauthorized(location.host, used[-1] if used else Login()))
        except DXFAuthInsecureError:
            why = f"{location.host} wants a login, and none is sent without TLS"
            return Answer("login-refused", why=why)
        except HTTPError as error:
            return _refusal(location, error.response, used[-1] if used else Login())
        except RequestException as error:
            return Answer("unreachable", why=f"{location.host} did not answer: {_cause(error)}")
        except (DXFError, ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError) as error:
            return Answer("failed", why=f"the answer of {location.host} was not understood: {_one_line(error)}")


def _look(client: DXF, location: Location) -> Answer:
    text, response = client.get_manifest_and_response(location.name)
    digest = f"sha256:{hashlib.sha256(response.content).hexdigest()}"
    said = response.headers.get("Docker-Content-Digest", digest)
    expected = location.name if location.name.startswith("sha256:") else said
    if expected.startswith("sha256:") and expected != digest:
        return Answer("failed", why=f"{location.host} sent something else than it says: {digest}, not {expected}")
    if not said.startswith("sha256:"):
        digest = said
    manifest = mapping(json.loads(text))
    if not manifest.keys() & {"manifests", "config", "schemaVersion"}:
        return Answer("failed", why=f"{location.host} sent no manifest")
    if "manifests" in manifest:
        entries = manifest["manifests"]
        if not isinstance(entries, list):
            raise ValueError("the manifests of its index are no list")
        listed = [mapping(mapping(one).get("platform")) for one in entries]
        platforms = tuple(dict.fromkeys(one for entry in listed if (one := _platform(entry))))
        if all(listed) and not platforms:
            return Answer("no-platform", digest, (), "its index holds no image for any platform")
        return Answer("found", digest, platforms)
    if not isinstance(manifest.get("config", {}), Mapping):
        raise ValueError("the config of its manifest is no object")
    config = mapping(manifest.get("config"))
    kind = string(config.get("mediaType"))
    if not config:  # the first schema of Docker's manifests
        one = _platform({"os": "linux", **manifest})
        return Answer("found", digest, (one,) if one else ())
    if kind not in _IMAGE_CONFIGS:
        return Answer("no-platform", digest, (), f"it is no container image but {kind}")
    one = _platform(_config(client, string(config.get("digest")) or ""))
    return Answer("found", digest, (one,) if one else ())


def _config(client: DXF, digest: str) -> Mapping[str, Any]:
    from requests.exceptions import HTTPError

    try:
        chunks, size = client.pull_blob(digest, size=True)
    except HTTPError as error:
        if error.response is not None and error.response.status_code == 404:
            raise ValueError("the configuration of the image is not there") from None
        raise
    if isinstance(size, int) and size > _LARGEST_CONFIG:
        raise ValueError(f"the configuration of the image is {size} bytes long")
    return mapping(json.loads(b"".join(chunk for chunk in chunks if isinstance(chunk, bytes))))


def _platform(entry: Mapping[str, Any]) -> Platform | None:
    """A platform; None for what is none (attestations stand in an index as "unknown")."""
    system, architecture, variant = (string(entry.get(name)) or "" for name in ("os", "architecture", "variant"))
    known = all(name not in ("", "unknown") for name in (system, architecture))
    return Platform(system, architecture, variant) if known else None


def _refusal(location: Location, response: Response | None, login: Login) -> Answer:
    host = location.host
    if response is None:
        return Answer("failed", why=f"the answer of {host} was not understood")
    if response.status_code == 404:
        return Answer("not-found", why=f"{host} has no {location.path} with {location.name}")
    if response.status_code in (401, 403):
        return Answer("login-refused", why=_why_unauthorized(host, login, "may not read it"))
    if response.status_code == 429:
        after = response.headers.get("Retry-After", "")
        again = f"; it asks to wait {after} s" if after.isdigit() else ""
        return Answer("rate-limited", why=f"{host} had too many requests{again}; a login may raise the limit")
    return Answer("failed", why=f"{host} answered {response.status_code} {response.reason or ''}".rstrip())


def _why_unauthorized(host: str, login: Login, refused: str = "is refused") -> str:
    if login.problem:
        return f"{host} wants a login, and {login.problem}"
    if login:
        return f'{host}: the login "{login.user}" of Docker\'s configuration {refused}'
    return f"{host} wants a login (or has no such repository), and Docker's configuration has none: docker login {host}"


def _bundle(ca: Path | None) -> Any:
    """A file with the trusted certificates; None for those of the system."""
    own = os.environ.get("SSL_CERT_FILE")
    if ca is None and not own:
        return None
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    content = _certificates(Path(own or DEFAULT_CA_BUNDLE_PATH))
    if ca is not None:
        content += b"\n" + _certificates(ca)
    bundle = tempfile.NamedTemporaryFile(prefix="ksconfig-ca-", suffix=".pem")  # noqa: SIM115  (closed with the whole)
    bundle.write(content)
    bundle.flush()
    return bundle


def _certificates(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FileFailure(f"the certificates in {path} cannot be read: {error.strerror}", path=str(path)) from None
    if _PEM not in content:
        raise FileFailure(f"{path} holds no certificate (PEM)", path=str(path))
    return content


def _cause(error: BaseException) -> str:
    """The innermost reason, without the nested names of requests and urllib3."""
    inner = next((one for one in error.args if isinstance(one, BaseException)), None)
    reason = getattr(error, "reason", None)
    for one in (inner, reason):
        if isinstance(one, BaseException) and one is not error:
            return _cause(one)
    return _one_line(error)


def _one_line(error: object) -> str:
    text = re.sub(r"<[^>]*object at 0x[0-9a-f]+>:?\s*", "", str(error))
    return " ".join(text.split()) or type(error).__name__
