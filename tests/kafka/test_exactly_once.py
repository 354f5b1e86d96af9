"""Replicas are killed, paused, restarted, added and taken away, and so is the broker: each call counts once."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest

from llmvitals import semconv

pytestmark = pytest.mark.kafka

RUNS = 100
AT_ONCE = 10  # of one broker
FAULTS = 4  # before the broker fails, and again after it
MESSAGES = 40  # between two of them, at most
PATIENCE = 300  # seconds


@pytest.mark.parametrize("first", range(0, RUNS, AT_ONCE), ids=lambda first: f"{first}..{first + AT_ONCE - 1}")
def test_each_call_counts_once_whatever_fails_when(kafka_broker, trial, first):
    trials = [trial(seed) for seed in range(first, first + AT_ONCE)]
    everywhere = Barrier(AT_ONCE + 1)
    chance = random.Random(first)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        runs = [threads.submit(run, each, everywhere) for each in trials]
        with suppress(BrokenBarrierError):  # whoever broke it tells why
            everywhere.wait(PATIENCE)
            for _ in range(first // AT_ONCE % 3):
                chance.choice([kafka_broker.kill, kafka_broker.stop])()
                kafka_broker.start()
            everywhere.wait(PATIENCE)
        wrong = [told for told in (each.result() for each in runs) if told]
    assert not wrong, "\n\n".join(wrong)


def run(trial, everywhere: Barrier) -> str:
    """What went wrong."""
    try:
        for _ in range(trial.random.randrange(1, 4)):
            trial.join()
        for _ in range(FAULTS):
            trial.send(trial.random.randrange(MESSAGES))
            trial.something_happens()
        trial.send(MESSAGES)
        # One broker that dies may lose what it has just got, which is not the matter here.
        trial.flush()
        everywhere.wait(PATIENCE)
        trial.something_happens()
        everywhere.wait(PATIENCE)
        for _ in range(FAULTS):
            trial.send(trial.random.randrange(MESSAGES))
            trial.something_happens()
        trial.send(MESSAGES)
        trial.flush()
        trial.settle()
        assert sum(trial.values(semconv.CALLS)) == trial.sent, "not what was sent"
        for fault in (semconv.COLLECTOR_DUPLICATE_CALLS, semconv.KAFKA_UNDECIDED, semconv.KAFKA_LOST):
            assert not sum(trial.values(fault)), fault.name
    except Exception as error:
        everywhere.abort()
        return f"{trial.told()}\n{error!r}"
    finally:
        trial.close()
    return ""
