"""Wrap and restore: the only module that changes other people's classes."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import wrapt


class Patch:
    """One attribute of a foreign class that is replaced until `restore`."""

    __slots__ = ("_active", "_name", "_original", "_owner", "_replacement")

    def __init__(self, module: ModuleType, path: str, replace: Callable[[Any, Callable[[], bool]], Any]) -> None:
        self._owner, self._name, self._original = wrapt.resolve_path(module, path)
        self._active = True
        self._replacement = replace(self._original, lambda: self._active)
        setattr(self._owner, self._name, self._replacement)

    def restore(self) -> None:
        """Put the original back, unless somebody has wrapped ours since: then ours stays there and only passes on."""
        self._active = False
        if vars(self._owner).get(self._name) is self._replacement:
            setattr(self._owner, self._name, self._original)


def wrap(module: ModuleType, path: str, wrapper: Callable[..., Any]) -> Patch:
    """Wrap the function at `path` ("Class.method") of `module`.

    wrapper: as for wrapt, `wrapper(wrapped, instance, args, kwargs)`.
    Raises AttributeError when there is no such function.
    """
    return Patch(module, path, lambda original, active: wrapt.FunctionWrapper(original, wrapper, enabled=active))


def wrap_property(module: ModuleType, path: str, getter: Callable[[Callable[[Any], Any], Any], Any]) -> Patch:
    """Replace the getter of the property at `path` of `module` by `getter(original getter, instance)`."""

    def replace(original: property, active: Callable[[], bool]) -> property:
        read = original.__get__
        return property(lambda instance: getter(read, instance) if active() else read(instance))

    return Patch(module, path, replace)
