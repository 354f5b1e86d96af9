"""What stands in a catalogue: each metric with its meaning, owner, floor, target, window and runbook.

Where a key has its effect: in the rules and alerts (R), in the collector's configuration (C), in Alertmanager's (A), in
the documentation (D), or in `llmvitals catalogue lint` alone (L).
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from llmvitals import semconv
from llmvitals_collector import assets, document
from llmvitals_collector.catalogue.patterns import ANY
from llmvitals_collector.catalogue.thresholds import PositiveShare, Share, Thresholds
from llmvitals_collector.config import Limits, Section
from llmvitals_collector.processors.slo import SloConfig

FILE_NAME = "catalogue.yaml"
CHARACTERS = 200  # of a text that becomes a label
SEVERITIES = ("critical", "warning", "info")
OwnShare = Annotated[
    Annotated[float, msgspec.Meta(ge=0, le=1)] | None, msgspec.Meta(description="a number from 0 to 1, or none")
]
Window = Annotated[
    str,
    msgspec.Meta(
        pattern=f"^({'|'.join(semconv.WINDOWS)})$", description=f"one of the windows {', '.join(semconv.WINDOWS)}"
    ),
]
Severity = Annotated[
    str, msgspec.Meta(pattern=f"^({'|'.join(SEVERITIES)})?$", description=f"one of {', '.join(SEVERITIES)}")
]
# Prometheus expands labels of alerts, and refuses a whole file for a template that it does not understand.
Owner = Annotated[
    str, msgspec.Meta(pattern=r"^[^{}\x00-\x1f]{0,200}$", description="a name without braces, such as web-platform")
]
Duration = Annotated[str, msgspec.Meta(pattern=r"^(\d+[smhdw])?$", description="a duration such as 30m, 4h or 2d")]
Amount = Annotated[int, msgspec.Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000")]
Address = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^https?://[^\s{}\"]+[^\s{}\"/]$",
        description="an address such as https://grafana.example.com",
    ),
]
Dollars = Annotated[float, msgspec.Meta(gt=0, le=1e9, description="a number above 0, at most 1e9")]
Texts = Annotated[tuple[str, ...], msgspec.Meta(description="a list of texts")]
Patterns = Annotated[tuple[str, ...], msgspec.Meta(min_length=1, description="a list such as [support-*, checkout]")]
Budgets = Annotated[
    dict[str, Dollars], msgspec.Meta(description="a mapping of services, or all, to US dollars above 0")
]
Cardinality = Annotated[
    dict[str, Amount], msgspec.Meta(description="a mapping of labels to whole numbers from 1 to 1000000")
]


class Owners(Section, frozen=True):
    """Who is asked about an alert, by its category: the label `owner` (R).

    Attributes:
        quality: of metrics, the owner of their feature counts before it.
    """

    slo: Owner = "llm-platform"
    quality: Owner = "llm-quality"
    cost: Owner = "llm-cost"
    telemetry: Owner = "llm-platform"


class Links(Section, frozen=True):
    """What Alertmanager leads to (A); before paths in alerts, as /d/llm-quality?... and /runbooks/LLMSafetyEvent.md.

    Attributes:
        grafana: where Grafana is.
        runbooks: where the folder is in which `runbooks` lies; each collector serves it, too, where its metrics are.
        dead_mans_switch: of a service that raises the alarm when LLMWatchdog stops coming.
    """

    grafana: Address = "https://grafana.example.com"
    runbooks: Address = "https://git.example.com/llmvitals/prometheus_rules"
    dead_mans_switch: Address = "https://dead-mans-switch.example.com/llmvitals"


class Metric(Section, frozen=True):
    """One dimension of a feature's quality: the share of its answers that pass.

    Attributes:
        floor: below which it must not be (R, D).
        target: what it should be (R, D).
        says: what that share is, in a sentence (R, D).
        window: the longest over which it may be below its floor; the shorter ones are looked at, too (R, D).
        min_n: of how many answers it has to be, for an alert (R, D).
        severity: of that alert (R, D).
        owner, runbook, rollback: where they are not the feature's (R, D).
        respond_within: how soon somebody has to look (R, D).
        sources: who says what passes (D).
        failure_modes: in which ways answers are likely to fail (D).
    """

    floor: PositiveShare
    target: Share
    says: str = ""
    window: Window = "7d"
    min_n: Amount = 50
    severity: Severity = "warning"
    owner: str = ""
    runbook: str = ""
    rollback: str = ""
    respond_within: Duration = ""
    sources: Texts = (semconv.SOURCE_JUDGE, semconv.SOURCE_HUMAN)
    failure_modes: Texts = ()

    def __post_init__(self) -> None:
        _check_texts(self)

    @property
    def windows(self) -> tuple[str, ...]:
        """Those in which the floor is looked at."""
        return semconv.WINDOWS[: semconv.WINDOWS.index(self.window) + 1]


class Feature(Section, frozen=True):
    """What users know by one name: some templates, which are to be equally good.

    Attributes:
        says: what it does, in a sentence (D).
        owner: who answers for it (R, D).
        runbook: a .md file, looked for in the catalogue's folder and then among those that ship, or an address (R, D).
        rollback: to what, and how (R, D).
        templates: names, in which `*` stands for any text; `*` alone for those that no other feature names (R).
        share: of its answers, how many are judged, in place of the collector's own (C).
        metrics: by dimension.
    """

    templates: Patterns
    says: str = ""
    owner: str = ""
    runbook: str = ""
    rollback: str = ""
    share: OwnShare = None
    metrics: dict[str, Metric] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_texts(self)
        for pattern in self.templates:
            _one_line("templates", pattern)
            if set(pattern) & set("?[]"):
                raise ValueError(f"templates: {pattern!r} has one of ? [ ]; only * has a meaning")

    @property
    def everywhere(self) -> bool:
        """Whether it is about all templates which no other feature names."""
        return ANY in self.templates


class Override(Section, frozen=True):
    """What is to be different about an alert (R). What is left out stays.

    Attributes:
        enabled: whether there is such an alert.
        for_: in the file `for`: how long it has to be true.
    """

    enabled: bool = True
    severity: Severity = ""
    for_: Duration = msgspec.field(default="", name="for")
    owner: Owner = ""


class Catalogue(Section, frozen=True):
    """What is measured, who owns it, and what it has to be.

    Attributes:
        objectives: of calls (C).
        budgets: US dollars a month, by service; `all` is that of all services together (R).
        cardinality: how many values each label is going to have (L).
        limits: of the collector, which it is not to reach (C, L).
        thresholds: when alerts fire (R).
        alerts: by name.
        features: by name.
    """

    owners: Owners = Owners()
    links: Links = Links()
    objectives: SloConfig = SloConfig()
    budgets: Budgets = msgspec.field(default_factory=dict)
    cardinality: Cardinality = msgspec.field(default_factory=dict)
    limits: Limits = Limits()
    thresholds: Thresholds = Thresholds()
    alerts: dict[str, Override] = msgspec.field(default_factory=dict)
    features: dict[str, Feature] = msgspec.field(default_factory=dict)

    def metrics(self) -> Iterator["OwnedMetric"]:
        """Every metric, with what it has of its feature."""
        for name, feature in self.features.items():
            for dimension, metric in feature.metrics.items():
                yield OwnedMetric(f"{name}.{dimension}", dimension, feature, metric)

    def elsewhere(self, metric: "OwnedMetric") -> tuple[str, ...]:
        """The patterns that other features take out of one that is about every template."""
        if not metric.feature.everywhere:
            return ()
        return tuple(
            pattern
            for each in self.features.values()
            if not each.everywhere and metric.dimension in each.metrics
            for pattern in each.templates
        )


class OwnedMetric(NamedTuple):
    """A metric of a feature; its name is `feature.dimension`."""

    name: str
    dimension: str
    feature: Feature
    metric: Metric

    @property
    def owner(self) -> str:
        """Who is asked about it."""
        return self.metric.owner or self.feature.owner

    @property
    def runbook(self) -> str:
        """A file or an address."""
        return self.metric.runbook or self.feature.runbook

    @property
    def rollback(self) -> str:
        """To what, and how."""
        return self.metric.rollback or self.feature.rollback


def shipped() -> Path:
    """The catalogue that ships."""
    return assets.prometheus_rules() / FILE_NAME


def read(path: Path, environment: Mapping[str, str] = os.environ) -> Catalogue:
    """Read a catalogue; `${env:NAME}` and `${env:NAME:-default}` in it are the environment's.

    Raises:
        ValueError: the file cannot be read, or something in it is wrong: one sentence.
    """
    return document.read(path, Catalogue, environment)


def is_address(runbook: str) -> bool:
    """Whether it is none of a file."""
    return "://" in runbook


def _check_texts(of: Metric | Feature) -> None:
    for key in ("says", "owner", "runbook", "rollback"):
        _one_line(key, getattr(of, key))


def _one_line(key: str, text: str) -> None:
    """Whatever becomes a label, a comment or a cell of a table."""
    if not text.isprintable():
        raise ValueError(f"{key}: {text!r} is not one line of printable text")
    if len(text) > CHARACTERS:
        raise ValueError(f"{key}: has {len(text)} characters; valid: at most {CHARACTERS}")
