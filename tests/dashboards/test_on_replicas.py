"""Every recorded series and every query of a board says the same of three collectors that share the traffic as of one.

The demo's traffic is recorded, and given to one collector, and to replicas, each trace to one of them; the third comes
when half is over. What they expose then stands for twelve hours, in which promtool evaluates the rules. An hour is a
minute there, and all series grow evenly, so that no rounding is left but that of floats.
"""

import json
import math
import re
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import yaml
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from demo_prometheus import demo, faster
from llmvitals import semconv
from llmvitals_collector import assets, config
from llmvitals_collector.decode import Encoding
from llmvitals_collector.expose import Format
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.receivers import Signal
from queries import queries

pytestmark = pytest.mark.servers

REPLICAS = 3
REQUESTS_RECORDED, PATIENCE = 420, 300  # seconds; the demo takes about 40, on a busy machine several times that
TIMES = 60
SCRAPE = 10  # seconds: ten minutes
PHASES, PHASE = 6, 120  # in each phase of so many seconds, two hours, a sixth of the traffic comes
THIRD_COMES = 3  # the phase in which the last replica has its first traces
LEVELS = {
    "/v1/traces": ("resource_spans", "scope_spans", "spans"),
    "/v1/logs": ("resource_logs", "scope_logs", "log_records"),
}
REQUESTS = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest}
SIGNALS = {"/v1/traces": Signal.TRACES, "/v1/logs": Signal.LOGS}
RULES = sorted(assets.prometheus_rules().glob("*.*.yml"))
GROUPS = [group for file in RULES for group in yaml.safe_load(file.read_text())["groups"]]
RECORDED = sorted({rule["record"] for group in GROUPS for rule in group["rules"] if "record" in rule})
GAUGES = {family.name for family in semconv.FAMILIES if family.kind == "gauge"}
# What is each collector's own: told of each by itself, or of their processes, or the number of them.
OWN = re.compile(
    r"by \([^)]*\binstance\b|\bup\b|scrape_|process_|cpu_seconds|lag_seconds|build_info|config_info|label_(sets|values)"
)
# Asked is just beyond a percentile: if 19 of 20 calls are in one bucket, rounding decides in which the 95th one ends.
PERCENTILE, BEYOND = re.compile(r"(?<=histogram_quantile\()(0\.\d+)"), r"\g<1>0314159"
BOARDS = {
    faster(PERCENTILE.sub(BEYOND, query.expression), TIMES, 2 * SCRAPE): query
    for query in queries({"__rate_interval": "5m", "__interval": "5m", "__range": "6h", "__range_s": "360"})
    if not OWN.search(query.expression)
}
# What no board and no rule asks: with replicas it says something else, and so shows that a difference is found.
WRONG = "max by (template) (increase(llm_calls_total[360s]))"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The requests that the demo's collector took, by path, and its configuration."""
    folder, requests, enough = tmp_path_factory.mktemp("recorded"), [], threading.Event()

    def keep(path, body):
        requests.append((path, body))
        if len(requests) == REQUESTS_RECORDED:
            enough.set()

    with demo(folder, rate=20, forwarded=keep):
        assert enough.wait(PATIENCE), f"{len(requests)} requests of {REQUESTS_RECORDED}"
    return requests, folder / "collector.yaml"


def part(path, body, replica, replicas):
    """What a replica gets of a request: of every trace all, or nothing."""
    resources, scopes, records = LEVELS[path]
    request = REQUESTS[path].FromString(body)
    for resource in getattr(request, resources):
        for scope in getattr(resource, scopes):
            told = getattr(scope, records)
            kept = [each for each in told if sum(each.trace_id) % replicas == replica]
            del told[:]
            told.extend(kept)
    return request.SerializeToString()


def exposed(collector):
    """Each series, as it is written, with its value."""
    lines = b"".join(collector.render(Format.TEXT)).decode().splitlines()
    return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


@pytest.fixture(scope="module")
def told(recorded):
    """What one collector exposes at the end of each phase, and what each of the replicas."""
    requests, file = recorded
    settings = msgspec.structs.replace(config.load(file), forward={}, push={})
    alone, *replicas = collectors = [Pipeline(settings) for _ in range(1 + REPLICAS)]
    at_ends = [[] for _ in collectors]
    of_phase = REQUESTS_RECORDED // PHASES
    for phase in range(PHASES):
        there = replicas if phase >= THIRD_COMES else replicas[:-1]
        for path, body in requests[phase * of_phase : (phase + 1) * of_phase]:
            parts = [part(path, body, replica, len(there)) for replica in range(len(there))]
            for collector, taken in zip([alone, *there], [body, *parts], strict=True):
                collector.intake.take(semconv.RECEIVER_HTTP, SIGNALS[path], taken, Encoding.PROTOBUF)
        for collector, at_end in zip(collectors, at_ends, strict=True):
            at_end.append(exposed(collector) if collector is alone or collector in there else {})
    return at_ends[:1], at_ends[1:]


def input_series(collectors):
    """The series of some collectors as promtool takes them, from what each exposed at the end of each phase."""
    for number, at_ends in enumerate(collectors):
        for series, last in at_ends[-1].items():
            name, _, labels = series.rstrip("}").partition("{")
            target = f'instance="collector-{number}:9464",job="{semconv.COLLECTOR_JOB}"'
            ends = [at_end.get(series) for at_end in at_ends]
            starts = ends if name in GAUGES else [0.0, *(end or 0.0 for end in ends[:-1])]
            # A multiple of a power of two is added up without an error, or what is above where the next phase begins
            # would be a reset.
            quantum = 2.0 ** (math.frexp(last)[1] - 48)
            phases = [written(start, end, quantum) for start, end in zip(starts, ends, strict=True)]
            yield {"series": f"{name}{{{labels}{labels and ','}{target}}}", "values": " ".join([*phases, f"{last!r}"])}


def written(start, end, quantum):
    """The samples of a phase, in which a series grows evenly, or is not there yet."""
    count = PHASE // SCRAPE
    if end is None:
        return f"_x{count}"
    start, step = (math.floor(each / quantum) * quantum for each in (start, (end - start) / count))
    return f"{start!r}+{step!r}x{count - 1}"


def evaluated(promtool, folder, collectors):
    """What each expression gives at the end: values by labels."""
    for file in RULES:
        text = faster(file.read_text(), TIMES, 2 * SCRAPE)
        (folder / file.name).write_text(re.sub(r"(?m)^ +interval: .*\n", "", text))
    asked = [
        {"expr": expression, "eval_time": f"{PHASES * PHASE}s", "exp_samples": []}
        for expression in (*RECORDED, *BOARDS, WRONG)
    ]
    series = list(input_series(collectors))
    files = {
        "rule_files": [file.name for file in RULES],
        "evaluation_interval": "1m",
        "group_eval_order": [group["name"] for group in GROUPS],  # the same in every run
        "tests": [{"interval": f"{SCRAPE}s", "input_series": series, "promql_expr_test": asked}],
    }
    (folder / "test.yml").write_text(json.dumps(files))
    done = subprocess.run([promtool, "test", "rules", folder / "test.yml"], capture_output=True, text=True, check=False)
    # Whatever is not empty is told as a failure, with its values.
    found = re.findall(r"^    expr: (\".*\"), time: .*,\n +exp: nil\n +got: (.*)$", done.stderr, re.MULTILINE)
    assert found, done.stderr
    return {json.loads(expression): samples(got) for expression, got in found}


def samples(got):
    found = re.findall(r"\{((?:\w+=\"(?:[^\"\\]|\\.)*\"(?:, )?)*)\} ([-+.\dENaInf]+)", got)
    return {labels: float(value) for labels, value in found}


@pytest.fixture(scope="module")
def answers(program, told, tmp_path_factory):
    """What each expression gives of one collector, and what it gives of the replicas; nothing is not in it."""
    promtool = program("promtool")
    with ThreadPoolExecutor() as pool:
        folders = [tmp_path_factory.mktemp(name) for name in ("one", "three")]
        one, three = pool.map(lambda folder, collectors: evaluated(promtool, folder, collectors), folders, told)
    return {
        expression: (one.get(expression, {}), three.get(expression, {})) for expression in (*RECORDED, *BOARDS, WRONG)
    }


def differences(of_one, of_three):
    """By labels, what differs; of verdicts that nobody has given yet some have a 0, by what came in one batch."""
    both = {labels: (of_one.get(labels, 0.0), of_three.get(labels, 0.0)) for labels in of_one.keys() | of_three.keys()}
    return {
        labels: (one, three)
        for labels, (one, three) in both.items()
        if not math.isclose(one, three, rel_tol=1e-9, abs_tol=1e-9) and not (math.isnan(one) and math.isnan(three))
    }


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_series_is_that_of_all_collectors_together(answers, name):
    assert differences(*answers[name]) == {}


def test_nothing_on_the_boards_depends_on_the_number_of_collectors(answers):
    different = {
        (query.board, query.place, expression): found
        for expression, query in BOARDS.items()
        if not query.place.startswith("variable ") and (found := differences(*answers[expression]))
    }
    assert different == {}


def test_the_boards_offer_the_same_choices(answers):
    for expression in (expression for expression, query in BOARDS.items() if query.place.startswith("variable ")):
        of_one, of_three = answers[expression]
        assert of_one.keys() == of_three.keys()


def test_most_of_it_has_data_and_a_question_that_depends_on_it_is_found(answers):
    with_data = [expression for expression, (of_one, _) in answers.items() if of_one]
    assert len(with_data) > 0.75 * len(answers)
    assert differences(*answers[WRONG])
