"""What is read has bounds."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zlib
from pathlib import Path

import pytest

import ksconfig
from ksconfig.errors import ClusterFailure, FileFailure, InvalidDocument
from ksconfig.model import revision
from ksconfig.source import files
from ksconfig.source.cluster import client
from ksconfig.source.cluster.access import open_access
from tests.security.conftest import Home
from tests.security.stub import serving


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1 << 20)
    (tmp_path / "kserve.yaml").write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(FileFailure, match="is larger than 1 MiB"):
        ksconfig.load(tmp_path / "kserve.yaml")
    with pytest.raises(FileFailure, match="standard input is larger than 1 MiB"):
        files.read_bounded(io.BytesIO(b"#" * ((1 << 20) + 1)), "standard input")


def test_a_file_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LARGEST", 1 << 20)
    with pytest.raises(FileFailure):
        ksconfig.load("/dev/zero")


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_is_too_large_is_not_read_to_its_end(
    home: Home, monkeypatch: pytest.MonkeyPatch, packed: bool
) -> None:
    monkeypatch.setattr(client, "_LARGEST_ANSWER", 1 << 20)
    body = b" " * (1 << 26)
    headers = {"Content-Encoding": "gzip"} if packed else {}
    with serving(lambda *_: (200, headers, gzip.compress(body) if packed else body)) as stub:
        access = open_access(kubeconfig=home.kubeconfig({"token": "t"}, server=stub.url))
        with pytest.raises(ClusterFailure, match="is larger than 1 MiB") as raised:
            access.client.request("GET", "/api")
    assert not client.is_transient(raised.value)


def test_an_answer_below_the_bound_is_read_whole(home: Home) -> None:
    whole = {"metadata": {}, "a": "b" * (1 << 22)}
    with serving(lambda *_: (200, {"Content-Encoding": "gzip"}, gzip.compress(json.dumps(whole).encode()))) as stub:
        access = open_access(kubeconfig=home.kubeconfig({"token": "t"}, server=stub.url))
        assert access.client.request("GET", "/api") == whole


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_would_lead_to_another_path_is_refused(name: str) -> None:
    with pytest.raises(ClusterFailure, match="nothing can be called"):
        client.namespaced("/api/v1", "configmaps", name, "x")
    with pytest.raises(ClusterFailure, match="nothing can be called"):
        client.namespaced("/api/v1", "configmaps", "kserve", name)


def record(packed: bytes) -> dict[str, object]:
    name = "ksconfig-revision-000001"
    return {
        "metadata": {"name": name, "labels": {revision.NUMBER_LABEL: "1"}},
        "data": {"revision.json": json.dumps({"format": 1, "fields": []})},
        "binaryData": {"texts.json.gz": base64.b64encode(packed).decode()},
    }


def test_a_record_that_unpacks_to_more_than_it_may_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revision, "LARGEST_TEXTS", 1 << 20)
    with pytest.raises(InvalidDocument, match="longer than 1 MiB"):
        revision.from_config_map(record(gzip.compress(b" " * (1 << 24))))


@pytest.mark.parametrize("packed", [b"", b"no gzip", gzip.compress(b"[]" * 99)[:-9], zlib.compress(b"[]")])
def test_a_record_that_cannot_be_unpacked_is_refused(packed: bytes) -> None:
    with pytest.raises(InvalidDocument, match="is no revision that can be read"):
        revision.from_config_map(record(packed))
