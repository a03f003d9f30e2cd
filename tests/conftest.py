"""What all tests share."""

import hypothesis

import mlpcore

# Timing says more about the machine than about the code; a failure prints what repeats it.
hypothesis.settings.register_profile("mlpcore", deadline=None, print_blob=True)
hypothesis.settings.load_profile("mlpcore")


def pytest_report_header() -> list[str]:
    return [f"mlpcore: {mlpcore.__file__}", f"kernels: {mlpcore.cpu.info()['current']}"]
