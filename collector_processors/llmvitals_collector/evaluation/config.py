"""Evaluates answers whose messages came with their calls: beside the ingest, and never in its way.

Verdicts are counted like those that come from outside, and forwarded as `gen_ai.evaluation.result` events. The messages
themselves are kept in memory until they have been looked at, and nowhere else, but for those that people are to grade.

Attributes:
    checks: evaluators without a model, for every answer whose sender has not run them.
    queue_bytes: of the texts that wait, and of those that wait for the judge; what does not fit is counted.
    templates: what holds for some; `*` stands for any text, and of several that fit the longest is taken.
"""

import difflib
from typing import Annotated, Any, TypeVar

import msgspec

from llmvitals.evaluators import EVALUATORS
from llmvitals.evaluators.evaluator import Instructions

T = TypeVar("T")
# A change of it takes a restart.
Fixed = Annotated[T, msgspec.Meta(extra={"restart": True})]

Share = Annotated[float, msgspec.Meta(ge=0, le=1, description="a number from 0 to 1")]
TemplateShare = Annotated[
    Annotated[float, msgspec.Meta(ge=0, le=1)] | None, msgspec.Meta(description="a number from 0 to 1, or none")
]
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000, description="a whole number from 0 to 1000000")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Concurrency = Annotated[int, msgspec.Meta(ge=1, le=64, description="a whole number from 1 to 64")]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600, description="a number of seconds above 0, at most 3600")]
Bytes = Annotated[
    int, msgspec.Meta(ge=1 << 20, le=1 << 40, description="a whole number of bytes from 1048576 to 1099511627776")
]
Dollars = Annotated[float, msgspec.Meta(ge=0, le=1e6, description="a number from 0 to 1000000")]
Tokens = Annotated[int, msgspec.Meta(ge=0, le=10**15, description="a whole number from 0 to 1000000000000000")]
Secret = Annotated[str, msgspec.Meta(description="a text", extra={"secret": True})]
File = Annotated[str, msgspec.Meta(description="a path, or empty for none")]
Checks = Annotated[tuple[str, ...], msgspec.Meta(description=f"a list of {', '.join(EVALUATORS)}")]
Rubrics = Annotated[tuple[str, ...], msgspec.Meta(description="a list of shipped rubrics and of paths of others")]
TemplateRubrics = Annotated[
    tuple[str, ...] | None, msgspec.Meta(description="a list of shipped rubrics and of paths of others, or none")
]
_DIVISORS = "a whole number of seconds from 60 to 86400, by which a day can be divided"
Window = Annotated[int, msgspec.Meta(ge=60, le=86_400, description=_DIVISORS)]
Number = Annotated[int | None, msgspec.Meta(description="a whole number, or none")]
Phrases = Annotated[tuple[str, ...], msgspec.Meta(description="a list of texts")]
Text = Annotated[str | None, msgspec.Meta(description="a text, or none")]
Bullets = Annotated[tuple[int, int] | None, msgspec.Meta(description="two whole numbers, or none")]
Schema = Annotated[dict[str, Any] | None, msgspec.Meta(description="a JSON schema, or none")]


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class JudgePrice(_Section, frozen=True):
    """What the judge's model costs, in US dollars per million tokens. Without it nothing is known of cost.

    Attributes:
        cache_read: as `input` where it is 0.
    """

    input: Dollars = 0
    output: Dollars = 0
    cache_read: Dollars = 0

    @property
    def known(self) -> bool:
        """Whether there is one."""
        return bool(self.input or self.output)


class JudgeBudget(_Section, frozen=True):
    """What judging may take in a day (UTC); 0 is without a limit. If it would not last, the share is lowered.

    Attributes:
        usd_per_day: US dollars.
        tokens_per_day: of all types.
    """

    usd_per_day: Dollars = 0
    tokens_per_day: Tokens = 0


class Judge(_Section, frozen=True):
    """A model that grades answers by rubrics; any endpoint that speaks OpenAI's chat completions. None by default.

    Attributes:
        model: the judge's; empty for none.
        base_url: of the endpoint; empty for the environment's OPENAI_BASE_URL, or OpenAI's own.
        api_key: best from the environment; empty for its OPENAI_API_KEY.
        rubrics: by which answers are graded. Their files are read again with the configuration.
        timeout_seconds: for one judgement, with all its attempts.
        concurrency: how many judgements are under way at a time.
        queue_answers: that wait for the judge; beyond, the oldest of the template with most of them is dropped.
        repeat_share: of the judged answers, which are judged twice: how often the judge agrees with itself.
        explanations: whether its words, which are content, go on to backends with its verdicts.
    """

    model: Fixed[str] = ""
    base_url: Fixed[str] = ""
    api_key: Fixed[Secret] = ""
    rubrics: Rubrics = ("helpfulness", "completeness", "safety")
    timeout_seconds: Fixed[Seconds] = 60
    concurrency: Fixed[Concurrency] = 4
    queue_answers: Fixed[Amount] = 1000
    repeat_share: Share = 0.02
    explanations: bool = False
    price: Fixed[JudgePrice] = JudgePrice()
    budget: Fixed[JudgeBudget] = JudgeBudget()

    def __post_init__(self) -> None:
        if self.budget.usd_per_day and not self.price.known:
            raise ValueError(
                "budget.usd_per_day: cannot be kept without prices; valid: set price.input and price.output"
            )

    def __repr__(self) -> str:
        return f"Judge({self.model})"


class Sampling(_Section, frozen=True):
    """Which answers are judged. Those in which a check has failed are judged in any case.

    Attributes:
        share: of each template's answers.
        minimum_per_template: in each window; a rare template has a larger share for it.
        window_seconds: after which shares are worked out anew, from how many answers a template had.
        replicas: how many collectors share the traffic. Each takes its part of the minima and of the judge's budget.
    """

    share: Share = 0.02
    minimum_per_template: Count = 30
    window_seconds: Fixed[Window] = 3600
    replicas: Fixed[Amount] = 1

    def __post_init__(self) -> None:
        if 86_400 % self.window_seconds:
            raise ValueError(f"window_seconds: {self.window_seconds} is not {_DIVISORS}")


class Review(_Section, frozen=True):
    """Judged answers that people are to grade, with `llmvitals review`: with their texts, in files of this host.

    Attributes:
        directory: where they are kept; empty for nowhere.
        share: of each template's answers; never more than are judged.
        minimum_per_template: in each window.
        worst_per_template: failed answers in each window that are added to be read; they count for nothing.
        keep_days: after which they are deleted.
    """

    directory: Fixed[File] = ""
    share: Share = 0.002
    minimum_per_template: Count = 1
    worst_per_template: Count = 1
    keep_days: Fixed[Amount] = 30


class AnswerInstructions(_Section, frozen=True):
    """What the prompt asks of every answer; what is left out is not checked.

    Attributes:
        bullets: the fewest and the most.
        required: phrases, in any case.
        forbidden: phrases, in any case.
        language: as ISO 639-1 has it.
        json_schema: to which the answer, as JSON, conforms.
    """

    max_words: Number = None
    min_words: Number = None
    max_characters: Number = None
    max_sentences: Number = None
    bullets: Bullets = None
    required: Phrases = ()
    forbidden: Phrases = ()
    ending: Text = None
    language: Text = None
    json_schema: Schema = None

    def __post_init__(self) -> None:
        self.instructions()

    def instructions(self) -> Instructions:
        """As evaluators take them."""
        return Instructions(**msgspec.structs.asdict(self))


class TemplateEvaluation(_Section, frozen=True):
    """What holds for the templates of a name or a pattern.

    Attributes:
        share: in place of sampling.share; 1 for a template of high risk.
        rubrics: in place of the judge's.
    """

    share: TemplateShare = None
    rubrics: TemplateRubrics = None
    instructions: AnswerInstructions = AnswerInstructions()


Templates = Annotated[
    dict[str, TemplateEvaluation], msgspec.Meta(description="a mapping of templates to what holds for them")
]


class EvaluationConfig(_Section, frozen=True):
    checks: Checks = ()
    queue_bytes: Fixed[Bytes] = 32 << 20
    judge: Judge = Judge()
    sampling: Sampling = Sampling()
    review: Review = Review()
    templates: Templates = {}

    def __post_init__(self) -> None:
        for name in self.checks:
            if name not in EVALUATORS:
                near = difflib.get_close_matches(name, EVALUATORS, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"valid: {', '.join(EVALUATORS)}"
                raise ValueError(f"checks: {name!r} is no check; {hint}")
        if self.review.directory and not self.judge.model:
            raise ValueError("review.directory: has no effect without judge.model, as people grade what was judged")

    @property
    def enabled(self) -> bool:
        """Whether anything is evaluated, for which the content of calls is decoded."""
        return bool(self.checks or self.judge.model)
