"""Retry-After is read in both of its forms."""

import email.utils
import time
from types import SimpleNamespace

import pytest

from llmvitals.judge.failures import failure


def refused(after):
    error = ConnectionError()
    error.response = SimpleNamespace(status_code=429, headers={} if after is None else {"retry-after": after})
    return failure(error)


def test_retry_after_may_be_a_date():
    assert refused(email.utils.formatdate(time.time() + 20, usegmt=True)).after == pytest.approx(20, abs=2)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        *(("7", 7), ("0.5", 0.5), ("-3", 0), ("Thu, 01 Jan 1970 00:00:00 GMT", 0)),
        *((None, None), ("soon", None), ("nan", None), ("inf", None), ("", None)),
    ],
)
def test_retry_after_is_a_number_of_seconds_from_now_or_nothing(told, seconds):
    assert refused(told).after == seconds
