"""Which walker reads protobuf: the compiled one where it has been built, else the readable one; both read the same."""

import os
from contextlib import suppress
from importlib import import_module
from types import ModuleType

from llmvitals import semconv

_MODULES = {semconv.COMPILED_DECODER: "compiled", semconv.PYTHON_DECODER: "protobuf"}


class WalkerError(ImportError):
    """The environment asks for a walker that there is not; what is wrong is said in one sentence."""


def choose(asked: str | None) -> tuple[str, ModuleType]:
    """The walker that is asked for, by a name of `semconv.DECODERS`, or without one the fastest that there is.

    Raises:
        WalkerError: there is no such walker.
    """
    if not asked:
        with suppress(ImportError):
            return semconv.COMPILED_DECODER, _imported(semconv.COMPILED_DECODER)
        return semconv.PYTHON_DECODER, _imported(semconv.PYTHON_DECODER)
    if asked not in _MODULES:
        raise WalkerError(f"{semconv.DECODER}: {asked!r} is no decoder; valid are {' and '.join(semconv.DECODERS)}")
    try:
        return asked, _imported(asked)
    except ImportError as error:
        raise WalkerError(f"{semconv.DECODER}: {asked!r} cannot be had: {error}") from error


def _imported(name: str) -> ModuleType:
    return import_module(f"llmvitals_collector.decode.{_MODULES[name]}")


WALKER, walker = choose(os.environ.get(semconv.DECODER))
