"""The README shows what really happens."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_first_command_prints_what_the_readme_shows(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    command = re.findall(r"```sh\n(.*)\n```", README)[0].split("&&")[-1]
    arguments = shlex.split(command)
    assert arguments.pop(0) == ".venv/bin/ksconfig"
    done = subprocess.run(
        [sys.executable, "-m", "ksconfig", *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    shown = re.findall(r"```diff\n(.*?)```", README, re.DOTALL)[0]
    if "unchanged" not in done.stdout:  # the command was run in this clone before
        assert done.stderr + done.stdout == shown


def test_every_command_of_the_readme_is_one(tmp_path: Path) -> None:
    shutil.copy(ROOT / "examples/inferenceservice-config.yaml", tmp_path / "kserve.yaml")
    shutil.copy(ROOT / "examples/sklearn-runtime.yaml", tmp_path / "runtimes.yaml")
    block = re.findall(r"```sh\n((?:ksconfig .*\n)+)```", README)[0]
    for line in block.splitlines():
        command = line.partition("#")[0].replace("explainer/art=:v0.7.1", "agent=:v0.7.1")
        if "ingress." in command:
            command += " --allow new-key"
        shell = command.replace("ksconfig", f"{shlex.quote(sys.executable)} -m ksconfig", 1)
        done = subprocess.run(shell, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stderr)


def test_doctor_says_what_the_readme_shows(tmp_path: Path) -> None:
    text = (ROOT / "examples/inferenceservice-config.yaml").read_text()
    (tmp_path / "kserve.yaml").write_text(text.replace('"Serverless"', '"serverless"'))
    command = [sys.executable, "-m", "ksconfig", "doctor", "-f", "kserve.yaml", "--kserve-version", "0.7"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"```\n{done.stdout}```" in README
    assert done.returncode == 3
