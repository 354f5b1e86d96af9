"""A route says whose requests it takes, what their path tells, and whether the answer is streamed."""

import urllib.request

import pytest

from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider
from llmvitals_collector.demo.route import Route, always, if_asked, unless_declined
from llmvitals_collector.demo.wires import ROUTES, chat, embeddings


@pytest.mark.parametrize(
    ("pattern", "path", "told"),
    [
        ("/v1/messages", "/v1/messages", {}),
        ("/v1/messages", "/v1/messages/batches", None),
        ("/v1/messages", "/beta/v1/messages", None),
        ("/v1.5/chat", "/v125/chat", None),
        ("/model/{model}/converse", "/model/anthropic.claude-v2:0/converse", {"model": "anthropic.claude-v2:0"}),
        (
            "/model/{model}/converse",
            "/model/arn:aws:profile/us.claude/converse",
            {"model": "arn:aws:profile/us.claude"},
        ),
        ("/model/{model}/converse", "/model//converse", None),
        ("/{parent}/models/{model}:say", "/v1/projects/p/models/gemini:say", {"model": "gemini"}),
        ("/{parent}/models/{model}:say", "/v1/projects/p/models/gemini:sing", None),
    ],
)
def test_a_path_tells_the_model_where_the_pattern_names_it(pattern, path, told):
    assert Route(pattern, chat).match(path) == told


@pytest.mark.parametrize(
    ("streams", "streamed"),
    [(if_asked, [False, False, True]), (unless_declined, [True, False, True]), (always, [True, True, True])],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_body_or_the_route_says_whether_the_answer_is_streamed(streams, streamed):
    route = Route("/", chat, streams)
    bodies = [{}, {"stream": False}, {"stream": True}]
    assert [route.streamed(body) is chat for body in bodies] == streamed


def test_a_wire_that_has_no_events_never_streams():
    assert Route("/", embeddings, always).streamed({}) is None


def test_no_route_hides_another():
    for route in ROUTES:
        path = route.pattern.replace("{model}", "m").replace("{parent}", "v1")
        assert next(each for each in ROUTES if each.match(path) is not None) is route


def test_the_behaviour_can_depend_on_the_model_that_the_path_names():
    asked = []

    def behave(request):
        asked.append(request["model"])
        return Behaviour()

    with (
        Provider(behave) as provider,
        urllib.request.urlopen(f"{provider.url}/hf/models/org%2Fllama", b'{"inputs": "Where?"}') as response,
    ):
        assert response.status == 200
    assert asked == ["org/llama"]
