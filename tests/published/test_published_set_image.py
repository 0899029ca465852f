"""`set_image` on every image of every published manifest writes the bytes that an independent walker expects."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import ksconfig
from tests.published import walker
from tests.published.walker import Published

if not walker.DATA.is_dir():
    pytest.skip(walker.REASON, allow_module_level=True)

DIGEST = "sha256:" + "0123456789abcdef" * 4
TAGGED = "registry.example:5000/team/NAME:1.2"
FORMS = {
    "repository-and-tag": TAGGED,
    "tag": ":v9.9.9",
    "repository": "registry.example:5000/team/NAME",
    "digest": f"registry.example:5000/team/NAME@{DIGEST}",
}
GPU_VERSION = "1.2-gpu"
ABSENT = object()

# What KServe does not read (facts 1.3 and 2.1), said once more and apart from ksconfig's own table.
UNREAD_FROM = {"logger": 5, "batcher": 5}
UNREAD_IN = {"pytorch/v1": (8, 9), "pytorch/v2": (8, 9)}
FRAMEWORKS = ("sklearn", "sklearn/v2", "xgboost", "tensorflow", "pytorch", "pytorch/v1", "onnx", "triton", "lightgbm")


def is_unread(published: Published, target: str) -> bool:
    return published.minor >= UNREAD_FROM.get(target, 99) or published.minor in UNREAD_IN.get(target, ())


def allowances(published: Published, target: str) -> tuple[str, ...]:
    return ("unread",) if is_unread(published, target) else ()


def image_for(target: str, form: str) -> str:
    return FORMS[form].replace("NAME", target.replace("/", "-").lower())


def every_target(*manifests: Published) -> list[Any]:
    return [
        pytest.param(published, target, id=f"{published}-{target}")
        for published in manifests
        for target in walker.blocks_of(published)
    ]


def every_form() -> list[Any]:
    """Every target with every form of an image, but no digest where there is a GPU tag, for which it leaves no room."""
    return [
        pytest.param(*each.values, form, id=f"{each.id}-{form}")
        for each in every_target(*ALL)
        for form in FORMS
        if form != "digest" or not walker.blocks_of(each.values[0])[each.values[1]].has_gpu_version
    ]


CONFIGS = walker.configs()
WHOLE = walker.releases()
ALL = [*CONFIGS, *WHOLE]
EVERY_CONFIG = pytest.mark.parametrize("published", CONFIGS, ids=str)
EVERY_TARGET = pytest.mark.parametrize(("published", "target"), every_target(*ALL))
EVERY_CONFIG_TARGET = pytest.mark.parametrize(("published", "target"), every_target(*CONFIGS))


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[Published, Path]:
    """Every manifest as a file of its own, the compressed ones unpacked."""
    folder = tmp_path_factory.mktemp("published")
    paths = {}
    for published in ALL:
        paths[published] = folder / f"{published}.yaml"
        paths[published].write_bytes(walker.text_of(published).encode("utf-8"))
    return paths


@pytest.fixture
def load(unpacked: dict[Published, Path]) -> Any:
    return lambda published: ksconfig.load(unpacked[published], kserve_version=published.version)


class TestTheWalker:
    """It can only judge if it sees all that there is."""

    @EVERY_CONFIG
    def test_sees_the_images_that_ksconfig_sees(self, published: Published, load: Any) -> None:
        assert [image.name for image in load(published).images()] == list(walker.blocks_of(published))

    @EVERY_CONFIG
    def test_sees_the_values_that_ksconfig_sees(self, published: Published, load: Any) -> None:
        lines = walker.text_of(published).split("\n")
        for image in load(published).images():
            block = walker.blocks_of(published)[image.name]
            fields = [field for field in ("image", "defaultJobImage", "defaultImageVersion") if field in block.lines]
            assert image.image == ":".join(walker.present_value(block, lines, field) for field in fields)

    @EVERY_CONFIG
    def test_sees_which_images_are_read(self, published: Published, load: Any) -> None:
        for image in load(published).images():
            assert image.read is not is_unread(published, image.name), image.name


class TestBytes:
    """Only the characters between the quotes change; 0.2 and 0.3 get one more item of the version list."""

    @pytest.mark.parametrize(("published", "target", "form"), every_form())
    def test_are_those_of_the_walker(self, published: Published, target: str, form: str, load: Any) -> None:
        block = walker.blocks_of(published)[target]
        gpu = GPU_VERSION if block.has_gpu_version and form != "tag" else None
        image = image_for(target, form)
        manifests = load(published)

        manifests.set_image(target, image, gpu_version=gpu or (), allow=allowances(published, target))

        assert manifests.to_bytes() == walker.expected(walker.text_of(published), target, image, gpu).encode("utf-8")

    @EVERY_TARGET
    def test_do_not_change_when_the_image_is_there_already(self, published: Published, target: str, load: Any) -> None:
        manifests = load(published)
        present = next(image.image for image in manifests.images() if image.name == target)

        assert manifests.set_image(target, present, allow=allowances(published, target)) == ()

        assert manifests.text == walker.text_of(published)
        assert manifests.diff() == ""

    @EVERY_CONFIG
    def test_are_those_of_all_targets_one_after_the_other(self, published: Published, load: Any) -> None:
        text, images, versions = walker.text_of(published), {}, []
        for target, block in walker.blocks_of(published).items():
            gpu = GPU_VERSION if block.has_gpu_version else None
            images[target] = image_for(target, "repository-and-tag")
            versions += [f"{target}={gpu}"] if gpu else []
            text = walker.expected(text, target, images[target], gpu)
        manifests = load(published)

        manifests.set_image(images, gpu_version=versions, allow="unread")

        assert manifests.text == text

    @EVERY_CONFIG
    @pytest.mark.parametrize("bom", [False, True], ids=["", "bom"])
    @pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["lf", "crlf"])
    def test_keep_byte_order_mark_and_line_ends(
        self, published: Published, bom: bool, newline: str, tmp_path: Path
    ) -> None:
        text = "\ufeff" * bom + walker.text_of(published).replace("\n", newline)
        path = tmp_path / "config.yaml"
        for target, block in walker.blocks_of(published).items():
            path.write_bytes(text.encode("utf-8"))
            image = image_for(target, "repository-and-tag")
            gpu = GPU_VERSION if block.has_gpu_version else None
            manifests = ksconfig.load(path, kserve_version=published.version)

            manifests.set_image(target, image, gpu_version=gpu or (), allow=allowances(published, target))
            manifests.save()

            assert path.read_bytes() == walker.expected(text, target, image, gpu).encode("utf-8"), target


def data_of(text: str) -> dict[str, Any]:
    """The config as YAML and JSON readers see it."""
    lines = text.split("\n")
    start, end = walker.config_document(lines)
    data = YAML(typ="safe").load("\n".join(lines[start:end]))["data"]
    return {key: value if key == "_example" else json.loads(value) for key, value in data.items()}


def differences(before: Any, after: Any, path: tuple[str | int, ...] = ()) -> dict[tuple[str | int, ...], Any]:
    """The new values, by the paths at which two trees differ."""
    pairs: list[tuple[str | int, Any, Any]]
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(name, before.get(name, ABSENT), after.get(name, ABSENT)) for name in dict.fromkeys([*before, *after])]
    elif isinstance(before, list) and isinstance(after, list):
        pairs = [(i, old, new) for i, (old, new) in enumerate(itertools.zip_longest(before, after, fillvalue=ABSENT))]
    else:
        return {} if type(before) is type(after) and before == after else {path: after}
    return {key: value for step, old, new in pairs for key, value in differences(old, new, (*path, step)).items()}


class TestMeaning:
    """Read again by other readers, exactly the wanted values differ."""

    @EVERY_CONFIG_TARGET
    def test_differs_exactly_at_the_wanted_paths(self, published: Published, target: str, load: Any) -> None:
        text, block = walker.text_of(published), walker.blocks_of(published)[target]
        image = image_for(target, "repository-and-tag")
        gpu = GPU_VERSION if block.has_gpu_version else None
        manifests = load(published)

        changes = manifests.set_image(target, image, gpu_version=gpu or (), allow=allowances(published, target))

        here = (block.key, *block.path)
        wanted: dict[tuple[str | int, ...], Any] = {
            (*here, field): value for field, value in walker.wanted_values(block, text.split("\n"), image, gpu).items()
        }
        if block.last_item is not None:
            for i, tag in enumerate(walker.wanted_tags(block, text.split("\n"), image, gpu)):
                item: tuple[str | int, ...] = (*here, "allowedImageVersions", len(block.items) + i)
                wanted[item] = tag
        assert differences(data_of(text), data_of(manifests.text)) == wanted
        assert {change.path: change.after for change in changes} == wanted


class TestRefusals:
    """What must not be written is refused, and the text stays."""

    @pytest.mark.parametrize(
        ("published", "target"), [each for each in every_target(*ALL) if is_unread(*each.values[:2])]
    )
    def test_of_an_image_that_the_release_does_not_read(self, published: Published, target: str, load: Any) -> None:
        manifests = load(published)
        block = walker.blocks_of(published)[target]
        gpu = GPU_VERSION if block.has_gpu_version else ()

        with pytest.raises(ksconfig.Refused) as caught:
            manifests.set_image(target, image_for(target, "repository-and-tag"), gpu_version=gpu)

        assert caught.value.exit_code == 3
        assert caught.value.allow == "unread"
        assert manifests.text == walker.text_of(published)

    @pytest.mark.parametrize("published", [one for one in ALL if 5 <= one.minor <= 9], ids=str)
    def test_of_pytorch_without_saying_which_server(self, published: Published, load: Any) -> None:
        manifests = load(published)

        with pytest.raises(ksconfig.Ambiguous) as caught:
            manifests.set_image("pytorch", TAGGED.replace("NAME", "torch"))

        assert caught.value.exit_code == 3
        assert "pytorch/v1" in str(caught.value)
        assert "pytorch/v2" in str(caught.value)
        assert manifests.text == walker.text_of(published)

    @pytest.mark.parametrize("published", [one for one in ALL if one.minor >= 10], ids=str)
    @pytest.mark.parametrize("target", FRAMEWORKS)
    def test_of_frameworks_once_they_are_in_runtimes(self, published: Published, target: str, load: Any) -> None:
        manifests = load(published)

        with pytest.raises(ksconfig.TargetNotFound, match="ClusterServingRuntimes"):
            manifests.set_image(target, "registry.example:5000/team/server:1.2")

        assert manifests.text == walker.text_of(published)

    @EVERY_CONFIG
    def test_of_a_word_that_is_neither_tag_nor_repository(self, published: Published, load: Any) -> None:
        manifests = load(published)

        with pytest.raises(ksconfig.UsageError, match="Did you mean :latest"):
            manifests.set_image("storageInitializer", "latest")

        assert manifests.text == walker.text_of(published)


def with_gpu_tag(*, read: bool = True) -> list[Any]:
    return [
        each
        for each in every_target(*ALL)
        if walker.blocks_of(each.values[0])[each.values[1]].has_gpu_version
        and not (read and is_unread(*each.values[:2]))
    ]


class TestGpuTag:
    """A new repository under the old GPU tag is a result that nobody wants."""

    @pytest.mark.parametrize(("published", "target"), with_gpu_tag())
    @pytest.mark.parametrize("form", ["repository-and-tag", "repository", "digest"])
    def test_left_behind_is_refused(self, published: Published, target: str, form: str, load: Any) -> None:
        manifests = load(published)

        with pytest.raises(ksconfig.Refused) as caught:
            manifests.set_image(target, image_for(target, form))

        assert caught.value.exit_code == 3
        assert manifests.text == walker.text_of(published)

    @pytest.mark.parametrize(("published", "target"), with_gpu_tag())
    def test_left_behind_is_written_with_leave(self, published: Published, target: str, load: Any) -> None:
        manifests, image = load(published), image_for(target, "repository-and-tag")

        manifests.set_image(target, image, allow="old-gpu-version")

        assert manifests.text == walker.expected(walker.text_of(published), target, image)
        assert "old-gpu-version" in [notice.code for notice in manifests.notices]

    @pytest.mark.parametrize(("published", "target"), with_gpu_tag())
    @pytest.mark.parametrize("tag", [GPU_VERSION, "2.0-gpu-cuda11"])
    def test_given_is_written(self, published: Published, target: str, tag: str, load: Any) -> None:
        manifests, image = load(published), image_for(target, "repository-and-tag")

        manifests.set_image(target, image, gpu_version=tag)

        assert manifests.text == walker.expected(walker.text_of(published), target, image, tag)

    @pytest.mark.parametrize(("published", "target"), with_gpu_tag())
    def test_must_hold_the_word_that_kserve_demands(self, published: Published, target: str, load: Any) -> None:
        manifests = load(published)

        with pytest.raises(ksconfig.Refused) as without_word:
            manifests.set_image(target, image_for(target, "repository-and-tag"), gpu_version="1.2-cuda11")
        with pytest.raises(ksconfig.Refused) as with_word:
            manifests.set_image(target, ":1.2-gpu")

        assert without_word.value.allow == with_word.value.allow == "gpu-rule"
        assert manifests.text == walker.text_of(published)


class TestBareFramework:
    """sklearn and xgboost mean the server of KServe's default protocol."""

    @pytest.mark.parametrize("published", [one for one in ALL if 5 <= one.minor <= 9], ids=str)
    @pytest.mark.parametrize("framework", ["sklearn", "xgboost"])
    def test_means_v1(self, published: Published, framework: str, load: Any) -> None:
        manifests, image = load(published), image_for(framework, "repository-and-tag")

        manifests.set_image(framework, image)

        assert manifests.text == walker.expected(walker.text_of(published), f"{framework}/v1", image)
        assert "protocol" in [notice.code for notice in manifests.notices]


class TestSaving:
    """The whole way, file to file."""

    @pytest.mark.parametrize("published", WHOLE, ids=str)
    def test_of_a_whole_release_manifest(self, published: Published, tmp_path: Path) -> None:
        path = tmp_path / "kserve.yaml"
        path.write_bytes(walker.text_of(published).encode("utf-8"))
        manifests = ksconfig.load(path)

        manifests.set_image("agent", TAGGED.replace("NAME", "agent"))

        assert manifests.save() == (path,)
        expected = walker.expected(walker.text_of(published), "agent", TAGGED.replace("NAME", "agent"))
        assert path.read_bytes() == expected.encode("utf-8")
        assert manifests.save() == ()


class TestRelease:
    """Told from the config alone."""

    @pytest.mark.parametrize("published", ALL, ids=str)
    def test_is_among_the_candidates(self, published: Published, unpacked: dict[Published, Path]) -> None:
        plan = ksconfig.load(unpacked[published]).plan_set_image({"storageInitializer": ":v9"})

        assert (0, published.minor) in plan.release.candidates
        assert plan.release.likely in (None, (0, published.minor))
        assert not plan.release.given
