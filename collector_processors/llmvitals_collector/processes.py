"""CPU time and memory of the collector's processes, as those of one."""

import os
from collections.abc import Callable, Iterable

from prometheus_client.core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

_CPU = "process_cpu_seconds_total"
# Of several processes the sum; of the other metrics, such as the time of the start, this one's counts.
_ADDED = (_CPU, "process_virtual_memory_bytes", "process_resident_memory_bytes", "process_open_fds")


class Processes(Collector):
    """This process, with the others that it started; others: the ids of those that live."""

    def __init__(self) -> None:
        self.others: Callable[[], Iterable[int]] = tuple
        self._own = ProcessCollector(registry=None)
        self._cpu = 0.0

    def collect(self) -> list[Metric]:
        """The metrics that Prometheus's clients have of a process; none where the system does not tell.

        https://prometheus.io/docs/instrumenting/writing_clientlibs/#standard-and-runtime-collectors
        """
        metrics = list(self._own.collect())
        spent = os.times()
        others = [{_CPU: spent.children_user + spent.children_system}, *map(_values, self.others())]
        for metric in metrics:
            metric.samples = [self._added(sample, others) for sample in metric.samples]
        return metrics

    def _added(self, sample: Sample, others: list[dict[str, float]]) -> Sample:
        if sample.name not in _ADDED:
            return sample
        value = sample.value + sum(other.get(sample.name, 0.0) for other in others)
        if sample.name == _CPU:
            # Nobody tells of a process that ends just now, and a counter must not fall.
            self._cpu = value = max(self._cpu, value)
        return sample._replace(value=value)


def _values(pid: int) -> dict[str, float]:
    """The metrics of a process by their names; none of one that has ended."""
    metrics = ProcessCollector(pid=lambda: pid, registry=None).collect()
    return {sample.name: sample.value for metric in metrics for sample in metric.samples}
