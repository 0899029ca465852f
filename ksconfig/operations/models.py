"""Services as they run: which have the image that they should have, and the wait until those that change have it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from ksconfig.errors import ModelsNotReady, RightMissing
from ksconfig.model.few import first_few
from ksconfig.model.plain import mapping
from ksconfig.model.plan import ObjectRef, Plan
from ksconfig.model.services.impact import repository
from ksconfig.model.services.pins import default_version, set_by_owner, version_field
from ksconfig.model.services.resolve import resolve, standstill
from ksconfig.model.services.service import AUTO_UPDATE_OFF, KIND, read_service
from ksconfig.model.services.workload import Key, Workload, by_component
from ksconfig.operations.site import Say, Site
from ksconfig.operations.view import Scope, View
from ksconfig.operations.worlds import present_world
from ksconfig.source.cluster.patience import Patience

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 5.0
# An image may be pulled at the second try, and a model may come up at the second start.
_GRACE_SECONDS = 15.0


@dataclass(frozen=True)
class ServiceState:
    """A component of a service, as it should run and as it runs.

    Attributes:
        component: "predictor", "explainer", ...
        runtime: what it runs on, from 0.8 on; "" otherwise.
        expected: the image that KServe would give it now; "" if none can be told.
        running: the image of its workload; "" if there is none.
        version: the runtimeVersion that pins it, or None.
        by_default: whether that is the default of the config, which admission has written, and not its owner.
        up_to_date: whether it runs what it should, and wholly.
        why: what it lacks, or why KServe leaves it as it is; "" if nothing.
    """

    namespace: str
    name: str
    component: str
    runtime: str
    expected: str
    running: str
    version: str | None
    by_default: bool
    up_to_date: bool
    why: str = ""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def service_states(site: Site, scope: Scope) -> tuple[ServiceState, ...]:
    """Every component of every service, by namespace and name.

    Raises:
        RightMissing: services or their workloads may not be read.
    """
    view = View(site.source, scope)
    view.need_config()
    world = present_world(view, view.release.likely_rules[-1])
    deploy = mapping(world.config.get("deploy"))
    running = by_component(site.source.workloads(None))
    found = []
    for data in site.source.services(scope.care.impact_namespaces):
        service = read_service(data)
        still = standstill(service, world.rules, deploy)
        if not still and world.rules.auto_update_off and service.annotations.get(AUTO_UPDATE_OFF) == "true":
            still = "auto-update is off" if service.ready else ""
        for component, resolved in resolve(service, world).items():
            workload = running.get((service.namespace, service.name, component))
            image = workload.image if workload else ""
            why = still or resolved.problem or _lacks(workload, resolved.images)
            version, field = resolved.version, version_field(service, component)
            default = version is not None and default_version(service, component, world) == version
            state = ServiceState(
                service.namespace,
                service.name,
                component,
                runtime=" or ".join(map(str, resolved.runtime)),
                expected=resolved.image,
                running=image,
                version=version,
                by_default=default and field is not None and not set_by_owner(service, field),
                up_to_date=bool(still) or (not why and image in resolved.images),
                why=why,
            )
            found.append(state)
    return tuple(sorted(found, key=lambda one: (one.namespace, one.name, one.component)))


def _lacks(workload: Workload | None, images: tuple[str, ...]) -> str:
    if workload is None:
        return "it has no workload"
    if images and workload.image not in images:
        return "it runs another image than it should"
    return workload.missing


def await_models(site: Site, plan: Plan, seconds: float, say: Say) -> int:
    """Wait until the services that a plan changes run their new image and are ready; how many they are.

    After a plan that found its values there already: until all services run what they should.

    Raises:
        ModelsNotReady: a pod of one is proven not to run, or the time is over.
    """
    patience = site.patience.another(seconds)
    wanted = _wanted(site, plan)
    failing: dict[tuple[str, str], float] = {}
    said = ""
    pause = _FIRST_PAUSE
    while True:
        lacking = _lacking(site, wanted)
        if not lacking:
            return len(_names(wanted))
        key, why = next(iter(lacking.items()))
        there = f"{len(_names(wanted)) - len(_names(lacking))} of {len(_names(wanted))} run their new image, ready"
        line = f"{there}; {'/'.join(key[:2])}: {why}"
        if line != said:
            said = line
            say(line)
        _raise_if_failed(site, wanted, lacking, failing, patience)
        if patience.left <= 0:
            raise ModelsNotReady(
                f"after {seconds:g} s {_listed(lacking)}",
                advice="Run the same command again to go on waiting; ksconfig status lists all of them.",
                services=_names(lacking),
            )
        patience.sleep(min(pause, patience.left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _wanted(site: Site, plan: Plan) -> dict[Key, tuple[str, ...]]:
    if plan.changed and plan.impact is not None:
        return {
            (one.namespace, one.name, one.component): tuple(one.after.split(" or "))
            for one in plan.impact.having("changes", "canary", "pinned-tag")
        }
    # the values were there already: the services that have what was asked for, and are not wholly on it yet
    asked = {repository(image.after) for image in plan.images}
    return {
        (one.namespace, one.name, one.component): tuple(one.expected.split(" or "))
        for one in (service_states(site, Scope(site.source.found.namespace)) if asked else ())
        if not one.up_to_date and repository(one.expected) in asked
    }


def _lacking(site: Site, wanted: Mapping[Key, tuple[str, ...]]) -> dict[Key, str]:
    """What each component lacks; those that lack nothing are left out."""
    running = by_component(site.source.workloads({key[:2] for key in wanted})) if wanted else {}
    lacking = {}
    for key, images in wanted.items():
        workload = running.get(key)
        if workload is None and site.source.running.find(ObjectRef(KIND, key[0], key[1])) is None:
            continue  # its owner has deleted it meanwhile
        if why := _lacks(workload, images):
            lacking[key] = why
    return lacking


def _raise_if_failed(
    site: Site,
    wanted: Mapping[Key, tuple[str, ...]],
    lacking: Mapping[Key, str],
    failing: dict[tuple[str, str], float],
    patience: Patience,
) -> None:
    """End the wait if a pod with a new image is proven not to run, and has been so for a while."""
    now = patience.clock()
    images: dict[tuple[str, str], set[str]] = {}
    for key in lacking:
        images.setdefault(key[:2], set()).update(wanted[key])
    seen = {}
    with suppress(RightMissing):  # then the time-out tells
        for one in site.source.running.failures(set(images)):
            if one.image in images[one.namespace, one.service]:
                seen[one.namespace, one.service] = one
    for gone in failing.keys() - seen.keys():
        del failing[gone]
    for service, failure in seen.items():
        if now - failing.setdefault(service, now) >= _GRACE_SECONDS:
            raise ModelsNotReady(
                f"pod {failure.namespace}/{failure.pod} of {failure.service} does not run {failure.image}: "
                f"{failure.reason}; {_listed(lacking)}",
                advice="Go back with: ksconfig rollback",
                failed=True,
                services=_names(lacking),
            )


def _names(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{namespace}/{name}" for namespace, name, _ in keys))


def _listed(lacking: Mapping[Key, str]) -> str:
    why = {f"{namespace}/{name}": why for (namespace, name, _), why in reversed(list(lacking.items()))}
    names = _names(lacking)
    listed = first_few(f"{name} ({why[name]})" for name in names)
    many = f"{len(names)} services are" if len(names) > 1 else "1 service is"
    return f"{many} not ready with {'their' if len(names) > 1 else 'its'} new image: {listed}"
