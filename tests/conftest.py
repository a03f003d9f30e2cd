"""What all tests share."""

import signal

import hypothesis
import pytest

import mlpcore

# Whatever a shell starts in the background begins with Ctrl-C ignored: tests that press it would wait forever.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Timing says more about the machine than about the code; a failure prints what repeats it.
hypothesis.settings.register_profile("mlpcore", deadline=None, print_blob=True)
hypothesis.settings.load_profile("mlpcore")


def pytest_report_header() -> list[str]:
    return [f"mlpcore: {mlpcore.__file__}", f"kernels: {mlpcore.cpu.info()['current']}"]


@pytest.fixture
def break_backward(monkeypatch):
    """Return a function that makes every backward of a model damage its layers' gradients."""

    def break_it(damage):
        right = mlpcore.Sequential.backward

        def backward(self, *args, **options):
            loss = right(self, *args, **options)
            damage(self.layers)
            return loss

        monkeypatch.setattr(mlpcore.Sequential, "backward", backward)

    return break_it
