"""An endpoint is asked in the strictest form that it takes, which is remembered."""

import json

from llmvitals import semconv

GRADES = json.dumps({"answers": {"answers": "yes", "steps": "yes"}, "explanation": "Fine."})


def form(request):
    return "schema" if "response_format" in request else "tool" if "tools" in request else "text"


def taking(reply, *forms, limit="max_completion_tokens"):
    """An endpoint that takes these forms, and refuses others and what it calls the limit of tokens else."""

    def answer(request):
        if limit not in request:
            name = next(key for key in request if key.startswith("max_"))
            return reply({"error": {"message": f"Unsupported parameter: {name}"}}, status=400)
        if form(request) not in forms:
            return reply({"error": {"message": "This response_format type is unavailable now"}}, status=400)
        if form(request) == "tool":
            name = request["tool_choice"]["function"]["name"]
            call = {"id": "1", "type": "function", "function": {"name": name, "arguments": GRADES}}
            return reply.completion(tool_calls=[call], finish_reason="tool_calls")
        return reply.completion(GRADES)

    return answer


def test_the_schema_is_strict_and_has_an_enum_for_each_question_and_the_explanation_last(by, judge, endpoint):
    by.score(judge(), "q", None, "a")
    asked = endpoint.requests[0]["response_format"]["json_schema"]
    assert asked["strict"] is True
    assert list(asked["schema"]["properties"]) == ["answers", "explanation"]
    questions = asked["schema"]["properties"]["answers"]
    assert {name: sorted(each["enum"]) for name, each in questions["properties"].items()} == {
        "answers": ["no", "partly", "unknown", "yes"],
        "steps": ["no", "unknown", "yes"],
    }
    for node in (asked["schema"], questions):
        assert (node["required"], node["additionalProperties"]) == (list(node["properties"]), False)


def test_an_endpoint_that_refuses_the_schema_is_asked_for_a_tool_call(by, judge, endpoint, reply):
    endpoint.answers(taking(reply, "tool", "text"))
    result = by.score(judge(), "q", None, "a")
    assert (result.verdict, result.attempts, result.retries) == (semconv.PASS, 2, 0)
    assert result.raw == GRADES


def test_an_endpoint_that_refuses_tools_too_is_asked_in_words(by, judge, endpoint, reply):
    endpoint.answers(taking(reply, "text"))
    result = by.score(judge(), "q", None, "a")
    assert (result.verdict, result.attempts) == (semconv.PASS, 3)
    assert '{"answers": {"answers": "one of its options", "steps"' in endpoint.requests[-1]["messages"][0]["content"]


def test_json_in_a_code_fence_is_json(by, judge, endpoint, reply):
    endpoint.answers(reply.completion(f"```json\n{GRADES}\n```"))
    assert by.score(judge(), "q", None, "a").verdict == semconv.PASS


def test_the_form_that_worked_is_the_one_that_is_asked_in_from_then_on(by, judge, endpoint, reply):
    endpoint.answers(taking(reply, "tool"))
    grading = judge()
    assert [by.score(grading, "q", None, "a").attempts for _ in range(3)] == [2, 1, 1]
    assert [form(request) for request in endpoint.requests] == ["schema", "tool", "tool", "tool"]


def test_an_endpoint_that_knows_the_limit_of_tokens_by_its_older_name_is_told_it_by_that(by, judge, endpoint, reply):
    endpoint.answers(taking(reply, "tool", limit="max_tokens"))
    grading = judge(max_output_tokens=300)
    assert [by.score(grading, "q", None, "a").verdict for _ in range(2)] == [semconv.PASS] * 2
    assert endpoint.requests[-1]["max_tokens"] == 300
    assert len(endpoint.requests) == 4


def test_a_request_that_is_refused_in_every_form_has_failed_and_none_is_remembered(by, judge, endpoint, reply):
    endpoint.answers(taking(reply))
    grading = judge()
    result = by.score(grading, "q", None, "a")
    assert (result.outcome, result.error, result.attempts) == (semconv.JUDGE_FAILED, semconv.BAD_REQUEST, 3)
    endpoint.answers(taking(reply, "schema"))
    assert by.score(grading, "q", None, "a").attempts == 1


def test_a_prompt_that_a_content_filter_refuses_is_not_asked_in_other_forms(by, judge, endpoint, reply):
    endpoint.answers(reply({"error": {"message": "filtered", "code": "content_filter"}}, status=400))
    result = by.score(judge(), "q", None, "a")
    assert (result.outcome, result.error, result.attempts) == (semconv.JUDGE_FAILED, semconv.CONTENT_FILTER, 1)


def test_further_parameters_are_those_of_each_request(by, judge, endpoint):
    by.score(judge(parameters={"temperature": 0, "extra_body": {"top_k": 1}}), "q", None, "a")
    request = endpoint.requests[0]
    assert (request["model"], request["temperature"], request["top_k"]) == ("m", 0, 1)
