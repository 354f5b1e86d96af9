"""The story of examples/is_my_new_prompt_better, from two prompts to the answer: every command is run."""

import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmvitals import semconv
from llmvitals.judge import Rubric
from llmvitals_collector import rates
from llmvitals_collector.__main__ import main
from llmvitals_collector.demo import desk, grading, readers
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.children import Child, loopback_port, read
from llmvitals_collector.demo.provider import Provider

EXAMPLE = Path(__file__).parents[2] / "examples" / "is_my_new_prompt_better"
QUESTIONS = 130


def model():
    """Answers as the demo's model does by its two prompts, and judges as its judge does; at once."""
    judge, chance = grading.Judge(seed=1), random.Random(1)

    def behave(request):
        if "response_format" in request:
            return Behaviour(text=judge(request), output_tokens=1)
        text = json.dumps(request)
        prompt = desk.PROMPTS["4" if "friendly sentences" in text else "3"]
        return Behaviour(text=desk.support_answer(desk.topic_of(text), chance, prompt), output_tokens=1)

    return behave


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trial")


@pytest.fixture(scope="module")
def environment():
    ports = {f"{name}_PORT": str(loopback_port(0, "")) for name in ("OTLP_GRPC", "OTLP_HTTP", "METRICS")}
    with Provider(model()) as provider:
        yield {
            **os.environ,
            **ports,
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "OPENAI_API_KEY": "any",
            "NO_PROXY": "127.0.0.1",
            "OTEL_SERVICE_NAME": "support-desk",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{ports['OTLP_HTTP_PORT']}",
        }


@pytest.fixture(scope="module")
def collector(folder, environment):
    """The example's collector, once the app has asked its questions and the judge has judged the answers."""
    command = [sys.executable, "-m", "llmvitals_collector", "collect", "--config", str(EXAMPLE / "collector.yml")]
    url = f"http://127.0.0.1:{environment['METRICS_PORT']}"
    previous = Path.cwd()
    os.chdir(folder)  # where the example has its folders
    try:
        child = Child("The collector", command, url, environment)
    finally:
        os.chdir(previous)
    with child:
        child.wait_until_ready("/healthz")
        app = [sys.executable, str(EXAMPLE / "app.py")]
        asked = "".join(f"{desk.TOPICS[n // 2 % len(desk.TOPICS)].question}\n" for n in range(QUESTIONS))
        subprocess.run(app, input=asked, env=environment, check=True, text=True, stdout=subprocess.DEVNULL, timeout=120)
        until(child, semconv.QUALITY_JUDGED, 2 * QUESTIONS)
        yield child


def until(collector, family, count):
    """Wait until a counter has come to so much."""
    deadline = time.monotonic() + 60
    while True:
        samples = rates.samples(read(metrics(collector)))
        counted = sum(sample.value for sample in rates.chosen(samples, family.name, {}))
        if counted >= count:
            return
        assert time.monotonic() < deadline, f"{family.name} is {counted} of {count}: {collector.output()}"
        collector.check()
        time.sleep(0.25)


def metrics(collector):
    return f"{collector.url}/metrics"


def compare(first, second, *urls):
    command = [
        sys.executable,
        "-m",
        "llmvitals_collector",
        "compare",
        "support-answer",
        first,
        second,
        "--metrics",
        *urls,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_before_people_have_graded_anything_the_answer_says_that_the_judge_is_uncalibrated(collector):
    printed = compare("3", "4", metrics(collector)).stdout
    assert printed.count("by the judge alone, uncalibrated until people grade 50 answers of each version") == 2


def test_when_people_have_graded_a_sample_the_answer_is_corrected_by_it(collector, folder, environment):
    sheet, review = folder / "ada.jsonl", str(folder / "review")
    rubric = ["--rubrics", "helpfulness", "--number", "120", "--tail", "0", "--grader", "Ada"]
    assert main(["review", "export", "--from", review, *rubric, "--out", str(sheet)]) == 0
    readers.fill(sheet, 0.0, random.Random(1))
    otlp = environment["OTEL_EXPORTER_OTLP_ENDPOINT"]
    assert main(["review", "import", str(sheet), "--collector", otlp, "--from", review]) == 0
    until(collector, semconv.QUALITY_PAIRS, 120)

    printed = compare("3", "4", metrics(collector)).stdout
    assert "helpfulness, corrected\n" in printed
    worse = re.search(r"version 4 is worse in helpfulness by (0\.\d\d) \((0\.\d\d) to 0\.\d\d\)\.", printed)
    assert float(worse[1]) > float(worse[2]) > 0
    assert "completeness, judge\n" in printed


def test_a_version_that_nobody_has_asked_is_one_sentence(collector):
    answer = compare("3", "5", metrics(collector))
    assert answer.returncode == 1
    assert answer.stderr.endswith("no answer of the version '5' has been looked at; there are: 3, 4\n")


def test_the_counters_of_several_collectors_add_up(collector):
    printed = compare("3", "4", metrics(collector), metrics(collector)).stdout
    assert f"n = {QUESTIONS}\n" in printed, "twice the half that each version has"


def test_a_collector_that_is_away_is_one_sentence():
    url = f"http://127.0.0.1:{loopback_port(0, '')}/metrics"
    answer = compare("3", "4", url)
    assert answer.returncode == 1
    assert answer.stderr == f"llmvitals: {url} cannot be read: [Errno 111] Connection refused\n"


@pytest.mark.parametrize("url", ["localhost:9464", "metrics", "ftp:/"])
def test_what_is_no_address_is_one_sentence(url):
    answer = compare("3", "4", url)
    assert answer.returncode == 1
    assert re.fullmatch(r"llmvitals: .*(is no address of a collector's metrics|cannot be read).*\n", answer.stderr)


def test_the_readme_shows_the_rubric_that_is_shipped():
    assert f"(rubric {Rubric.shipped('helpfulness').hash})" in (EXAMPLE / "README.md").read_text()
