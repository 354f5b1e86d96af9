"""The demo, scraped by a Prometheus with native histograms and by one without, in which an hour is 15 seconds."""

from dataclasses import dataclass

import pytest

from demo_prometheus import demo, faster, prometheus
from queries import Query
from sheet_data import Series, Server

TIMES = 240
MODES = {"native": ("native-histograms", "exemplar-storage"), "classic": ("exemplar-storage",)}


@dataclass(frozen=True)
class DemoData:
    """One of the two servers."""

    server: Server

    def answer(self, query: Query, at: float) -> list[Series]:
        """What comes back for a board's query at a time in Unix seconds, as if the demo had run for hours."""
        return self.server.at(faster(query.expression, TIMES), at)


@pytest.fixture(scope="module")
def servers_by_mode(program, tmp_path_factory):
    """Both, from when they are started on; they take all of a processor, so no longer than they are needed."""
    program("prometheus")
    folder = tmp_path_factory.mktemp("demo")
    for mode in MODES:
        (folder / mode).mkdir()
    with (
        demo(folder, rate=10) as collector,
        prometheus(folder / "native", collector, TIMES, MODES["native"]) as native,
        prometheus(folder / "classic", collector, TIMES, MODES["classic"]) as classic,
    ):
        yield {"native": native, "classic": classic}


@pytest.fixture(scope="module", params=MODES)
def demo_data(servers_by_mode, request):
    return DemoData(Server(servers_by_mode[request.param].url))
