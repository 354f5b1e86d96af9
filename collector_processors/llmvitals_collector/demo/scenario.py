"""What the demo's provider does with each request: its model behaves by its law, or is broken.

Run as a program, it is the provider: python -m llmvitals_collector.demo.scenario PORT SEED ORDER
"""

import json
import random
import signal
import sys
from pathlib import Path
from typing import Any

from llmvitals_collector.demo import breakage, grading
from llmvitals_collector.demo.behaviour import Behaviour
from llmvitals_collector.demo.models import MODELS
from llmvitals_collector.demo.provider import Provider
from llmvitals_collector.demo.wire import words_of


class Scenario:
    """Gives each request the behaviour of its model. A model's calls are the same for the same seed, in their order.

    order: where it is written what is to be broken, once it is.
    """

    def __init__(self, seed: int, order: Path | None = None) -> None:
        self._models = dict(MODELS)
        self._chances = {model: random.Random(f"{seed} {model}") for model in MODELS}  # noqa: S311
        self._judge = grading.Judge(seed)
        self._order = order

    def __call__(self, request: dict[str, Any]) -> Behaviour:
        self._obey()
        model = request.get("model", "")
        if model == grading.JUDGE:
            text = self._judge(request)
            return Behaviour(first_token_seconds=0.1, input_tokens=700, output_tokens=len(words_of(text)), text=text)
        if model not in MODELS:
            return Behaviour(status=404)
        return self._models[model].draw(self._chances[model], json.dumps(request, ensure_ascii=False))

    def _obey(self) -> None:
        if self._order and self._order.exists():
            broken = breakage.Breakage.parse(self._order.read_text())
            self._models[broken.model] = broken.law
            self._order = None


if __name__ == "__main__":
    with Provider(Scenario(int(sys.argv[2]), Path(sys.argv[3])), port=int(sys.argv[1])):
        signal.pause()
