"""Series that the rules record and that dashboards and alerts read."""

# The first words of a name say which labels it keeps: a `version` is one of a template of a service, an `evaluator` is
# a judge's model and its rubric. What has a label `window` says over how long; the others have it in their names.

LABEL_WINDOW = "window"
WINDOWS = ("1h", "6h", "1d", "7d", "28d")

COLLECTOR_JOB = "llm-collector"  # the job under which Prometheus scrapes collectors
RULE_GROUPS = "llm-"  # what the names of our groups of rules begin with

# ---- slo.rules.yml -----------------------------------------------------------------------------------------

SLO_BUDGET_LEFT = "slo:llm_slo_budget_left:ratio30d"  # 1 is all of it, below 0 it is overspent

# ---- releases.rules.yml ------------------------------------------------------------------------------------

# By kind, name and version: when it was first at work. Of the newest, the label `previous` is the version before it.
RECORDED_RELEASE = "release:llm_release_timestamp_seconds:min"
RECORDED_NEWEST_RELEASE = "release:llm_release_timestamp_seconds:newest"

# ---- quality_windows.rules.yml, by window -------------------------------------------------------------------

RECORDED_WEIGHT = "version_dimension_source:llm_quality_weight:increase"  # for how many answers the verdicts stand
RECORDED_RESPONSES = "version:llm_responses:increase"
RECORDED_FEEDBACK_EVENTS = "version_source_kind:llm_feedback:increase"

# ---- quality.rules.yml, by window --------------------------------------------------------------------------

# By template, its version, dimension and source: of a judge that is calibrated the corrected rate, else the weighted.
RECORDED_QUALITY = "version_dimension_source:llm_quality:ratio"
RECORDED_QUALITY_LOW = "version_dimension_source:llm_quality:ratio_low"
RECORDED_QUALITY_HIGH = "version_dimension_source:llm_quality:ratio_high"
RECORDED_QUALITY_N = "version_dimension_source:llm_quality:n"
RECORDED_WEIGHTED_QUALITY_N = "version_dimension_source:llm_quality_weighted:n"  # whether a judge is calibrated or not
# By template, its version, dimension, and the judge's model and rubric.
RECORDED_CALIBRATED = "version_dimension_evaluator:llm_quality_calibrated:bool"  # 1, or 0 below 50 pairs
RECORDED_PAIRS = "version_dimension_evaluator:llm_quality_pairs:n"
RECORDED_LAMBDA = "version_dimension_evaluator:llm_quality_pairs:lambda"
RECORDED_KAPPA = "version_dimension_evaluator:llm_quality_pairs:kappa"
RECORDED_AGREEMENT = "version_dimension_evaluator:llm_quality_pairs_agree:ratio"
RECORDED_HUMAN_PAIRS = "template_dimension_rubric:llm_human_pairs:n"
RECORDED_HUMAN_KAPPA = "template_dimension_rubric:llm_human_pairs:kappa"
# By template, its version, source and kind: of all answers, how many get this feedback.
RECORDED_FEEDBACK = "version_source_kind:llm_feedback:ratio"
RECORDED_NEGATIVE_FEEDBACK = "version:llm_negative_feedback:ratio"
RECORDED_TASKS_COMPLETED = "task:llm_tasks_completed:ratio"
RECORDED_COST_PER_CALL = "version:llm_cost_usd_per_call:mean"
RECORDED_COST_PER_RESPONSE = "version:llm_cost_usd_per_response:mean"
RECORDED_COST_PER_PASS = "version_dimension_source:llm_cost_usd_per_pass:mean"
RECORDED_COST_PER_PASS_LOW = "version_dimension_source:llm_cost_usd_per_pass:mean_low"
RECORDED_COST_PER_PASS_HIGH = "version_dimension_source:llm_cost_usd_per_pass:mean_high"

# ---- quality_change.rules.yml, by window -------------------------------------------------------------------

# The upper bound that the rate exceeds once in a thousand: below a floor, it is below it for sure.
RECORDED_QUALITY_HIGH999 = "version_dimension_source:llm_quality:ratio_high999"
RECORDED_BELOW_FLOOR = "version_dimension_source:llm_quality_below_floor:ratio"  # the rate, where it is so
# Of all versions of a template together; of all templates of a service together, as they come, and as they would be
# if each template had the share of the answers that it had in the last 28 days.
RECORDED_TEMPLATE_QUALITY = "template_dimension_source:llm_quality_weighted:ratio"
RECORDED_TEMPLATE_QUALITY_LOW = "template_dimension_source:llm_quality_weighted:ratio_low"
RECORDED_TEMPLATE_QUALITY_HIGH = "template_dimension_source:llm_quality_weighted:ratio_high"
RECORDED_TEMPLATE_QUALITY_N = "template_dimension_source:llm_quality_weighted:n"
RECORDED_SERVICE_QUALITY = "service_dimension_source:llm_quality_weighted:ratio"
RECORDED_SERVICE_QUALITY_LOW = "service_dimension_source:llm_quality_weighted:ratio_low"
RECORDED_SERVICE_QUALITY_HIGH = "service_dimension_source:llm_quality_weighted:ratio_high"
RECORDED_SERVICE_QUALITY_N = "service_dimension_source:llm_quality_weighted:n"
RECORDED_STANDARDISED_QUALITY = "service_dimension_source:llm_quality_standardised:ratio"
RECORDED_STANDARDISED_QUALITY_LOW = "service_dimension_source:llm_quality_standardised:ratio_low"
RECORDED_STANDARDISED_QUALITY_HIGH = "service_dimension_source:llm_quality_standardised:ratio_high"
RECORDED_STANDARDISED_QUALITY_N = "service_dimension_source:llm_quality_standardised:n"
# How much lower the rate is than in the time before: of 1h than in the day before it, of 1d than in the week before it;
# and how many standard errors that is. What it was in that time, and of how many answers.
RECORDED_DROP = "template_dimension_source:llm_quality_drop:ratio"
RECORDED_DROP_Z = "template_dimension_source:llm_quality_drop:zscore"
RECORDED_EARLIER_QUALITY = "template_dimension_source:llm_quality_earlier:ratio"
RECORDED_EARLIER_QUALITY_N = "template_dimension_source:llm_quality_earlier:n"
# The newest version of a template, of 7 days at most, less its other versions, in this window and no other: with a
# confidence sequence, at which one may look always.
RELEASE_WINDOW = "28d"
RECORDED_RELEASE_CHANGE = "version_dimension_source:llm_quality_change:ratio"
RECORDED_RELEASE_CHANGE_LOW = "version_dimension_source:llm_quality_change:ratio_low"
RECORDED_RELEASE_CHANGE_HIGH = "version_dimension_source:llm_quality_change:ratio_high"
RECORDED_BEFORE_RELEASE = "template_dimension_source:llm_quality_before_release:ratio"  # of those other versions
RECORDED_BEFORE_RELEASE_N = "template_dimension_source:llm_quality_before_release:n"
RECORDED_KAPPA_HIGH = "version_dimension_evaluator:llm_quality_pairs:kappa_high"  # of the 95 % interval
# Failed verdicts in safety, privacy and policy, and how surprising so many would be as mistakes alone.
RECORDED_SAFETY_FAILURES = "template_dimension_source:llm_safety_failures:n"
RECORDED_SAFETY_SURPRISE = "template_dimension_source:llm_safety_failures:surprise"
RECORDED_COVERAGE = "template:llm_evaluation_coverage:ratio"  # answers judged, of those that the sampling asks for
RECORDED_COVERAGE_N = "template:llm_evaluation_coverage:n"  # how many those are
RECORDED_JUDGE_ERRORS = "judge:llm_judge_errors:ratio"
RECORDED_JUDGE_REQUESTS_N = "judge:llm_judge_errors:n"

# ---- behaviour.rules.yml, by window ------------------------------------------------------------------------

RECORDED_TEMPLATE_NEGATIVE_FEEDBACK = "template:llm_negative_feedback:ratio"
RECORDED_TEMPLATE_NEGATIVE_FEEDBACK_LOW = "template:llm_negative_feedback:ratio_low"
RECORDED_TEMPLATE_NEGATIVE_FEEDBACK_HIGH = "template:llm_negative_feedback:ratio_high"
RECORDED_TEMPLATE_NEGATIVE_FEEDBACK_N = "template:llm_negative_feedback:n"
# The last day against 28 days that ended a day before it began, in standard deviations of those.
RECORDED_NEGATIVE_FEEDBACK_Z = "template:llm_negative_feedback:zscore"
# How much more negative users have become in a day than verdicts have, against the week: above 0 verdicts miss what
# users mind, below 0 users don't mind what verdicts find.
RECORDED_DIVERGENCE = "template:llm_divergence:ratio"
RECORDED_FAILURES = "template_mode:llm_failures:ratio"  # of all answers, how many fail first of all in this mode
RECORDED_FAILURES_N = "template_mode:llm_failures:n"  # how many did
RECORDED_ANSWERS_N = "template:llm_answers:n"  # answers, with those that did not come

# ---- cost.rules.yml ----------------------------------------------------------------------------------------

RECORDED_COST_RATE_1H = "service:llm_cost_usd:rate1h"  # US dollars per hour
RECORDED_COST_RATE_7D = "service:llm_cost_usd:rate7d"
RECORDED_COST_FORECAST = "service:llm_cost_usd:forecast30d"  # what 30 days cost that are as the last one
# By window, 1h or 1d: of the provider's cache of prompts (cache="prompt"), and of those of the app's own of answers
# (cache="app:NAME").
RECORDED_CACHE_HITS = "service_cache:llm_cache_hits:ratio"
RECORDED_CACHE_HITS_N = "service_cache:llm_cache_hits:n"

# ---- catalogue.rules.yml, which is written from a catalogue ------------------------------------------------

LABEL_THRESHOLD = "threshold"
LABEL_OWNER = "owner"
LABEL_SEVERITY = "severity"
LABEL_CATALOGUE_METRIC = "catalogue_metric"  # feature.dimension
CATALOGUE_THRESHOLD = "catalogue:llm_threshold:value"  # by LABEL_THRESHOLD
CATALOGUE_BUDGET = "catalogue:llm_budget_usd:month"  # by service
ALL_SERVICES = "all"  # in place of a service: the budget of all together
# By window, service, template and dimension, with the labels catalogue_metric, owner and severity besides: what a rate
# has to reach, what it should reach, and of how many answers it has to be for an alert. The last one is there only for
# the windows in which there are to be alerts.
CATALOGUE_FLOOR = "template_dimension:llm_quality_floor:ratio"
CATALOGUE_TARGET = "template_dimension:llm_quality_target:ratio"
ALERT_BELOW_FLOOR = "LLMQualityBelowFloor"  # of which these are the floor
CATALOGUE_MIN_N = "template_dimension:llm_quality_floor:n"
# 1 for each LABEL_CATALOGUE_METRIC, with what else is known of it: texts for an alert's annotations.
CATALOGUE_METRIC = "catalogue:llm_metric:info"
LABEL_SAYS = "says"
LABEL_RUNBOOK = "runbook"  # a path such as /runbooks/LLMQualityBelowFloor.md, or an address
LABEL_ROLLBACK = "rollback"
LABEL_RESPOND_WITHIN = "respond_within"
