"""How kwok plays the pods of models: ready at once, or with the fault that their image or an annotation asks for.

kwok's own stages make a pod ready; they come with its module. Ours are the faults:

- an image whose reference holds ``does-not-exist``, or the annotation ``sandbox.local/fault: image-pull``: the image
  cannot be pulled;
- an image whose reference holds ``crash``, or ``sandbox.local/fault: crash``: the container ends and is started again;
- ``sandbox.local/ready-delay: 8s``: the pod becomes ready that much later.
"""

from __future__ import annotations

import json
from typing import Any

FAULT = "sandbox.local/fault"
READY_DELAY = "sandbox.local/ready-delay"
_WAITING = ".status.containerStatuses.[].state.waiting.reason"


def for_kwok(shipped: list[dict[str, Any]]) -> str:
    """The configuration of kwok: the stages that come with it and ours, as a stream of JSON documents."""
    stages = [_with_faults_beside(stage) if stage["metadata"]["name"] == "pod-ready" else stage for stage in shipped]
    return "\n---\n".join(json.dumps(stage) for stage in [*stages, _PULL_FAILS, _CRASHES])


def _with_faults_beside(ready: dict[str, Any]) -> dict[str, Any]:
    """kwok's own way to ready, but not for a pod that has failed, and after the delay that it asks for."""
    spec = ready["spec"]
    expressions = [*spec["selector"]["matchExpressions"], {"key": _WAITING, "operator": "DoesNotExist"}]
    delay = {"durationMilliseconds": 0, "durationFrom": {"expressionFrom": f'.metadata.annotations["{READY_DELAY}"]'}}
    return {**ready, "spec": {**spec, "selector": {"matchExpressions": expressions}, "delay": delay}}


def _stage(name: str, word: str, reason: str, template: str) -> dict[str, Any]:
    asked = f'((.metadata.annotations["{FAULT}"] // ""), .spec.containers[].image)'
    expressions = [
        {"key": ".metadata.deletionTimestamp", "operator": "DoesNotExist"},
        {"key": ".status.phase", "operator": "In", "values": ["Pending"]},
        {"key": f'{asked} | select(test("{word}"))', "operator": "Exists"},
        {"key": _WAITING, "operator": "NotIn", "values": [reason]},
    ]
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {"matchExpressions": expressions},
            "weight": 1000,  # before the stages that come with kwok, which have none
            "next": {"statusTemplate": template},
        },
    }


_CONDITIONS = """
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ Now | Quote }}}
- {type: Ready, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ Now | Quote }}}
- {type: ContainersReady, status: "False", reason: ContainersNotReady, lastTransitionTime: {{ Now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  imageID: ""
  ready: false
  started: false
"""
_PULL_FAILS = _stage(
    "pod-image-pull-fails",
    "does-not-exist|^image-pull$",
    "ImagePullBackOff",
    "phase: Pending"
    + _CONDITIONS
    + """
  restartCount: 0
  state:
    waiting:
      reason: ImagePullBackOff
      message: 'Back-off pulling image "{{ .image }}"'
{{ end }}
""",
)
_CRASHES = _stage(
    "pod-crashes",
    "crash",
    "CrashLoopBackOff",
    "phase: Running"
    + _CONDITIONS
    + """
  restartCount: 3
  state:
    waiting:
      reason: CrashLoopBackOff
      message: 'back-off 40s restarting failed container'
  lastState:
    terminated: {exitCode: 1, reason: Error, startedAt: {{ Now | Quote }}, finishedAt: {{ Now | Quote }}}
{{ end }}
""",
)
