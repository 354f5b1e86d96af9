"""The board *LLM feedback*: what do users do, and how does it fail? For product managers and on-call, over a week."""

from boards import OF_CALLS, Row, board, one_of
from expressions import STEP, both, increase, matching, quantile, recorded, total
from intervals import LARGEST, SMALLEST, band, columns_of, how_good_it_is, of_row, slices
from llmvitals import semconv
from panels import COUNT, PLAIN, SECONDS, SHARE, by, explanation, lines, link, number, stacked
from rates import NEGATIVE, OPINION, POSITIVE, WINDOW, Rate, beside, counted, each, failures, feedback, known

SERVICE, TEMPLATE, VERSION = semconv.LABEL_SERVICE, semconv.LABEL_TEMPLATE, semconv.LABEL_TEMPLATE_VERSION
KIND, SOURCE, MODE, TASK = semconv.LABEL_KIND, semconv.LABEL_SOURCE, semconv.LABEL_MODE, semconv.LABEL_TASK
PER_100 = "suffix: per 100 answers"
SAID = matching(SOURCE, semconv.SOURCE_USER)
UNHAPPY = feedback()
BY_KIND = feedback(of=(KIND, SOURCE), where="")
SAID_ANYTHING = feedback(where=SAID)
CONTENT = counted(
    *(
        total(recorded(semconv.RECORDED_FEEDBACK_EVENTS, WINDOW, where=both(SAID, kinds)))
        for kinds in (POSITIVE, OPINION)
    )
)
FAILED_IN_MODE = total(recorded(semconv.RECORDED_FAILURES_N, WINDOW), MODE)

IN_SHORT = [
    explanation(
        "How to read this board",
        "**Negative feedback** is whatever says that an answer did not help: users say so (*thumb_down*, *report*, "
        "*escalate*, ...), or what they do next shows it (*regenerate*, *rephrase*, *abandon*). It is counted per "
        "answer, so it is small: most people say nothing. The true share lies **between *at least* and *at most*** (in "
        "95 of 100 cases); **n** is the number of answers. Compare it with itself: with another week, version or "
        "template. A **failure mode** is the first thing that was wrong with an answer; *truncated* and "
        "*content_filtered* are what the model gives as the reason for stopping. *Window* says how far each number "
        "looks back. *Model* selects only where a table is by model or release.",
    ),
    number(
        "Negative feedback",
        "Of 100 answers, how many did not help, as far as users show it? n is the number of answers.",
        SHARE,
        UNHAPPY.number("negative"),
        width=8,
    ),
    number(
        "Positive among opinions",
        "Of those who say what they think of an answer, how many like it? n is the number of opinions.",
        SHARE,
        CONTENT.number("positive"),
        width=8,
    ),
    number(
        "Answers with feedback",
        "To how many answers do users say anything? When it falls, a button may be gone. n is the number of answers.",
        SHARE,
        SAID_ANYTHING.number("with feedback"),
        width=8,
    ),
    band(
        "Negative feedback over time",
        "Do more answers fail to help than before? The band is where the true share is, in 95 of 100 cases; bars are "
        "the answers, grey where they are too few to tell.",
        UNHAPPY,
        width=12,
    ),
    lines(
        "Feedback by kind",
        "What do users do with answers: of 100 answers, how many get which feedback? Bars: the answers.",
        PER_100,
        {by(KIND): f"100 * {feedback(of=(KIND,), where='').ratio}", "n": UNHAPPY.n},
        width=12,
    ),
    stacked(
        "Failure modes over time",
        "In which way do answers fail, first of all, and how many in each window?",
        COUNT,
        FAILED_IN_MODE,
        MODE,
        width=24,
    ),
]

USERS = [
    slices(
        "Kinds of feedback",
        "What do users do, and how often? By who tells: user, they say it; heuristic, their next question shows it.",
        (KIND, SOURCE),
        columns_of(BY_KIND),
        sort={"At least": LARGEST},
        width=12,
    ),
    lines(
        "Said and shown",
        "Is negative feedback what users say (user), or what their next question shows (heuristic)? When only one of "
        "them moves, look at how it is collected. Bars: the answers.",
        SHARE,
        {by(SOURCE): feedback(of=(SOURCE,)).ratio, "n": UNHAPPY.n},
        width=12,
    ),
    band(
        "Positive among opinions over time",
        "Do those who say what they think like answers more or less than before? Bars: the opinions.",
        CONTENT,
        width=12,
    ),
    band(
        "Answers with feedback over time",
        "Do users say anything? When it falls, rates of feedback mean less, and a button may be gone. Bars: the "
        "answers.",
        SAID_ANYTHING,
        width=12,
    ),
]

UNHAPPY_WITH = known(semconv.RECORDED_TEMPLATE_NEGATIVE_FEEDBACK, SERVICE, TEMPLATE)


def given(*labels: str) -> Rate:
    """Negative feedback on answers, by labels that recorded series have not."""
    part = increase(semconv.FEEDBACK, *labels, where=NEGATIVE, window=WINDOW)
    return counted(part, increase(semconv.RESPONSES, *labels, window=WINDOW))


SLICES = [
    slices(
        "Templates by negative feedback",
        "With which template are users unhappy for sure? First comes the one with the largest 'at least'. z is how "
        "many standard deviations the last day is above the 28 days before; divergence, how much more negative users "
        "became in a day than verdicts did. A click shows its pass rates.",
        (SERVICE, TEMPLATE),
        columns_of(UNHAPPY_WITH, "Negative")
        | {
            "z of the day": (
                PLAIN,
                each(semconv.RECORDED_NEGATIVE_FEEDBACK_Z, SERVICE, TEMPLATE, window="1d"),
            ),
            "Divergence": (SHARE, each(semconv.RECORDED_DIVERGENCE, SERVICE, TEMPLATE, window="1d")),
        },
        sort={"At least": LARGEST},
        colours={"z of the day": {None: "text", 2: "orange"}},
        lead=how_good_it_is("window"),
    ),
    slices(
        "Versions by negative feedback",
        "Did a new version of a template make users unhappy? Compare the versions of a template: if one's 'at least' "
        "is above the other's 'at most', it did. A click shows its pass rates.",
        (SERVICE, TEMPLATE, VERSION),
        columns_of(feedback(SERVICE, TEMPLATE, VERSION), "Negative"),
        sort={"At least": LARGEST},
        lead=how_good_it_is("window"),
    ),
    slices(
        "Releases by negative feedback",
        "Did a release of the app make users unhappy?",
        (SERVICE, semconv.LABEL_RELEASE),
        columns_of(given(SERVICE, semconv.LABEL_RELEASE), "Negative"),
        sort={"At least": LARGEST},
        width=12,
    ),
    slices(
        "Models by negative feedback",
        "With which model are users unhappy? A click shows whether it is slow, or fails.",
        (SERVICE, semconv.LABEL_MODEL),
        columns_of(given(SERVICE, semconv.LABEL_MODEL), "Negative"),
        sort={"At least": LARGEST},
        lead=link(
            "llm-latency",
            "Is it slow? Latency and errors of this model",
            {"service": of_row(SERVICE), "model": of_row(semconv.LABEL_MODEL)},
        ),
        width=12,
    ),
]

FAILED_CALLS = increase(
    semconv.CALLS,
    *(semconv.LABEL_MODEL, semconv.LABEL_ERROR_CLASS),
    where=matching(semconv.LABEL_OUTCOME, semconv.ERROR),
    window=WINDOW,
)
CALLS_OF_MODEL = increase(semconv.CALLS, semconv.LABEL_MODEL, window=WINDOW)
FAILURES = [
    slices(
        "Failure modes by template",
        "Which template fails in which way, most surely? An answer counts in the first way only. Its traces are found "
        f"in the store of traces by the template and `{semconv.CHECKS}`, `{semconv.RESPONSE_FINISH_REASONS}` or "
        "`error.type`. A click shows the template's pass rates.",
        (SERVICE, TEMPLATE, MODE),
        columns_of(failures(SERVICE, TEMPLATE), "Share of the answers"),
        sort={"At least": LARGEST},
        lead=how_good_it_is("window"),
    ),
    slices(
        "Failure modes of all",
        "In which way do answers fail, first of all, over all templates that are selected?",
        (MODE,),
        {"Failed": (COUNT, FAILED_IN_MODE)} | columns_of(failures(), "Share of the answers"),
        sort={"At least": LARGEST},
        width=12,
    ),
    slices(
        "Failed calls by model",
        "Which model's calls fail, and why? A click shows when.",
        (semconv.LABEL_MODEL, semconv.LABEL_ERROR_CLASS),
        columns_of(
            counted(FAILED_CALLS, beside(FAILED_CALLS, CALLS_OF_MODEL, (semconv.LABEL_MODEL,))), "Share of the calls"
        ),
        sort={"At least": LARGEST},
        lead=link("llm-latency", "When? Latency and errors of this model", {"model": of_row(semconv.LABEL_MODEL)}),
        width=12,
    ),
]

DONE = known(semconv.RECORDED_TASKS_COMPLETED, SERVICE, TASK)
COMPLETED = matching(semconv.LABEL_OUTCOME, semconv.COMPLETED)
OF_FAILURE = (SERVICE, TASK, semconv.LABEL_FAILURE_MODE)
FAILED_TASKS = increase(semconv.TASK_FAILURES, *OF_FAILURE, window=WINDOW)
TASKS = [
    slices(
        "Tasks by completion",
        "Which task do users not complete? Of those whose end is known. Times are those of completed ones.",
        (SERVICE, TASK),
        columns_of(DONE, "Completed")
        | {
            f"Time, p{q * 100:.0f}": (
                SECONDS,
                quantile(q, semconv.TASK_DURATION, SERVICE, TASK, where=COMPLETED, window=WINDOW),
            )
            for q in (0.5, 0.95)
        },
        sort={"At least": SMALLEST},
    ),
    stacked(
        "Tasks by outcome",
        "How do tasks end?",
        COUNT,
        increase(semconv.TASKS, semconv.LABEL_OUTCOME, window=STEP),
        semconv.LABEL_OUTCOME,
    ),
    lines(
        "Time of a task",
        "How long does a completed task take, typically (p50) and for the unlucky (p95)?",
        SECONDS,
        {f"p{q * 100:.0f} {by(TASK)}": quantile(q, semconv.TASK_DURATION, TASK, where=COMPLETED) for q in (0.5, 0.95)},
    ),
    slices(
        "Failed tasks",
        "In which way do tasks fail, in the app's words?",
        OF_FAILURE,
        columns_of(
            counted(
                FAILED_TASKS,
                beside(FAILED_TASKS, increase(semconv.TASKS, SERVICE, TASK, window=WINDOW), (SERVICE, TASK)),
            ),
            "Share of the tasks",
        ),
        sort={"At least": LARGEST},
        width=8,
    ),
]

DELAY = [
    lines(
        f"Delay of feedback and verdicts, p{q * 100:.0f}",
        f"{question} user is feedback, human are people who grade: both show a change as late as this.",
        SECONDS,
        {by(SOURCE): quantile(q, semconv.EVALUATION_LAG, SOURCE)},
        width=12,
    )
    for q, question in (
        (0.5, "How long after an answer is half of what is said of it there?"),
        (0.95, "After how long is nearly all of it there?"),
    )
]

BOARD = board(
    "llm-feedback",
    "LLM feedback",
    "What do users do with answers, and how do answers fail? Shares with the interval in which the truth is.",
    "7d",
    [
        Row("", IN_SHORT),
        Row("What users say and show", USERS),
        Row("By template, version, release and model", SLICES),
        Row("How does it fail?", FAILURES),
        Row("Tasks", TASKS),
        Row("How late is it known?", DELAY),
    ],
    variables=[*OF_CALLS, one_of("window", semconv.WINDOWS, "1d")],
)
