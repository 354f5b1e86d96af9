"""When an alert fires: the numbers that a catalogue can set, and that the rules read as series."""

from typing import Annotated

import msgspec

from llmvitals_collector.config import Section

# No share is above 1: an alert that asked for more, such as 5 for 5 %, could not fire.
Share = Annotated[float, msgspec.Meta(ge=0, le=1, description="a number from 0 to 1")]
Number = Annotated[float, msgspec.Meta(ge=0, le=1e9, description="a number from 0 to 1e9")]
Events = Annotated[float, msgspec.Meta(ge=1, le=1e9, description="a number from 1 to 1e9")]
PositiveShare = Annotated[float, msgspec.Meta(gt=0, le=1, description="a number above 0, at most 1")]


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

    quality_drop: Share = 0.05
    quality_drop_critical: Share = 0.15
    quality_drop_z: Number = 4.0
    quality_drop_n: Number = 30.0
    quality_drop_baseline_n: Number = 100.0
    quality_erosion: Share = 0.03
    quality_erosion_z: Number = 5.0
    quality_erosion_n: Number = 200.0
    feedback_divergence: Share = 0.05
    feedback_divergence_deviations: Number = 2.5
    feedback_n: Number = 50.0
    safety_events: Events = 1.0
    safety_mistakes: PositiveShare = 0.01
    judge_kappa: Share = 0.6
    judge_pairs: Number = 50.0
    judge_errors: Share = 0.1
    judge_errors_n: Number = 20.0
    evaluation_coverage: Share = 0.5
    calibration_age_days: Number = 14.0
    golden_set_age_days: Number = 90.0
    failure_mode_factor: Number = 3.0
    failure_mode_share: Share = 0.02
    failure_mode_n: Number = 20.0
    cost_factor: Number = 3.0
    cost_usd_per_hour: Number = 5.0
    cache_hit_factor: Share = 0.5
    cache_n: Number = 100.0
    queue_fill: Share = 0.8
    scrape_seconds: Number = 5.0
    late_share: Share = 0.1
