"""Records what an emitter sends: `capture.py NAME ENVIRONMENT` runs emitters/NAME, and writes fixtures/NAME-VERSION.pb.

ENVIRONMENT is a virtual environment that has the instrumentation, or a folder with its node_modules.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.provider import Provider

EMITTERS = Path(__file__).with_name("emitters")
FIXTURES = Path(__file__).with_name("fixtures")
PATIENCE = 180  # seconds that an emitter may take; some import for half a minute

PACE = {"headers_after_seconds": 0.05, "first_token_seconds": 0.1, "token_seconds": 0.004}
# What the provider answers each of the script's calls, by model and whether it is to be streamed.
ANSWERS = {
    ("gpt-5-mini", False): Behaviour(
        **PACE, input_tokens=1200, cache_read_tokens=1024, output_tokens=40, reasoning_tokens=16
    ),
    ("gpt-5-mini", True): Behaviour(
        **PACE, input_tokens=1300, cache_read_tokens=1152, output_tokens=30, reasoning_tokens=8
    ),
    ("gpt-5-nano", False): Behaviour(**PACE, status=429),
    ("text-embedding-3-small", False): Behaviour(**PACE, input_tokens=7, output_tokens=0),
    # The one in a workflow, of an agent, or with a named prompt.
    ("gpt-5", False): Behaviour(**PACE, input_tokens=900, output_tokens=20, reasoning_tokens=4),
    ("claude-haiku-4-5", False): Behaviour(
        **PACE, input_tokens=2100, cache_read_tokens=1800, cache_write_tokens=200, output_tokens=50
    ),
    ("claude-haiku-4-5", True): Behaviour(
        **PACE, input_tokens=2200, cache_read_tokens=1900, cache_write_tokens=250, output_tokens=35
    ),
    ("llama3.2", False): Behaviour(**PACE, input_tokens=300, output_tokens=40),
    ("llama3.2", True): Behaviour(**PACE, input_tokens=310, output_tokens=30),
}


def answer(request: dict[str, Any]) -> Behaviour:
    """What the loopback provider does with a request of the script; one that is not in it fails with 400."""
    asked = (request.get("model", ""), bool(request.get("stream")))
    return ANSWERS.get(asked, Behaviour(status=400))


def emit(emitter: Path, environment: Path, endpoint: str, provider_url: str) -> None:
    """Run an emitter, which sends to `endpoint` what it makes of its calls of the provider.

    Raises RuntimeError with what the emitter said, if it fails.
    """
    with tempfile.TemporaryDirectory() as home:
        ran = subprocess.run(
            _command(emitter, environment),
            env={
                "PATH": os.environ["PATH"],
                "HOME": home,  # some keep settings and caches there
                "OTEL_SERVICE_NAME": "shop",
                "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
                "PROVIDER_URL": provider_url,
                "OPENAI_API_KEY": "any",
                "ANTHROPIC_API_KEY": "any",
                "NO_PROXY": "127.0.0.1",
            },
            cwd=home,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    if ran.returncode:
        raise RuntimeError(f"{emitter.name} failed: {ran.stdout}{ran.stderr}")


def _command(emitter: Path, environment: Path) -> list[str | Path]:
    if emitter.suffix == ".py":
        # -P: beside the script there are others, with the names of the packages that they show.
        return [environment.absolute() / "bin" / "python", "-P", emitter]
    # Node looks for modules beside the script.
    return ["node", shutil.copy(emitter, environment.absolute())]


class Recorder(ThreadingHTTPServer):
    """An OTLP/HTTP endpoint that keeps each body it is sent, in order, by the last part of its path ("traces")."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keep)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.bodies: dict[str, list[bytes]] = defaultdict(list)


class _Keep(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        whole = self.headers["Content-Length"]
        body = self.rfile.read(int(whole)) if whole else self._chunks()
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.bodies[self.path.rpartition("/")[2]].append(body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _chunks(self) -> bytes:
        """A body in HTTP's chunked coding, as Node sends it."""
        chunks = []
        while length := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, *_arguments: object) -> None:
        pass


def delimited(bodies: Iterable[bytes]) -> bytes:
    """Bodies as one file: before each its length, as protobuf's varint."""
    return b"".join(_varint(len(body)) + body for body in bodies)


def bodies(fixture: bytes) -> Iterator[bytes]:
    """The bodies in such a file, each as its exporter sent it. Joined they are one request: protobuf merges them."""
    at = 0
    while at < len(fixture):
        length = shift = 0
        while True:
            byte = fixture[at]
            at, length, shift = at + 1, length | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                break
        yield fixture[at : at + length]
        at += length


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def neutral(body: bytes, paths: Iterable[Path]) -> bytes:
    """A body without these paths, which stack traces tell; as long as before, so that it stays valid."""
    for path in paths:
        body = body.replace(str(path).encode(), b"/".ljust(len(str(path)), b"-"))
    return body


def _version(emitter: Path, environment: Path) -> str:
    """The version of the package that the emitter's PACKAGE names."""
    package = re.search(r'PACKAGE = "(.+)"', emitter.read_text())[1]
    if emitter.suffix == ".py":
        ask = f"import importlib.metadata as m; print(m.version({package!r}))"
        command = [environment.absolute() / "bin" / "python", "-c", ask]
    else:
        ask = f"console.log(JSON.parse(require('fs').readFileSync('node_modules/{package}/package.json')).version)"
        command = ["node", "-e", ask]
    return subprocess.run(command, cwd=environment, capture_output=True, text=True, check=True).stdout.strip()


def main(name: str, environment: Path) -> None:
    emitter = next(EMITTERS.glob(f"{name}.*"), None)
    if emitter is None:
        known = ", ".join(sorted(path.stem for path in EMITTERS.iterdir()))
        sys.exit(f"there is no emitter {name!r}: one of {known}")
    recorder = Recorder()
    threading.Thread(target=recorder.serve_forever, daemon=True).start()
    with Provider(answer) as provider:
        emit(emitter, environment, recorder.url, provider.url)
    if not recorder.bodies["traces"]:
        sys.exit(f"{emitter.name} sent no spans: is the instrumentation installed in {environment}, with its client?")
    interpreter = (environment / "bin" / "python").resolve()
    paths = (environment.absolute(), EMITTERS, interpreter.parents[1])
    traces, logs = ([neutral(body, paths) for body in recorder.bodies[signal]] for signal in ("traces", "logs"))
    fixture = f"{name}-{_version(emitter, environment)}"
    (FIXTURES / f"{fixture}.pb").write_bytes(delimited(traces))
    if any(b"gen_ai.evaluation.result" in body for body in logs):
        (FIXTURES / f"{fixture}.logs.pb").write_bytes(delimited(logs))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
