"""How a plan is carried out: options that cannot be meant are refused before anything happens."""

from __future__ import annotations

from typing import Any

import pytest

from ksconfig import UsageError
from ksconfig.operations.site import Options


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"reasn": "x"}, "there is no option reasn. Did you mean reason?"),
        ({"restart_by": "bogus"}, "restart_by is 'bogus', and must be one of delete, rollout"),
        ({"history_limit": -1}, "history_limit is -1, and must be a number from 0"),
        ({"reason": 5}, "reason is 5, and must be a string"),
        ({"timeout": 0}, "timeout is 0, and must be a number of seconds above 0"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(given: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError) as caught:
        Options.of(given)
    assert why in str(caught.value)
