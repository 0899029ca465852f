"""Files are written whole or not at all, and only where nobody else wrote meanwhile."""

from __future__ import annotations

import errno
import os
import resource
import stat
import threading
from pathlib import Path

import pytest

import ksconfig
from ksconfig.source.files import FileSource, read_file
from ksconfig.text.spans import Edit

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: inferenceservice-config
  namespace: kserve
data:
  agent: |-
    {"image": "kserve/agent:v1"}
"""
EDITED = MANIFEST.replace("agent:v1", "agent:v2")
OTHER = "kind: Namespace\nmetadata:\n  name: kserve\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(MANIFEST)
    return path


def edited(path: Path) -> ksconfig.Manifests:
    manifests = ksconfig.load(path)
    manifests.set_image("agent", ":v2")
    return manifests


class TestSaving:
    def test_writes_the_present_bytes_and_says_so(self, path: Path) -> None:
        manifests = edited(path)
        assert path.read_text() == MANIFEST

        assert manifests.save() == (path,)

        assert path.read_text() == EDITED == manifests.text

    def test_leaves_no_other_file(self, path: Path) -> None:
        edited(path).save()
        assert os.listdir(path.parent) == [path.name]

    @pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o755])
    def test_keeps_the_mode(self, path: Path, mode: int) -> None:
        path.chmod(mode)
        edited(path).save()
        assert stat.S_IMODE(path.stat().st_mode) == mode

    def test_never_shows_half_a_file(self, path: Path) -> None:
        """Who has the old file open reads on in the old file: the new one took its name, not its place."""
        with path.open() as reader:
            edited(path).save()
            assert reader.read() == MANIFEST
        assert path.read_text() == EDITED

    @pytest.mark.parametrize("relative", [True, False], ids=["relative", "absolute"])
    def test_follows_a_link_and_leaves_it_one(self, path: Path, tmp_path: Path, relative: bool) -> None:
        (tmp_path / "links").mkdir()
        link = tmp_path / "links" / "current.yaml"
        link.symlink_to(Path("..") / path.name if relative else path)

        assert edited(link).save() == (link,)

        assert link.is_symlink()
        assert not path.is_symlink()
        assert path.read_text() == link.read_text() == EDITED
        assert os.listdir(link.parent) == [link.name]

    def test_does_not_touch_what_is_unchanged(self, path: Path) -> None:
        before = path.stat()
        manifests = ksconfig.load(path)
        manifests.set_image("agent", "kserve/agent:v1")

        assert manifests.save() == ()

        after = path.stat()
        assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    def test_does_not_touch_what_was_changed_and_changed_back(self, path: Path) -> None:
        before = path.stat()
        manifests = edited(path)
        manifests.set_image("agent", ":v1")

        assert manifests.save() == ()
        assert manifests.diff() == ""
        assert path.stat().st_ino == before.st_ino

    def test_can_be_followed_by_more_edits(self, path: Path) -> None:
        manifests = edited(path)
        manifests.save()
        assert manifests.diff() == ""

        manifests.set_image("agent", ":v3")

        assert manifests.save() == (path,)
        assert path.read_text() == MANIFEST.replace("agent:v1", "agent:v3")

    def test_of_a_text_without_a_file_writes_nothing(self) -> None:
        manifests = ksconfig.loads(MANIFEST)
        manifests.set_image("agent", ":v2")
        assert manifests.save() == ()


class TestSomebodyElse:
    def test_who_wrote_meanwhile_is_not_overwritten(self, path: Path) -> None:
        manifests = edited(path)
        path.write_text(MANIFEST + "# theirs\n")

        with pytest.raises(ksconfig.Conflict) as caught:
            manifests.save()

        assert caught.value.exit_code == 4
        assert "config.yaml was changed by somebody else" in str(caught.value)
        assert path.read_text() == MANIFEST + "# theirs\n"
        assert os.listdir(path.parent) == [path.name]

    def test_who_wrote_the_same_bytes_is_no_conflict(self, path: Path) -> None:
        manifests = edited(path)
        path.unlink()
        path.write_text(MANIFEST)

        assert manifests.save() == (path,)

    def test_who_removed_the_file_is_named_as_a_failure(self, path: Path) -> None:
        manifests = edited(path)
        path.unlink()

        with pytest.raises(ksconfig.FileFailure, match="No such file"):
            manifests.save()

        assert not path.exists()

    def test_who_wrote_what_we_do_not_change_is_no_matter(self, path: Path) -> None:
        manifests = ksconfig.load(path)
        path.write_text("theirs")

        assert manifests.save() == ()


class TestFailure:
    def test_of_the_disk_leaves_the_file_as_it_was(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        manifests = edited(path)
        monkeypatch.setattr(os, "fsync", full)

        with pytest.raises(ksconfig.FileFailure) as caught:
            manifests.save()

        assert "No space left on device. The file is as it was" in str(caught.value)
        assert caught.value.exit_code == 1
        assert caught.value.path == str(path)
        assert path.read_text() == MANIFEST
        assert os.listdir(path.parent) == [path.name]

    def test_of_the_rename_leaves_no_temporary_file(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(source: str, target: Path) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        manifests = edited(path)
        monkeypatch.setattr(os, "replace", refuse)

        with pytest.raises(ksconfig.FileFailure, match="not permitted"):
            manifests.save()

        assert os.listdir(path.parent) == [path.name]
        assert path.read_text() == MANIFEST

    def test_of_writing_leaves_the_file_and_can_be_tried_again(self, path: Path) -> None:
        manifests = edited(path)
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, limits[1]))  # a disk with room for 16 bytes
        try:
            with pytest.raises(ksconfig.FileFailure, match="File too large"):
                manifests.save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

        assert path.read_text() == MANIFEST
        assert os.listdir(path.parent) == [path.name]
        assert manifests.save() == (path,)
        assert path.read_text() == EDITED

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write any file")
    def test_a_read_only_file_is_refused(self, path: Path) -> None:
        path.chmod(0o444)
        manifests = edited(path)

        with pytest.raises(ksconfig.FileFailure, match="read-only"):
            manifests.save()

        assert path.read_text() == MANIFEST
        assert stat.S_IMODE(path.stat().st_mode) == 0o444


class TestReading:
    def test_of_a_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(ksconfig.FileFailure, match="cannot be read: No such file") as caught:
            ksconfig.load(tmp_path / "nowhere.yaml")
        assert isinstance(caught.value, OSError)
        assert caught.value.exit_code == 1

    def test_of_a_link_that_leads_nowhere(self, tmp_path: Path) -> None:
        (tmp_path / "link.yaml").symlink_to("nowhere.yaml")
        with pytest.raises(ksconfig.FileFailure, match="cannot be read"):
            ksconfig.load(tmp_path / "link.yaml")

    def test_of_a_link_that_leads_to_itself(self, tmp_path: Path) -> None:
        (tmp_path / "link.yaml").symlink_to("link.yaml")
        with pytest.raises(ksconfig.FileFailure, match="cannot be read"):
            ksconfig.load(tmp_path / "link.yaml")

    def test_of_a_path_that_cannot_be_one(self) -> None:
        with pytest.raises(ksconfig.FileFailure, match="cannot be read"):
            ksconfig.load("a\0b")

    @pytest.mark.parametrize(
        ("data", "place"),
        [
            (b"\xff\xfek\x00", "byte 1 is 0xFF"),
            (b"kind: \xe9t\xe9\n", "byte 7 is 0xE9"),
            (b"kind: \xc3", "byte 7 is 0xC3"),
            (b"\xed\xa0\x80", "byte 1 is 0xED"),
        ],
    )
    def test_of_bytes_that_are_not_utf_8(self, tmp_path: Path, data: bytes, place: str) -> None:
        (tmp_path / "config.yaml").write_bytes(data)
        with pytest.raises(ksconfig.FileFailure, match=f"{place}.*UTF-8"):
            ksconfig.load(tmp_path / "config.yaml")
        with pytest.raises(ksconfig.FileFailure, match=f"{place}.*UTF-8"):
            ksconfig.loads(data)

    def test_of_an_empty_file_finds_no_config(self, tmp_path: Path) -> None:
        (tmp_path / "config.yaml").write_bytes(b"")
        manifests = ksconfig.load(tmp_path / "config.yaml")
        assert manifests.text == ""
        with pytest.raises(ksconfig.ConfigNotFound):
            manifests.images()

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
    def test_of_a_fifo_works_and_writing_it_is_refused(self, tmp_path: Path) -> None:
        """As in ``-f <(helm template ...)``."""
        fifo = tmp_path / "fifo"
        os.mkfifo(fifo)
        writer = threading.Thread(target=fifo.write_text, args=(MANIFEST,))
        writer.start()
        manifests = edited(fifo)
        writer.join()

        assert manifests.text == EDITED
        with pytest.raises(ksconfig.FileFailure, match="no regular file"):
            manifests.save()


class TestSeveralFiles:
    @pytest.fixture
    def other(self, tmp_path: Path) -> Path:
        other = tmp_path / "namespace.yaml"
        other.write_text(OTHER)
        return other

    def test_only_the_changed_one_is_written(self, path: Path, other: Path) -> None:
        before = other.stat()
        manifests = ksconfig.load([other, str(path)])
        manifests.set_image("agent", ":v2")

        assert manifests.save() == (path,)
        assert dict(manifests.files) == {str(other): OTHER, str(path): EDITED}
        assert other.stat().st_ino == before.st_ino

    def test_have_no_one_text(self, path: Path, other: Path) -> None:
        manifests = ksconfig.load([other, path])
        with pytest.raises(ksconfig.UsageError, match="2 files were loaded"):
            _ = manifests.text
        with pytest.raises(ksconfig.UsageError, match="2 files were loaded"):
            manifests.to_bytes()

    def test_are_all_checked_before_the_first_is_written(self, path: Path, other: Path) -> None:
        source = FileSource([read_file(path), read_file(other)])
        for file in source.files:
            file.edit([Edit(0, 0, "# ours\n")])
        other.write_text("theirs")

        with pytest.raises(ksconfig.Conflict, match=r"namespace\.yaml"):
            source.save()

        assert path.read_text() == MANIFEST
        assert other.read_text() == "theirs"

    def test_are_written_in_one_go(self, path: Path, other: Path) -> None:
        source = FileSource([read_file(path), read_file(other)])
        for file in source.files:
            file.edit([Edit(0, 0, "# ours\n")])

        assert source.save() == (path, other)
        assert path.read_text() == "# ours\n" + MANIFEST
        assert other.read_text() == "# ours\n" + OTHER

    def test_that_hold_two_configs_are_told_apart_by_namespace(self, path: Path, tmp_path: Path) -> None:
        second = tmp_path / "second.yaml"
        second.write_text(MANIFEST.replace("namespace: kserve", "namespace: kubeflow"))

        with pytest.raises(ksconfig.Ambiguous) as caught:
            ksconfig.load([path, second]).set_image("agent", ":v2")
        assert f"{path}:1" in str(caught.value)
        assert f"{second}:1" in str(caught.value)

        manifests = ksconfig.load([path, second], namespace="kubeflow")
        manifests.set_image("agent", ":v2")
        assert manifests.save() == (second,)
        assert path.read_text() == MANIFEST
