"""Plain JSON to and from the API server, and its errors as ours.

`kubernetes.client.ApiClient` knows credentials, proxies and certificates; its typed classes are left out, since they
take half a second to load and refuse objects that are not quite as they expect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ksconfig import __version__
from ksconfig.errors import ClusterFailure, RightMissing
from ksconfig.secrecy import hide, keep
from ksconfig.source.cluster.freshness import Freshness

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
_PAGE = "500"
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_LARGEST_ANSWER = 512 * 1024 * 1024
_CHUNK = 1024 * 1024
#: Answers that may be different a moment later.
TRANSIENT = frozenset({0, 408, 429, 500, 502, 503, 504})


class Client:
    """Requests to one API server as one user."""

    def __init__(self, api: ApiClient) -> None:
        self._api = api
        self._freshness = Freshness()
        # for people: a password in it is nobody's business
        self.server: str = hide(re.sub(r"//[^/]*@", "//", str(api.configuration.host)))
        api.user_agent = f"ksconfig/{__version__}"

    def close(self) -> None:
        """Close the connections."""
        self._api.close()  # type: ignore[no-untyped-call]

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
        seconds: float = _READ_SECONDS,
    ) -> dict[str, Any]:
        """Send one request, once; the answer's JSON.

        Raises:
            RightMissing: 401 or 403.
            ClusterFailure: any other error; status 0 if there was no answer, or one that was true once.
        """
        answer = json_of(self.raw(method, path, body, content_type=content_type, query=query, seconds=seconds), path)
        if self._freshness.is_older(method, path, query or {}, answer):
            raise ClusterFailure(
                f"{method} {path}: the answer is older than one before it",
                reason="OldAnswer",
                advice="Something between here and the API server keeps answers (a proxy?): go around it.",
            )
        return answer

    def raw(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
        seconds: float = _READ_SECONDS,
    ) -> bytes:
        """As `request`, but the answer's bytes (a log)."""
        import urllib3
        from kubernetes.client.exceptions import ApiException

        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            request = self._api.param_serialize(
                method, path, query_params=list((query or {}).items()), header_params=headers, body=body,
                auth_settings=["BearerToken"],
            )  # fmt: skip
            keep(request[2].get("authorization"))  # a plugin may have given another one since
            answer = self._api.call_api(*request, _request_timeout=(min(_CONNECT_SECONDS, seconds), seconds))
            data = _read(answer.response, f"{method} {path}")
        except ApiException as error:  # a certificate that does not fit, mostly
            raise ClusterFailure(
                f"{self.server} was not reached: {_one_line(error.reason)}",
                advice="Check the cluster's certificate-authority and server in the kubeconfig.",
            ) from None
        except ValueError:  # its text would show the header
            raise ClusterFailure(
                "the credentials of the kubeconfig cannot be sent: the token holds a line break or is no ASCII text",
                reason="BadCredentials",
                status=400,
                advice="Write the token on one line.",
            ) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ClusterFailure(
                f"{method} {path}: {self.server} did not answer: {_cause(error)}",
                reason="NoAnswer",
                advice="Check that the cluster runs and is the right one (kubectl config current-context).",
            ) from None
        if 300 <= answer.status < 400:
            raise ClusterFailure(
                f"{method} {path}: {self.server} answered {answer.status}, which leads elsewhere",
                status=answer.status, reason="Redirect",
                advice="An API server does not do that; a login page or a proxy may stand before it: check the server.",
            )  # fmt: skip
        if answer.status >= 400:
            sent = bool(request[2].get("authorization") or self._api.configuration.cert_file)
            refusal = failure(method, path, answer.status, data, sent=sent)
            asked = str(answer.headers.get("Retry-After", ""))
            refusal.retry_after = float(asked) if asked.isdigit() else 0.0
            raise refusal
        return data

    def find(self, path: str) -> dict[str, Any] | None:
        """GET an object; None if it is not there."""
        try:
            return self.request("GET", path)
        except ClusterFailure as error:
            if error.status == 404:
                return None
            raise

    def items(
        self, path: str, *, again: Callable[[Callable[[], dict[str, Any]]], dict[str, Any]] | None = None, **query: str
    ) -> Iterator[dict[str, Any]]:
        """The objects of a list, page by page.

        Args:
            again: makes the request of a page, more than once if need be; once if not given.
        """
        more = ""
        while True:
            parameters = {**query, "limit": _PAGE, **({"continue": more} if more else {})}
            read = partial(self.request, "GET", path, query=parameters)
            page = again(read) if again else read()
            yield from page.get("items") or ()
            more = (page.get("metadata") or {}).get("continue") or ""
            if not more:
                return


def _read(response: Any, what: str) -> bytes:
    """The body of an answer, up to a bound; what is compressed counts as it is when it is not.

    Raises:
        ClusterFailure: it is longer.
    """
    data = bytearray()
    while chunk := response.read(_CHUNK, decode_content=True):
        data += chunk
        if len(data) > _LARGEST_ANSWER:
            response.close()
            raise ClusterFailure(
                f"{what}: the answer is larger than {_LARGEST_ANSWER >> 20} MiB", status=400, reason="TooLarge",
                advice="Check that the server in the kubeconfig is a Kubernetes API server.",
            )  # fmt: skip
    response.release_conn()
    return bytes(data)


def json_of(data: bytes, path: str) -> dict[str, Any]:
    """An answer that is to be a JSON object.

    Raises:
        ClusterFailure: it is not.
    """
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict) or not _is_of_kubernetes(answer):
        shown = _one_line(data[:100].decode(errors="replace"))
        what = "no object of Kubernetes" if isinstance(answer, dict) else "no JSON object"
        raise ClusterFailure(
            f"{path}: the answer is {what}: {shown or 'nothing at all'}", reason="BadAnswer",
            advice="Check that the server in the kubeconfig is a Kubernetes API server.",
        )  # fmt: skip
    return answer


def _is_of_kubernetes(answer: Mapping[str, Any]) -> bool:
    """Whether an answer has the shape of an object, a list of objects, or a list of the API's resources."""
    if "items" in answer:
        items = answer["items"]
        return items is None or (isinstance(items, list) and all(map(_has_metadata, items)))
    return _has_metadata(answer) or isinstance(answer.get("resources"), list)


def _has_metadata(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("metadata"), dict)


_WHO = re.compile(
    r'User "([^"]*)" cannot (\w+) resource "([^"]*)" in API group "([^"]*)"(?: in the namespace "([^"]*)")?'
)


def failure(method: str, path: str, status: int, data: bytes, *, sent: bool = False) -> ClusterFailure:
    """The error for an answer that is one; ``sent`` tells whether there were credentials in the request."""
    try:
        body = json.loads(data)
        message, reason = hide(str(body.get("message", ""))), hide(str(body.get("reason", "")))
    except (ValueError, AttributeError):
        message, reason = data[:200].decode(errors="replace"), ""
    message = _one_line(message)
    if status == 401:
        return RightMissing(
            f"the API server does not know who you are (401 {message or 'Unauthorized'})",
            status=status, reason=reason,
            advice="Log in again, or name another --context; the token or certificate may have run out.",
        )  # fmt: skip
    if status == 403 and (match := _WHO.search(message)):
        user, verb, resource, group, namespace = match.groups()
        if user == "system:anonymous":  # it comes to the same as 401: one has to log in
            why = "does not know the credentials that it was sent" if sent else "was sent no credentials"
            others = "other credentials (no API server takes a password any more)" if sent else "credentials"
            return RightMissing(
                f"the API server {why}: it takes you for {user}", status=401, reason=reason,
                advice=f"Name another --context, or give its user {others}: kubectl config view.",
            )  # fmt: skip
        what = f"{resource}.{group}" if group else resource
        where = f" in namespace {namespace}" if namespace else ""
        return RightMissing(
            f"{user} may not {verb} {what}{where}", status=status, reason=reason,
            advice=f"A Role needs {verb} on {resource} of apiGroup \"{group}\": see docs/rbac.yaml.",
        )  # fmt: skip
    kind = RightMissing if status == 403 and "admission webhook" not in message else ClusterFailure
    return kind(f"{method} {path}: {status} {message or reason}".rstrip(), status=status, reason=reason)


def is_transient(error: BaseException) -> bool:
    """Whether the same request may succeed a moment later."""
    return isinstance(error, ClusterFailure) and error.status in TRANSIENT and error.reason != "BadAnswer"


def part(name: str) -> str:
    """A name as one part of a path, whatever it holds.

    Raises:
        ClusterFailure: it would lead to another path.
    """
    if name in (".", ".."):
        raise ClusterFailure(f'nothing can be called "{name}"', status=400, reason="BadName")
    return quote(name, safe="")


def namespaced(base: str, resource: str, namespace: str, name: str = "") -> str:
    """The path of a namespaced resource, or of one object of it."""
    return f"{base}/namespaces/{part(namespace)}/{resource}" + (f"/{part(name)}" if name else "")


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _cause(error: BaseException) -> str:
    """The innermost reason of an error of urllib3, without its nested names."""
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException) and reason is not error:
        return _cause(reason)
    return _one_line(re.sub(r"<[^>]*object at 0x[0-9a-f]+>:?\s*", "", str(error))) or type(error).__name__
