"""Looking into registries: for ``images check``, ``set-image --check`` and ``--pin-digest``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ksconfig.cli import output
from ksconfig.cli.options import Settings
from ksconfig.errors import ExitCode, KsconfigError, not_done
from ksconfig.model.registry import DEFAULT_PLATFORM, ImageCheck, Platform

if TYPE_CHECKING:
    from ksconfig.cli import documents
    from ksconfig.cli.opened import OpenedCluster, OpenedFiles
    from ksconfig.model.plan import Plan
    from ksconfig.operations import Image
    from ksconfig.operations.available import Users

_Command = TypeVar("_Command", bound=Callable[..., Any])
_NODES_SECONDS = 15.0


def registry_options(command: _Command) -> _Command:
    """Add the options of commands that look into registries."""
    platform = click.option(
        "--platform", "platforms", multiple=True, metavar="OS/ARCH",
        help="Images must be there for it, like linux/arm64; repeatable. By default the platforms of the cluster's "
        f"nodes, or {DEFAULT_PLATFORM}.",
    )  # fmt: skip
    ca = click.option(
        "--registry-ca", "ca", metavar="FILE", type=click.Path(path_type=Path),
        help="Certificates of registries that are trusted too; SSL_CERT_FILE replaces those of the system.",
    )  # fmt: skip
    return platform(ca(command))


class Desk:
    """What looks images up for one command.

    Args:
        opened: whose nodes say for which platforms; None if these are given.
        platforms: as given.
        ca: certificates to be trusted besides.
    """

    def __init__(self, opened: OpenedFiles | OpenedCluster | None, platforms: Sequence[str], ca: Path | None) -> None:
        from ksconfig.source.registry.client import Registries

        with not_done("no image was looked up"):
            given = tuple(dict.fromkeys(map(Platform.parse, platforms)))
            self.registry = Registries(ca)
        click.get_current_context().call_on_close(self.registry.close)
        self._opened = opened
        self.platforms = given or _of_nodes(opened)

    def plan_set_image(
        self, wanted: Mapping[str, str], gpu_version: Sequence[str], within: Any, *, looks: bool, pins: bool
    ) -> Plan:
        """The plan of ``set-image``, whose images are there, or with their digests.

        Raises:
            Refused: an image is not there, or cannot have a digest.
        """
        from ksconfig.operations import list_images
        from ksconfig.operations.available import Pin, check_images, led_to, refuse_broken_digests, refuse_unusable

        assert self._opened is not None
        pin = Pin(self.registry, self.platforms) if pins else None
        plan = self._opened.plan_set_image(wanted, gpu_version, within, pin)
        with not_done(f"{', '.join(wanted)} {'was' if len(wanted) == 1 else 'were'} not changed"):
            if pins:
                refuse_broken_digests(plan)
            if looks:
                present, _, _ = list_images(self._opened.source, self._opened.scope)
                found = led_to(plan, present)
                checks = check_images(found.users, self.platforms, self.registry)
                refuse_unusable(checks)
                _tell_templates(found.templates)
                count = f"{len(checks)} image{'' if len(checks) == 1 else 's'}"
                output.remark(f"looked up: {count}, there for {', '.join(map(str, self.platforms))}")
        return plan

    def report_listed(self, images: Sequence[Image], settings: Settings) -> None:
        """Look up the images of targets, and print what came of it."""
        from ksconfig.operations.available import listed

        found = listed(images)
        _tell_templates(found.templates)
        self.report(found.users, settings)

    def report(self, users: Users, settings: Settings) -> None:
        """Look up images, print what came of it, and exit with the code that says so."""
        from ksconfig.operations.available import check_images

        checks = check_images(users, self.platforms, self.registry)
        if settings.for_machines:
            content: documents.ImageCheckList = {
                "apiVersion": output.API_VERSION,
                "kind": "ImageCheckList",
                "platforms": list(map(str, self.platforms)),
                "items": [_content(one) for one in checks],
            }
            output.document(content, settings.output)
        elif settings.output == "name":
            for one in checks:
                if one.good:
                    output.result(_by_digest(one))
        else:
            rows = [(one.image, one.outcome, one.digest, ", ".join(one.used_by)) for one in checks]
            columns = 4 if any(row[3] for row in rows) else 3
            headings = ("IMAGE", "RESULT", "DIGEST", "USED BY")
            output.table(headings[:columns], [row[:columns] for row in rows])
        for one in checks:
            if one.why:
                output.remark(f"{'warning: ' if one.good else ''}{one.image}: {one.why}")
        if any(one.missing for one in checks):
            click.get_current_context().exit(int(ExitCode.REFUSED))
        if not all(one.good for one in checks):
            click.get_current_context().exit(int(ExitCode.FAILED))


def _of_nodes(opened: OpenedFiles | OpenedCluster | None) -> tuple[Platform, ...]:
    """The platforms of a cluster's nodes; without them one that is said."""
    from ksconfig.cli.opened import OpenedCluster

    why = "-f names manifests, and no cluster"
    if isinstance(opened, OpenedCluster):
        from ksconfig.source.cluster.patience import Patience
        from ksconfig.source.registry.nodes import node_platforms

        try:
            found = node_platforms(opened.cluster.access.client, Patience(_NODES_SECONDS))
        except KsconfigError as error:  # whoever needs the cluster for more than this is told by what needs it
            why = f"the nodes cannot be read: {error.why}"
        else:
            if found:
                return found
            why = "no Linux node says its platform"
    output.remark(f"images are looked up for {DEFAULT_PLATFORM} ({why}); --platform names others")
    return (DEFAULT_PLATFORM,)


def _tell_templates(templates: Users) -> None:
    for image, names in templates.items():
        output.remark(f"{', '.join(names)}: {image} is filled in for each service, and not looked up")


def _by_digest(check: ImageCheck) -> str:
    """The reference with its digest, as set-image takes it."""
    return check.image if "@" in check.image else f"{check.image}@{check.digest}"


def _content(check: ImageCheck) -> documents.ImageCheck:
    return {
        "image": check.image,
        "result": check.outcome,
        "digest": check.digest or None,
        "platforms": list(map(str, check.platforms)),
        "why": check.why or None,
        "usedBy": list(check.used_by),
    }
