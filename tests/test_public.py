"""What `import ksconfig` gives, and what it costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import ksconfig
from ksconfig.errors import ExitCode, KsconfigError, not_done

README = (Path(__file__).parents[1] / "README.md").read_text()


def loaded_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_every_public_name_is_there_and_listed_once() -> None:
    assert sorted(set(ksconfig.__all__)) == ksconfig.__all__
    assert set(ksconfig.__all__) == set(ksconfig._HOME_OF)
    for name in ksconfig.__all__:
        assert getattr(ksconfig, name) is not None
    assert set(ksconfig.__all__) <= set(dir(ksconfig))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sklearn'"):
        ksconfig.sklearn  # type: ignore[attr-defined]  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    heavy = {"dataclasses", "inspect", "click", "ruamel.yaml", "kubernetes", "json", "re"}
    bare = loaded_after("pass")
    assert not (loaded_after("import ksconfig") - bare) & heavy


def test_no_offline_command_imports_the_kubernetes_client() -> None:
    example = Path(__file__).parents[1] / "examples/inferenceservice-config.yaml"
    for arguments in (
        ["images"],
        ["get", "deploy.defaultDeploymentMode"],
        ["set", "agent.cpuLimit", "2", "--dry-run"],
        ["unset", "agent.cpuLimit", "--dry-run"],
        ["set-image", "agent", "r/x:1", "--dry-run"],
    ):
        call = f"from ksconfig.cli.main import run; assert run({[*arguments, '-f', str(example)]!r}) == 0"
        loaded = loaded_after(call)
        assert not {name for name in loaded if name.partition(".")[0] in ("kubernetes", "urllib3", "requests")}


def subclasses(error: type[KsconfigError]) -> set[type[KsconfigError]]:
    """All classes below an error."""
    return {error}.union(*(subclasses(below) for below in error.__subclasses__()))


def test_every_error_has_the_exit_code_that_its_tree_says() -> None:
    import ksconfig.errors as module

    drawn = dict(re.findall(r"(\w+) +([0-9]+) ", module.__doc__ or ""))
    for error in subclasses(KsconfigError):
        if error.__module__ == "ksconfig.errors":
            assert int(drawn[error.__name__]) == error.exit_code, error


def test_the_readme_lists_the_exit_codes() -> None:
    rows = re.findall(r"^\| ([0-9, ]+) \| .+ \|$", README, re.MULTILINE)
    assert [int(code) for row in rows for code in row.split(",")] == [int(code) for code in ExitCode]


def test_a_message_says_what_was_not_done_why_and_what_to_do() -> None:
    with pytest.raises(KsconfigError) as caught, not_done("sklearn was not changed"):
        raise KsconfigError("the moon is full", advice="Wait.")
    assert str(caught.value) == "sklearn was not changed: the moon is full. Wait."


def test_the_inner_operation_names_what_was_not_done() -> None:
    with pytest.raises(KsconfigError) as caught, not_done("outer"), not_done("inner"):
        raise KsconfigError("why")
    assert caught.value.not_done == "inner"
