"""PromQL for the boards, from the metric families of semconv."""

from llmvitals import semconv
from llmvitals.semconv import Family

STEP = "$__rate_interval"  # the window of a graph's points
RANGE = "$__range"  # the whole time range of the board

# The variables of every board, by the label that each selects.
VARIABLES = {semconv.LABEL_SERVICE: "service", semconv.LABEL_MODEL: "model", semconv.LABEL_TEMPLATE: "template"}
SELECTION = ", ".join(f'{label}=~"${variable}"' for label, variable in VARIABLES.items())


def matching(label: str, *values: str) -> str:
    """A matcher for one of these values."""
    return f'{label}=~"{"|".join(values)}"' if len(values) > 1 else f'{label}="{values[0]}"'


def rate(family: Family, *by: str, where: str = "") -> str:
    """Events per second of a counter, by labels."""
    return _sum(f"rate({_selected(family.name, where)}[{STEP}])", *by)


def increase(family: Family, *by: str, where: str = "", window: str = RANGE) -> str:
    """Events of a counter in the window, by labels."""
    return _sum(f"increase({_selected(family.name, where)}[{window}])", *by)


def quantile(q: float, family: Family, *by: str, where: str = "", window: str = STEP, offset: str = "") -> str:
    """A quantile of a histogram, by labels, in the family's unit; NaN where nothing was observed.

    A native histogram is one series under the family's name, a classic one is its buckets. A server may hold
    either, so both are asked for and the native one wins.
    """
    span = f"[{window}]" + (f" offset {offset}" if offset else "")
    native = _sum(f"rate({_selected(family.name, where)}{span})", *by)
    classic = _sum(f"rate({_selected(family.name + '_bucket', where)}{span})", *by, "le")
    return f"(histogram_quantile({q}, {native}) or histogram_quantile({q}, {classic}))"


def buckets(family: Family, where: str = "") -> str:
    """A histogram's observations by bucket, for a heatmap; native wins as in `quantile`."""
    native = _sum(f"increase({_selected(family.name, where)}[{STEP}])")
    classic = _sum(f"increase({_selected(family.name + '_bucket', where)}[{STEP}])", "le")
    return f"{native} or on () {classic}"


def collector(family: Family, *by: str) -> str:
    """Events of a counter of the collector's own, which the boards' variables do not select."""
    return _sum(f"increase({family.name}[{STEP}])", *by)


def share(part: str, whole: str) -> str:
    """A ratio of two sums; without a value where the whole is 0."""
    return f"{part} / ({whole} > 0)"


def objective(slo: str) -> str:
    """The time in seconds within which a call keeps an objective."""
    return f"max({semconv.SLO_THRESHOLD.name}{{{matching(semconv.LABEL_SLO, slo)}}})"


def _selected(name: str, where: str) -> str:
    return f"{name}{{{SELECTION}{', ' + where if where else ''}}}"


def _sum(vector: str, *by: str) -> str:
    return f"sum by ({', '.join(by)}) ({vector})" if by else f"sum({vector})"
