"""What a worker tells of itself, each time only what has changed since the last."""

import time
from threading import Lock

from llmvitals import semconv
from llmvitals_collector.debug import Debug
from llmvitals_collector.telemetry import LabelValues, Telemetry
from llmvitals_collector.workers.messages import Report

# What a worker has told stays told, should it be killed.
_EVERY_SECONDS = 1.0


class Reporting:
    """order: is held from a report until it is sent, so that the last one that is read is the last one made."""

    def __init__(self, telemetry: Telemetry, debug: Debug) -> None:
        self._telemetry = telemetry
        self._debug = debug
        self.order = Lock()
        self._told: dict[semconv.Family, dict[LabelValues, float]] = {}
        self._at = 0.0

    def due(self) -> Report | None:
        """As report(), where it is time for one: notes are to come before the calls that they are about are counted."""
        if not self._debug.noted and time.monotonic() - self._at < _EVERY_SECONDS:
            return None
        return self.report()

    def report(self) -> Report:
        """What is new, with `order` held."""
        report = Report([], [], self._debug.take())
        self._at = time.monotonic()
        before, self._told = self._told, self._telemetry.values()
        for family, values in self._told.items():
            old = before.get(family, {})
            for labels, value in values.items():
                more = value - old.get(labels, 0.0)
                if more and family.kind == "counter":
                    report.counters.append((family.name, labels, more))
                elif more:
                    report.gauges.append((family.name, labels, value))
        return report
