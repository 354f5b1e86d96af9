"""Frameworks ride on the clients, and others observe the same calls: each call is one inference span all the same."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

FRAMEWORKS = {
    "langchain": "langchain_openai",
    "pydantic_ai": "pydantic_ai",
    "openai_agents": "agents",
    "llama_index": "llama_index",
    "litellm": "litellm",
}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_each_call_is_one_inference_span(framework, clients):
    if find_spec(FRAMEWORKS[framework]) is None:
        pytest.skip(f"{framework} is not installed: it goes with other versions of the clients")
    app = Path(__file__).with_name("app.py")
    ran = subprocess.run(
        [sys.executable, app, framework, clients().provider.url], capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found
    assert {way: scopes for way, scopes in found.items() if len(scopes) != 1} == {}
