"""Hooks on single objects that a client hands out: what is called on them, and whether it is the app that calls."""

import functools
import inspect
import weakref
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from llmvitals._guard import Guard

_CLASS: Any = vars(object)["__class__"]
_KIND = "_llmvitals_kind"
_HOOK = "_llmvitals_"  # and the method's name: the attribute that holds a hook


def unless_its_own(generator: Any, response: Any, tell: Callable[[], None]) -> Callable[[], None]:
    """`tell`, except where the client's `generator`, or the `response` itself, calls: then it is not the app's doing.

    The app may close from another thread or task while the generator waits for a chunk: so what counts is
    who calls, not whether the generator runs. When it is collected there is no more of it to be seen. An
    event loop that shuts down closes the response's own generators one by one (httpx 0.28 `aiter_raw`).
    """
    reference = weakref.ref(generator)
    transport = type(response).__module__.partition(".")[0]

    def tell_of_the_app() -> None:
        generator, caller = reference(), inspect.currentframe()
        while caller is not None and caller.f_globals.get("__name__") == __name__:
            caller = caller.f_back
        by_itself = caller is not None and caller.f_globals.get("__name__", "").partition(".")[0] == transport
        if generator is not None and not by_itself and not _calls(generator, caller):
            tell()

    return tell_of_the_app


def _calls(generator: Any, frame: FrameType | None) -> bool:
    """Whether a generator, of either kind, is among the callers of `frame`."""
    own = getattr(generator, "gi_frame", None) or getattr(generator, "ag_frame", None)
    while frame is not None and frame is not own:
        frame = frame.f_back
    return frame is not None


def before(instance: Any, method: str, tell: Callable[[], None]) -> None:
    """Have `tell()` called before `instance.method(...)`, the first time that it is called."""

    def telling(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        _unhook(instance=args[0], method=method)
        with Guard(f"telling of {method}()"):
            tell()
        return original(*args, **kwargs)

    around(instance, method, telling)


def after(instance: Any, method: str, tell: Callable[[Any], None]) -> None:
    """Have `tell(result)` called after `instance.method(...)`, awaited where it is a coroutine, the first time."""

    def told(instance: Any, result: Any) -> Any:
        _unhook(instance, method)
        with Guard(f"telling of {method}()"):
            tell(result)
        return result

    async def awaited(instance: Any, result: Awaitable[Any]) -> Any:
        return told(instance, await result)

    def telling(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        return awaited(args[0], result) if inspect.isawaitable(result) else told(args[0], result)

    around(instance, method, telling)


# The instance gets a subclass of its own class, for which it passes, whose method looks for a hook on the
# instance. A hook that held the instance itself would keep its socket open until the garbage collector comes by.


def around(instance: Any, method: str, hook: Callable[..., Any]) -> None:
    """Have `hook(original, instance, ...)` called in place of `instance.method(...)`, each time."""
    vars(instance)[_HOOK + method] = hook
    kind: Any = type(instance)
    _CLASS.__set__(instance, _hooked(kind, method))


def _unhook(instance: Any, method: str) -> None:
    vars(instance).pop(_HOOK + method, None)


@functools.cache
def _hooked(kind: Any, method: str) -> type:
    original = getattr(kind, method)

    @functools.wraps(original)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        hook = vars(self).get(_HOOK + method)
        return original(self, *args, **kwargs) if hook is None else hook(original, self, *args, **kwargs)

    client_s = vars(kind).get(_KIND, kind)  # of one that is hooked already
    told = {"__module__": kind.__module__, "__doc__": kind.__doc__, _KIND: client_s}
    return type(kind.__name__, (kind,), {method: hooked, "__class__": property(lambda _: client_s), **told})
