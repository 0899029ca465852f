"""The commands that the pages show do what is shown; those on a cluster are in tests/sandbox/test_docs.py."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.releases import RELEASES
from tests.docs.stories import PAGES, ROOT, Command, File, Stage, Story, all_stories, matches, shown_only, stories_of

OFFLINE = [story for story in all_stories() if not story.cluster]


@pytest.mark.parametrize("story", OFFLINE, ids=str)
def test_commands_on_files_print_what_is_shown(story: Story, tmp_path: Path) -> None:
    Stage(tmp_path, story).play()


def test_the_first_command_prints_what_the_readme_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    readme = (ROOT / "README.md").read_text()
    command = re.findall(r"```sh\n(.*)\n```", readme)[0].split("&&")[-1]
    arguments = shlex.split(command)
    assert arguments.pop(0) == ".venv/bin/ksconfig"
    done = subprocess.run(
        [sys.executable, "-m", "ksconfig", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    shown = re.findall(r"```diff\n(.*?)```", readme, re.DOTALL)[0]
    if "unchanged" not in done.stdout:  # the command was run in this clone before
        assert done.stderr + done.stdout == shown


#: Commands that no story runs: they fetch, build, push, or take as long as they like. Those of images.md are run by
#: tests/sandbox/test_images_page.py; what stands behind the others is tested with smaller numbers, or in other places.
SHOWN: dict[str, list[str]] = {
    "README.md": [
        "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/ksconfig set-image sklearn "
        "registry.example/team/sklearnserver:1.2 -f examples/inferenceservice-config.yaml",
        "scripts/test",
        'eval "$(ksconfig completion bash)"',
        "ksconfig completion fish > ~/.config/fish/completions/ksconfig.fish",
    ],
    "CONTRIBUTING.md": ["scripts/test tests/docs", "scripts/test tests/sandbox/test_docs.py"],
    "conformance.md": [
        "scripts/conformance --kserve 0.7.0",
        "scripts/conformance --kserve 0.20.0 --count 600 --seed 2",
        "scripts/conformance --kserve 0.16.0 --services DIR",
    ],
    "getting-started.md": [
        "python3 -m venv .venv && .venv/bin/pip install . && . .venv/bin/activate",
        'eval "$(scripts/sandbox up)"',
    ],
    "images.md": [
        "scripts/build-server-image kserve/python --file sklearn.Dockerfile --python 3.8 "
        "--tag registry.example/team/sklearnserver:py38 --push",
        'pip install "ksconfig[registry]"',
        "ksconfig images check",
        "ksconfig images check -f kserve.yaml -f runtimes.yaml --platform linux/arm64",
        "ksconfig images check registry.example/team/sklearnserver:py38",
        "ksconfig set-image sklearn registry.example/team/sklearnserver:py38 --check --pin-digest",
    ],
    "sandbox.md": [
        "scripts/sandbox exec -- kubectl get pods -A",
        'eval "$(scripts/sandbox up)"',
        "scripts/sandbox status",
        "scripts/sandbox down",
    ],
}


def test_the_commands_that_are_not_run_are_these() -> None:
    found: dict[str, list[str]] = {}
    for page, command in shown_only():
        found.setdefault(page, []).append(command)
    assert found == SHOWN


@pytest.mark.parametrize("command", [text for _, text in shown_only()])
def test_what_is_not_run_exists_with_the_options_that_are_shown(command: str) -> None:
    subprocess.run(["bash", "-n", "-c", command], check=True)
    words = shlex.split(command)
    if words[0] == "ksconfig":
        done = subprocess.run(
            [sys.executable, "-m", "ksconfig", *words[1:], "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    for word in words:
        if word.startswith("scripts/"):
            assert (ROOT / word).exists()


def test_no_prompt_stands_outside_of_a_block_that_is_run() -> None:
    for page in PAGES:
        for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            assert language == "console" or not re.search(r"^\$ ", text, re.MULTILINE), f"{page.name}: {text}"


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_page_is_in_the_index_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    missing = [page.name for page in PAGES[1:] if f"({page.relative_to(ROOT).as_posix()})" not in readme]
    assert not missing


def test_the_releases_with_a_sandbox_are_those_that_the_page_lists() -> None:
    page = (ROOT / "docs/releases.md").read_text()
    listed = re.findall(r"0\.\d+\.\d+", page[page.index("## How far") :])
    assert listed == list(RELEASES)


# the runner itself

PAGE = """\
<!-- file: a.txt -->
```
one
```

```console
$ cat a.txt
one
$ cat \\
    b.txt
cat: ...
$ echo $?
1
```

<!-- story: cluster 0.7.0; kserve.yaml=examples/x.yaml -->
<!-- run -->
```sh
ksconfig status   # how it is
```

```sh
shown only
```
"""


def test_a_page_is_read_as_its_stories() -> None:
    first, second = stories_of("page.md", PAGE)
    assert first.steps == [
        File("a.txt", "one\n"),
        Command(6, "cat a.txt", "one\n"),
        Command(6, "cat b.txt", "cat: ...\n", may_fail=True),
        Command(6, "echo $?", "1\n"),
    ]
    assert (second.cluster, second.copies) == ("0.7.0", {"kserve.yaml": "examples/x.yaml"})
    assert [step.text for step in second.steps] == ["ksconfig status"]


def test_a_story_whose_output_differs_fails(tmp_path: Path) -> None:
    Stage(tmp_path / "good", next(stories_of("page.md", PAGE))).play()
    with pytest.raises(AssertionError, match=r"page\.md:6: \$ cat a\.txt\nis to print"):
        Stage(tmp_path / "other", next(stories_of("page.md", PAGE.replace("a.txt\none", "a.txt\ntwo")))).play()
    with pytest.raises(AssertionError, match="ended with 1"):
        Stage(tmp_path / "code", next(stories_of("page.md", PAGE.replace("$ echo $?\n1\n", "")))).play()


@pytest.mark.parametrize(
    ("expected", "printed", "fits"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a", True),
        ("a\n", "a\nb\n", False),
        ("a ... c\n", "a b c\n", True),
        ("a ... c\n", "a b\n c\n", False),
        ("a ...    c\n", "a b c\n", True),
        ("a    c\n", "a c\n", False),
        ("...\nc\n", "a\nb\nc\n", True),
        ("a\n...\n", "a\n", True),
        ("...\nc\n", "a\nb\n", False),
        ("a.b\n", "axb\n", False),
    ],
)
def test_dots_stand_for_anything(expected: str, printed: str, fits: bool) -> None:
    assert matches(expected, printed) is fits
