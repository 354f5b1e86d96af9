"""Which module may import which: the house's one-way streets, read from the imports themselves."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"llmvitals": ROOT / "sdk", "llmvitals_collector": ROOT / "collector_processors"}

# A module (by prefix) -> what it may import of ours and of opentelemetry (by prefix); the longest prefix counts.
MAY_IMPORT = {
    "llmvitals": ["llmvitals", "opentelemetry"],
    "llmvitals.semconv": ["llmvitals.semconv"],
    "llmvitals._guard": [],
    "llmvitals._handle": ["llmvitals.semconv"],
    "llmvitals._patch": [],
    "llmvitals._content": ["llmvitals.semconv"],
    "llmvitals._redact": ["llmvitals._content"],
    "llmvitals._fit": ["llmvitals._content", "llmvitals._redact"],
    "llmvitals._prompt": [
        "llmvitals._content",
        "llmvitals._decorate",
        "llmvitals._guard",
        "llmvitals.evaluators.evaluator",
        "llmvitals.semconv",
    ],
    "llmvitals._adapter": ["llmvitals._content", "llmvitals._patch", "llmvitals.semconv"],
    "llmvitals._pace": ["llmvitals.semconv"],
    "llmvitals._call": ["llmvitals._adapter", "llmvitals._guard", "llmvitals._pace", "llmvitals.semconv"],
    "llmvitals.formats": ["llmvitals.formats", "llmvitals._adapter", "llmvitals._content", "llmvitals.semconv"],
    "llmvitals.providers": ["llmvitals.providers", "llmvitals._adapter"],
    "llmvitals.providers.": [
        "llmvitals._adapter",
        "llmvitals._botocore",
        "llmvitals._content",
        "llmvitals._enclosing",
        "llmvitals._lazy",
        "llmvitals._methods",
        "llmvitals._patch",
        "llmvitals._stainless",
        "llmvitals.formats",
        "llmvitals.semconv",
    ],
    "llmvitals.evaluators": ["llmvitals.evaluators", "llmvitals.semconv"],
    "llmvitals.evaluators.": [
        "llmvitals._content",
        "llmvitals._redact",
        "llmvitals.evaluators.evaluator",
        "llmvitals.evaluators.language",
        "llmvitals.semconv",
    ],
    "llmvitals.judge": [
        "llmvitals.judge",
        "llmvitals._measure",
        "llmvitals._nesting",
        "llmvitals._redact",
        "llmvitals.semconv",
    ],
    "llmvitals_collector": ["llmvitals_collector", "llmvitals.semconv", "opentelemetry.proto"],
    "llmvitals_collector.processors.": [
        "llmvitals_collector.calls",
        "llmvitals_collector.columns",
        "llmvitals_collector.results",
        "llmvitals.semconv",
    ],
    "llmvitals_collector.processors.price": [
        "llmvitals_collector.calls",
        "llmvitals_collector.columns",
        "llmvitals_collector.prices",
        "llmvitals.semconv",
    ],
    "llmvitals_collector.dialects.": [
        "llmvitals_collector.calls",
        "llmvitals_collector.columns",
        "llmvitals_collector.dialects",
        "llmvitals_collector.records",
        "llmvitals.semconv",
    ],
    # What apps check themselves is read by who has written it.
    "llmvitals_collector.quality": [
        "llmvitals_collector",
        "llmvitals._content",
        "llmvitals.evaluators",
        "llmvitals.semconv",
    ],
    "llmvitals_collector.counting": ["llmvitals_collector", "llmvitals.evaluators", "llmvitals.semconv"],
    "llmvitals_collector.storage": [
        "llmvitals_collector.cache_lookups",
        "llmvitals_collector.calls",
        "llmvitals_collector.columns",
        "llmvitals_collector.results",
        "llmvitals_collector.storage",
        "llmvitals_collector.tasks",
    ],
    # What decides which messages count is to be read, and tried, without a broker.
    "llmvitals_collector.receivers.kafka.claims": ["llmvitals_collector.storage"],
    "llmvitals_collector.joining": [],
    # A handle is opened by who has made it, the SDK.
    "llmvitals_collector.feedback": [
        "llmvitals_collector",
        "llmvitals._handle",
        "llmvitals.semconv",
        "opentelemetry.proto",
    ],
    "llmvitals_collector.evaluation": [
        "llmvitals_collector",
        "llmvitals._content",
        "llmvitals.evaluators",
        "llmvitals.judge",
        "llmvitals.semconv",
        "opentelemetry.proto",
    ],
    # People grade by the same rubrics as judges.
    "llmvitals_collector.review": [
        "llmvitals_collector",
        "llmvitals.judge",
        "llmvitals.semconv",
        "opentelemetry.proto",
    ],
    # Of the collector it needs what its configuration is, and nothing that runs.
    "llmvitals_collector.catalogue": [
        "llmvitals_collector.assets",
        "llmvitals_collector.catalogue",
        "llmvitals_collector.config",
        "llmvitals_collector.document",
        "llmvitals_collector.measures",
        "llmvitals_collector.processors.slo",
        "llmvitals_collector.reference",
        "llmvitals.semconv",
    ],
    # The demo is an app: it uses the SDK as any app does.
    "llmvitals_collector.demo": ["llmvitals_collector", "llmvitals"],
    "llmvitals_collector.demo.wire": ["llmvitals_collector.demo"],
    "llmvitals_collector.demo.wires": ["llmvitals_collector.demo"],
}
NEVER = {
    "llmvitals": {"numpy", "yaml", "grpc", "openai", "anthropic", "msgspec", "prometheus_client"},
    # Whoever judges has these; `import llmvitals.judge` loads neither.
    "llmvitals.judge.clients": {"numpy", "yaml", "grpc", "anthropic", "msgspec", "prometheus_client"},
    "llmvitals.judge.document": {"numpy", "grpc", "openai", "anthropic", "msgspec", "prometheus_client"},
}


def modules():
    for root in PACKAGES.values():
        for path in sorted(root.rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            yield ".".join(part for part in parts if part != "__init__"), path


def imported(path):
    """Every module that the file imports, wherever in it; `from a import b` may import a.b."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            known = {name for name, _ in modules()}
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in known else node.module


def begins(module, prefix):
    return module == prefix or module.startswith(prefix if prefix.endswith(".") else prefix + ".")


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_what_it_may(module, path):
    allowed = MAY_IMPORT[max((prefix for prefix in MAY_IMPORT if begins(module, prefix)), key=len)]
    ours = [name for name in imported(path) if name.split(".")[0] in (*PACKAGES, "opentelemetry")]
    strangers = [name for name in ours if not any(begins(name, prefix) for prefix in allowed)]
    assert not strangers, f"{module} imports {strangers}; it may import {allowed}"


def test_the_sdk_imports_no_client_no_yaml_and_no_numpy():
    for module, path in modules():
        if begins(module, "llmvitals"):
            never = NEVER[max((prefix for prefix in NEVER if begins(module, prefix)), key=len)]
            assert not never & {name.split(".")[0] for name in imported(path)}, module


def test_semconv_imports_nothing():
    for module, path in modules():
        if begins(module, "llmvitals.semconv"):
            assert all(begins(name, "llmvitals.semconv") for name in imported(path)), module


def test_no_file_is_over_400_lines():
    long = [str(path) for _, path in modules() if len(path.read_text().splitlines()) > 400]
    assert not long


def test_every_module_says_what_it_is_for_in_one_line():
    for module, path in modules():
        docstring = ast.get_docstring(ast.parse(path.read_text()))
        assert docstring, f"{module} has no docstring"
        assert "." in docstring.splitlines()[0], f"{module}: no sentence"


def test_our_packages_are_no_names_of_the_standard_library():
    assert not set(PACKAGES) & sys.stdlib_module_names
