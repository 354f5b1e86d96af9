"""A first look at an answer: what heuristics find in it, and whether a judge is to see it."""

from typing import NamedTuple

from llmvitals.evaluators import read, run
from llmvitals.evaluators.evaluator import Exchange
from llmvitals.evaluators.language import language_of
from llmvitals_collector.evaluation import content, findings
from llmvitals_collector.evaluation.answered import Answered
from llmvitals_collector.evaluation.drawn import drawn
from llmvitals_collector.evaluation.events import Finding
from llmvitals_collector.evaluation.judging import Task
from llmvitals_collector.evaluation.plan import Plan, TemplatePlan
from llmvitals_collector.evaluation.sampling import Sampling

_LANGUAGE = "language_match"


class Inspected(NamedTuple):
    """What is known of an answer. task: where a judge is to see it."""

    findings: list[Finding]
    language: str
    task: Task | None


def inspect(answer: Answered, plan: Plan, sampling: Sampling, now: float) -> Inspected:
    """Run those evaluators that the app has not, and draw. now: seconds since the epoch.

    Raises:
        UnreadableError: its messages are needed, and cannot be read.
    """
    of_template, told = plan.of(answer.template), read(answer.checks)
    unchecked = [name for name in plan.config.checks if name not in told]
    # Most answers are not drawn, and without checks nothing else is to be known of them.
    exchange = _exchange(answer, of_template) if unchecked else None
    verdicts = run(exchange, unchecked) if exchange else {}
    checks = told | {name: verdict.verdict for name, verdict in verdicts.items()}
    found = findings.of_checks(verdicts, answer.failure)
    draw = None
    if of_template.rubrics and (exchange is None or exchange.answer.strip()):
        draw = sampling.draw(
            (answer.service, answer.template),
            drawn(answer.trace_id),
            now,
            judged=of_template.judged,
            graded=of_template.graded,
            flagged=answer.failure or findings.is_odd(checks),
        )
    if draw:
        exchange = exchange or _exchange(answer, of_template)
    language = answer.language or (_language(exchange) if exchange and (draw or _LANGUAGE in verdicts) else "")
    if not (draw and exchange and exchange.answer.strip()):
        return Inspected(found, language, None)
    bare = answer._replace(input_messages="", output_messages="", system_instructions="")
    asked = exchange._replace(earlier=(), system="")  # of which a judge sees nothing
    task = Task(bare, asked, language, findings.modes(checks), draw, of_template.rubrics)
    return Inspected(found, language, task)


def _exchange(answer: Answered, of_template: TemplatePlan) -> Exchange:
    texts = (answer.input_messages, answer.output_messages, answer.system_instructions)
    return content.read(*texts, of_template.instructions)


def _language(exchange: Exchange) -> str:
    try:
        return language_of(exchange.answer)
    except ImportError:
        return ""
