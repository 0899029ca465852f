"""One container of a pod: its process, what state it is in, and when it is started again."""

from __future__ import annotations

import datetime
import functools
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.kubelet import probes
from sandbox.kubelet.images import Image
from sandbox.kubelet.network import PodNetwork
from sandbox.kubelet.volumes import expanded

State = dict[str, Any]
_LONGEST_BACK_OFF = 30  # times the first one, as a kubelet's 5 minutes are to its 10 seconds
_SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_MESSAGE_BYTES = 2048
# The root of a container: the machine's programs, an empty rest, the files of the image and the volumes. One process
# identifier from here to the program itself, since every word execs the next.
_ENTER_ROOT = """
set -e
root=$1 name=$2 mounts=$3
shift 3
hostname "$name"
mount -t tmpfs -o mode=755 container "$root"
for entry in /bin /sbin /lib /lib32 /lib64 /libx32 /usr /opt /etc /dev /proc /sys; do
    if [ -L "$entry" ]; then
        cp -P "$entry" "$root$entry"
    elif [ -d "$entry" ]; then
        mkdir "$root$entry"
        mount --rbind "$entry" "$root$entry"
        case $entry in
            /dev | /proc) ;;
            *) mount -o remount,bind,ro "$root$entry" || echo "$entry stays writable" >&2 ;;
        esac
    fi
done
mkdir -m 1777 "$root/tmp"
mkdir "$root/run" "$root/var" "$root/home" "$root/root"
ln -s /run "$root/var/run"
while IFS='\t' read -r source target; do
    case $target in /var/run/*) target=${target#/var} ;; esac
    if [ -d "$source" ]; then
        mkdir -p "$root$target"
    else
        mkdir -p "$root$(dirname "$target")"
        : > "$root$target"
    fi
    mount --rbind "$source" "$root$target"
done < "$mounts"
exec chroot "$root" "$@"
"""


@dataclass(frozen=True)
class Pace:
    """How fast a kubelet is: what probes' delays are multiplied by, and the first back-off in seconds."""

    probes: float = 0.1
    back_off: float = 1.0


@dataclass(frozen=True)
class Surroundings:
    """What a container gets from its pod."""

    hostname: str
    network: PodNetwork
    folder: Path
    volumes: Mapping[str, Path]
    variables: Mapping[str, str]
    restart_policy: str
    grace: float
    pace: Pace


class Container:
    """A container that is started, watched and started again until it is told to stop."""

    def __init__(self, spec: Mapping[str, Any], image: Image | None, around: Surroundings, changed: Callable[[], None]):
        self.spec = spec
        self.name: str = spec["name"]
        self.state: State = {"waiting": {"reason": "ContainerCreating"}}
        self.last_state: State = {}
        self.restarts = 0
        self.ready = False
        self.finished = False
        self.hurry = threading.Event()  # the grace period is over before its time
        self._identity = ""
        self._image = image
        self._around = around
        self._changed = changed
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"container {self.name}", daemon=True)

    def start(self) -> None:
        """Start it, and keep it running in a thread of its own."""
        self._thread.start()

    def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL when the grace period (seconds) is over; returns when it has ended."""
        if not self._thread.is_alive():
            return
        with self._lock:
            self._stopping.set()
            if self._process and self._process.poll() is None:
                self._process.terminate()
        end = time.monotonic() + grace
        while self._thread.is_alive() and time.monotonic() < end and not self.hurry.is_set():
            self._thread.join(0.05)
        with self._lock:
            if self._process and self._process.poll() is None:
                self._process.kill()
        self._thread.join(5)

    def log(self, previous: bool = False) -> Path:
        """The file that the newest (the previous) run writes to."""
        return self._around.folder / f"{self.name}-{self.restarts - (1 if previous else 0)}.log"

    def status(self) -> State:
        """What the pod's status says of it."""
        return {
            "name": self.name,
            "image": self.spec["image"],
            "imageID": "" if self._image is None else f"sandbox://{self.spec['image']}",
            "containerID": self._identity and f"sandbox://{self._identity}",
            "ready": self.ready,
            "started": "running" in self.state,
            "restartCount": self.restarts,
            # A strategic merge patch keeps what it does not name.
            "state": {name: self.state.get(name) for name in ("waiting", "running", "terminated")},
            "lastState": {"terminated": self.last_state.get("terminated")},
        }

    def _run(self) -> None:
        if self._image is None:
            image = self.spec["image"]
            self._become({"waiting": {"reason": "ErrImagePull", "message": f'image "{image}": not found'}})
            self._stopping.wait(self._around.pace.back_off)
            message = f'Back-off pulling image "{image}"'
            self._become({"waiting": {"reason": "ImagePullBackOff", "message": message}})
            self._stopping.wait()
        elif self._image.idle:
            self._become({"running": {"startedAt": now()}}, ready=True)
            self._stopping.wait()
            self._become({"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": now()}})
        else:
            self._keep_running(self._image)
        self.finished = True
        self._changed()

    def _keep_running(self, image: Image) -> None:
        pause = 0.0  # the first restart comes at once
        while True:
            begin = time.monotonic()
            ended = self._run_once(image)
            policy = self._around.restart_policy
            again = policy == "Always" or (policy == "OnFailure" and ended["exitCode"])
            if self._stopping.is_set() or not again:
                self._become({"terminated": ended})
                return
            first = self._around.pace.back_off
            if time.monotonic() - begin > 2 * _LONGEST_BACK_OFF * first:
                pause = 0.0
            self.last_state = {"terminated": ended}
            self._become({"terminated": ended})
            if pause:
                message = f"back-off {pause:g}s restarting failed container={self.name}"
                self._become({"waiting": {"reason": "CrashLoopBackOff", "message": message}})
                if self._stopping.wait(pause):
                    return
            pause = min(2 * pause or first, _LONGEST_BACK_OFF * first)
            self.log(previous=True).unlink(missing_ok=True)  # as a kubelet: the last run and the one before it
            self.restarts += 1

    def _run_once(self, image: Image) -> State:
        """Run the program until it ends; gives the terminated state."""
        began = now()
        with self._lock:
            if self._stopping.is_set():
                return {"exitCode": 0, "reason": "Completed", "startedAt": began, "finishedAt": now()}
            with self.log().open("wb") as log:
                self._process = process = subprocess.Popen(
                    self._command(image), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
            self._identity = f"{self._around.folder.name}-{self.name}-{self.restarts}"
        probing = threading.Event()
        self._become({"running": {"startedAt": began}}, ready="readinessProbe" not in self.spec)
        for kind, turned in (("readinessProbe", self._turn), ("livenessProbe", self._die_unless)):
            if probe := self.spec.get(kind):
                target = probes.Target(self._around.network.address, process.pid)
                arguments = (_resolved(probe, self.spec), target, self._around.pace.probes, probing)
                told = functools.partial(turned, process)  # the next run is not its business
                threading.Thread(target=probes.watch, args=(*arguments, told), daemon=True).start()
        code = process.wait()
        probing.set()
        self.ready = False
        code = code if code >= 0 else 128 - code  # a shell's and a kubelet's number for a signal
        reason = "Error" if code else "Completed"
        ended = {"exitCode": code, "reason": reason, "startedAt": began, "finishedAt": now()}
        if code and self.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            ended["message"] = self.log().read_bytes()[-_MESSAGE_BYTES:].decode(errors="replace")
        return ended

    def _command(self, image: Image) -> list[str]:
        around, variables = self._around, {"PATH": _SEARCH_PATH, **self._around.variables}
        root, mounts = around.folder / f"root-{self.name}", around.folder / f"mounts-{self.name}"
        root.mkdir(exist_ok=True)
        lines = [f"{source}\t{target}\n" for target, source in image.files.items()]
        for one in self.spec.get("volumeMounts", []):
            lines.append(f"{around.volumes[one['name']] / one.get('subPath', '')}\t{one['mountPath']}\n")
        mounts.write_text("".join(lines))
        command = [*(self.spec.get("command") or image.entrypoint), *self.spec.get("args", [])]
        place = ["-C", self.spec["workingDir"]] if "workingDir" in self.spec else []
        return [
            *around.network.enter(), "unshare", "--mount", "--uts", "sh", "-c", _ENTER_ROOT, "sh",
            str(root), around.hostname[:63], str(mounts), "/usr/bin/env", "-i", *place,
            *(f"{name}={value}" for name, value in variables.items()),
            *(expanded(word, variables) for word in command),
        ]  # fmt: skip

    def _turn(self, process: subprocess.Popen[bytes], ready: bool) -> None:
        if process is self._process and process.poll() is None:
            self.ready = ready
            self._changed()

    def _die_unless(self, process: subprocess.Popen[bytes], alive: bool) -> None:
        if not alive:
            process.terminate()
            time.sleep(self._around.grace)
            if process.poll() is None:
                process.kill()

    def _become(self, state: State, ready: bool = False) -> None:
        self.state, self.ready = state, ready
        self._changed()


def _resolved(probe: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Any]:
    """The probe with the number of a port that it names."""
    numbers = {port.get("name"): port["containerPort"] for port in container.get("ports", [])}
    found = dict(probe)
    for kind in ("httpGet", "tcpSocket"):
        if kind in found:
            found[kind] = {**found[kind], "port": numbers.get(found[kind]["port"], found[kind]["port"])}
    return found


def now() -> str:
    """The time as Kubernetes writes it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
