"""A session of `requests` that takes nothing on itself: no logins of ~/.netrc, no answers without end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

#: No manifest and no configuration is longer (a registry must take manifests of 4 MiB, and few take more).
LARGEST_ANSWER = 16 * 1024 * 1024
_CHUNK = 64 * 1024


def bounded_session(seconds: float) -> Session:
    """A session whose answers are read whole, within so many seconds and up to `LARGEST_ANSWER` bytes.

    A longer one raises ``requests.exceptions.ContentDecodingError``, a slower one ``ReadTimeout``.
    """
    from requests import Session
    from requests.exceptions import ContentDecodingError, ReadTimeout

    class Bounded(Session):
        def send(self, request: PreparedRequest, **options: Any) -> Response:
            options["stream"] = True
            end = time.monotonic() + seconds
            response = super().send(request, **options)
            content = bytearray()
            while chunk := response.raw.read1(_CHUNK, decode_content=True):  # what is there, however little
                content += chunk
                if len(content) > LARGEST_ANSWER:
                    response.close()
                    raise ContentDecodingError(f"the answer is longer than {LARGEST_ANSWER >> 20} MiB")
                if time.monotonic() > end:
                    response.close()
                    raise ReadTimeout(f"the answer was not there whole after {seconds:g} s")
            response._content = bytes(content)
            response._content_consumed = True
            return response

    session = Bounded()
    # an auth of its own, that adds nothing: else requests would put a login of ~/.netrc in the place of ours
    session.auth = lambda request: request
    return session
