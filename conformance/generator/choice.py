"""Cases about which runtime a service gets."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.case import SHARED, Object
from conformance.generator.kit import GPU, Draft, Kit, listed, these


def named_runtime(kit: Kit) -> Iterator[Draft]:
    """Services that name a runtime."""
    for one in kit.cluster:
        form = one.formats[0].name
        yield Draft(kit.model(form, runtime=one.ref.name))
        yield Draft(kit.model(kit.pick(*one.format_names), runtime=one.ref.name, runtimeVersion="v9"))
    for one in kit.cluster[::2]:
        last = one.formats[-1]
        yield Draft(kit.model(last.name, version=last.version, runtime=one.ref.name))
        yield Draft(kit.model(last.name, version="no-such-version", runtime=one.ref.name))
        yield Draft(kit.model("no-such-format", runtime=one.ref.name))
        yield Draft(kit.model(last.name, protocolVersion=kit.pick("v1", "v2", "grpc-v1"), runtime=one.ref.name))
    yield Draft(kit.model("sklearn", runtime="no-such-runtime"))
    yield Draft(kit.block("sklearn", runtimeVersion="v9"))
    for more in these({}, {"auto": False}):
        mine = kit.runtime(listed("sklearn", version="1", **more), name=kit.fresh("mine"), image="me/sk:1")
        named = mine["metadata"]["name"]
        yield Draft(kit.model("sklearn", runtime=named), runtimes=(mine,))
        yield Draft(kit.model("sklearn", runtime=named, runtimeVersion="v9", version="1"), runtimes=(mine,))
        yield Draft(kit.model("sklearn", runtime=named, version="2"), runtimes=(mine,))
    for spec in these(
        {"disabled": True}, {"multiModel": True}, {"protocolVersions": ["v2"]}, {"protocolVersions": ["v1"]}
    ):
        mine = kit.runtime(listed("sklearn"), image="me/sk:1", **spec)
        yield Draft(kit.model("sklearn", runtime=mine["metadata"]["name"], protocolVersion="v1"), runtimes=(mine,))
    shadow = kit.runtime(listed("sklearn"), name="kserve-sklearnserver", image="me/shadow:1")
    yield Draft(kit.model("sklearn", runtime="kserve-sklearnserver"), runtimes=(shadow,))
    off = kit.runtime(listed("sklearn"), name="kserve-sklearnserver", image="me/shadow:1", disabled=True)
    yield Draft(kit.model("sklearn", runtime="kserve-sklearnserver"), runtimes=(off,))
    form = kit.fresh("format")
    own = kit.runtime(listed(form, auto=False), name=kit.fresh("own"), cluster=True, image="me/cluster:1")
    yield Draft(kit.model(form, runtime=own["metadata"]["name"]), runtimes=(own,))


def by_version(kit: Kit) -> Iterator[Draft]:
    """Services that get a runtime by the version of their format."""
    for shipped in kit.cluster:
        for entry in shipped.formats[:2]:
            if entry.version:
                yield Draft(kit.model(entry.name, version=entry.version))
    yield Draft(kit.model("sklearn", version="99"))
    for asked in ("1", "2", "3", "1.0", None):
        form = kit.fresh("format")
        one = kit.runtime(listed(form, version="1"), image="me/one:1")
        two = kit.runtime(listed(form, version="2"), image="me/two:1")
        bare = kit.runtime(listed(form), image="me/bare:1")
        among = (one, two) if asked is None or asked == "3" else (one, two, bare)
        yield Draft(kit.model(form, version=asked), runtimes=among)
    form = kit.fresh("format")
    mixed = kit.runtime(listed(form, version="1"), listed(form, version="2", auto=False), image="me/mixed:1")
    yield Draft(kit.model(form, version="2"), runtimes=(mixed,))
    yield Draft(kit.model(form, version="1"), runtimes=(mixed,))


def by_protocol(kit: Kit) -> Iterator[Draft]:
    """Services that get a runtime by their protocol, or by that which a runtime lists first."""
    speaking: tuple[list[str], ...] = (["v1"], ["v2"], ["grpc-v2"], ["v2", "v1"], [])
    for asked in these({}, {"protocolVersion": "v1"}, {"protocolVersion": "v2"}, {"protocolVersion": "grpc-v2"}):
        form = kit.fresh("format")
        first, second = kit.random.sample(speaking, 2)
        one = kit.runtime(listed(form, priority=1), image="me/one:1", protocolVersions=first)
        two = kit.runtime(listed(form, priority=2), image="me/two:1", protocolVersions=second)
        yield Draft(kit.model(form, **asked), runtimes=(one, two))
        only = kit.runtime(listed(form), image="me/only:1", protocolVersions=["v2"])
        yield Draft(kit.model(form, **asked), runtimes=(only,))
        yield Draft(kit.model(form, **asked), runtimes=(one,), younger=(two,))


def by_priority(kit: Kit) -> Iterator[Draft]:
    """Services that several runtimes fit."""
    for first, second in ((1, 2), (2, 1), (None, 1), (1, None), (None, None)):
        form = kit.fresh("format")
        one = kit.runtime(listed(form, priority=first), image="me/one:1")
        two = kit.runtime(listed(form, priority=second), image="me/two:1")
        yield Draft(kit.model(form), runtimes=(one, two))
        yield Draft(kit.model(form), runtimes=(one,), younger=(two,))
    for spec in these({"disabled": True}, {"multiModel": True}):
        form = kit.fresh("format")
        best = kit.runtime(listed(form, priority=9), image="me/best:1", **spec)
        named = kit.runtime(listed(form, priority=1, auto=False), image="me/named:1")
        yield Draft(kit.model(form), runtimes=(best, named))
        yield Draft(kit.model(form, runtime=best["metadata"]["name"], version="7"), runtimes=(best, named))
    form = kit.fresh("format")
    three = [kit.runtime(listed(form, priority=place), image=f"me/p{place}:1") for place in (3, 1, 2)]
    yield Draft(kit.model(form), runtimes=tuple(three))
    own = kit.fresh("format")
    cluster = [kit.runtime(listed(own, priority=n), cluster=True, image=f"me/c{n}:1") for n in (5, 7)]
    yield Draft(kit.model(own), runtimes=tuple(cluster))


def namespace_first(kit: Kit) -> Iterator[Draft]:
    """Runtimes of a namespace come before those of the cluster, whatever their priority."""
    for spec in these({}, {"disabled": True}, {"multiModel": True}):
        mine = kit.runtime(listed("sklearn", priority=1), image="me/mine:1", **spec)
        yield Draft(kit.model("sklearn"), runtimes=(mine,))
        yield Draft(kit.block("sklearn"), runtimes=(mine,))
        yield Draft(kit.model("sklearn", protocolVersion="v2"), runtimes=(mine,))
    mine = kit.runtime(listed("sklearn", auto=False), image="me/mine:1")
    yield Draft(kit.model("sklearn"), runtimes=(mine,))
    mine = kit.runtime(listed("xgboost"), image="me/mine:1", protocolVersions=["v2"])
    yield Draft(kit.model("xgboost"), runtimes=(mine,))
    yield Draft(kit.model("xgboost", protocolVersion="v2"), runtimes=(mine,))
    form = kit.fresh("format")
    cluster = kit.runtime(listed(form, priority=9), cluster=True, image="me/cluster:1")
    mine = kit.runtime(listed(form), image="me/mine:1")
    yield Draft(kit.model(form), runtimes=(cluster, mine))
    for named in (False, True, True):
        form = kit.fresh("format")
        elsewhere = kit.runtime(listed(form), image="me/elsewhere:1")
        elsewhere["metadata"]["namespace"] = f"{SHARED}-elsewhere"
        runtime = {"runtime": elsewhere["metadata"]["name"]} if named else {}
        yield Draft(kit.model(form, **runtime), runtimes=(elsewhere,))
        runtime = {"runtime": "kserve-elsewhere"} if named else {}
        other = kit.runtime(listed(form, version="1"), image="me/here:1")
        yield Draft(kit.model(form, version="2", **runtime), runtimes=(other,))


def left_out(kit: Kit) -> Iterator[Draft]:
    """Runtimes that are disabled, for several models, or list the format for those who name them only."""
    for spec in these({"disabled": True}, {"multiModel": True}, {"disabled": False}, {"multiModel": False}):
        form = kit.fresh("format")
        yield Draft(kit.model(form), runtimes=(kit.runtime(listed(form), image="me/left:1", **spec),))
        other = kit.runtime(listed(form), image="me/other:1")
        yield Draft(kit.model(form), runtimes=(kit.runtime(listed(form), image="me/left:1", **spec), other))
    form = kit.fresh("format")
    yield Draft(kit.model(form), runtimes=(kit.runtime(listed(form, auto=False)),))
    yield Draft(kit.model(form, **GPU), runtimes=(kit.runtime(listed(form, auto=False), disabled=True),))
    off = kit.runtime(listed(form, priority=5), cluster=True, image="me/off:1", disabled=True)
    on = kit.runtime(listed(form, priority=1), cluster=True, image="me/on:1")
    yield Draft(kit.model(form), runtimes=(off, on))


def workers(kit: Kit) -> Iterator[Draft]:
    """Services over several nodes, which only runtimes with workers serve, and such runtimes serve no others."""
    worker = {"pipelineParallelSize": 2, "tensorParallelSize": 1}
    told: Object = {"workerSpec": {**worker, "containers": [{"name": "worker-container", "image": "me/worker:1"}]}}
    manual = {"serving.kserve.io/autoscalerClass": "none"}
    for with_workers in (False, True):
        form = kit.fresh("format")
        many = kit.runtime(listed(form), image="me/many:1", **told)
        one = kit.runtime(listed(form), image="me/one:1")
        predictor = kit.model(form, storageUri="pvc://models/m")
        if with_workers:
            predictor["workerSpec"] = {}
        yield Draft(predictor, annotations=manual, runtimes=(many, one))
        yield Draft(predictor, annotations=manual, runtimes=(many,))
        yield Draft(predictor, annotations=manual, runtimes=(one,))
    form = kit.fresh("format")
    predictor = {**kit.model(form), "workerSpec": {}}
    yield Draft(predictor, annotations=manual, runtimes=(kit.runtime(listed(form), **told),))
    predictor = {**kit.model(form, storageUri="pvc://models/m"), "workerSpec": {}}
    yield Draft(predictor, runtimes=(kit.runtime(listed(form), **told),))
