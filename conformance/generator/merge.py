"""Cases about what becomes of a runtime's image on its way into a workload."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.generator.kit import DIGEST, GPU, IMAGES, MIG, Draft, Kit, container, listed, these

_SERVER_TYPE = "serving.kserve.io/server-type"


def container_merge(kit: Kit) -> Iterator[Draft]:
    """Which container of a runtime serves, and what the service lays over it."""
    form = kit.fresh("format")
    serving, sidecar = container("me/server:1"), container("me/sidecar:1", name="sidecar")
    for containers in ([serving, sidecar], [sidecar, serving], [sidecar], [container("me/other:1", name="other")]):
        yield Draft(kit.model(form), runtimes=(kit.runtime(listed(form), containers=containers),))
        yield Draft(kit.model(form, image="me/own:2"), runtimes=(kit.runtime(listed(form), containers=containers),))
    for own in these({}, {"image": "me/own:2"}, {"image": "me/own:2", "runtimeVersion": "v9"}):
        yield Draft(kit.model(form, **own), runtimes=(kit.runtime(listed(form), containers=[]),))
    beside = container("me/transformer:1", name="transformer-container")
    for ours, theirs in (
        ([serving, sidecar, sidecar], []),
        ([serving, sidecar], [sidecar]),
        ([serving, beside], [beside]),
        ([serving, sidecar], [beside, container("me/more:1", name="more")]),
        ([serving], [beside, beside]),
        ([serving], [container("me/more:1", name="more"), container("me/more:1", name="more")]),
    ):
        predictor = {**kit.model(form), "containers": theirs} if theirs else kit.model(form)
        yield Draft(predictor, runtimes=(kit.runtime(listed(form), containers=ours),))
    limited = container("me/server:1", **GPU)
    yield Draft(kit.model(form), runtimes=(kit.runtime(listed(form), containers=[limited]),))
    for server in ("tensorflow-serving", "torchserve"):
        mine = kit.runtime(listed(form), name=f"kserve-{server}", containers=[limited])
        yield Draft(kit.model(form), runtimes=(mine,))
        yield Draft(kit.model(form, resources={"limits": {"cpu": "2"}}), runtimes=(mine,))
        yield Draft(kit.model(form, image="me/own:2", runtimeVersion="v9"), runtimes=(mine,))
    fields = {"args": ["--x=1"], "env": [{"name": "A", "value": "b"}], "workingDir": "/tmp"}
    yield Draft(kit.model(form, **fields), runtimes=(kit.runtime(listed(form), container=fields),))


def placeholders(kit: Kit) -> Iterator[Draft]:
    """Images of runtimes that a service's name, namespace, labels and annotations are filled into."""
    labels = {"team": "blue", "amp": "x"}
    annotations = {"flavour": "a&b", "quoted": 'say "x"', "plus": "1+1", "angle": "<x>'y'"}
    for image in (
        "me/{{.Name}}:1",
        "me/{{ .Namespace }}/x:{{.Name}}",
        "me/{{.Labels.team}}:1",
        "me/{{.Labels.missing}}:1",
        "me/x:{{.Annotations.flavour}}",
        "me/x:{{.Annotations.quoted}}",
        "me/x:{{.Annotations.plus}}",
        "me/x:{{.Annotations.angle}}",
        "{{- .Name -}}/x:1",
        "me/{{.Nothing}}:1",
        "me/{{.Name:1",
    ):
        form = kit.fresh("format")
        mine = kit.runtime(listed(form), image=image)
        yield Draft(kit.model(form), labels=labels, annotations=annotations, runtimes=(mine,))
    form = kit.fresh("format")
    mine = kit.runtime(listed(form), image="me/{{.Name}}:{{.Labels.team}}")
    yield Draft(kit.model(form, runtimeVersion="v9"), labels=labels, runtimes=(mine,))
    yield Draft(kit.model(form, image="own/{{.Namespace}}:1"), labels=labels, runtimes=(mine,))
    args = kit.runtime(listed(form), image="me/x:1", container={"args": ["--name={{.Name}}", "--l={{.Labels.team}}"]})
    yield Draft(kit.model(form), labels=labels, runtimes=(args,))
    broken = kit.runtime(listed(form), image="me/x:1", container={"args": ["--name={{.Nothing}}"]})
    yield Draft(kit.model(form), runtimes=(broken,))
    yield Draft(kit.model(form, args=["--t={{ template }}"]), runtimes=(kit.runtime(listed(form), image="me/x:1"),))


def tag_rule(kit: Kit) -> Iterator[Draft]:
    """What a version makes of an image, faults included."""
    for image in IMAGES:
        for version in ("v9", "1.0-gpu", ""):
            form = kit.fresh("format")
            yield Draft(kit.model(form, runtimeVersion=version), runtimes=(kit.runtime(listed(form), image=image),))
    for image in IMAGES:
        form = kit.fresh("format")
        mine = kit.runtime(listed(form, version="1"), image=image, **kit.pick({}, {"disabled": True}))
        named = {"runtime": mine["metadata"]["name"]}
        yield Draft(kit.model(form, version="v9", **named), runtimes=(mine,))
        yield Draft(kit.model(form, version="v9", runtimeVersion="v9"), runtimes=(mine,))
    for version in ("$1", "${2}x", "a$$b", "v1_b.c-d", "x$", "$name"):
        form = kit.fresh("format")
        yield Draft(kit.model(form, runtimeVersion=version), runtimes=(kit.runtime(listed(form), image="me/x:1"),))
    for image in ("me/x:1+2", "me/x:", "reg:5000/x", "localhost:5000/x:1", "x"):
        form = kit.fresh("format")
        yield Draft(kit.model(form, runtimeVersion="v9"), runtimes=(kit.runtime(listed(form), image=image),))
    for server in ("tensorflow-serving", "torchserve", "huggingfaceserver", "vllmserver", "sklearnserver"):
        for image in ("me/x:1", "me/x:1-gpu", "me/x", "reg.local:5000/me/x", f"me/x@{DIGEST}", "me/x-cpu:1"):
            form = kit.fresh("format")
            mine = kit.runtime(listed(form), name=f"kserve-{server}", image=image)
            yield Draft(kit.model(form, **kit.pick(GPU, GPU, {}, MIG)), runtimes=(mine,))


def renamed(kit: Kit) -> Iterator[Draft]:
    """Copies of KServe's runtimes under other names, of which KServe knows what they are by name, or by annotation."""
    for server in ("tensorflow-serving", "torchserve", "huggingfaceserver", "vllmserver", "mlserver"):
        original = kit.runtime_of(server)
        if original is None:
            continue
        form, image = original.formats[0], original.containers[0].image or ""
        for type_ in (None, server, "tensorflow-serving"):
            annotations = {_SERVER_TYPE: type_} if type_ else None
            entry = listed(form.name, version=form.version)
            mine = kit.runtime(entry, name=kit.fresh("renamed"), image=image, annotations=annotations)
            named = {"runtime": mine["metadata"]["name"]}
            yield Draft(kit.model(form.name, **named, **GPU), runtimes=(mine,))
            yield Draft(kit.model(form.name, **kit.pick(GPU, {})), runtimes=(mine,))
        gone = kit.runtime(listed(form.name), name=kit.fresh("renamed"), image=image, disabled=True)
        yield Draft(kit.model(form.name, runtime=gone["metadata"]["name"], **GPU), runtimes=(gone,))
        yield Draft(kit.model(form.name, runtime=f"{original.ref.name}-renamed", **GPU))
        same = kit.runtime(listed(form.name), name=original.ref.name, image="me/copy:1")
        yield Draft(kit.model(form.name, runtime=original.ref.name, **GPU), runtimes=(same,))
        typed = kit.runtime(
            listed(form.name), name=original.ref.name, image="me/copy:1", annotations={_SERVER_TYPE: "sklearnserver"}
        )
        yield Draft(kit.model(form.name, runtime=original.ref.name, **GPU), runtimes=(typed,))
