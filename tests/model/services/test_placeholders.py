"""Placeholders in the image of a runtime: the container is a template of Go over the metadata of the service."""

from __future__ import annotations

import pytest

from ksconfig.model.services.placeholders import fill_in
from tests.model.services.builders import WITH_RUNTIMES, image_of, model, predictor_of, runtime, service, world

ONE = service(
    metadata={
        "labels": {"tag": "1.0", "_x": "y"},
        "annotations": {"odd": "<a&'b\">", "plus": "1.0+b"},
    }
)


@pytest.mark.parametrize(
    ("image", "filled"),
    [
        ("r/x:1", "r/x:1"),
        ("r/{{.Name}}:1", "r/m:1"),
        ("r/{{.Namespace}}/{{.Name}}:1", "r/team/m:1"),
        ("r/x:{{ .Labels.tag }}", "r/x:1.0"),
        ("r/x:{{- .Labels.tag -}}", "r/x:1.0"),
        ("r/x:{{.Labels._x}}", "r/x:y"),
        ("r/x:{{.Labels.missing}}", "r/x:"),
        ("r/x:{{.Annotations.missing}}", "r/x:"),
        ("r/x:{{.Annotations.odd}}", "r/x:&lt;a&amp;&#39;b&#34;&gt;"),
        ("r/x:{{.Annotations.plus}}", "r/x:1.0&#43;b"),
        ("r/x:}}", "r/x:}}"),
    ],
)
def test_placeholders_are_filled_in_and_escaped_as_html(image: str, filled: str) -> None:
    assert fill_in(image, ONE) == filled


@pytest.mark.parametrize(
    "image",
    [
        "r/x:{{.Other}}",
        "r/x:{{.Labels}}",
        'r/x:{{index .Labels "tag"}}',
        "r/x:{{.Labels.a-b}}",
        "r/x:{{.Labels.1x}}",
        "r/x:{{-.Name}}",
        "r/x:{{if .Name}}1{{end}}",
        "r/x:{{.Name",
        "r/x:{{.Name}}{{",
        "r/x:{{Name}}",
    ],
)
def test_placeholders_are_left_open_where_go_alone_could_tell(image: str) -> None:
    assert fill_in(image, ONE) is None


@pytest.mark.parametrize("minor", WITH_RUNTIMES)
def test_placeholders_come_before_the_version(minor: int) -> None:
    one = service(model(runtimeVersion="2"), metadata={"labels": {"tag": "1"}})
    assert image_of(one, world(minor, {}, runtime("mine", image="r/{{.Name}}:{{.Labels.tag}}"))) == "r/m:2"


@pytest.mark.parametrize("minor", WITH_RUNTIMES)
def test_placeholders_may_be_the_services_own(minor: int) -> None:
    one = service(model(image="me/{{.Name}}:1"))
    assert image_of(one, world(minor, {}, runtime("mine"))) == "me/m:1"


@pytest.mark.parametrize("minor", WITH_RUNTIMES)
def test_placeholders_that_are_left_open_leave_no_image_and_no_problem(minor: int) -> None:
    found = predictor_of(service(model()), world(minor, {}, runtime("mine", image="r/{{.UID}}:1")))
    assert (found.images, found.problem) == ((), "")
    assert found.reasons[-1] == "a template that is not filled in here"
