"""`set_image` of every framework on the published config, runtimes and controller of a release, byte for byte."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ksconfig
from ksconfig.model.releases import Release, rules_of
from tests.published import runtime_walker, walker
from tests.published.runtime_walker import Bundle

if not walker.DATA.is_dir():
    pytest.skip(walker.REASON, allow_module_level=True)

BUNDLES = runtime_walker.bundles()
NAMES = ("config", "runtimes", "controller")
GPU_VERSION = "1.2-gpu"
EVERY_BUNDLE = pytest.mark.parametrize("bundle", BUNDLES, ids=str)
EVERY_FRAMEWORK = pytest.mark.parametrize(
    ("bundle", "framework"),
    [
        pytest.param(bundle, framework, id=f"{bundle}-{framework}")
        for bundle in BUNDLES
        for framework in runtime_walker.frameworks(bundle)
    ],
)
EVERY_RUNTIME = pytest.mark.parametrize(
    ("bundle", "runtime"),
    [
        pytest.param(bundle, runtime, id=f"{bundle}-{runtime}")
        for bundle in BUNDLES
        for runtime in runtime_walker.names(bundle)
    ],
)


def image_for(framework: str) -> str:
    return f"registry.example:5000/team/{framework.lower()}:1.2"


def joined(bundle: Bundle) -> str:
    """The three manifests as one text."""
    return "---\n".join(bundle.text(name) for name in NAMES)


def new_texts(bundle: Bundle, framework: str) -> dict[str, str]:
    """The three manifests as they must be afterwards; unchanged where the change must be refused."""
    texts = {name: bundle.text(name) for name in NAMES}
    verdict = runtime_walker.verdict(bundle, framework)
    if verdict.outcome == "changed":
        image = image_for(framework)
        (runtime,) = verdict.runtimes
        texts["runtimes"] = runtime_walker.with_runtime(texts["runtimes"], runtime, bundle.minor, image)
        texts["config"] = runtime_walker.with_predictor(texts["config"], bundle, framework, image, GPU_VERSION)
    return texts


def set_image(manifests: ksconfig.Manifests, bundle: Bundle, framework: str) -> None:
    """Set it, or see it refused, as the walker says."""
    gpu_version: Any = GPU_VERSION if runtime_walker.has_gpu_version(bundle, framework) else ()
    verdict = runtime_walker.verdict(bundle, framework)
    if verdict.outcome == "changed":
        assert manifests.set_image(framework, image_for(framework), gpu_version=gpu_version)
        return
    with pytest.raises(ksconfig.KsconfigError) as caught:
        manifests.set_image(framework, image_for(framework), gpu_version=gpu_version)
    expected = {"shared": ksconfig.Refused, "several": ksconfig.Ambiguous, "none": ksconfig.TargetNotFound}
    assert type(caught.value) is expected[verdict.outcome]
    for word in (*(f"runtime/{name}" for name in verdict.runtimes), *verdict.others):
        assert word in str(caught.value)


class TestTheWalker:
    """It can only judge if it sees all that there is."""

    @EVERY_BUNDLE
    def test_sees_the_images_that_ksconfig_sees(self, bundle: Bundle) -> None:
        text = joined(bundle)
        found = {one.name: one.image for one in ksconfig.loads(text).images() if one.name.startswith("runtime/")}
        assert found == {
            f"runtime/{name}": runtime_walker.present_image(text, name, bundle.minor)
            for name in runtime_walker.names(bundle)
        }

    @EVERY_BUNDLE
    def test_sees_which_runtime_serves_a_framework(self, bundle: Bundle) -> None:
        for image in ksconfig.loads(joined(bundle)).images():
            assert [name for name in image.frameworks if "/" not in name] == [
                framework
                for framework in runtime_walker.frameworks(bundle)
                if (verdict := runtime_walker.verdict(bundle, framework)).outcome in ("changed", "shared")
                and f"runtime/{verdict.runtimes[0]}" == image.name
            ]

    def test_meets_changes_and_refusals(self) -> None:
        outcomes = {
            runtime_walker.verdict(bundle, framework).outcome
            for bundle in BUNDLES
            for framework in runtime_walker.frameworks(bundle)
        }
        assert {"changed", "shared"} <= outcomes


class TestFrameworks:
    """Exactly the images that decide change, or the change is refused and every byte stays."""

    @EVERY_FRAMEWORK
    def test_in_one_text(self, bundle: Bundle, framework: str) -> None:
        manifests = ksconfig.loads(joined(bundle))

        set_image(manifests, bundle, framework)

        assert manifests.text == "---\n".join(new_texts(bundle, framework).values())

    @EVERY_FRAMEWORK
    def test_in_a_directory(self, bundle: Bundle, framework: str, tmp_path: Path) -> None:
        for name in NAMES:
            (tmp_path / f"{name}.yaml").write_bytes(bundle.text(name).encode("utf-8"))
        manifests = ksconfig.load(tmp_path)

        set_image(manifests, bundle, framework)
        manifests.save()

        after = {path.stem: path.read_bytes().decode("utf-8") for path in tmp_path.iterdir()}
        assert after == new_texts(bundle, framework)

    @EVERY_BUNDLE
    def test_all_at_once_with_the_runtimes_before_the_config(self, bundle: Bundle) -> None:
        text = f"{bundle.text('controller')}---\n{bundle.text('runtimes')}---\n{bundle.text('config')}"
        images, versions = {}, []
        manifests = ksconfig.loads(text)
        for framework in runtime_walker.frameworks(bundle):
            verdict = runtime_walker.verdict(bundle, framework)
            if verdict.outcome == "changed":
                image = images[framework] = image_for(framework)
                if runtime_walker.has_gpu_version(bundle, framework):
                    versions.append(f"{framework}={GPU_VERSION}")
                text = runtime_walker.with_runtime(text, verdict.runtimes[0], bundle.minor, image)
                text = runtime_walker.with_predictor(text, bundle, framework, image, GPU_VERSION)

        manifests.set_image(images, gpu_version=versions)

        assert manifests.text == text
        assert manifests.set_image(images, gpu_version=versions) == ()

    @EVERY_BUNDLE
    def test_with_windows_line_ends_and_byte_order_mark(self, bundle: Bundle) -> None:
        framework = "paddle"
        expected = "---\n".join(new_texts(bundle, framework).values())
        manifests = ksconfig.loads("\ufeff" + joined(bundle).replace("\n", "\r\n"))

        set_image(manifests, bundle, framework)

        assert manifests.to_bytes() == ("\ufeff" + expected.replace("\n", "\r\n")).encode("utf-8")


class TestOneRuntime:
    """By its name, whatever it serves."""

    @EVERY_RUNTIME
    def test_changes_alone(self, bundle: Bundle, runtime: str) -> None:
        text = bundle.text("runtimes")
        manifests = ksconfig.loads(text, kserve_version=bundle.config.version)

        manifests.set_image(f"runtime/{runtime}", image_for("server"))

        assert manifests.text == runtime_walker.with_runtime(text, runtime, bundle.minor, image_for("server"))


class TestRelease:
    """Told from the three manifests together."""

    @pytest.mark.parametrize("bundle", BUNDLES, ids=str)
    def test_is_the_one_they_are_of(self, bundle: Bundle) -> None:
        release = ksconfig.loads(joined(bundle)).plan_set_image({"storageInitializer": ":v9"}).release
        assert (0, bundle.minor) in release.candidates
        assert release.likely_rules == (rules_of(Release(0, bundle.minor)),)

    @EVERY_BUNDLE
    def test_is_not_contradicted_by_runtimes_alone(self, bundle: Bundle) -> None:
        release = ksconfig.loads(bundle.text("runtimes")).plan_set_image({"paddle": image_for("paddle")}).release
        assert (0, bundle.minor) in release.candidates
        assert release.likely in (None, (0, bundle.minor))


class TestWholeManifest:
    """The whole of 0.16, definitions and all, followed by its runtimes: one image among three megabytes."""

    PRESENT = "tensorflow/serving:2.6.2"

    @pytest.fixture
    def texts(self) -> dict[str, str]:
        """The whole manifest, and the runtimes."""
        whole = next((one for one in walker.releases() if one.minor == 16), None)
        bundle = next((one for one in BUNDLES if one.minor == 16), None)
        if whole is None or bundle is None:
            pytest.skip("the whole manifest of 0.16 or its runtimes are not on this machine")
        return {"kserve": walker.text_of(whole), "runtimes": bundle.text("runtimes")}

    def test_in_one_file(self, texts: dict[str, str], tmp_path: Path) -> None:
        text = "---\n".join(texts.values())
        assert text.count(self.PRESENT) == 1
        path = tmp_path / "kserve.yaml"
        path.write_bytes(text.encode("utf-8"))
        manifests = ksconfig.load(path)

        manifests.set_image("tensorflow", image_for("tensorflow"))
        manifests.save()

        assert path.read_bytes().decode("utf-8") == text.replace(self.PRESENT, image_for("tensorflow"))

    def test_in_a_directory(self, texts: dict[str, str], tmp_path: Path) -> None:
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_bytes(text.encode("utf-8"))
        manifests = ksconfig.load(tmp_path)

        manifests.set_image("tensorflow", image_for("tensorflow"))

        assert manifests.save() == (tmp_path / "runtimes.yaml",)
        assert {path.stem: path.read_bytes().decode("utf-8") for path in tmp_path.iterdir()} == {
            name: text.replace(self.PRESENT, image_for("tensorflow")) for name, text in texts.items()
        }
