"""Trying again what may succeed a moment later, within a bound of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TypeVar

from ksconfig.errors import ClusterFailure
from ksconfig.source.cluster.client import is_transient

Answer = TypeVar("Answer")
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class Patience:
    """A bound of time, from now on.

    Args:
        seconds: how long.
        sleep, clock: for tests.
    """

    def __init__(
        self, seconds: float, sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.seconds = seconds
        self.sleep = sleep
        self.clock = clock
        self._end = clock() + seconds

    def renew(self, seconds: float) -> None:
        """Begin anew, with another bound."""
        self.seconds = seconds
        self._end = self.clock() + seconds

    def another(self, seconds: float) -> Patience:
        """A bound of its own, by the same clock."""
        return Patience(seconds, self.sleep, self.clock)

    @property
    def left(self) -> float:
        """The seconds that are left; 0 at the end."""
        return max(0.0, self._end - self.clock())

    def call(self, request: Callable[[], Answer], also: Collection[int] = ()) -> Answer:
        """Make a request that does no harm when made twice, until it succeeds or fails for good.

        Args:
            also: statuses after which it is made again beside those that mean so for every request.

        Raises:
            ClusterFailure: it failed for good, or the time is over.
        """
        from tenacity import Retrying, retry_if_exception, stop_before_delay, wait_random_exponential

        pause = wait_random_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE)
        retrying = Retrying(
            retry=retry_if_exception(
                lambda error: is_transient(error) or (isinstance(error, ClusterFailure) and error.status in also)
            ),
            wait=lambda state: max(pause(state), _asked_for(state.outcome.exception() if state.outcome else None)),
            stop=stop_before_delay(max(self.left, 0.001)),
            sleep=self.sleep,
            reraise=True,
        )
        return retrying(request)


def _asked_for(error: BaseException | None) -> float:
    """The pause that the server asked for."""
    return error.retry_after if isinstance(error, ClusterFailure) else 0.0
