"""What a catalogue says that the share of good answers has to be, for the page."""

from functools import lru_cache
from pathlib import Path
from re import compile as pattern

from llmvitals_collector.catalogue import catalogue, patterns
from llmvitals_collector.catalogue.catalogue import OwnedMetric
from llmvitals_collector.config import ConfigError

_MOST_SLICES = 10_000  # templates come and go


class Floors:
    """The metrics of a catalogue, by template and dimension; of the one that ships where no path is given.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """

    def __init__(self, path: str) -> None:
        try:
            found = catalogue.read(Path(path) if path else catalogue.shipped())
        except ValueError as error:
            raise ConfigError(f"metrics.catalogue: {error}") from error
        # What names a template goes before what is about all of them.
        metrics = sorted(found.metrics(), key=lambda each: each.feature.everywhere)
        self._metrics = [(each.dimension, pattern(patterns.regex(each.feature.templates)), each) for each in metrics]
        self.of = lru_cache(_MOST_SLICES)(self._of)

    def _of(self, template: str, dimension: str) -> OwnedMetric | None:
        """The metric of a template's dimension, if there is one."""
        found = (each for of, names, each in self._metrics if of == dimension and names.fullmatch(template))
        return next(found, None)
