"""Real Prometheus and Alertmanager servers, with a given configuration, on this host."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from llmvitals_collector.demo.children import Child, DemoError, loopback_port


def prometheus(configuration: Mapping[str, Any], folder: Path, port: int = 0, features: Sequence[str] = ()) -> Child:
    """A Prometheus that is ready; end it by leaving its block, or by `stop`.

    configuration: the content of its `prometheus.yml`, with absolute paths.
    folder: where it may write.
    port: 0 takes a free one.
    features: what of https://prometheus.io/docs/prometheus/latest/feature_flags/ is to be on.

    Raises DemoError when there is no Prometheus, it refuses the configuration, or the port is in use.
    """
    program = _program("Prometheus", "prometheus")
    port = loopback_port(port, "--prometheus-port")
    return _ready(
        "Prometheus",
        port,
        [
            program,
            f"--config.file={_written(configuration, folder / 'prometheus.yml')}",
            f"--storage.tsdb.path={folder / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.external-url=http://127.0.0.1:{port}",
            f"--enable-feature={','.join(features)}",
            "--log.level=warn",
        ],
    )


def alertmanager(configuration: Mapping[str, Any], folder: Path, port: int = 0) -> Child:
    """An Alertmanager that is ready; all else is as for `prometheus`."""
    program = _program("Alertmanager", "prometheus-alertmanager", "alertmanager")
    port = loopback_port(port, "--alertmanager-port")
    return _ready(
        "Alertmanager",
        port,
        [
            program,
            f"--config.file={_written(configuration, folder / 'alertmanager.yml')}",
            f"--storage.path={folder / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            f"--web.external-url=http://127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ],
    )


def _program(name: str, *spellings: str) -> str:
    for spelling in spellings:
        if found := shutil.which(spelling):
            return found
    raise DemoError(
        f"{name} is not installed: on Debian `apt install {spellings[0]}`, elsewhere see https://prometheus.io/download"
    )


def _written(configuration: Mapping[str, Any], path: Path) -> Path:
    path.write_text(yaml.safe_dump(dict(configuration)))
    return path


def _ready(name: str, port: int, command: list[str]) -> Child:
    child = Child(name, command, url=f"http://127.0.0.1:{port}")
    try:
        return child.wait_until_ready("/-/ready")
    except BaseException:
        child.stop()
        raise
