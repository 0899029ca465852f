"""The commands on the config: images, get, set, unset, set-image."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ksconfig import operations
from ksconfig.cli import output
from ksconfig.cli.commands import Command, Group, program
from ksconfig.cli.completing import names_of
from ksconfig.cli.opened import Opened, open_source, tell_release
from ksconfig.cli.options import settings_of, shared_options, writing_options
from ksconfig.cli.registry import Desk, registry_options
from ksconfig.errors import InvalidDocument, UsageError
from ksconfig.model.plan import Plan
from ksconfig.operations import Typed
from ksconfig.text.json_scanner import parse_json
from ksconfig.text.json_write import RawJson

if TYPE_CHECKING:
    from ksconfig.cli import documents


def _change_lines(plan: Plan, path: str) -> list[str]:
    if not plan.changes:
        return [f"{path}: unchanged"]
    return [f"{c.written_path}: {output.shown(c.before)} -> {output.shown(c.after)}" for c in plan.changes]


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples=("images", "images -f kserve.yaml -f runtimes.yaml", "images check -f kserve.yaml"),
)
@shared_options
@click.pass_context
def images(context: click.Context) -> None:
    """List every image, by the name that set-image takes.

    Those of the config, of serving runtimes (with the frameworks that get them by default) and of storage containers;
    on a cluster with the number of services that have each.
    'images check' looks whether they are in their registries.
    """
    if context.invoked_subcommand is None:
        _list_images()


def _list_images() -> None:
    opened = open_source()
    settings = opened.settings
    users = not settings.files and settings.output != "name"
    found, release, notices = operations.list_images(opened.source, settings.scope, users=users)
    tell_release(settings, release)
    output.warnings(notices)
    if settings.for_machines:
        content: documents.ImageList = {
            "apiVersion": output.API_VERSION,
            "kind": "ImageList",
            "release": output.release_content(release),
            "items": [
                {
                    "name": i.name,
                    "image": i.image,
                    "gpuVersion": i.gpu_version,
                    "where": i.where,
                    "read": i.read,
                    "frameworks": list(i.frameworks),
                    "usedBy": i.used_by,
                }
                for i in found
            ],
            "warnings": output.notices_content(notices),
        }
        output.document(content, settings.output)
    elif settings.output == "name":
        for image in found:
            output.result(image.name)
    else:
        rows = []
        for image in found:
            gpu = f", GPU :{image.gpu_version}" if image.gpu_version else ""
            unread = "" if image.read else f" (not read by {release.likely or release})"
            used = "" if image.used_by is None else str(image.used_by)
            rows.append((image.name, image.image + gpu, image.where + unread, ", ".join(image.frameworks), used))
        output.table(("NAME", "IMAGE", "WHERE", "FRAMEWORKS", "USED BY"), rows, only_filled=True)


@images.command(
    cls=Command,
    examples=("images check", "images check registry.example/team/sklearnserver:1.2 --platform linux/arm64"),
)
@click.argument("references", nargs=-1, metavar="[IMAGE]...")
@registry_options
@shared_options
def check(references: tuple[str, ...], platforms: tuple[str, ...], ca: Path | None) -> None:
    """Look whether images are in their registries, for which platforms, and with which digest.

    Without IMAGE, every image that 'images' lists. They must be there for the platforms of the cluster's nodes, or for
    those that --platform names. It ends with 3 if one is proven to be of no use, with 1 if one could not be looked up.
    """
    settings = settings_of(click.get_current_context())
    opened = None if references and not settings.files and platforms else open_source()
    desk = Desk(opened, platforms, ca)
    if references:
        desk.report(dict.fromkeys(references, ()), settings)
        return
    assert opened is not None
    found, release, notices = operations.list_images(opened.source, opened.scope)
    tell_release(settings, release)
    output.warnings(notices)
    desk.report_listed(found, settings)


@click.command(
    cls=Command, examples=("get predictors.sklearn.v1.image -f kserve.yaml", "get deploy.defaultDeploymentMode")
)
@click.argument("path")
@shared_options
def get(path: str) -> None:
    """Print one JSON value of the config.

    A string is printed bare, anything else as it stands. PATH is key.field[0], or a JSON Pointer like /key/field/0 when
    a name holds a dot.
    """
    opened = open_source()
    form = opened.settings.output
    node = operations.get_value(opened.source, path, opened.scope)
    if form == "json":
        click.echo(output.visible(node.source))
    elif form == "yaml":
        from ksconfig.text.yaml_print import print_yaml

        click.echo(print_yaml(node.value), nl=False)
    elif form == "name":
        output.result(path)
    else:
        text = node.string if node.kind == "string" else node.source
        click.echo(output.visible(text) if sys.stdout.isatty() else text)


@click.command(
    "set",
    cls=Command,
    examples=(
        "set ingress.ingressDomain models.example.com -f kserve.yaml",
        "set --json router.headers.propagate '[\"Authorization\"]' -f kserve.yaml",
        'set ingress.ingressDomain models.example.com --reason "new domain"',
    ),
)
@click.argument("path")
@click.argument("value")
@click.option("--json", "as_json", is_flag=True, help="VALUE is JSON and is written as it stands; its type may change.")
@writing_options
@shared_options
def set_(path: str, value: str, as_json: bool) -> None:
    """Set one JSON value of the config.

    PATH is as in 'get'. VALUE takes the JSON type that the field has now, else the type that KServe requires, else it
    is a string. Missing parents are made; a missing key of the ConfigMap needs --allow new-key.
    """
    opened = open_source()
    plan = opened.plan_set(path, _raw(value) if as_json else Typed(value), as_json)
    opened.carry_out(plan, _change_lines(plan, path))


def _raw(value: str) -> RawJson:
    try:
        parse_json(value)
    except InvalidDocument as error:
        raise UsageError(
            f"VALUE is no JSON: {error.reason}",
            picture=error.picture,
            advice="A string needs its double quotes: '\"text\"'. Without --json, VALUE is taken as plain text.",
        ) from None
    return RawJson(value.strip())


@click.command(cls=Command, examples=("unset router.headers -f kserve.yaml", "unset router.headers --dry-run"))
@click.argument("path")
@writing_options
@shared_options
def unset(path: str) -> None:
    """Remove one JSON value from the config.

    If it is not there, nothing is done. PATH is as in 'get'.
    """
    opened = open_source()
    plan = opened.plan_unset(path)
    opened.carry_out(plan, _change_lines(plan, path))


@click.command(
    "set-image",
    cls=Command,
    examples=(
        "set-image sklearn registry.example/team/sklearnserver:1.2 -f kserve.yaml",
        "set-image sklearn=:v0.7.1 agent=registry.example/kserve/agent:v0.7.1 -f kserve.yaml",
        'set-image sklearn registry.example/team/sklearnserver:1.2 --reason "CVE-2026-1"',
        "set-image sklearn :v0.7.1 --dry-run -o json",
    ),
)
@click.argument(
    "arguments",
    nargs=-1,
    metavar="TARGET IMAGE | TARGET=IMAGE...",
    shell_complete=names_of("targets"),
)
@click.option(
    "--gpu-version",
    multiple=True,
    metavar="[TARGET=]TAG",
    help="The tag for services with a GPU (tensorflow and pytorch, KServe to 0.9).",
)
@click.option(
    "--in",
    "within",
    type=click.Choice(["config", "runtimes"]),
    help="Change a framework only in the config, or only in its runtime; by default in all that decides its image.",
)
@click.option("--check", "looks", is_flag=True, help="Refuse unless every image that it leads to is in its registry.")
@click.option("--pin-digest", is_flag=True, help="Write the digest that the registry has for the image now.")
@registry_options
@writing_options
@shared_options
def set_image(
    arguments: tuple[str, ...],
    *,
    gpu_version: tuple[str, ...],
    within: Any,
    looks: bool,
    pin_digest: bool,
    platforms: tuple[str, ...],
    ca: Path | None,
) -> None:
    """Give a framework, or any image of KServe's, a new image.

    TARGET is a framework (sklearn; sklearn/v2 for the other protocol), or a name that 'images' prints: explainer/art,
    agent, runtime/NAME, storageContainer/NAME, ... A framework stands for all that decides its image in the KServe
    release at hand: the predictors of the config to 0.9, its ClusterServingRuntime from 0.8 on. IMAGE is repo:tag,
    repo@sha256:..., :tag (the repository stays) or repo (tag and digest stay; it must hold a /).
    """
    opened = open_source()
    wanted = _wanted(arguments, opened)
    if not looks and not pin_digest:
        if platforms or ca:
            raise UsageError("--platform and --registry-ca are for --check and --pin-digest")
        plan = opened.plan_set_image(wanted, gpu_version, within)
    else:
        plan = Desk(opened, platforms, ca).plan_set_image(wanted, gpu_version, within, looks=looks, pins=pin_digest)
    opened.carry_out(
        plan,
        [
            f"{image.target}: {image.before or '(none)'} -> {image.after}"
            if image.before != image.after
            else f"{image.target}: {image.after} unchanged"
            for image in plan.images
        ],
    )


def _wanted(arguments: tuple[str, ...], opened: Opened) -> dict[str, str]:
    if not arguments:
        raise UsageError("no TARGET was given", advice=_example())
    if "=" in arguments[0]:
        pairs = [argument.partition("=") for argument in arguments]
        bare = next((argument for argument in arguments if "=" not in argument), None)
        if bare:
            raise UsageError(f'"{bare}" is no TARGET=IMAGE, as the first argument is', advice=_example())
        for target, _, _ in pairs:
            if not target:
                raise UsageError("a TARGET before = is empty", advice=_example())
            if [pair[0] for pair in pairs].count(target) > 1:
                raise UsageError(f"{target} is given twice", advice="Name each target once.")
        return {target: image for target, _, image in pairs}
    if len(arguments) > 2:
        raise UsageError(f"{len(arguments)} arguments; one TARGET and one IMAGE were expected", advice=_example())
    if len(arguments) == 2:
        return {arguments[0]: arguments[1]}
    return {arguments[0]: _ask(arguments[0], opened)}


def _example() -> str:
    return (
        f"Like: {program()} set-image sklearn registry.example/team/sklearnserver:1.2 -f kserve.yaml; "
        "several at once: sklearn=IMAGE xgboost=IMAGE."
    )


def _ask(target: str, opened: Opened) -> str:
    found, _, _ = operations.list_images(opened.source, opened.scope)
    present = next(
        (image.image for image in found if image.name in (target, f"{target}/v1") or target in image.frameworks), None
    )
    now = f"{target} is now {present}" if present else f"{target} has no image here"
    if output.is_terminal() and "-" not in opened.settings.files:
        output.remark(now)
        answer: str = click.prompt(f"New image for {target}", err=True)
        return answer
    image = f"registry.example/team/{target.partition('/')[0]}server:1.2"
    files = "".join(f" -f {shlex.quote(name)}" for name in opened.settings.files)
    raise UsageError(f"no IMAGE was given; {now}", advice=f"Like: {program()} set-image {target} {image}{files}")
