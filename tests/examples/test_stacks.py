"""The whole stack in containers: its files agree with each other, with their schemas, and with what a catalogue builds.

Nothing here runs a container.
"""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from llmvitals_collector import config
from llmvitals_collector.__main__ import main

EXAMPLES = Path(__file__).parents[2] / "examples"
COMPOSE = yaml.safe_load((EXAMPLES / "whole_stack" / "compose.yml").read_text())
SERVICES = COMPOSE["services"]
KUBERNETES = EXAMPLES / "kubernetes"
KUSTOMIZATION = yaml.safe_load((KUBERNETES / "kustomization.yml").read_text())
MANIFESTS = [
    each for file in KUSTOMIZATION["resources"] for each in yaml.safe_load_all((KUBERNETES / file).read_text())
]
PODS = {
    manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]
    for manifest in MANIFESTS
    if manifest["kind"] in {"Deployment", "StatefulSet"}
}
# Kubernetes refuses more in one: https://kubernetes.io/docs/concepts/configuration/configmap/
CONFIG_MAP_BYTES = 1 << 20
KUBERNETES_VERSION = "1.34"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder `built` that both stacks mount."""
    folder = tmp_path_factory.mktemp("stack") / "built"
    assert main(["catalogue", "build", str(folder)]) == 0
    return folder


def check(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def generated():
    """ConfigMap -> key in it -> the file that it is of."""
    found = {}
    for each in KUSTOMIZATION["configMapGenerator"]:
        pairs = (file.partition("=") for file in each["files"])
        found[each["name"]] = {key if same else Path(key).name: Path(path or key) for key, same, path in pairs}
    return found


def located(path, built, folder):
    """A file that a stack mentions, where it is here."""
    relative = Path(path)
    return built.joinpath(*relative.parts[1:]) if relative.parts[0] == "built" else folder / relative


def test_the_compose_file_is_what_its_specification_allows():
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    check(*command, EXAMPLES / "whole_stack" / "compose.yml")


def test_every_file_that_the_containers_mount_is_there_or_a_secret_of_the_user_s(built):
    volumes = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    folder = EXAMPLES / "whole_stack"
    missing = [path for path in volumes if path.startswith("./") and not located(path, built, folder).exists()]
    assert missing == [f"./secrets/slack_{channel}" for channel in ("llm", "quality", "oncall")]
    assert {volume for volume in volumes if not volume.startswith("./")} == COMPOSE["volumes"].keys()


def test_services_are_reached_by_names_that_there_are(built):
    texts = [(EXAMPLES / "whole_stack" / name).read_text() for name in ("prometheus.yml", "grafana-datasources.yml")]
    hosts = {host for text in texts for host in re.findall(r"(?:http://|targets: \[')([a-z]+):\d+", text)}
    assert hosts - {"localhost"} <= SERVICES.keys()
    names = {manifest["metadata"]["name"] for manifest in MANIFESTS if manifest["kind"] == "Service"}
    texts = [
        (KUBERNETES / name).read_text() for name in ("prometheus-config.yml", "grafana-datasources.yml", "app.yml")
    ]
    hosts = {
        host
        for text in texts
        for host in re.findall(r"(?:http://|targets: \['|names: \[_metrics\._tcp\.)([a-z]+)", text)
    }
    assert hosts - {"localhost"} <= names


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_a_manifest_is_what_kubernetes_knows(manifest):
    kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)


def test_the_config_maps_hold_every_rule_and_every_board_that_is_built(built):
    maps = generated()
    listed = {each["name"]: len(each["files"]) for each in KUSTOMIZATION["configMapGenerator"]}
    assert {name: len(files) for name, files in maps.items()} == listed, "kustomize takes no key twice"
    assert set(maps["rules"]) == {
        file.name for file in (built / "prometheus").glob("*.yml") if re.search(r"\.(rules|alerts)\.yml$", file.name)
    }
    assert set(maps["alertmanager"]) == {file.name for file in (built / "alertmanager").iterdir()}
    assert set(maps["grafana-boards"]) == {file.name for file in (built / "grafana").glob("*.json")}
    for files in maps.values():
        assert sum(located(path, built, KUBERNETES).stat().st_size for path in files.values()) < CONFIG_MAP_BYTES


@pytest.mark.parametrize("name", PODS)
def test_a_pod_s_volumes_are_there_and_its_secrets_are_told_in_the_readme(name):
    pod = PODS[name]
    claims = [
        claim["metadata"]["name"]
        for manifest in MANIFESTS
        if manifest["metadata"]["name"] == name
        for claim in manifest["spec"].get("volumeClaimTemplates", ())
    ]
    volumes = {volume["name"]: volume for volume in pod.get("volumes", ())}
    mounted = {mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", ())}
    assert mounted == volumes.keys() | set(claims)
    assert set(re.findall(r"'configMap': {'name': '([\w-]+)'", str(volumes))) <= generated().keys()
    readme = (KUBERNETES / "README.md").read_text()
    for secret in re.findall(r"'secret(?:KeyRef)?': {'name': '([\w-]+)'", str(pod)):
        assert f"create secret generic {secret} " in readme
    for key in re.findall(r"'key': '([\w-]+)'", str(pod)):
        assert f"--from-literal={key}=" in readme


def test_services_lead_to_ports_that_their_pods_open():
    for service in (manifest["spec"] for manifest in MANIFESTS if manifest["kind"] == "Service"):
        containers = PODS[service["selector"]["app"]]["containers"]
        opened = {port["containerPort"] for container in containers for port in container.get("ports", ())}
        assert {port["port"] for port in service["ports"]} <= opened


def named(kind, name):
    return next(each["spec"] for each in MANIFESTS if (each["kind"], each["metadata"]["name"]) == (kind, name))


def test_prometheus_and_gateways_find_every_collector_under_the_name_of_its_pod():
    replicas, service = named("StatefulSet", "collector"), named("Service", "collectors")
    assert replicas["serviceName"] == "collectors"
    assert service["clusterIP"] == "None"
    assert {port["name"] for port in service["ports"]} >= {"metrics", "otlp-grpc"}
    labels = replicas["template"]["metadata"]["labels"]
    assert service["selector"] == named("PodDisruptionBudget", "collector")["selector"]["matchLabels"] == labels


def test_collectors_know_how_many_share_the_traffic():
    read = config.load(KUBERNETES / "collector-config.yml", {})
    assert read.evaluation.sampling.replicas == named("StatefulSet", "collector")["replicas"] > 1


@pytest.mark.parametrize(
    "command",
    [service["entrypoint"] for service in SERVICES.values() if "entrypoint" in service]
    + [container["command"] for container in PODS["app"]["containers"]],
    ids=lambda command: command[2],
)
def test_the_app_and_its_models_are_started_as_their_programs_say(command):
    python, option, module, *arguments = command
    assert (python, option) == ("python", "-m")
    usage = ast.get_docstring(ast.parse(Path(importlib.util.find_spec(module).origin).read_text()))
    names = re.search(rf"python -m {re.escape(module)}((?: [A-Z]+)+)", usage)[1].split()
    assert len(arguments) == len(names)


@pytest.mark.parametrize(
    "path",
    [
        "whole_stack/collector.yml",
        "kubernetes/collector-config.yml",
        *(f"otel_collector/{name}.yaml" for name in ("replica", "from_kafka", "in_front", "push")),
    ],
)
def test_the_collector_accepts_its_configuration(path):
    assert main(["check", str(EXAMPLES / path)]) == 0


@pytest.mark.servers
@pytest.mark.parametrize("path", ["whole_stack/prometheus.yml", "kubernetes/prometheus-config.yml"])
def test_prometheus_and_alertmanager_accept_theirs(program, built, tmp_path, path):
    text = (EXAMPLES / path).read_text().replace("/etc/llmvitals/rules", str(built / "prometheus"))
    (tmp_path / "prometheus.yml").write_text(text)
    check(program("promtool"), "check", "config", tmp_path / "prometheus.yml")
    check(program("amtool"), "check-config", built / "alertmanager" / "alertmanager.yml")
