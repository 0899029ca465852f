"""Go templates: what their parser refuses, as far as can be told without it."""

from __future__ import annotations

import pytest

from ksconfig.model.go_templates import go_template_fault

FIELDS = ("Name", "Namespace", "IngressDomain", "Labels", "Annotations")


@pytest.mark.parametrize(
    "text",
    [
        "plain", "{{ .Name }}-{{.Namespace}}.{{ .IngressDomain }}", "{{- .Name -}}", "a }} b", "{{/* .Foo */}}x",
        "{{- /* see .Foo */ -}}", '{{ print .Name ".models." .IngressDomain }}', '{{ print "}}" }}', "{{ `{{` }}",
        "{{ if .Labels.team }}{{ .Labels.team }}{{ else }}x{{ end }}", "{{ with .Labels }}{{ .team }}{{ end }}",
        '{{ define "x" }}a{{ end }}', "{{ range $i, $x := .Labels }}{{ break }}{{ end }}", "{{ len .Name | printf }}",
        "{{ (index .Labels .Name) }}", '{"a":{"b":"{{.Name}}"}}',
    ],
)  # fmt: skip
def test_sound_templates(text: str) -> None:
    assert go_template_fault(text, FIELDS) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{{ .Name", "opens {{"), ("{{ .Name }.x", "opens {{"), ("{{ .Name }.{{ .Namespace }}", "opens {{"),
        ("{{ }}", "empty action"), ("{{ foo }}", "calls foo"), ("{{ .Name | lower }}", "calls lower"),
        ("{{ .Nam }}", "takes .Nam"), ("{{ if .Name }}x", "without its {{ end }}"), ("x{{ end }}", "end }} of nothing"),
        ("{{ end }}{{ if .Name }}", "end }} of nothing"), ("{{ .Labels.team-a }}", "dash"),
        ("{{ with .Labels }}{{ .a }}{{ end }}{{ .Foo }}", "takes .Foo"),
    ],
)  # fmt: skip
def test_broken_templates(text: str, fault: str) -> None:
    found = go_template_fault(text, FIELDS)
    assert found is not None
    assert fault in found


def test_quotes_do_not_survive_where_the_text_is_put_into_json_first() -> None:
    text = '{{ index .Labels "a/b" }}'
    assert go_template_fault(text, FIELDS) is None
    assert "quotes" in str(go_template_fault(text, FIELDS, quoted=True))
