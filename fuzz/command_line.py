"""The same action by the command line, in this process, on a file."""

from __future__ import annotations

import contextlib
import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from fuzz.actions import Action
from ksconfig.cli.main import run

if TYPE_CHECKING:
    from fuzz.trial import Trial

_RAW_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_ALLOWED = (0, 1, 2, 3)


def arguments_for(action: Action, file: Path) -> list[str] | None:
    """The action as a person types it, or None if it cannot be typed."""
    options = ["-f", str(file), *(f"--allow={word}" for word in action.allow)]
    if action.version:
        options.append(f"--kserve-version={action.version}")
    if action.within:
        options.append(f"--in={action.within}")
    words = [action.subject] if isinstance(action.subject, str) else [_pointer(action.subject)]
    if action.verb == "set":
        try:
            value = action.value if action.is_json else json.dumps(action.value, allow_nan=False)
        except (TypeError, ValueError):
            return None
        words.append(value)
        options.append("--json")
    elif action.verb == "set-image":
        words.append(action.value)
    if any("\0" in word or len(word) > 60_000 for word in words):
        return None
    return [action.verb, *options, "--", *words]


def _pointer(steps: tuple[str | int, ...]) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def run_command(trial: Trial, action: Action) -> None:
    """Run it, and note what a command must never do."""
    from fuzz.trial import Outcome

    with tempfile.TemporaryDirectory(prefix="ksconfig-fuzz-") as folder:
        file = Path(folder) / "kserve.yaml"
        file.write_bytes(trial.data)
        arguments = arguments_for(action, file)
        if arguments is None:
            return
        with _captured() as (out, err):
            code = trial.call(f"ksconfig {arguments}", lambda: run(arguments))
        said = err()
        after = file.read_bytes()
        names = [path.name for path in Path(folder).iterdir()]
    what = f"ksconfig {' '.join(arguments)}\nexit {code}\n{said}"
    trial.outcomes.append(Outcome(f"command: exit {code}"))
    if code not in _ALLOWED:
        trial.found(f"exit code {code}", what)
    if "internal error" in said or "InternalError" in said:
        trial.found(f"an internal error of the command: {said.partition('saved')[2][:80].strip()}", what)
    if code and not said.strip():
        trial.found(f"exit code {code} without a word", what)
    if code and after != trial.data:
        trial.found(f"exit code {code}, and the file changed", what)
    if (after != trial.data) != bool("@@" in said):
        trial.found("a write without its diff, or a diff without a write", what)
    if names != ["kserve.yaml"]:
        trial.found("files are left behind", f"{what}\n{names}")
    if match := _RAW_CONTROL.search(said + out()):
        trial.found(f"the control character U+{ord(match[0]):04X} was printed", what)


@contextlib.contextmanager
def _captured() -> Iterator[list[Callable[[], str]]]:
    """Standard output and standard error, as functions that give their text."""
    streams = [
        io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="") for _ in range(2)
    ]
    with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
        yield [_reader(stream) for stream in streams]


def _reader(stream: io.TextIOWrapper) -> Callable[[], str]:
    def read() -> str:
        stream.flush()
        buffer = stream.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode("utf-8")

    return read
