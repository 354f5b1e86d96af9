"""With workers a collector is what it is without: one address, one /metrics, each call counted once."""

import json
import os
import signal
import threading
import urllib.request
from pathlib import Path

import grpc
import pytest
from msgspec.structs import replace

from llmvitals import semconv
from llmvitals_collector.config import ConfigError, HttpReceiver, Tls
from llmvitals_collector.lifecycle import PortError, WorkerError
from llmvitals_collector.pipeline import Pipeline
from llmvitals_collector.storage import StorageError
from llmvitals_collector.workers import account, messages
from llmvitals_collector.workers.process import WorkerProcess


def test_a_retry_that_comes_to_another_worker_counts_once(collector, post, spans):
    before = collector.told(semconv.CALLS)
    body = spans({}, {}).SerializeToString()
    with collector.of_each_worker() as connections:
        assert [post(each, body) for each in connections * 2] == [200] * 4
    assert collector.told(semconv.CALLS) == before + 2


def test_a_wrapper_and_its_call_that_come_to_different_workers_count_once(collector, post, spans):
    before = collector.told(semconv.CALLS)
    wrapper, call = spans({}), spans({})
    (outer,), (inner,) = (each.resource_spans[0].scope_spans[0].spans for each in (wrapper, call))
    inner.trace_id, inner.parent_span_id = outer.trace_id, outer.span_id
    with collector.of_each_worker() as (one, other):
        assert post(one, call.SerializeToString()) == 200
        assert post(other, wrapper.SerializeToString()) == 200
    assert collector.told(semconv.CALLS) == before + 1


def test_what_workers_tell_of_themselves_adds_up_to_what_was_sent(collector, post, spans):
    families = {
        semconv.OTELCOL_ACCEPTED_SPANS: {"transport": "http"},
        semconv.COLLECTOR_RECEIVED_SPANS: {"service_name": "adding up"},
        semconv.COLLECTOR_IGNORED_SPANS: {"reason": semconv.NOT_A_CALL},
        semconv.COLLECTOR_REFUSED_REQUESTS: {"receiver": "http", "reason": semconv.MALFORMED},
    }
    before = [collector.told(family, **labels) for family, labels in families.items()]
    with collector.of_each_worker() as connections:
        for connection in connections:
            agent = {semconv.OPERATION_NAME: "invoke_agent"}
            assert post(connection, spans({}, {}, agent, service="adding up").SerializeToString()) == 200
            assert post(connection, b"\xff") == 400
    after = [collector.told(family, **labels) for family, labels in families.items()]
    assert [b - a for a, b in zip(before, after, strict=True)] == [6, 6, 2, 2]


def test_what_each_process_has_is_one_number_on_the_metrics(collector):
    assert collector.told(semconv.COLLECTOR_BUILD_INFO) == 1
    assert collector.told(semconv.COLLECTOR_IN_FLIGHT_CAPACITY_BYTES) == collector.config.receivers.max_in_flight_bytes
    assert collector.told(semconv.COLLECTOR_IN_FLIGHT_BYTES) == 0
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in (*collector.pids, os.getpid())]
    memory = sum(pages) * os.sysconf("SC_PAGE_SIZE")
    assert collector.told(semconv.OTELCOL_MEMORY) == pytest.approx(memory, rel=0.2)


def test_debug_has_what_every_worker_got_and_what_became_of_it(collector, post, spans):
    body = spans({semconv.REQUEST_MODEL: "debugged"}).SerializeToString()
    with collector.of_each_worker() as connections:
        for connection in connections:
            assert post(connection, body) == 200
            assert post(connection, b"\xff") == 400
            assert collector.told(semconv.CALLS, gen_ai_request_model="debugged") == 1
    url = f"http://127.0.0.1:{collector.pipeline.metrics.port}/debug"
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": "application/json"})) as answer:
        view = json.load(answer)
    verdicts = [note["verdict"] for note in view["notes"][:2]]
    assert sorted(verdicts) == [semconv.COUNTED, semconv.DUPLICATE]
    (labels,) = [note["labels"] for note in view["notes"][:2] if note["verdict"] == semconv.COUNTED]
    assert labels[semconv.LABEL_MODEL] == "debugged"
    assert [each["reason"] for each in view["refusals"][:2]] == [semconv.MALFORMED] * 2


def test_probes_of_workers_are_told_what_keeps_the_process_that_counts_from_taking_data(collector):
    health = collector.pipeline._health
    with grpc.insecure_channel(f"127.0.0.1:{collector.pipeline.grpc.port}") as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"") == b"\x08\x01"
        health.report("storage", "the disk is full")
        collector.wait_for(lambda: check(b"") == b"\x08\x02")
        health.report("storage", None)
        collector.wait_for(lambda: check(b"") == b"\x08\x01")


def test_what_the_storage_cannot_take_is_refused_by_every_worker_and_comes_again(collector, post, spans, monkeypatch):
    before = collector.told(semconv.CALLS)
    body = spans({}).SerializeToString()

    def fail(entries, content):
        raise StorageError("the disk is full")

    with collector.of_each_worker() as connections:
        with monkeypatch.context() as patch:
            patch.setattr(collector.pipeline._counting, "take_packed", fail)
            assert [post(each, body) for each in connections] == [503, 503]
            assert collector.pipeline._health.problem == "the disk is full"
        assert [post(each, body) for each in connections] == [200, 200]
    assert collector.pipeline._health.problem is None
    assert collector.told(semconv.CALLS) == before + 1


def test_a_fault_of_the_process_that_counts_is_told_as_such(collector, post, spans, monkeypatch, caplog):
    with collector.of_each_worker() as (connection, _), monkeypatch.context() as patch:
        patch.setattr(collector.pipeline._counting, "take_packed", lambda entries, content: 1 / 0)
        assert post(connection, spans({}).SerializeToString()) == 500
    assert "could not be taken" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_another_configuration_holds_for_every_worker_and_one_with_a_mistake_for_none(
    collector, post, spans, with_token
):
    body = spans({}).SerializeToString()
    first, second = "t" * 16, "u" * 16
    with collector.of_each_worker() as connections:
        collector.pipeline.reload(with_token(collector.config, first))
        collector.wait_for(lambda: {post(each, body) for each in connections} == {401})
        assert {post(each, body, first) for each in connections} == {200}
        with pytest.raises(ConfigError, match="nowhere"):
            collector.pipeline.reload(with_token(collector.config, second, "nowhere"))
        assert {post(each, body, first) for each in connections} == {200}
        collector.pipeline.reload(collector.config)
        collector.wait_for(lambda: {post(each, body) for each in connections} == {200})


def test_a_client_s_limit_holds_for_all_workers_together(collector, post):
    limit = collector.config.receivers.feedback.client_requests_per_minute
    with collector.of_each_worker() as connections:
        codes = [post(each, b"{}", path="/v1/feedback") for each in connections * limit]
    assert sum(code != 429 for code in codes) == limit


def test_a_worker_that_is_killed_is_started_again_and_what_it_had_told_stays(collector, post, spans, caplog):
    families = semconv.OTELCOL_ACCEPTED_SPANS, semconv.CALLS, semconv.OTELCOL_CPU
    with collector.of_each_worker() as connections:
        assert [post(each, spans({}).SerializeToString()) for each in connections] == [200, 200]
    before = [collector.told(family) for family in families]
    restarts = collector.told(semconv.COLLECTOR_WORKER_RESTARTS)
    victims = collector.pids
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    collector.wait_for(lambda: "no worker takes requests" in (collector.pipeline._health.problem or ""))
    assert all(b >= a for a, b in zip(before, map(collector.told, families), strict=True))
    collector.wait_for(lambda: collector.pipeline._health.problem is None)
    assert collector.told(semconv.COLLECTOR_WORKER_RESTARTS) == restarts + 2
    assert "was ended by SIGKILL; it is started again" in caplog.text
    with collector.of_each_worker() as connections:
        assert [post(each, spans({}).SerializeToString()) for each in connections] == [200, 200]
    assert not set(victims) & set(collector.pids)
    assert collector.told(semconv.CALLS) == before[1] + 2


@pytest.mark.parametrize("server", ["grpc", "http"])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_port_that_a_collector_with_workers_has_is_in_use_for_any_other(collector, server, workers):
    taken = f"127.0.0.1:{getattr(collector.pipeline, server).port}"
    with pytest.raises(PortError, match=f"cannot listen on {taken}, .*; receivers.{server}.address sets another one"):
        Pipeline(_at(collector.config, server, taken), workers).start()


def _at(config, server, address):
    receivers = config.receivers
    moved = type(getattr(receivers, server))(address=address)
    others = {name: getattr(receivers, name) for name in ("grpc", "http") if name != server}
    return type(config)(receivers=type(receivers)(**others, **{server: moved}), metrics=config.metrics)


def test_a_worker_that_cannot_start_is_said_in_a_sentence(collector, monkeypatch):
    monkeypatch.setattr("llmvitals_collector.workers.process.sys.executable", "/bin/false")
    with pytest.raises(WorkerError, match="a worker has ended with code 1; its log says why"):
        Pipeline(collector.config, 2).start()


def test_a_worker_that_cannot_start_again_says_why_in_the_log(collector, monkeypatch, caplog):
    receivers = collector.config.receivers
    http = HttpReceiver(address=receivers.http.address, tls=Tls(cert_file="nowhere.pem", key_file="nowhere.pem"))
    changed = replace(collector.config, receivers=replace(receivers, http=http))
    workers = collector.pipeline._receivers
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_share", lambda: changed)
        os.kill(collector.pids[0], signal.SIGKILL)
        collector.wait_for(lambda: "receivers.http.tls.cert_file: " in caplog.text)
    collector.wait_for(lambda: workers._listening == 2)


def test_a_worker_takes_no_modules_from_the_folder_in_which_the_collector_was_started(collector, tmp_path, monkeypatch):
    (tmp_path / "msgspec.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    worker = WorkerProcess(1, account.create(2))
    worker.send(messages.Start(collector.config, 1))
    assert worker.connection.receive()[0] == messages.Ready()
    worker.kill()
    worker.ended()


def test_a_worker_that_reads_nothing_any_more_is_killed_rather_than_waited_for(monkeypatch):
    monkeypatch.setattr("llmvitals_collector.workers.process._READ_SECONDS", 1)
    worker = WorkerProcess(1, account.create(2))
    os.kill(worker.pid, signal.SIGSTOP)
    for _ in range(1000):
        worker.send(messages.Condition("the disk is full"))
    assert worker.ended() == "has read nothing for 1 seconds, and is killed"


def test_what_is_evaluated_has_its_text_and_the_journal_has_none(judging, post, spans, tmp_path):
    answer = {"role": "assistant", "parts": [{"type": "text", "content": "I'm sorry, but I can't help with that."}]}
    attributes = {
        semconv.INPUT_MESSAGES: json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Hello?"}]}]),
        semconv.OUTPUT_MESSAGES: json.dumps([{**answer, "finish_reason": "stop"}]),
    }
    connection = judging.connect()
    assert post(connection, spans(attributes, {}, attributes).SerializeToString()) == 200
    connection.close()
    assert judging.told(semconv.CALLS) == 3
    assert judging.pipeline.evaluation.finish(20)
    assert judging.told(semconv.FAILURES, mode="refusal") == 2
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"gpt-5" in kept
    assert b"sorry" not in kept


def test_a_stop_answers_what_is_in_flight_and_ends_the_workers(judging, spans):
    body = spans({}).SerializeToString()
    connection = judging.connect()
    connection.putrequest("POST", "/v1/traces")
    connection.putheader("Content-Type", "application/x-protobuf")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[:9])
    judging.wait_for(lambda: judging.told(semconv.COLLECTOR_IN_FLIGHT_BYTES) > 0)
    pids = set(judging.pids)
    stopping = threading.Thread(target=judging.pipeline.stop)
    stopping.start()
    judging.wait_for(lambda: judging.pipeline._health.problem == "the collector is stopping")
    connection.send(body[9:])
    assert connection.getresponse().status == 200
    connection.close()
    stopping.join()
    assert not pids & set(judging.pids)
    # What was in flight is kept, too.
    again = Pipeline(judging.config)
    again.start()
    judging.pipeline = again
    assert judging.told(semconv.CALLS) == 1
