"""The board *LLM quality*: is it good, and can the number be believed? For product managers, over a week."""

from boards import OF_CALLS, Row, board, choice, one_of
from change import CHANGES
from expressions import both, matching, selection, threshold
from intervals import FLOOR, LARGEST, SMALLEST, TARGET, VERDICTS, band, columns_of, how_it_fails, of_row, slices
from llmvitals import semconv
from panels import COUNT, SHARE, by, explanation, link, number
from rates import (
    BELOW,
    DIMENSION,
    HOLDS,
    OF_SLICE,
    OF_TEMPLATE,
    OF_VERSION,
    beside,
    each,
    events,
    failures,
    floor,
    known,
    quality,
    verdict,
)
from trust import EVALUATION, JUDGES, USERS

SERVICE, TEMPLATE, OF, SOURCE = OF_TEMPLATE
TASK = semconv.LABEL_TASK
BY_VERSION = known(semconv.RECORDED_QUALITY, *OF_VERSION)
BY_DIMENSION = quality(OF, SOURCE)
TASKS = known(semconv.RECORDED_TASKS_COMPLETED, SERVICE, TASK)
FLOORS, TARGETS = floor(semconv.CATALOGUE_FLOOR), floor(semconv.CATALOGUE_TARGET)
VERDICT = verdict(BY_VERSION)
WORST = f"bottomk(1, {BY_VERSION.low} and {BY_VERSION.n} >= {threshold('quality_drop_n')})"
WORST_TASK = f"bottomk(1, {TASKS.low})"

IN_SHORT = [
    explanation(
        "How to read this board",
        "Somebody or something looks at answers and says *pass* or *fail*, in one **dimension** at a time: is it "
        "helpful, is it safe, is it true to its sources? The **rate** is the share that passes. Only some answers are "
        "looked at, so the true rate lies **between *at least* and *at most*** (in 95 of 100 cases), and **n** says "
        "how many answers that is worth: with few, the two are far apart. *Below its floor* means that even *at most* "
        "is below what the catalogue asks for; *cannot tell*, that the floor lies between the two. A **judge** (a "
        "model) is corrected by what people found it to be wrong about, once they have graded 50 of its answers. "
        "*Window* says how far each number looks back. *Model* selects nothing here: verdicts are on templates.",
    ),
    number(
        "Where it is worst",
        "In which dimension of which template may the fewest answers pass ('at least'), of those of which enough are "
        "judged (n)?",
        SHARE,
        {
            f"{by(OF)} of {by(TEMPLATE)}": f"{BY_VERSION.ratio} and {WORST}",
            "at least": WORST,
            "at most": f"{BY_VERSION.high} and {WORST}",
            FLOOR: f"max({FLOORS} and on ({', '.join(OF_SLICE)}) {WORST})",
            "n": f"{BY_VERSION.n} and {WORST}",
        },
        width=10,
    ),
    number(
        "Below their floor",
        "How many slices (a dimension of a version of a template, as one source judges it) are below their floor for "
        "sure, and how many above it, of how many that have a floor (n)? Of the others one cannot tell.",
        COUNT,
        {
            "below": f"count({VERDICT} == {BELOW}) or 0 * count({VERDICT})",
            "above": f"count({VERDICT} == {HOLDS}) or 0 * count({VERDICT})",
            "n": f"count({VERDICT})",
        },
    ),
    number(
        "Tasks completed",
        "Which share of the tasks that users set out to do did they complete, of the kind of task that is worst?",
        SHARE,
        {
            by(TASK): f"{TASKS.ratio} and {WORST_TASK}",
            "at least": WORST_TASK,
            "at most": f"{TASKS.high} and {WORST_TASK}",
            "n": f"{TASKS.n} and {WORST_TASK}",
        },
        width=10,
    ),
    band(
        "Pass rate: $dimension",
        "Which share of the answers passes, and how sure is that? The band is where the true share is, in 95 of 100 "
        "cases; bars are the answers behind it, grey where they are too few to tell. Floor and target are the highest "
        "that the catalogue has for a template that is selected.",
        quality(SOURCE),
        label=SOURCE,
        values=semconv.SOURCES,
        promises={FLOOR: f"max({FLOORS})", TARGET: f"max({TARGETS})"},
        per="dimension",
    ),
    slices(
        "Dimensions",
        "In which dimension are answers bad, over all templates that are selected? A click shows it alone.",
        (OF, SOURCE),
        columns_of(BY_DIMENSION)
        | {"Below their floor": (COUNT, f"count by ({OF}, {SOURCE}) ({VERDICT} == {BELOW}) or 0 * {BY_DIMENSION.n}")},
        sort={"At least": SMALLEST},
        colours={"Below their floor": {None: "text", 1: "red"}},
        lead=link("llm-quality", "This dimension alone", {"dimension": of_row(OF)}, keep=("window",)),
    ),
]

TEMPLATES = [
    slices(
        "Templates and versions",
        "Which version of which template is bad, in which dimension? First come those below their floor for sure, then "
        "those with the lowest 'at least': few answers make that low, too, as n tells. The change is that of all "
        "versions together, in the last day against the week before it. A click shows how the template fails.",
        OF_VERSION,
        {
            "Verdict": (COUNT, VERDICT),
            **columns_of(BY_VERSION),
            "Floor": (SHARE, beside(BY_VERSION.n, FLOORS)),
            "Target": (SHARE, beside(BY_VERSION.n, TARGETS)),
            "Change in a day": (
                SHARE,
                f"0 - ({beside(BY_VERSION.n, each(semconv.RECORDED_DROP, *OF_TEMPLATE, window='1d'), OF_TEMPLATE)})",
            ),
        },
        sort={"Verdict": LARGEST, "At least": SMALLEST},
        words={"Verdict": VERDICTS},
        lead=how_it_fails("window"),
    ),
]

PASS = matching(semconv.LABEL_VERDICT, semconv.PASS)
DECIDED = both(matching(semconv.LABEL_VERDICT, *semconv.DECIDED), DIMENSION)
LIVE = matching(semconv.LABEL_SET, semconv.LIVE)
KINDS = [
    *(
        slices(
            title,
            f"{question} Verdicts as they are.",
            (label, OF, SOURCE),
            columns_of(events(family, label, OF, SOURCE, hits=PASS, of=DECIDED)),
            sort={"At least": SMALLEST},
            width=12,
        )
        for title, question, family, label in (
            ("Languages", "Is it worse in some language?", semconv.QUALITY_BY_LANGUAGE, semconv.LABEL_LANGUAGE),
            (
                "Fast and slow calls",
                "Are slow answers worse, or fast ones?",
                semconv.QUALITY_BY_LATENCY,
                semconv.LABEL_LATENCY_BAND,
            ),
        )
    ),
    slices(
        "Failure modes",
        "In which way do answers fail, first of all? More on the board LLM feedback.",
        (semconv.LABEL_MODE,),
        columns_of(failures()),
        sort={"At least": LARGEST},
        width=12,
    ),
    slices(
        "Releases of the app",
        "Is a release of the app worse than the one before? Verdicts as they are.",
        (SERVICE, semconv.LABEL_RELEASE, OF, SOURCE),
        columns_of(
            events(
                semconv.QUALITY_RESULTS,
                *(SERVICE, semconv.LABEL_RELEASE, OF, SOURCE),
                hits=PASS,
                of=both(LIVE, DECIDED),
            )
        ),
        sort={"At least": SMALLEST},
        width=12,
    ),
]

BOARD = board(
    "llm-quality",
    "LLM quality",
    "Is it good, and can the number be believed? Shares of answers that pass, with the interval in which the truth is.",
    "7d",
    [
        Row("", IN_SHORT),
        Row("By template and version", TEMPLATES),
        Row("By language, latency, failure mode and release", KINDS),
        Row("Has it changed?", CHANGES),
        Row("Can the judge be believed?", JUDGES),
        Row("Do users agree?", USERS),
        Row("Is enough looked at?", EVALUATION),
    ],
    variables=[
        *OF_CALLS,
        one_of("window", semconv.WINDOWS, "1d"),
        choice(OF, "dimension", semconv.RECORDED_QUALITY_N, where=selection(SERVICE, TEMPLATE)),
    ],
)
