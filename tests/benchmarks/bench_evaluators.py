"""What each check of an answer costs, beside `json.loads` of the same answer as a JSON string.

CPU time of answers of 200 and 2,000 words, the best of several rounds in which all take turns. Read the ratios, for the
machine is seldom alone: `python tests/benchmarks/bench_evaluators.py`
"""

import json
import random
import time
from collections.abc import Callable

from llmvitals.evaluators import EVALUATORS, Exchange, Instructions, run, written

LENGTHS = (200, 2_000)
ROUNDS = 15
ANSWERS = 20  # more than the language check remembers
BASELINE = "json.loads"
TEXT = (
    "the customer asked about an invoice that was sent twice and the answer explains how refunds work for orders "
    "which were paid by card or with a voucher when they come back to us within thirty days of the purchase"
)
VOCABULARY = TEXT.split()
INSTRUCTIONS = Instructions(
    max_words=5_000,
    max_sentences=2_000,
    bullets=(0, 5),
    required=("refunds",),
    forbidden=("as an AI", "I think"),
    ending=".",
)
SCHEMA = Instructions(json_schema={"type": "array", "items": {"type": "string"}})


def prose(chance: random.Random, words: int) -> str:
    """Sentences of 6 to 18 words, in paragraphs, with a number now and then."""
    sentences = []
    while words > 0:
        length = min(words, chance.randint(6, 18))
        said = [
            str(chance.randrange(999)) if chance.random() < 0.03 else chance.choice(VOCABULARY) for _ in range(length)
        ]
        sentences.append(" ".join(said).capitalize() + ("." if chance.random() < 0.8 else ".\n\n"))
        words -= length
    return " ".join(sentences).strip()


def work(words: int) -> dict[str, list[Callable[[], object]]]:
    """Per row of the table its calls, one for each answer; `format_valid` gets the sentences as a JSON list."""
    chance = random.Random(words)
    answers = [prose(chance, words) for _ in range(ANSWERS)]
    asked = {"query": prose(chance, 15), "earlier": (prose(chance, 15),), "context": answers[0], "asked_before": False}
    plain = [Exchange(answer, instructions=INSTRUCTIONS, **asked) for answer in answers]
    as_json = [Exchange(json.dumps(answer.split(". ")), instructions=SCHEMA) for answer in answers]
    rows: dict[str, list[Callable[[], object]]] = {
        BASELINE: [lambda text=text: json.loads(text) for text in map(json.dumps, answers)]
    }
    for name, evaluator in EVALUATORS.items():
        exchanges = as_json if name == "format_valid" else plain
        rows[name] = [lambda each=each, look=evaluator.evaluate: look(each) for each in exchanges]
    rows["all, but the language"] = [
        lambda each=each: written(run(each, EVALUATORS.keys() - {"language_match"})) for each in plain
    ]
    return rows


def measured(rows: dict[str, list[Callable[[], object]]]) -> dict[str, float]:
    """Microseconds per answer."""
    best = dict.fromkeys(rows, float("inf"))
    for _ in range(ROUNDS):
        for name, calls in rows.items():
            began = time.process_time()
            for call in calls:
                call()
            best[name] = min(best[name], (time.process_time() - began) / len(calls) * 1e6)
    return best


def main() -> None:
    found = {words: measured(work(words)) for words in LENGTHS}
    print(f"{'µs per answer':24}" + "".join(f"{f'{words:,} words':>14}{f'/ {BASELINE}':>14}" for words in LENGTHS))
    for name in found[LENGTHS[0]]:
        cells = [f"{times[name]:14.1f}{times[name] / times[BASELINE]:14.1f}" for times in found.values()]
        print(f"{name:24}" + "".join(cells))


if __name__ == "__main__":
    main()
