"""The walkers that read protobuf, for tests that hold both to the same rules."""

from types import ModuleType

import pytest

from llmvitals_collector.decode import protobuf
from llmvitals_collector.decode.build import compiler, library


@pytest.fixture(scope="session")
def compiled() -> ModuleType:
    """The compiled walker. Without it the test is skipped, but where there is a compiler, it fails."""
    if not library().exists() and not compiler():
        pytest.skip("needs the compiled walker, which needs rustc")
    from llmvitals_collector.decode import compiled

    return compiled


@pytest.fixture(params=["python", "compiled"])
def walker(request: pytest.FixtureRequest) -> ModuleType:
    """Each of the two walkers."""
    return protobuf if request.param == "python" else request.getfixturevalue("compiled")
