"""When an alert fires: the numbers that a catalogue can set, and that the rules read as series."""

import math

import msgspec

from llmvitals_collector.config import Section


class Thresholds(Section, frozen=True):
    """When alerts fire; each is a series `catalogue:llm_threshold:value` with its name in the label `threshold`.

    Attributes:
        quality_drop: how much lower the pass rate of an hour has to be than that of the day.
        quality_drop_critical: from how much on such a drop is critical.
        quality_drop_z: how many standard errors a drop has to be. Of 100 slices that are looked at each hour, 4 rings
            falsely once in twelve days, 3 three times a day.
        quality_drop_n: of how many answers the rate of the hour has to be.
        quality_drop_baseline_n: of how many answers the rate before has to be.
        quality_erosion: how much lower the pass rate of a day has to be than that of the week.
        quality_erosion_z: how many standard errors that is. It is more than for an hour, as days differ by themselves.
        quality_erosion_n: of how many answers the rate of the day has to be.
        feedback_divergence: how much more negative users have to be than in the weeks before.
        feedback_divergence_deviations: how many standard deviations of the days before that has to be, two days in a
            row. Of 100 templates whose days vary by a tenth, 2.5 rings falsely once a month, 2 eight times, 3 once a
            year; twice as much negative feedback as 10 % of 100 answers a day is found within two weeks in 96 % (2.5)
            or 77 % (3).
        feedback_n: of how many answers the rate of negative feedback has to be.
        safety_events: how many answers people have to find unsafe, to tell of somebody or to break a policy.
        safety_mistakes: the share of the answers that a judge, a guard or a heuristic finds so by mistake: only when
            it finds more than that, they are believed.
        judge_kappa: below which agreement with people a judge is not to be believed.
        judge_pairs: how many answers people have to have graded for that.
        judge_errors: the share of a judge's requests that may fail.
        judge_errors_n: of how many requests that share has to be.
        evaluation_coverage: the share of the answers to be judged that has to be judged.
        calibration_age_days: how old people's last grades may be, where a judge is at work.
        golden_set_age_days: how old the questions of a golden set may be.
        failure_mode_factor: how many times more frequent than in the week before a failure mode has to be.
        failure_mode_share: which share of the answers a failure mode has to have.
        failure_mode_n: how many answers have to have failed in it.
        cost_factor: how many times more than in the week before an hour has to cost.
        cost_usd_per_hour: below which cost of an hour that does not matter, in US dollars.
        cache_hit_factor: which share of the day's hit ratio that of an hour has to be below.
        cache_n: of how many lookups the ratio of the hour has to be.
        queue_fill: how full a queue may be, from 0 to 1.
        scrape_seconds: how long a scrape may take; Prometheus gives up after 10 seconds unless it is told otherwise.
        late_share: which share of the calls may be counted more than five minutes after they have ended.
    """

    quality_drop: float = 0.05
    quality_drop_critical: float = 0.15
    quality_drop_z: float = 4.0
    quality_drop_n: float = 30.0
    quality_drop_baseline_n: float = 100.0
    quality_erosion: float = 0.03
    quality_erosion_z: float = 5.0
    quality_erosion_n: float = 200.0
    feedback_divergence: float = 0.05
    feedback_divergence_deviations: float = 2.5
    feedback_n: float = 50.0
    safety_events: float = 1.0
    safety_mistakes: float = 0.01
    judge_kappa: float = 0.6
    judge_pairs: float = 50.0
    judge_errors: float = 0.1
    judge_errors_n: float = 20.0
    evaluation_coverage: float = 0.5
    calibration_age_days: float = 14.0
    golden_set_age_days: float = 90.0
    failure_mode_factor: float = 3.0
    failure_mode_share: float = 0.02
    failure_mode_n: float = 20.0
    cost_factor: float = 3.0
    cost_usd_per_hour: float = 5.0
    cache_hit_factor: float = 0.5
    cache_n: float = 100.0
    queue_fill: float = 0.8
    scrape_seconds: float = 5.0
    late_share: float = 0.1

    def __post_init__(self) -> None:
        for name, value in msgspec.structs.asdict(self).items():
            if not 0 <= value < math.inf:
                raise ValueError(f"{name}: {value} is not a number from 0 on")
