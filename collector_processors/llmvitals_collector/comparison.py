"""Whether one version of a prompt is better than another: by how much, how sure that is, and in words."""

from difflib import get_close_matches
from typing import NamedTuple

from llmvitals import semconv
from llmvitals_collector import rates
from llmvitals_collector.rates import Rate, Samples
from llmvitals_collector.statistics import CALIBRATED_PAIRS, Corrected, Difference, Estimate, difference

# Beyond so many times the answers that there are nobody waits for a decision.
_MOST_TIMES = 1000


class Comparison(NamedTuple):
    """Two versions of a template in one dimension, by the same kind of verdicts.

    difference: how much the second is above the first. needed: how many answers more would decide it, if both rates
    stay as they are; 0 where it is decided, None where none would within reason.
    """

    dimension: str
    versions: tuple[str, str]
    first: Rate
    second: Rate
    difference: Difference
    needed: int | None


def compared(of: Samples, template: str, first: str, second: str) -> list[Comparison]:
    """The comparison in each dimension in which both versions have been looked at.

    Raises:
        ValueError: there is no such template, or no such version of it.
    """
    _check("template", template, rates.templates(of))
    for version in (first, second):
        _check("version", version, rates.versions(of, template))
    found = []
    for dimension in rates.dimensions(of, template):
        pair = [rates.rate(of, template, dimension, version) for version in (first, second)]
        if {each.source for each in pair if each} >= {rates.CORRECTED, semconv.SOURCE_JUDGE}:
            # A judge that is corrected for one version alone would be taken for a difference between the two.
            pair = [rates.weighted(of, template, dimension, version) for version in (first, second)]
        one, other = pair
        if one and other:
            above = difference(one.estimate, other.estimate)
            found.append(Comparison(dimension, (first, second), one, other, above, _needed(one, other)))
    return found


def told(comparison: Comparison) -> str:
    """The comparison as a sentence."""
    dimension, (first, second), one, _, (above, low, high), needed = comparison
    interval = f"{low:+.2f} to {high:+.2f}"
    if comparison.difference.decided:
        least, most = sorted((abs(low), abs(high)))
        word = "better" if above > 0 else "worse"
        sentence = f"version {second} is {word} in {dimension} by {abs(above):.2f} ({least:.2f} to {most:.2f})"
    elif needed is None:
        sentence = f"no difference in {dimension} is in sight: version {second} less {first} is {interval}"
    else:
        sentence = (
            f"{dimension} is not decided yet: version {second} less {first} is {above:+.2f} ({interval}); "
            f"about {needed} more answers would tell"
        )
    if one.source == semconv.SOURCE_JUDGE:
        sentence += f"; by the judge alone, uncalibrated until people grade {CALIBRATED_PAIRS} answers of each version"
    return sentence


def _check(what: str, name: str, known: list[str]) -> None:
    if name not in known:
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise ValueError(f"no answer of the {what} {name!r} has been looked at; {hint}")


def _needed(one: Rate, other: Rate) -> int | None:
    """How many answers more would decide it, to about a tenth."""
    times = 1.0
    while times <= _MOST_TIMES:
        if difference(_grown(one.estimate, times), _grown(other.estimate, times)).decided:
            return round((times - 1) * (one.looked_at + other.looked_at))
        times *= 1.1
    return None


def _grown(estimate: Estimate | Corrected, times: float) -> Estimate:
    """The same rate of so many times the answers."""
    return Estimate(estimate.rate, estimate.low, estimate.high, estimate.n * times)
