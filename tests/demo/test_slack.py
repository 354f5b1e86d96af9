"""A Slack webhook on this host: what comes to it is shown as it reads in Slack."""

import json
import threading
import urllib.error
import urllib.request

import pytest
from rich.console import Console

from llmvitals_collector.demo import slack
from llmvitals_collector.demo.children import DemoError

BODY = {
    "attachments": [
        {
            "title": "[CRITICAL] LLMSLOBurnRateCritical · a &amp; b",
            "text": "*90% of calls are bad*\n:white_check_mark: n &lt; 5, 3 * 4 * 5\n"
            "Since <!date^1700000000^{date_short_pretty} {time}|2023-11-14 22:13 UTC> · "
            "<http://127.0.0.1:9090/graph?a=1&amp;b=2|query>\n",
            "color": "danger",
            "actions": [
                {"type": "button", "text": "Runbook", "url": "http://127.0.0.1:9464/runbooks/A.md"},
                {"type": "button", "text": "Dashboard", "url": "http://127.0.0.1:9464/?var-model=a%20%26%20b"},
            ],
        }
    ]
}


@pytest.fixture
def posted():
    """`posted(body)` is the status of posting it to the channel "oncall", and the messages that have come."""
    messages, come = [], threading.Event()

    def say(message):
        messages.append(message)
        come.set()

    with slack.Webhook(say) as webhook:

        def post(body: bytes):
            request = urllib.request.Request(webhook.address("oncall"), body)
            try:
                with urllib.request.urlopen(request, timeout=10) as response:
                    return response.status, messages
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, messages

        yield post


def shown(message, **of_console) -> str:
    console = Console(width=60, **of_console)
    with console.capture() as captured:
        console.print(message.rendered(), soft_wrap=True)
    return captured.get()


def test_a_message_is_read_and_acknowledged(posted):
    status, [message] = posted(json.dumps(BODY).encode())
    assert status == 200
    assert (message.channel, message.color) == ("oncall", "danger")
    assert list(message.links) == ["Runbook", "Dashboard"]


@pytest.mark.parametrize("body", [b"{}", b"no JSON", b'{"attachments": []}', b'{"attachments": [{}]}', b"[]"])
def test_what_is_no_message_is_refused_as_slack_does(posted, body):
    assert posted(body) == (400, [])


def test_it_reads_as_in_slack_with_every_link_in_full(posted):
    _, [message] = posted(json.dumps(BODY).encode())
    assert shown(message) == (
        "Slack, #oncall\n"
        "[CRITICAL] LLMSLOBurnRateCritical · a & b\n"
        "90% of calls are bad\n"
        "✅ n < 5, 3 * 4 * 5\n"
        "Since 2023-11-14 22:13 UTC · query\n"
        "Runbook: http://127.0.0.1:9464/runbooks/A.md\n"
        "Dashboard: http://127.0.0.1:9464/?var-model=a%20%26%20b\n\n"
    )


def test_a_terminal_can_open_links_in_the_text(posted):
    _, [message] = posted(json.dumps(BODY).encode())
    assert "http://127.0.0.1:9090/graph?a=1&b=2\x1b\\" in shown(message, force_terminal=True)


def test_the_address_of_a_real_webhook_is_in_a_file(tmp_path):
    (tmp_path / "webhook").write_text("https://hooks.slack.example/services/T/B/X\n")
    assert slack.address(tmp_path / "webhook") == "https://hooks.slack.example/services/T/B/X"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read (No such file or directory); it is to hold the address of a webhook"),
        ("T/B/X", "does not hold an address that begins with https://, such as Slack gives for a webhook"),
    ],
)
def test_a_file_without_an_address_is_a_sentence(tmp_path, content, sentence):
    if content:
        (tmp_path / "webhook").write_text(content)
    with pytest.raises(DemoError) as raised:
        slack.address(tmp_path / "webhook")
    assert str(raised.value) == f"{tmp_path / 'webhook'} {sentence}"
