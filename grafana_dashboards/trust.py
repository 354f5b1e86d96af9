"""Panels of the board *LLM quality* that say whether its numbers can be believed."""

from expressions import STEP, both, buckets, increase, limit, matching, quantile, rate, recorded, threshold, total
from intervals import SMALLEST, slices
from llmvitals import semconv
from panels import ALERT, COUNT, DOLLARS, PLAIN, SECONDS, SHARE, by, heatmap, lines, stacked
from rates import DIMENSION, OF_SLICE, each, feedback, quality

OF, SOURCE, JUDGE = semconv.LABEL_DIMENSION, semconv.LABEL_SOURCE, semconv.LABEL_JUDGE
OF_JUDGE = (
    *(semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE, semconv.LABEL_TEMPLATE_VERSION),
    *(OF, semconv.LABEL_EVALUATOR, semconv.LABEL_RUBRIC),
)
OF_PEOPLE = (*OF_SLICE, semconv.LABEL_RUBRIC)
GRADED = "7d"  # people grade some answers a day: in less time there are too few
CALIBRATED, KAPPA, AGREEMENT, PAIRS, LAMBDA = (
    each(name, *OF_JUDGE, window=GRADED)
    for name in (
        semconv.RECORDED_CALIBRATED,
        semconv.RECORDED_KAPPA,
        semconv.RECORDED_AGREEMENT,
        semconv.RECORDED_PAIRS,
        semconv.RECORDED_LAMBDA,
    )
)
# As the default catalogue has them; on the graph beside the line is the catalogue's own.
BY_KAPPA: dict[float | None, str] = {None: "orange", 0.6: "green"}
BY_PAIRS: dict[float | None, str] = {None: "gray", 50: "text"}

JUDGES = [
    slices(
        "Judges against people, 7 days",
        "Does the judge say what people say of the same answers? Kappa is how often they agree beyond chance: 1 "
        "always, 0 as dice would; below 0.6 do not believe it. Below 50 answers that both have graded (n) it is not "
        "calibrated, and its rate is its own. Trust (lambda) is how much of it is believed: below 0.2 it adds hardly "
        "anything to people's grades.",
        OF_JUDGE,
        {
            "Kappa": (PLAIN, KAPPA),
            "Agreement": (SHARE, AGREEMENT),
            "n": (COUNT, PAIRS),
            "Trust": (PLAIN, LAMBDA),
            "State": (PLAIN, CALIBRATED),
        },
        sort={"Kappa": SMALLEST},
        words={"State": {0: ("not calibrated", "gray"), 1: ("calibrated", "green")}},
        colours={"Kappa": BY_KAPPA, "n": BY_PAIRS, "Trust": {None: "orange", 0.2: "text"}},
    ),
    lines(
        "Kappa, 7 days",
        "Does a judge agree with people less than it did? Each line is the worst judge of a dimension with 50 graded "
        "answers or more. Dashed: where an alert rings. Bars: the graded answers.",
        PLAIN,
        {
            by(OF): f"min by ({OF}) ({KAPPA} and {PAIRS} >= {threshold('judge_pairs')})",
            ALERT: limit("judge_kappa"),
            f"n {by(OF)}": total(PAIRS, OF),
        },
        from_zero=False,
        width=12,
    ),
    slices(
        "People against people, 7 days",
        "Do two people say the same of an answer? If not, the rubric can be read in two ways, and no judge does "
        "better.",
        OF_PEOPLE,
        {
            "Kappa": (PLAIN, each(semconv.RECORDED_HUMAN_KAPPA, *OF_PEOPLE, window=GRADED)),
            "n": (COUNT, f"{each(semconv.RECORDED_HUMAN_PAIRS, *OF_PEOPLE, window=GRADED)} > 0"),
        },
        sort={"Kappa": SMALLEST},
        colours={"Kappa": BY_KAPPA, "n": BY_PAIRS},
        width=12,
    ),
]

UNHAPPY, PASSES = feedback(), quality(SOURCE)
USERS = [
    lines(
        "Verdicts and users",
        "Do verdicts and users say the same? The share of the answers that passes, by who says so, and the share that "
        "users react to badly. When one moves and the other does not, one of them misses something.",
        SHARE,
        {
            by(SOURCE): PASSES.ratio,
            "negative feedback": UNHAPPY.ratio,
            f"n {by(SOURCE)}": PASSES.n,
            "n of negative feedback": UNHAPPY.n,
        },
        width=12,
    ),
    lines(
        "Divergence",
        "By how much more have users become negative in a day than verdicts have, against the week? Above 0 the "
        "verdicts miss what users mind; below 0 users do not mind what the verdicts find. Dashed: where an alert "
        "rings, if the day is unusual, too. Bars: answers of the day.",
        SHARE,
        {
            "of the template with most": f"max({recorded(semconv.RECORDED_DIVERGENCE)})",
            "of the template with least": f"min({recorded(semconv.RECORDED_DIVERGENCE)})",
            ALERT: limit("feedback_divergence"),
            "n": total(recorded(semconv.RECORDED_TEMPLATE_NEGATIVE_FEEDBACK_N, "1d")),
        },
        from_zero=False,
        width=12,
    ),
    lines(
        "As it came, and with the mix of the month",
        "Did answers become worse, or did other questions come? The second line is what the rate would be if each "
        "template had the share of the answers that it had in 28 days. If only the first falls, it is the mix. "
        "Of several services the worst.",
        SHARE,
        {
            f"{by(OF)} {by(SOURCE)}, as it came": each(semconv.RECORDED_SERVICE_QUALITY, OF, SOURCE, pick="min"),
            f"{by(OF)} {by(SOURCE)}, month's mix": each(semconv.RECORDED_STANDARDISED_QUALITY, OF, SOURCE, pick="min"),
            f"n {by(OF)} {by(SOURCE)}": quality(OF, SOURCE).n,
        },
        width=12,
    ),
    heatmap(
        "Scores",
        "How are scores distributed, from 0 (bad) to 1 (good)? Two bands are two kinds of answer, and a mean shows "
        "neither.",
        SHARE,
        buckets(semconv.QUALITY_SCORE, where=DIMENSION),
    ),
]

RESULTS = both(matching(semconv.LABEL_SET, semconv.LIVE), DIMENSION)
NO_VERDICT = matching(semconv.LABEL_VERDICT, semconv.UNDECIDED, semconv.FAILED_EVALUATION)
NO_VERDICTS, ALL_RESULTS = (
    increase(semconv.QUALITY_RESULTS, SOURCE, where=where, window=STEP)
    for where in (both(RESULTS, NO_VERDICT), RESULTS)
)
EVALUATION = [
    lines(
        "Coverage, 6 hours",
        "Which share of the answers that were to be judged was judged, of the worst template? When it falls, quality "
        "may look better than it is. Dashed: where an alert rings. Bars: answers to be judged.",
        SHARE,
        {
            "worst template": f"min({recorded(semconv.RECORDED_COVERAGE, '6h')})",
            ALERT: limit("evaluation_coverage"),
            "n": total(recorded(semconv.RECORDED_COVERAGE_N, "6h")),
        },
    ),
    lines(
        "Failed requests to judges, 1 hour",
        "Which share of the requests to a judge brings no verdict? Dashed: where an alert rings. Bars: requests.",
        SHARE,
        {
            by(JUDGE): each(semconv.RECORDED_JUDGE_ERRORS, JUDGE, window="1h"),
            ALERT: limit("judge_errors"),
            f"n {by(JUDGE)}": each(semconv.RECORDED_JUDGE_REQUESTS_N, JUDGE, window="1h"),
        },
    ),
    lines(
        "Results without a verdict",
        "Which share of the results is neither pass nor fail, since the evaluator could not tell, or failed? Bars: "
        "results.",
        SHARE,
        {by(SOURCE): f"{NO_VERDICTS} / ({ALL_RESULTS} > 0)", f"n {by(SOURCE)}": ALL_RESULTS},
    ),
    stacked(
        "Answers not judged",
        "How many answers were to be judged and were not, and why?",
        COUNT,
        increase(semconv.EVALUATIONS_DROPPED, semconv.LABEL_REASON_OF_DROP, window=STEP),
        semconv.LABEL_REASON_OF_DROP,
    ),
    lines(
        "Delay of verdicts, p95",
        "How long after an answer is the verdict on it there? People take days, so a change shows late in what they "
        "say.",
        SECONDS,
        {by(SOURCE): quantile(0.95, semconv.EVALUATION_LAG, SOURCE)},
    ),
    lines(
        "Cost of judging",
        "What do judges cost, in US dollars per hour?",
        DOLLARS,
        {by(JUDGE): f"3600 * {rate(semconv.JUDGE_COST, JUDGE)}"},
    ),
]
