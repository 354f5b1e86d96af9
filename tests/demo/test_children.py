"""Children are waited for until they answer, and are gone when their starter is gone."""

import socket
import subprocess
import sys
import textwrap

import pytest

from llmvitals_collector.demo import children
from llmvitals_collector.demo.children import Child, DemoError, loopback_port, read

SERVER = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1"]


@pytest.fixture
def server():
    port = loopback_port(0, "")
    with Child("The server", [*SERVER, str(port)], f"http://127.0.0.1:{port}") as child:
        yield child


def test_a_child_is_ready_once_it_answers(server):
    server.wait_until_ready()
    assert "Directory listing" in read(server.url)


def test_an_answer_of_not_found_is_an_answer(server):
    assert server.wait_until_ready("/no-such-path") is server


def test_a_stopped_child_is_gone_and_stopping_it_again_is_harmless(server):
    server.wait_until_ready()
    server.stop()
    server.stop()
    with pytest.raises(OSError, match="refused"):
        read(server.url)


def test_a_child_that_ends_is_reported_with_its_last_lines():
    command = [sys.executable, "-c", "import sys; print('one'); print('two', file=sys.stderr); sys.exit(3)"]
    with Child("The child", command, "http://127.0.0.1:1") as child, pytest.raises(DemoError) as raised:
        child.wait_until_ready()
    said = str(raised.value)
    assert said.startswith("The child ended with exit code 3; its last lines:")
    assert "one" in said
    assert "two" in said


def test_a_child_may_end_its_work_before_it_goes():
    """Stopping is SIGTERM; what is written after it is still seen."""
    program = """
        import signal
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        print("begun", flush=True)
        signal.sigwait([signal.SIGTERM])
        print("ended well")
    """
    with Child("The child", [sys.executable, "-c", textwrap.dedent(program)]) as child:
        while "begun" not in child.output():
            child.check()
    assert child.output().splitlines() == ["begun", "ended well"]


def test_children_go_when_their_starter_is_killed():
    """Not even SIGKILL leaves one behind: its end is seen as the end of a connection to it."""
    program = """
        import signal, sys
        from llmvitals_collector.demo.children import Child
        child = Child("The server", sys.argv[2:], sys.argv[1]).wait_until_ready()
        print("ready", flush=True)
        signal.pause()
    """
    port = loopback_port(0, "")
    command = [sys.executable, "-c", textwrap.dedent(program), f"http://127.0.0.1:{port}", *SERVER, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout.readline() == "ready\n"
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            starter.kill()
            assert connection.recv(1) == b""


def test_a_port_in_use_is_one_sentence_that_names_the_option():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            DemoError, match=rf"port {port} cannot be had .*in use.*; choose another with --metrics-port"
        ):
            loopback_port(port, "--metrics-port")


def test_a_free_port_is_another_one_each_time_and_none_that_a_client_may_get():
    """https://docs.kernel.org/networking/ip-sysctl.html: clients get those from 32768 on."""
    ports = [loopback_port(0, "") for _ in range(50)]
    assert len(set(ports)) == 50
    assert max(ports) < 32_768


def test_a_port_that_is_in_use_is_not_given(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        free = loopback_port(0, "")
        monkeypatch.setattr(children, "_drawn", iter([port, free]))
        assert loopback_port(0, "") == free
        monkeypatch.setattr(children, "_drawn", iter([port]))
        with pytest.raises(DemoError, match="in use"):
            loopback_port(0, "--metrics-port")
