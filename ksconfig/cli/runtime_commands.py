"""The commands on serving runtimes: list, show, create, use, promote, delete."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from ksconfig.cli import output
from ksconfig.cli.commands import Command, Group
from ksconfig.cli.completing import names_of
from ksconfig.cli.opened import OpenedCluster, open_cluster
from ksconfig.cli.options import Number, shared_options, writing_options
from ksconfig.errors import UsageError
from ksconfig.model.plan import Plan

if TYPE_CHECKING:
    from ksconfig.cli import documents
    from ksconfig.operations.runtimes import RuntimeUse

_FIRST_FEW = 3


@click.group(
    "runtime",
    cls=Group,
    examples=(
        "runtime list",
        "runtime create sk-py38 --from kserve-sklearnserver --image registry.example/sk:py38 -n team-a",
        "runtime use sk-py38 iris wine -n team-a --wait-models",
        "runtime promote sk-py38 -n team-a",
    ),
)
@shared_options
def runtime() -> None:
    """Give some services a server of their own: list, make, use and promote serving runtimes (KServe 0.8 on)."""


def _opened(command: str) -> tuple[OpenedCluster, str]:
    """The cluster, and the namespace that -n or the context names."""
    opened = open_cluster(f"runtime {command}", about_the_config=False)
    return opened, opened.settings.namespace or opened.cluster.access.namespace


@runtime.command("list", cls=Command, examples=("runtime list", "runtime list -o json"))
@shared_options
def list_() -> None:
    """List the serving runtimes, and how many services run on each."""
    opened, _ = _opened("list")
    found = opened.cluster.runtimes.list()
    if opened.settings.for_machines:
        document: documents.RuntimeList = {
            "apiVersion": output.API_VERSION,
            "kind": "RuntimeList",
            "items": [_content(one) for one in found],
        }
        output.document(document, opened.settings.output)
        return
    if opened.settings.output == "name":
        for one in found:
            output.result(one.name)
        return
    rows = []
    for one in found:
        users = "unknown" if one.services is None else str(len(one.services))
        auto = ", ".join(one.auto) or ("disabled" if one.disabled else "-")
        rows.append((one.name, one.image, ", ".join(one.formats), auto, users))
    output.table(("NAME", "IMAGE", "FORMATS", "CHOSEN FOR", "SERVICES"), rows)


def _content(one: RuntimeUse) -> documents.Runtime:
    return {
        "name": one.name,
        "image": one.image,
        "formats": list(one.formats),
        "autoSelected": list(one.auto),
        "protocols": list(one.protocols),
        "disabled": one.disabled,
        "services": None if one.services is None else list(one.services),
    }


@runtime.command(
    cls=Command,
    has_names=False,
    examples=("runtime show kserve-sklearnserver", "runtime show sk-py38 -n team-a -o yaml"),
)
@click.argument("name", shell_complete=names_of("runtimes"))
@shared_options
def show(name: str) -> None:
    """Show a runtime, and the services that run on it; -o yaml prints its manifest."""
    from ksconfig.model.objects import own_part
    from ksconfig.operations.runtimes import find_runtime
    from ksconfig.operations.view import View

    opened, namespace = _opened("show")
    cluster = opened.cluster
    view = View(cluster.source, cluster.scope())
    found = find_runtime(view, name, namespace)
    if opened.settings.for_machines:
        _print_manifest(own_part(view.first[found.ref].data), opened.settings.output)
        return
    one = next(each for each in cluster.runtimes.list() if each.name == found.name)
    rows = [
        ("runtime", one.name),
        ("image", one.image),
        ("formats", ", ".join(one.formats)),
        ("chosen for", ", ".join(one.auto) or "services that name it alone"),
        ("protocols", ", ".join(one.protocols) or "any"),
    ]
    for heading, text in rows:
        output.result(f"{heading:<12} {text}")
    users = ("unknown: they may not be listed",) if one.services is None else one.services or ("none",)
    for number, service in enumerate(users):
        output.result(f"{'services' if number == 0 else '':<12} {service}")


def _print_manifest(data: dict[str, Any], form: str) -> None:
    import json

    from ksconfig.text.yaml_print import print_yaml

    click.echo(print_yaml(data) if form == "yaml" else json.dumps(data, indent=2) + "\n", nl=False)


def _pairs(_: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Values of the form NAME=VALUE."""
    for value in values:
        if "=" not in value.lstrip("="):
            raise click.BadParameter(f"{value!r} is no NAME=VALUE.", param=parameter)
    names = [value.partition("=")[0] for value in values]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise click.BadParameter(f"{twice} is given twice.", param=parameter)
    return dict(value.split("=", 1) for value in values)


@runtime.command(
    cls=Command,
    examples=(
        "runtime create sk-py38 --from kserve-sklearnserver --image registry.example/sk:py38 -n team-a",
        "runtime create sk-py38 --from kserve-sklearnserver --image registry.example/sk:py38 "
        "--env PREDICT_PROBA=True --dry-run -o yaml > runtime.yaml",
        "runtime create my-server --format sklearn:1 --image registry.example/sk:1.2 --cluster",
    ),
)
@click.argument("name")
@click.option("--image", required=True, metavar="IMAGE", help="The image of its server.")
@click.option(
    "--from",
    "base",
    metavar="RUNTIME",
    shell_complete=names_of("runtimes"),
    help="The runtime to copy; without it one is made for --format.",
)
@click.option("--cluster", "whole", is_flag=True, help="For the whole cluster, and not for one namespace.")
@click.option("--env", multiple=True, callback=_pairs, metavar="NAME=VALUE", help="Set a variable; repeatable.")
@click.option("--arg", "args", multiple=True, metavar="ARG", help="Add an argument; repeatable.")
@click.option("--format", "formats", multiple=True, metavar="NAME[:VERSION]", help="What it serves; repeatable.")
@click.option("--auto-select", is_flag=True, help="Let services get it that name no runtime.")
@click.option("--priority", type=Number(1), metavar="N", help="Among those that fit; the highest comes first.")
@writing_options
@shared_options
def create(name: str, image: str, base: str | None, whole: bool, **more: Any) -> None:
    """Make a serving runtime, by default for the services of one namespace that name it.

    A copy changes only what is asked; it is chosen for no service by itself unless --auto-select says so. With
    --dry-run -o yaml the manifest is printed, to be committed.
    """
    opened, namespace = _opened("create")
    settings = opened.settings
    plan = opened.cluster.runtimes.plan_create(
        name, image, base=base, namespace=None if whole else namespace,
        allow=tuple(settings.allow), care=settings.care, **more,
    )  # fmt: skip
    if settings.dry_run and settings.for_machines:
        _print_manifest(plan.asked[0].after, settings.output)
        return
    _carry_out(opened, plan, lambda: [f"{plan.edits[0].object} made with {image}"])


@runtime.command(
    cls=Command,
    examples=(
        "runtime use sk-py38 iris wine -n team-a --wait-models",
        "runtime use sk-py38 --selector tier=test -n team-a",
        "runtime use sk-py38 --all-of sklearn --all-namespaces --dry-run",
    ),
)
@click.argument("name", shell_complete=names_of("runtimes"))
@click.argument("services", nargs=-1, shell_complete=names_of("services"))
@click.option("--selector", multiple=True, callback=_pairs, metavar="LABEL=VALUE", help="Services with these labels.")
@click.option("--all-of", metavar="FRAMEWORK", help="All services of a framework.")
@click.option("--all-namespaces", "everywhere", is_flag=True, help="Of all namespaces.")
@click.option("--clear-version", is_flag=True, help="Take a runtimeVersion away, which would replace the image's tag.")
@writing_options
@shared_options
def use(name: str, services: tuple[str, ...], selector: dict[str, str], everywhere: bool, **more: Any) -> None:
    """Move services to a runtime."""
    chosen = selector or more["all_of"]
    if services and chosen:
        raise UsageError("services are named, and chosen by --selector or --all-of besides", advice="Say one of both.")
    if not (services or chosen):
        raise UsageError("no service was named", advice="Name services, or say --selector or --all-of.")
    opened, namespace = _opened("use")
    settings = opened.settings
    plan = opened.cluster.runtimes.plan_use(
        name, services, namespace=None if everywhere else namespace, labels=selector,
        allow=tuple(settings.allow), care=settings.care, **more,
    )  # fmt: skip
    moved = len({edit.object for edit in plan.edits})
    _carry_out(opened, plan, lambda: [f"{moved} service{'s' if moved != 1 else ''} moved to {name}"])


@runtime.command(cls=Command, examples=("runtime promote sk-py38 -n team-a --wait-models",))
@click.argument("name", shell_complete=names_of("runtimes"))
@click.option(
    "--to",
    metavar="RUNTIME",
    shell_complete=names_of("runtimes"),
    help="The standard runtime; by default the one that it was made from.",
)
@writing_options
@shared_options
def promote(name: str, to: str | None) -> None:
    """Give the image of a tried runtime to the standard one, and its services back to that."""
    opened, namespace = _opened("promote")
    settings = opened.settings
    plan = opened.cluster.runtimes.plan_promote(
        name, namespace=namespace, to=to, allow=tuple(settings.allow), care=settings.care
    )
    _carry_out(opened, plan, lambda: [f"{one.target}: {one.before} -> {one.after}" for one in plan.images])


@runtime.command(cls=Command, examples=("runtime delete sk-py38 -n team-a",))
@click.argument("name", shell_complete=names_of("runtimes"))
@writing_options
@shared_options
def delete(name: str) -> None:
    """Delete a runtime that no service runs on."""
    opened, namespace = _opened("delete")
    plan = opened.cluster.runtimes.plan_delete(name, namespace=namespace, allow=tuple(opened.settings.allow))
    _carry_out(opened, plan, lambda: [f"{plan.edits[0].object} deleted"])


def _carry_out(opened: OpenedCluster, plan: Plan, lines: Callable[[], list[str]]) -> None:
    opened.carry_out(plan, lines() if plan.changed else ["unchanged"])
