"""``scripts/build-server-image``: the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ksconfig.errors import ExitCode, FileFailure, KsconfigError, NotFound, UsageError, not_done
from ksconfig.model.reference import Reference
from ksconfig.model.registry import is_loopback, locate
from ksconfig.text.diff import TextPatch, unified_diff
from ksconfig.text.spans import apply_edits
from server_image import tools
from server_image.dockerfile import PythonChange, change_python


def _say(text: str) -> None:
    click.echo(text, err=True)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: scripts/build-server-image kserve/python --file sklearn.Dockerfile --python 3.8 "
    "--tag registry.example/team/sklearnserver:py38 --push",
)
@click.argument("source", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--python", "version", required=True, metavar="VERSION", help="The Python to build with, like 3.8.")
@click.option("--tag", required=True, metavar="REGISTRY/NAME:TAG", help="What the image is called.")
@click.option("--push", is_flag=True, help="Push it, and print the reference by digest.")
@click.option("--dry-run", is_flag=True, help="Print the change of the Dockerfile and the commands; run none of them.")
@click.option("--file", "file", metavar="FILE", help="The Dockerfile in SOURCE.  [default: Dockerfile]")
@click.option("--tool", type=click.Choice(tools.TOOLS), help="What to build with.  [default: the first that works]")
@click.option("--platform", metavar="OS/ARCH", help="Of the image, like linux/amd64.  [default: the tool's own]")
def main(
    source: Path,
    *,
    version: str,
    tag: str,
    push: bool,
    dry_run: bool,
    file: str | None,
    tool: str | None,
    platform: str | None,
) -> None:
    """Build a model server from the checkout of its source, with another version of Python.

    SOURCE is the folder that the Dockerfile copies from. The Python version changes in the FROM lines, and in ARGs that
    they take it from, of a copy of the Dockerfile; every other byte of it stays, and nothing in SOURCE changes.
    """
    try:
        with not_done("no image was built"):
            _build(source, version, _tag(tag), push=push, dry_run=dry_run, file=file, tool=tool, platform=platform)
    except KsconfigError as error:
        _say(f"error: {error}")
        sys.exit(int(error.exit_code))
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(int(ExitCode.INTERRUPTED))


def _build(
    source: Path,
    version: str,
    tag: Reference,
    *,
    push: bool,
    dry_run: bool,
    file: str | None,
    tool: str | None,
    platform: str | None,
) -> None:
    path = _dockerfile(source, file)
    content = _read(path)
    text = content.decode("utf-8", "surrogateescape")  # so that every byte comes back as it was
    with not_done(f"no image was built from {path}"):
        change = change_python(text, version)
    patch = TextPatch(str(path), text, change.edits)
    diff = unified_diff([patch]).encode("utf-8", "replace").decode()
    click.echo(diff, nl=False, err=not dry_run)
    if not change.edits:
        _say(f"{path} has Python {version} already")
    for remark in change.remarks:
        _say(f"warning: line {remark.line} names the old Python and is left as it is: {remark.text}")
    chosen = tools.choose(tool)
    build = tools.Build(source, tag, platform, (_all_local(change), is_loopback(locate(tag).host)))
    if dry_run:
        for command in tools.commands(chosen, build, push=push):
            click.echo(command)
        return
    tools.run_build(chosen, str(path), apply_edits(text, change.edits).encode("utf-8", "surrogateescape"), build)
    if push:
        click.echo(str(tools.run_push(chosen, build)))
    else:
        _say("built; --push pushes it as well")
        click.echo(str(tag))


def _tag(text: str) -> Reference:
    tag = Reference.parse(text)
    if tag.digest or not tag.tag:
        raise UsageError(f'--tag is "{text}"', advice="Write it like registry.example/team/sklearnserver:py38.")
    return tag


def _dockerfile(source: Path, file: str | None) -> Path:
    if file is not None:
        found = next((path for path in (source / file, Path(file)) if path.is_file()), None)
        if found is None:
            raise NotFound(f"there is no {file} in {source}", advice=_others(source))
        return found
    for name in ("Dockerfile", "Containerfile"):
        if (source / name).is_file():
            return source / name
    raise NotFound(f"there is no Dockerfile in {source}", advice=_others(source))


def _others(source: Path) -> str:
    """Where the Dockerfile may be."""
    names = sorted(path.name for path in source.iterdir() if "dockerfile" in path.name.lower() and path.is_file())
    return f"Name one with --file: {', '.join(names)}." if names else "Name the folder that holds it as SOURCE."


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileFailure(f"{path} cannot be read: {error.strerror}", path=str(path)) from None


def _all_local(change: PythonChange) -> bool:
    """Whether all images come from registries on this machine: only then may a build go without TLS."""
    outside = [base.image for base in change.bases if not base.stage and base.image != "scratch"]
    outside += change.others
    return bool(outside) and all(is_loopback(image.partition("/")[0]) for image in outside)
