"""What the configuration says of each template, worked out once: its checks, its rubrics, and its share."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from llmvitals import semconv
from llmvitals.evaluators import missing
from llmvitals.evaluators.evaluator import Instructions
from llmvitals.judge import Rubric
from llmvitals_collector import quality
from llmvitals_collector.config import ConfigError
from llmvitals_collector.evaluation.config import EvaluationConfig, TemplateEvaluation
from llmvitals_collector.evaluation.sampling import Rate

_FILES = (".yaml", ".yml")


class TemplatePlan(NamedTuple):
    """What holds for a template. judged, graded: how many of its answers a judge and people are to see."""

    judged: Rate
    graded: Rate
    rubrics: tuple[Rubric, ...]
    instructions: Instructions


class Plan:
    """A configuration, with its rubrics read.

    Raises:
        ConfigError: a rubric cannot be read, or an evaluator needs a package that is missing.
    """

    def __init__(self, config: EvaluationConfig) -> None:
        for name, package in missing(config.checks).items():
            raise ConfigError(f"evaluation.checks: {name} needs a package that is missing: pip install {package}")
        self.config = config
        # The most telling pattern first.
        self._patterns = sorted(config.templates, key=lambda pattern: len(pattern.replace("*", "")), reverse=True)
        judged = bool(config.judge.model)
        self._rubrics = _rubrics(config.judge.rubrics, "evaluation.judge.rubrics") if judged else ()
        self._own = {
            pattern: _rubrics(settings.rubrics, f"evaluation.templates.{pattern}.rubrics")
            for pattern, settings in config.templates.items()
            if judged and settings.rubrics is not None
        }
        self.of = lru_cache(4096)(self._of)

    @property
    def rubrics(self) -> dict[str, Rubric]:
        """All of them, by hash."""
        return {rubric.hash: rubric for rubrics in (self._rubrics, *self._own.values()) for rubric in rubrics}

    def expected(self, template: str) -> Iterable[Mapping[str, str]]:
        """Columns of the results that can come of a template, as quality.expected takes them."""
        yield from quality.of_checks(self.config.checks)
        sources = [semconv.SOURCE_JUDGE] + [semconv.SOURCE_HUMAN] * bool(self.config.review.directory)
        for rubric in self.of(template).rubrics:
            told = {"dimension": rubric.dimension, "evaluator": self.config.judge.model, "rubric": rubric.hash}
            yield from ({**told, "source": source} for source in sources)

    def _of(self, template: str) -> TemplatePlan:
        """What holds for a template."""
        pattern = next((pattern for pattern in self._patterns if fnmatchcase(template, pattern)), None)
        own = TemplateEvaluation() if pattern is None else self.config.templates[pattern]
        sampling, review = self.config.sampling, self.config.review
        share = sampling.share if own.share is None else own.share
        kept = bool(review.directory)
        return TemplatePlan(
            judged=Rate(share, sampling.minimum_per_template / sampling.replicas),
            graded=Rate(review.share * kept, review.minimum_per_template * kept / sampling.replicas),
            rubrics=self._rubrics if pattern is None else self._own.get(pattern, self._rubrics),
            instructions=own.instructions.instructions(),
        )


def _rubrics(names: Iterable[str], key: str) -> tuple[Rubric, ...]:
    try:
        return tuple(Rubric.load(name) if Path(name).suffix in _FILES else Rubric.shipped(name) for name in names)
    except ValueError as error:
        raise ConfigError(f"{key}: {error}") from error
