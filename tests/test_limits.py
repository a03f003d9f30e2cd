"""A function that does not end is stopped where Python can, and timers of others go on."""

import contextlib
import signal
import threading
import time

import numpy as np
import pytest

import mlpcore
from mlpcore.exercises.limits import OutOfTime, time_limit

EQ4 = mlpcore.exercises.all()["eq4"]
alarms = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no SIGALRM here")


@alarms
def test_an_endless_loop_is_stopped_once():
    calls = []

    def endless(phi):
        calls.append(1)
        while True:
            with contextlib.suppress(Exception):  # does not hold it up
                time.sleep(0.001)

    begin = time.monotonic()
    mark = EQ4.check(endless, seconds=0.1)
    assert time.monotonic() - begin < 5
    assert mark.score == 0.0
    assert mark.sentences == ("`eq4` does not end in time: look for a loop that never ends.",)
    assert len(calls) == 1


@alarms
def test_a_timer_that_was_running_goes_on():
    fired = []
    before = signal.signal(signal.SIGALRM, lambda *told: fired.append(time.monotonic()))
    try:
        begin = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(OutOfTime), time_limit(0.02):
            time.sleep(5)
        time.sleep(0.5)
        assert len(fired) == 1
        assert 0.1 < fired[0] - begin < 0.5
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_in_another_thread_there_is_no_limit():
    marks = []
    thread = threading.Thread(target=lambda: marks.append(EQ4.check(lambda phi: np.sum(phi, axis=0), seconds=0.01)))
    thread.start()
    thread.join()
    assert marks[0].score == 1.0
