"""Panels of the board *LLM quality* that say what has changed: drops, and the newest version against the others."""

from expressions import limit
from intervals import LARGEST, SMALLEST, how_it_fails, slices
from llmvitals import semconv
from panels import ALERT, COUNT, PLAIN, SHARE, by, lines
from rates import OF_TEMPLATE, OF_VERSION, each

OF = semconv.LABEL_DIMENSION
DROP, DROP_Z, N = semconv.RECORDED_DROP, semconv.RECORDED_DROP_Z, semconv.RECORDED_TEMPLATE_QUALITY_N
CHANGE, CHANGE_LOW, CHANGE_HIGH = (
    each(name, *OF_VERSION, window=semconv.RELEASE_WINDOW)
    for name in (
        semconv.RECORDED_RELEASE_CHANGE,
        semconv.RECORDED_RELEASE_CHANGE_LOW,
        semconv.RECORDED_RELEASE_CHANGE_HIGH,
    )
)
# Of a drop in standard errors. They are the same for everybody: where alerts ring is a line of its own.
NOISE_ENDS, HARDLY_CHANCE = 2, 4
BY_Z: dict[float | None, str] = {None: "text", NOISE_ENDS: "orange", HARDLY_CHANCE: "red"}

CHANGES = [
    lines(
        "Drop in standard errors",
        "Does the rate of a template drop by more than chance explains? Each line is the worst template of a "
        "dimension, in the last hour against the day before it. Up to 2 is noise, above 2 worth a look, above 4 "
        "hardly chance. Dashed: where an alert rings. Bars: the fewest answers in the hour that a drop is made of.",
        PLAIN,
        {
            by(OF): each(DROP_Z, OF, window="1h"),
            ALERT: limit("quality_drop_z"),
            f"n {by(OF)}": each(N, OF, window="1h", pick="min"),
        },
        areas={None: "transparent", NOISE_ENDS: "orange", HARDLY_CHANCE: "red"},
        width=12,
    ),
    lines(
        "Drop of the rate",
        "By how much does the rate of the worst template of a dimension drop, in the last hour against the day "
        "before it? Below 0 it rises. Dashed: where an alert rings. Bars: the fewest answers that a drop is made of.",
        SHARE,
        {
            by(OF): each(DROP, OF, window="1h"),
            ALERT: limit("quality_drop"),
            f"n {by(OF)}": each(N, OF, window="1h", pick="min"),
        },
        from_zero=False,
        width=12,
    ),
    slices(
        "Drops",
        "Which template dropped, in the last hour against the day before it, and in the last day against the week "
        "before? z is the drop in standard errors: from 2 on look, from 4 on it is hardly chance. A click shows how "
        "the template fails.",
        OF_TEMPLATE,
        {
            "z of the hour": (PLAIN, each(DROP_Z, *OF_TEMPLATE, window="1h")),
            "Drop in the hour": (SHARE, each(DROP, *OF_TEMPLATE, window="1h")),
            "n": (COUNT, each(N, *OF_TEMPLATE, window="1h")),
            "z of the day": (PLAIN, each(DROP_Z, *OF_TEMPLATE, window="1d")),
            "Drop in the day": (SHARE, each(DROP, *OF_TEMPLATE, window="1d")),
            "n of the day": (COUNT, each(N, *OF_TEMPLATE, window="1d")),
        },
        sort={"z of the hour": LARGEST},
        colours={"z of the hour": BY_Z, "z of the day": BY_Z},
        lead=how_it_fails("window"),
    ),
    slices(
        "Newest version against the others",
        "Did the newest version of a template, in its first 7 days, make it better or worse than the ones before? "
        "Above 0 it is better. One may look at these bounds every day and decide when both are on one side of 0: they "
        "are wide enough for that. n is the answers of the newest version.",
        OF_VERSION,
        {
            "Change": (SHARE, CHANGE),
            "At least": (SHARE, CHANGE_LOW),
            "At most": (SHARE, CHANGE_HIGH),
            "n": (
                COUNT,
                f"{each(semconv.RECORDED_WEIGHTED_QUALITY_N, *OF_VERSION, window=semconv.RELEASE_WINDOW)} and {CHANGE}",
            ),
        },
        sort={"At most": SMALLEST},
        colours={"At most": {None: "red", 0: "text"}, "At least": {None: "text", 0: "green"}},
        lead=how_it_fails("window"),
    ),
]
