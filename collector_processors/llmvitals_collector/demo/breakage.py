"""What can be broken while the demo runs: all calls of one template, in one of three ways."""

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, Self

from llmvitals_collector.demo import desk
from llmvitals_collector.demo.models import MODELS, TEMPLATES, Model

ERROR = 500
DELAY_SECONDS = 8.0


class _Way(NamedTuple):
    says: str
    broken: Callable[[Model], Model]


WAYS = {
    "errors": _Way(
        f"every call of {{}} fails with status {ERROR}",
        lambda model: replace(model, failures={ERROR: 1.0}),
    ),
    "slow": _Way(
        f"answers of {{}} begin up to {DELAY_SECONDS:.0f} seconds later",
        lambda model: replace(model, first_token_seconds=model.first_token_seconds + DELAY_SECONDS),
    ),
    "bad": _Way(
        "every answer of {} is evasive",
        lambda model: replace(model, writes=desk.evade),
    ),
}


class Breakage(NamedTuple):
    """A template of the demo, and the way in which it is broken."""

    template: str
    way: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """From TEMPLATE or TEMPLATE=WAY. Raises ValueError, with the nearest valid one, for any other."""
        template, _, way = text.partition("=")
        broken = cls(_known("template", template, TEMPLATES), _known("way", way or "errors", WAYS))
        if broken.way == "bad" and MODELS[broken.model].writes is None:
            raise ValueError(f"{template} gives no answers that could be bad; it can be broken by errors or slow")
        return broken

    @property
    def model(self) -> str:
        """The model of the template's calls."""
        return TEMPLATES[self.template]

    @property
    def law(self) -> Model:
        """How that model behaves once it is broken."""
        return WAYS[self.way].broken(MODELS[self.model])

    @property
    def says(self) -> str:
        """What is broken, for people."""
        return WAYS[self.way].says.format(self.template)

    def order(self, path: Path) -> None:
        """Writes it to where a scenario looks for it."""
        draft = path.with_suffix(".draft")
        draft.write_text(f"{self.template}={self.way}")
        draft.replace(path)  # so that it is there as a whole, or not at all


def _known(what: str, name: str, known: dict[str, str] | dict[str, _Way]) -> str:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}"
        raise ValueError(f"there is no {what} {name!r}; {hint}")
    return name
