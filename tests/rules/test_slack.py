"""What exactly arrives in Slack, and that names from outside do no harm there."""

import pytest

pytestmark = pytest.mark.servers


def lines(message) -> list[str]:
    return message["text"].splitlines()


def buttons(message) -> dict[str, str]:
    return {button["text"]: button["url"] for button in message["actions"]}


def test_objectives_of_one_model_are_one_message_with_links_and_a_resolved_message_follows(alertmanager, slack):
    fired = [
        alertmanager.fire(
            "LLMSLOBurnRateCritical", {"summary": f"{slo} is bad"}, slo=slo, gen_ai_request_model="org/m1"
        )
        for slo in ("duration", "first_token")
    ]

    message = slack.message("/slack_oncall", "[CRITICAL:2] LLMSLOBurnRateCritical · org/m1")
    assert message["color"] == "danger"
    assert message["title_link"] == "https://grafana.example.com/d/board?var-x=1"
    assert message["fallback"] == "[CRITICAL:2] LLMSLOBurnRateCritical · org/m1: duration is bad"
    assert lines(message)[:2] == ["*duration is bad*", "description of LLMSLOBurnRateCritical"]
    assert lines(message)[3] == "*first_token is bad*"
    assert buttons(message) == {
        "Runbook": "https://git.example.com/llmvitals/prometheus_rules/runbooks/LLMSLOBurnRateCritical.md",
        "Dashboard": "https://grafana.example.com/d/board?var-x=1",
        "Silence": f"{alertmanager.url}/#/silences/new?filter=%7Balertname%3D%22LLMSLOBurnRateCritical%22%2C"
        "gen_ai_request_model%3D%22org%2Fm1%22%2Cseverity%3D%22critical%22%7D",
    }

    alertmanager.resolve(*fired)
    resolved = slack.message("/slack_oncall", "[RESOLVED] LLMSLOBurnRateCritical · org/m1")
    assert resolved["color"] == "good"
    assert lines(resolved)[0].startswith(":white_check_mark: duration is bad (lasted ")
    assert len(lines(resolved)) == 2


def test_an_alert_says_since_when_whose_it_is_and_by_which_query(alertmanager, slack):
    fired = alertmanager.fire("LLMSLOBurnRateWarning", slo="duration", gen_ai_request_model="m2")
    message = slack.message("/slack_llm", "[WARNING] LLMSLOBurnRateWarning · m2")
    since, owner, query = lines(message)[2].split(" · ")
    day, time = fired["startsAt"][:16].split("T")
    assert since.startswith("Since <!date^")
    assert since.endswith(f"^{{date_short_pretty}} {{time}}|{day} {time} UTC>")
    assert owner == fired["labels"]["owner"]
    assert query == "<http://prometheus.example/graph?g0.expr=up&amp;g0.tab=1|query>"


def test_of_many_alerts_two_are_told_in_full_and_eight_in_all(alertmanager, slack):
    fired = [
        alertmanager.fire("LLMScrapeNearTimeout", {"summary": f"late is s{number:02}"}, service_name=f"s{number:02}")
        for number in range(11)
    ]
    message = slack.message("/slack_llm", "[WARNING:11] LLMScrapeNearTimeout")
    assert [line for line in lines(message) if line.startswith("*")] == [
        *("*late is s00*", "*late is s01*"),
        *(line for line in lines(message) if line.startswith("*late is s0") and "* since <!date^" in line),
    ]
    assert message["text"].count("description of") == 2
    assert lines(message)[-1] == "and 3 more"
    assert len(lines(message)) == 2 * 3 + 6 + 1

    alertmanager.resolve(*fired)
    resolved = slack.message("/slack_llm", "[RESOLVED] LLMScrapeNearTimeout")
    assert len(lines(resolved)) == 9
    assert lines(resolved)[-1] == ":white_check_mark: and 3 more"


def test_a_name_from_outside_calls_nobody_and_links_nowhere(alertmanager, slack):
    name = "<!channel> & <https://evil.example|click>"
    annotations = {"summary": f"{name} fell", "description": f"of {name}"}
    alertmanager.fire("LLMQualityErosion", annotations, template=name, service_name="shop")
    told = "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"
    message = slack.message("/slack_quality", f"[WARNING] LLMQualityErosion · {told} · shop")
    assert lines(message)[:2] == [f"*{told} fell*", f"of {told}"]
    assert message["fallback"].endswith(f"{told} fell")


def test_a_silence_is_of_the_group_whatever_its_names_are_made_of(alertmanager, slack):
    alertmanager.fire("LLMQualityErosion", template='a "b"/c+d, é', service_name="shop")
    message = slack.message("/slack_quality", '[WARNING] LLMQualityErosion · a "b"/c+d, é · shop')
    assert buttons(message)["Silence"] == (
        f"{alertmanager.url}/#/silences/new?filter=%7Balertname%3D%22LLMQualityErosion%22%2Cservice_name%3D%22shop%22"
        "%2Cseverity%3D%22warning%22%2Ctemplate%3D%22a%20%5C%22b%5C%22%2Fc%2Bd%2C%20%C3%A9%22%7D"
    )


def test_what_is_only_for_information_is_neither_red_nor_yellow(alertmanager, slack):
    alertmanager.fire("LLMUnpricedCalls", service_name="shop")
    message = slack.message("/slack_llm", "[INFO] LLMUnpricedCalls · shop")
    assert message["color"] not in ("danger", "warning", "good")
