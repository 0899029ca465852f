"""scripts/fuzz finds what is wrong: faults planted in the core, each as one could creep in."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import ksconfig
from fuzz import bounds, trial
from fuzz.actions import Action, Choice
from fuzz.cli import fuzz, main
from fuzz.findings import Keeper
from fuzz.trial import UNCHANGED, WRITTEN, Trial
from ksconfig import operations
from ksconfig.source.files import ManifestFile

MANIFEST = b"""\
apiVersion: v1
kind: ConfigMap
metadata:
  name: inferenceservice-config
  namespace: kserve
data:
  agent: |-
    {"image": "kserve/agent:v1", "cpuLimit": "1"}
"""
SET = Action("set", "agent.image", "x:2")


@pytest.fixture(autouse=True)
def chosen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trial]:
    """Run a trial of given actions."""

    def run(*actions: Action, data: bytes = MANIFEST, command: bool = False) -> Trial:
        monkeypatch.setattr(trial, "choose", lambda *_: Choice(actions, command, False))
        return Trial(data).run()

    return run


def whats(one: Trial) -> list[str]:
    return [finding.what for finding in one.findings]


def replacing(monkeypatch: pytest.MonkeyPatch, change: Callable[[bytes], bytes]) -> None:
    original = ManifestFile.to_bytes
    monkeypatch.setattr(ManifestFile, "to_bytes", lambda self: change(original(self)))


def instead(monkeypatch: pytest.MonkeyPatch, name: str, function: Callable[..., Any]) -> None:
    monkeypatch.setattr(operations, name, function)


@pytest.mark.parametrize(
    "action",
    [
        SET,
        Action("set-image", "agent", ":v2"),
        Action("unset", "agent.cpuLimit"),
        Action("set", ("router", "image"), "x:2", allow=("new-key",)),
        Action("set", "agent.cpuLimit", '"\\u0032"', is_json=True),
        Action("set", ("agent", "new"), {"a": [1.5, None]}),
    ],
    ids=str,
)
def test_nothing_is_found_where_nothing_is_wrong(chosen: Callable[..., Trial], action: Action) -> None:
    one = chosen(action, command=True)
    assert one.findings == []
    assert [outcome.reader for outcome in one.outcomes if outcome.name == WRITTEN] == ["PyYAML"]
    assert "command: exit 0" in [outcome.name for outcome in one.outcomes]


def test_what_is_there_already_counts_as_unchanged(chosen: Callable[..., Trial]) -> None:
    assert UNCHANGED in [outcome.name for outcome in chosen(Action("set", "agent.cpuLimit", "1")).outcomes]


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"apiVersion", b"apiversion"), (b"\n", b"\r\n"), (b'"1"}\n', b'"1"}'), (b'"1"', b'"2"')],
    ids=["a byte elsewhere", "line ends", "the final newline", "another value"],
)
def test_a_write_of_more_than_was_planned_is_found(
    chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch, old: bytes, new: bytes
) -> None:
    replacing(monkeypatch, lambda data: data.replace(old, new) if b"x:2" in data else data)
    assert "a write that is not confirmed" in whats(chosen(SET))


def test_another_value_than_was_asked_for_is_found(
    chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = operations.plan_set
    instead(
        monkeypatch, "plan_set", lambda source, path, value, scope, **more: original(source, path, "y:3", scope, **more)
    )
    assert "a write that is not confirmed" in whats(chosen(SET))


def test_a_write_to_another_place_is_found(chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    original = operations.plan_set

    def misplaced(source: Any, path: Any, value: Any, scope: Any, **more: Any) -> Any:
        plan = original(source, "agent.cpuLimit", value, scope, **more)
        right = original(source, path, value, scope, **more)
        return type(plan)(**{**plan.__dict__, "asked": right.asked})

    instead(monkeypatch, "plan_set", misplaced)
    assert "a write that is not confirmed" in whats(chosen(SET))


@pytest.mark.parametrize("error", [KeyError("x"), RecursionError(), MemoryError(), SystemExit(1), UnicodeError()])
def test_an_exception_that_is_not_ours_is_found(
    chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise error

    instead(monkeypatch, "plan_set", fail)
    assert [what.split()[0] for what in whats(chosen(SET))] == [type(error).__name__]


def test_an_internal_error_and_an_error_without_words_are_found(
    chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, what in ((ksconfig.InternalError("x"), "InternalError: x"), (ksconfig.Refused(""), "Refused without")):

        def fail(*_: Any, error: Exception = error, **__: Any) -> Any:
            raise error

        instead(monkeypatch, "plan_set", fail)
        assert any(found.startswith(what) for found in whats(chosen(SET)))


def test_a_warning_is_found(chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    original = operations.plan_set

    def warn(*given: Any, **more: Any) -> Any:
        warnings.warn("x", stacklevel=1)
        return original(*given, **more)

    instead(monkeypatch, "plan_set", warn)
    assert whats(chosen(SET))[0].startswith("UserWarning")


def test_a_loop_without_end_is_found(chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    def forever(*_: Any, **__: Any) -> Any:
        while True:
            try:
                time.sleep(0)
            except Exception:  # what is caught on the way must not hide it
                continue

    instead(monkeypatch, "plan_set", forever)
    monkeypatch.setattr(bounds.bounded.__wrapped__, "__defaults__", (0.3,))  # type: ignore[attr-defined]
    assert [what.split()[0] for what in whats(chosen(SET))] == ["TooLong"]


def test_memory_that_grows_is_found(chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter(range(0, 1 << 40, 1 << 30))
    monkeypatch.setattr(bounds, "_peak", lambda: next(peaks))
    assert [what.split()[0] for what in whats(chosen(SET))][:1] == ["TooMuch"]


def test_doing_it_again_must_change_nothing(chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    original = operations.plan_set
    count = iter(range(100))

    def counting(source: Any, path: Any, value: Any, scope: Any, **more: Any) -> Any:
        return original(source, path, f"x:{next(count)}", scope, **more)

    instead(monkeypatch, "plan_set", counting)
    assert "doing it again changes something" in whats(chosen(SET))


def test_the_old_value_must_restore_the_bytes(chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch) -> None:
    original = operations.plan_set

    def lossy(source: Any, path: Any, value: Any, scope: Any, **more: Any) -> Any:
        return original(source, path, "kserve/agent" if value == "kserve/agent:v1" else value, scope, **more)

    instead(monkeypatch, "plan_set", lossy)
    assert whats(chosen(SET)) == ["setting the old value back does not restore the bytes"]


class TestTheCommandLine:
    @pytest.mark.parametrize(
        ("damage", "what"),
        [
            (lambda save: None, "a write without its diff"),
            (lambda save: save.path.with_name("left").write_text(""), "files are left behind"),
        ],
        ids=["nothing is written", "a temporary file"],
    )
    def test_what_it_leaves_is_looked_at(
        self, chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch, damage: Callable[[Any], Any], what: str
    ) -> None:
        monkeypatch.setattr("ksconfig.source.saving._Save.replace", damage)
        assert any(found.startswith(what) for found in whats(chosen(SET, command=True)))

    def test_control_characters_are_looked_for(
        self, chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ksconfig.cli.output.diff", lambda text, err: click.echo(f"\a{text}", err=err))
        one = chosen(SET, command=True)
        assert "the control character U+0007 was printed" in whats(one)

    def test_an_internal_error_is_looked_for(
        self, chosen: Callable[..., Trial], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: Any, **__: Any) -> Any:
            raise KeyError("x")

        monkeypatch.setattr("ksconfig.cli.opened.operations.plan_set", fail)
        assert any(found.startswith("an internal error of the command") for found in whats(chosen(SET, command=True)))


class TestARun:
    @pytest.fixture(autouse=True)
    def real(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()
        monkeypatch.setattr("fuzz.cli.limit_memory", lambda: None)  # it would hold for all tests

    def test_without_faults_comes_to_all_kinds_and_says_how_many(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        from fuzz.mutations import KINDS

        report = fuzz(1, Keeper(tmp_path), minutes=None, runs=len(KINDS))
        out = capsys.readouterr().out
        assert out.splitlines()[-1] == f"inputs {len(KINDS)} findings {report.findings}"
        assert all(kind.name in out for kind in KINDS)
        assert report.findings == 0
        assert list(tmp_path.iterdir()) == []

    def test_keeps_what_it_found_and_replays_it(self, tmp_path: Path) -> None:
        from ksconfig.text import yaml_tree

        def fail(*_: Any) -> Any:
            raise KeyError("planted")

        with pytest.MonkeyPatch.context() as planted:
            planted.setattr(yaml_tree, "_read_yaml", fail)
            run = CliRunner().invoke(main, ["--runs", "3", "--seed", "1", "--keep", str(tmp_path)])
            assert run.exit_code == 1
            kept = sorted(tmp_path.glob("*.yaml"))
            assert f"scripts/fuzz --replay {kept[0]}" in run.stderr
            assert "KeyError" in kept[0].with_suffix(".txt").read_text()

            again = CliRunner().invoke(main, ["--replay", str(kept[0])])
            assert again.exit_code == 1
            assert "KeyError: 'planted'" in again.stdout

        mended = CliRunner().invoke(main, ["--replay", str(kept[0])])
        assert (mended.exit_code, mended.stdout) == (0, "inputs 1 findings 0\n")

    def test_needs_an_end(self) -> None:
        run = CliRunner().invoke(main, [])
        assert run.exit_code == 2
        assert "--minutes" in run.stderr
