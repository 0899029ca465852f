"""Files under real faults: nothing is lost, nothing is left, and what was not done is said with its reason."""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import re
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest

import ksconfig as library
from ksconfig.cli import main
from ksconfig.source import saving
from tests.faults.conftest import MANIFEST, RUNTIME
from tests.faults.namespaces import (
    ENVIRONMENT,
    as_nobody,
    ksconfig,
    needs_another_user,
    needs_mounts,
    run,
    with_mounts,
)

EDITED = MANIFEST.replace("agent:v1", "agent:v2")


def set_agent(path: Path) -> tuple[str, ...]:
    return ksconfig("set-image", "agent", ":v2", "-f", path)


def edited(path: Path) -> library.Manifests:
    manifests = library.load(path)
    manifests.set_image("agent", ":v2")
    return manifests


class TestAFullDisk:
    # a block for the manifest, and the rest is filled up
    SCRIPT = """
        mount -t tmpfs -o size=64k,mode=777 none "$1"
        cp "$2" "$1/kserve.yaml"
        dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null || true
        cd "$1"; shift 2
        code=0; "$@" || code=$?
        ls -A; cat kserve.yaml
        exit $code
    """

    def test_leaves_the_file_as_it_was_and_says_why(self, path: Path, tmp_path: Path) -> None:
        needs_mounts()
        disk = tmp_path / "disk"
        disk.mkdir()

        done = run(with_mounts(self.SCRIPT, disk, path, *set_agent(Path("kserve.yaml"))))

        assert done.returncode == 1, done.stderr
        assert done.stdout == f"filler\nkserve.yaml\n{MANIFEST}"
        assert done.stderr == (
            "error: nothing was saved: kserve.yaml cannot be written: No space left on device. "
            f"The file is as it was. Check the space and rights of its directory, {disk}.\n"
        )

    def test_leaves_all_of_several_files_as_they_were(self, path: Path, tmp_path: Path) -> None:
        """The first has room for its new text, the second has not."""
        needs_mounts()
        disk = tmp_path / "disk"
        disk.mkdir()
        (path.parent / "a.yaml").write_text(RUNTIME)
        script = self.SCRIPT.replace('"$1/kserve.yaml"', '"$1/kserve.yaml"; cp "${2%/*}/a.yaml" "$1"').replace(
            "|| true", '|| true; truncate -s -4096 "$1/filler"'
        )
        command = (
            "python", "-c",
            "import ksconfig; m = ksconfig.load(['a.yaml', 'kserve.yaml'], kserve_version='0.9');"
            "m.set_image({'runtime/a': ':v2', 'agent': ':v2'}); m.save()",
        )  # fmt: skip

        done = run(with_mounts(script, disk, path, ksconfig()[0], *command[1:]))

        assert done.returncode == 1, done.stderr
        assert done.stdout == f"a.yaml\nfiller\nkserve.yaml\n{MANIFEST}"
        assert "No space left on device. All files are as they were." in done.stderr


class TestRights:
    @pytest.mark.parametrize("directory", [False, True], ids=["the file", "its directory"])
    def test_that_are_missing_leave_the_file_as_it_was(self, path: Path, directory: bool) -> None:
        needs_another_user(path)
        path.chmod(0o666 if directory else 0o444)
        path.parent.chmod(0o555 if directory else 0o777)

        done = run(as_nobody(set_agent(path)))

        path.parent.chmod(0o755)
        assert done.returncode == 1
        assert path.read_text() == MANIFEST
        assert os.listdir(path.parent) == [path.name]
        why = (
            f"Permission denied. The file is as it was. Check the space and rights of its directory, {path.parent}."
            if directory
            else "it is read-only. Make it writable, or edit a copy."
        )
        assert done.stderr == f"error: nothing was saved: {path} cannot be written: {why}\n"

    def test_of_one_of_several_files_leave_all_as_they_were(self, path: Path) -> None:
        needs_another_user(path)
        path.parent.chmod(0o777)
        path.chmod(0o444)
        other = path.with_name("a.yaml")
        other.write_text(RUNTIME)
        other.chmod(0o666)

        command = ("set-image", "runtime/a=:v2", "agent=:v2", "--kserve-version=0.9", "-f")
        done = run(as_nobody(ksconfig(*command, path.parent)))

        assert done.returncode == 1
        assert done.stderr.startswith(f"error: nothing was saved: {path} cannot be written: it is read-only")
        assert (path.read_text(), other.read_text()) == (MANIFEST, RUNTIME)
        assert sorted(os.listdir(path.parent)) == ["a.yaml", "kserve.yaml"]

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
    def test_and_owner_stay_those_of_the_file(self, path: Path) -> None:
        os.chown(path, 1234, 4321)
        path.chmod(0o640)

        edited(path).save()

        status = path.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1234, 4321, 0o640)


class TestLinks:
    def test_a_symbolic_link_stays_one(self, path: Path, tmp_path: Path) -> None:
        link = tmp_path / "link.yaml"
        link.symlink_to(path)
        assert run(set_agent(link)).returncode == 0
        assert link.is_symlink()
        assert path.read_text() == EDITED

    def test_a_hard_link_keeps_the_old_text(self, path: Path, tmp_path: Path) -> None:
        link = tmp_path / "link.yaml"
        os.link(path, link)
        assert run(set_agent(path)).returncode == 0
        assert (path.read_text(), link.read_text()) == (EDITED, MANIFEST)


class TestAFailureBetweenTwoFiles:
    """The one moment at which some files may be new and others old: it is said which."""

    def test_says_what_is_written_and_goes_on_from_there(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path.with_name("a.yaml").write_text(RUNTIME)
        images = {"runtime/a": ":v2", "agent": ":v2"}
        manifests = library.load(path.parent, kserve_version="0.9")
        manifests.set_image(images)
        original = os.replace

        def second_fails(source: str, target: Path) -> None:
            if target.name == path.name:
                raise PermissionError(1, "Operation not permitted")
            original(source, target)

        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", second_fails)
            with pytest.raises(library.FileFailure) as caught:
                manifests.save()

        assert str(caught.value).startswith(f"not all files were saved: {path} cannot be written: Operation not")
        assert f"Written are {path.with_name('a.yaml')}; the others are as they were." in str(caught.value)
        assert sorted(os.listdir(path.parent)) == ["a.yaml", "kserve.yaml"]
        assert path.read_text() == MANIFEST

        assert caught.value.written == (str(path.with_name("a.yaml")),)

        again = library.load(path.parent, kserve_version="0.9")
        again.set_image(images)
        assert again.save() == (path,)

    @pytest.mark.parametrize(("failing", "changed"), [("kserve.yaml", True), ("a.yaml", False)])
    def test_is_told_to_programs_too(
        self,
        path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        failing: str,
        changed: bool,
    ) -> None:
        path.with_name("a.yaml").write_text(RUNTIME)
        original = os.replace

        def refuse(source: str, target: Path) -> None:
            if target.name == failing:
                raise PermissionError(1, "Operation not permitted")
            original(source, target)

        monkeypatch.setattr(os, "replace", refuse)
        words = [
            "set-image",
            "runtime/a=:v2",
            "agent=:v2",
            "--kserve-version=0.9",
            "-o",
            "json",
            "-f",
            str(path.parent),
        ]

        assert main.run(words) == 1
        assert json.loads(capsys.readouterr().out)["changed"] is changed


class TestSomebodyElse:
    def test_who_wrote_between_read_and_save_is_not_overwritten(self, path: Path) -> None:
        """The command reads the manifest, and stops at the next file, a pipe; then somebody writes."""
        pipe = path.with_name("pipe")
        os.mkfifo(pipe)
        process = subprocess.Popen(
            (*set_agent(path), "-f", str(pipe)), stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
        )
        with pipe.open("w") as stream:  # opens when the command does
            path.write_text(MANIFEST + "# theirs\n")
            stream.write("kind: Namespace\n")
        _, said = process.communicate(timeout=60)

        assert process.returncode == 4
        assert said == (
            f"error: nothing was saved: {path} was changed by somebody else since it was read. "
            "Nothing was written. Run the same command again.\n"
        )
        assert path.read_text() == MANIFEST + "# theirs\n"

    def test_who_wrote_while_the_new_text_went_to_the_disk_is_not_overwritten(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        manifests = edited(path)
        original = os.fsync
        monkeypatch.setattr(os, "fsync", lambda file: (path.write_text("theirs"), original(file)))

        with pytest.raises(library.Conflict):
            manifests.save()

        assert path.read_text() == "theirs"
        assert os.listdir(path.parent) == [path.name]

    def test_who_holds_the_file_for_long_is_waited_for_and_then_named(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(saving, "_PATIENCE", 0.1)
        with path.open() as holder:
            fcntl.flock(holder, fcntl.LOCK_EX)
            with pytest.raises(library.Conflict, match="locked by another program"):
                edited(path).save()
            assert path.read_text() == MANIFEST

            monkeypatch.setattr(saving, "_PATIENCE", 10)
            threading.Timer(0.2, lambda: fcntl.flock(holder, fcntl.LOCK_UN)).start()
            edited(path).save()
        assert path.read_text() == EDITED

    def test_who_writes_at_once_loses_nothing(self, path: Path) -> None:
        """Two processes count each its own image up, again after each conflict; no step of either may be lost."""
        program = """if True:
            import sys, ksconfig
            path, target, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
            conflicts = step = 0
            while step < steps:
                manifests = ksconfig.load(path)
                assert manifests.get(f"{target}.image") == f"kserve/{target}:v{step + 1}", "a write was lost"
                manifests.set_image(target, f":v{step + 2}")
                try:
                    manifests.save()
                except ksconfig.Conflict as error:
                    assert error.exit_code == 4
                    conflicts += 1
                else:
                    step += 1
            print(conflicts)
        """
        steps = 60
        writers = [
            subprocess.Popen(
                (ksconfig()[0], "-c", program, str(path), target, str(steps)),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
            )
            for target in ("agent", "router")
        ]  # fmt: skip
        seen = set()
        while any(writer.poll() is None for writer in writers):
            seen.add(path.read_text())
        ends = [writer.communicate(timeout=60) for writer in writers]

        assert [writer.returncode for writer in writers] == [0, 0], ends
        whole = re.compile(re.escape(MANIFEST).replace('v1"', r"v\d+\"").replace("agent:v1", r"agent:v\d+"))
        assert all(whole.fullmatch(text) for text in seen)
        assert path.read_text() == MANIFEST.replace('v1"', f'v{steps + 1}"')
        assert os.listdir(path.parent) == [path.name]


class TestAKill:
    def test_at_any_moment_leaves_the_old_file_or_the_new(self, path: Path) -> None:
        """Killed a little later each time, from the start of the save to its end."""
        program = """if True:
            import sys, ksconfig
            manifests = ksconfig.load(sys.argv[1])
            manifests.set_image("agent", ":v2")
            print(flush=True)
            manifests.save()
        """
        outcomes = set()
        for attempt in itertools.count():
            path.write_text(MANIFEST)
            process = subprocess.Popen(
                (ksconfig()[0], "-c", program, str(path)), stdout=subprocess.PIPE, env=ENVIRONMENT
            )
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(attempt * 0.0005)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            assert path.read_text() in (MANIFEST, EDITED)
            outcomes.add(path.read_text())
            if attempt >= 10 and (len(outcomes) == 2 or attempt >= 40):
                break

    def test_leaves_a_file_that_the_next_save_removes(self, path: Path) -> None:
        program = """if True:
            import os, signal, sys, ksconfig
            manifests = ksconfig.load(sys.argv[1])
            manifests.set_image("agent", ":v2")
            os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
            manifests.save()
        """
        killed = run((ksconfig()[0], "-c", program, str(path)))
        assert killed.returncode == -signal.SIGKILL
        assert path.read_text() == MANIFEST
        left = [name for name in os.listdir(path.parent) if name != path.name]
        assert len(left) == 1
        assert re.fullmatch(r"\.kserve\.yaml\.ksconfig-\w+\.tmp", left[0])
        assert run(ksconfig("images", "-f", path.parent)).returncode == 0

        assert run(set_agent(path)).returncode == 0

        assert path.read_text() == EDITED
        assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("options", [("-f", "closed/k.yaml"), ("-f", "open")])
def test_a_directory_that_may_not_be_entered_is_named(path: Path, options: tuple[str, str]) -> None:
    needs_another_user(path)
    closed, opened = path.parent / "closed", path.parent / "open"
    closed.mkdir(mode=0o700)
    opened.mkdir()
    opened.chmod(0o755)
    (opened / "k.yaml").symlink_to(path.rename(closed / "k.yaml"))
    done = run(as_nobody(ksconfig("images", "-f", path.parent / options[1], "-o", "json")))
    assert done.returncode == 1
    error = json.loads(done.stdout)["error"]
    assert error["type"] == "FileFailure"
    assert options[1].partition("/")[0] in error["why"]


def test_a_name_that_is_too_long_is_named() -> None:
    done = run(ksconfig("images", "-f", "k" * 300, "-o", "json"))
    assert done.returncode == 1
    assert "File name too long" in json.loads(done.stdout)["error"]["why"]
    with pytest.raises(library.FileFailure):
        library.load("k" * 300)


def test_a_working_directory_that_is_gone_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    done = run(("sh", "-ec", 'cd "$1"; rmdir "$1"; shift; "$@"', "sh", str(gone), *ksconfig("images", "-f", ".")))
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "internal" not in done.stderr
