"""PromQL for the boards, from the metric families of semconv."""

import re

from llmvitals import semconv
from llmvitals.semconv import Family

STEP = "$__rate_interval"  # the window of a graph's points
RANGE = "$__range"  # the whole time range of the board

# The variables of the boards about calls, by the label that each selects.
VARIABLES = {semconv.LABEL_SERVICE: "service", semconv.LABEL_MODEL: "model", semconv.LABEL_TEMPLATE: "template"}
# Which of their labels a recorded series has, by the first word of its name.
_LEVELS = {
    **dict.fromkeys(("service", "task"), (semconv.LABEL_SERVICE,)),
    **dict.fromkeys(("template", "version"), (semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE)),
}


def matching(label: str, *values: str) -> str:
    """A matcher for one of these values."""
    return f'{label}=~"{"|".join(values)}"' if len(values) > 1 else f'{label}="{values[0]}"'


def both(*matchers: str) -> str:
    """What all of these match; empty ones match everything."""
    return ", ".join(filter(None, matchers))


def selection(*labels: str) -> str:
    """What the board's variables select, of series that have these labels."""
    return both(*(f'{label}=~"${variable}"' for label, variable in VARIABLES.items() if label in labels))


def rate(family: Family, *by: str, where: str = "") -> str:
    """Events per second of a counter, by labels."""
    return total(f"rate({_selected(family, where)}[{STEP}])", *by)


def increase(family: Family, *by: str, where: str = "", window: str = RANGE) -> str:
    """Events of a counter in the window, by labels."""
    return total(f"increase({_selected(family, where)}[{window}])", *by)


def largest(family: Family, *by: str, where: str = "") -> str:
    """The largest value of a gauge, by labels."""
    return _aggregated("max", _selected(family, where), by)


def earliest(family: Family, *by: str, where: str = "") -> str:
    """The smallest value of a gauge, by labels: of a time that several collectors tell, when it first was."""
    return _aggregated("min", _selected(family, where), by)


def summed(family: Family, *by: str, where: str = "") -> str:
    """The sum of a gauge, by labels."""
    return total(_selected(family, where), *by)


def age(family: Family, *by: str, where: str = "") -> str:
    """Seconds since the latest of the times that a gauge holds, by labels."""
    return f"time() - {largest(family, *by, where=where)}"


def recorded(name: str, window: str = "", *, where: str = "") -> str:
    """A recorded series of what the variables select, over one of semconv.WINDOWS where it is recorded by window."""
    over = matching(semconv.LABEL_WINDOW, window) if window else ""
    return _matched(name, both(selection(*_LEVELS.get(re.split("[_:]", name)[0], ())), over, where))


def releases() -> str:
    """When each version of what the variables select was first seen at work, in milliseconds since the epoch."""
    kinds = {semconv.RELEASE_APP: "service", semconv.RELEASE_PROMPT: "template", semconv.RELEASE_MODEL: "model"}
    selected = " or ".join(
        earliest(
            semconv.RELEASE_TIMESTAMP,
            *semconv.RELEASE_TIMESTAMP.labels,
            where=both(matching(semconv.LABEL_KIND, kind), f'{semconv.LABEL_NAME}=~"${variable}"'),
        )
        for kind, variable in kinds.items()
    )
    return f"({selected}) * 1000"


def quantile(q: float, family: Family, *by: str, where: str = "", window: str = STEP, offset: str = "") -> str:
    """A quantile of a histogram, by labels, in the family's unit; NaN where nothing was observed.

    A native histogram is one series under the family's name, a classic one is its buckets. A server may hold
    either, so both are asked for and the native one wins.
    """
    span = f"[{window}]" + (f" offset {offset}" if offset else "")
    native = total(f"rate({_selected(family, where)}{span})", *by)
    classic = total(f"rate({_selected(family, where, '_bucket')}{span})", *by, "le")
    return f"(histogram_quantile({q}, {native}) or histogram_quantile({q}, {classic}))"


def by_quantile(family: Family, quantiles: tuple[float, ...] = (0.5, 0.95, 0.99), *, where: str = "") -> dict[str, str]:
    """Quantiles of a histogram over time, by their names: `p95`."""
    return {f"p{q * 100:.0f}": quantile(q, family, where=where) for q in quantiles}


def observations(family: Family, *by: str, where: str = "", window: str = RANGE) -> str:
    """How many values a histogram got in the window, by labels; native wins as in `quantile`."""
    native = total(f"increase({_selected(family, where)}[{window}])", *by)
    classic = total(f"increase({_selected(family, where, '_count')}[{window}])", *by)
    return f"(histogram_count({native}) or {classic})"


def per_observation(family: Family, *by: str, window: str = RANGE) -> str:
    """The sum of a histogram's values divided by their number, by labels: for what adds up, as money does.

    The family has no native buckets.
    """
    values, number = (total(f"increase({_selected(family, '', part)}[{window}])", *by) for part in ("_sum", "_count"))
    return share(values, number)


def buckets(family: Family, where: str = "") -> str:
    """A histogram's observations by bucket, for a heatmap; native wins as in `quantile`."""
    native = total(f"increase({_selected(family, where)}[{STEP}])")
    classic = total(f"increase({_selected(family, where, '_bucket')}[{STEP}])", "le")
    return f"{native} or on () {classic}"


def share(part: str, whole: str) -> str:
    """A ratio of two sums; without a value where the whole is 0."""
    return f"{part} / ({whole} > 0)"


def clamped(ratio: str) -> str:
    """A ratio of two families, of which Prometheus may extrapolate the part a little more than the whole."""
    return f"clamp_max({ratio}, 1)"


def objective(slo: str) -> str:
    """The time in seconds within which a call keeps an objective."""
    return largest(semconv.SLO_THRESHOLD, where=matching(semconv.LABEL_SLO, slo))


def threshold(name: str) -> str:
    """The catalogue's threshold of this name, as a scalar."""
    return f"scalar({semconv.CATALOGUE_THRESHOLD}{{{matching(semconv.LABEL_THRESHOLD, name)}}})"


def limit(name: str) -> str:
    """The catalogue's threshold of this name as a vector, so that a graph draws where an alert rings."""
    return f"vector({threshold(name)})"


def total(vector: str, *by: str) -> str:
    """The sum of a vector, by labels."""
    return _aggregated("sum", vector, by)


def _selected(family: Family, where: str, suffix: str = "") -> str:
    return _matched(family.name + suffix, both(selection(*family.labels), where))


def _matched(name: str, matchers: str) -> str:
    return f"{name}{{{matchers}}}" if matchers else name


def _aggregated(operation: str, vector: str, by: tuple[str, ...]) -> str:
    return f"{operation} by ({', '.join(by)}) ({vector})" if by else f"{operation}({vector})"
