"""What each kind of fault does to a request."""

from __future__ import annotations

import json

import pytest

from chaos.faults import Spoiler, refusal
from chaos.plan import KINDS, Fault
from chaos.proxy import Answer, Request

CONFIG = "/api/v1/namespaces/kserve/configmaps/inferenceservice-config"
BODY = b'{"kind": "ConfigMap", "number": %d}'


class Server:
    """A server whose object changes with each request."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> Answer:
        self.asked += 1
        return Answer(200, (), BODY % self.asked)


class Client:
    """Sends requests through a spoiler."""

    def __init__(self, *faults: Fault) -> None:
        self.server = Server()
        self.slept: list[float] = []
        self.spoiler = Spoiler(self.slept.append)
        self.spoiler.expect(faults)
        self.sent = 0

    def __call__(self, method: str = "GET", path: str = CONFIG) -> Answer | None:
        answer = self.spoiler(Request(self.sent, method, path), self.server)
        self.sent += 1
        return answer


@pytest.mark.parametrize("kind", ["409", "422", "429", "500", "503"])
@pytest.mark.parametrize("acted", [False, True])
def test_an_error_comes_before_or_after_the_server_has_acted(kind: str, acted: bool) -> None:
    client = Client(Fault(kind, "writes", 0, acted))
    answer = client("PATCH")
    assert answer is not None
    assert (answer.status, json.loads(answer.body)["code"]) == (int(kind), int(kind))
    assert client.server.asked == acted
    assert [str(hit.request) for hit in client.spoiler.hits] == [f"0 PATCH {CONFIG}"]


def test_429_says_when_to_come_again() -> None:
    assert dict(refusal(429).headers)["Retry-After"] == "1"
    assert "Retry-After" not in dict(refusal(503).headers)


@pytest.mark.parametrize(("kind", "asked"), [("reset before", 0), ("reset after", 1)])
def test_a_reset_comes_before_or_after_the_server_has_acted(kind: str, asked: int) -> None:
    client = Client(Fault(kind, "all", 0))
    assert client("PATCH") is None
    assert client.server.asked == asked


def test_a_truncated_body_is_shorter_than_promised_and_a_garbled_one_is_no_json() -> None:
    client = Client(Fault("truncated", "all", 0), Fault("garbled", "all", 0))
    truncated, garbled = client(), client()
    assert truncated is not None
    assert garbled is not None
    assert truncated.promised == len(BODY) - 1 > len(truncated.body)
    assert garbled.promised is None
    with pytest.raises(json.JSONDecodeError):
        json.loads(garbled.body)


def test_silence_and_delay_take_their_time_and_spoil_nothing() -> None:
    client = Client(Fault("silence", "all", 0, seconds=2.0), Fault("delayed", "all", 0, seconds=1.5))
    assert client() == Answer(200, (), BODY % 1)
    assert client.slept == [2.0]
    assert client() == Answer(200, (), BODY % 2, pause=1.5)


def test_a_stale_read_waits_for_a_path_that_has_been_read_and_gives_what_was_there_first() -> None:
    client = Client()
    client()
    client()
    client.spoiler.expect([Fault("stale", "reads", 0)])
    assert client(path="/other") == Answer(200, (), BODY % 3)
    assert client("PATCH") == Answer(200, (), BODY % 4)
    assert client() == Answer(200, (), BODY % 1)
    assert client() == Answer(200, (), BODY % 6)
    assert len(client.spoiler.hits) == 1


def test_a_fault_happens_once_at_its_request_or_the_first_that_fits_after_it() -> None:
    client = Client(Fault("409", "writes", 1), Fault("422", "writes", 0))
    statuses = []
    for method in ("GET", "DELETE", "GET", "PATCH", "PATCH", "PATCH"):
        answer = client(method)
        statuses.append(answer.status if answer else 0)
    assert statuses == [200, 200, 200, 409, 422, 200]


def test_dry_runs_and_questions_about_rights_are_no_writes() -> None:
    review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    dry = "/apis/serving.kserve.io/v1beta1/namespaces/kserve/inferenceservices?dryRun=All&fieldManager=ksconfig"
    assert not Request(0, "POST", review).writes
    assert not Request(0, "POST", dry).writes
    assert Request(0, "POST", "/api/v1/namespaces/kserve/configmaps?fieldManager=ksconfig").writes


def test_every_kind_can_happen() -> None:
    for kind in KINDS:
        client = Client()
        client()
        client.spoiler.expect([Fault(kind, KINDS[kind], 0)])
        client("PATCH" if KINDS[kind] == "writes" else "GET")
        assert [hit.fault.kind for hit in client.spoiler.hits] == [kind]
