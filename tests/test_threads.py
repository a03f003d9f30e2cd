"""Threads: how their number is set, and that neither it nor other load changes a bit of a result.

What the pool does between C threads is in tests/tsan/pool.c; `make test-fork` repeats the forks four times as often.
"""

import ctypes
import os
import platform
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import mlpcore
from mlpcore import _core
from mlpcore.threads import _quotas

HERE = Path(__file__).parent
TASKS = Path("/proc/self/task")  # one folder a thread
needs_proc = pytest.mark.skipif(not TASKS.exists(), reason="there is no /proc/self/task to count threads in")


@pytest.fixture(autouse=True)
def _number_as_before() -> Iterator[None]:
    before = mlpcore.get_num_threads()
    yield
    mlpcore.set_num_threads(before)


def python(code: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    inherited = {name: value for name, value in os.environ.items() if name != "MLPCORE_NUM_THREADS"}
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout.strip()


def threads_that_ran(chunks: int, turns: int) -> set[int]:
    return {thread for thread, _ in _core.run_chunks(chunks, turns)}


# ---- the number ----


def test_number_is_what_was_set() -> None:
    mlpcore.set_num_threads(3)
    assert mlpcore.get_num_threads() == 3
    assert mlpcore.cpu.info()["threads"] == 3
    mlpcore.set_num_threads(threads=np.int64(5))
    assert mlpcore.get_num_threads() == 5


@pytest.mark.parametrize(
    ("threads", "error"),
    [(0, ValueError), (-1, ValueError), (1025, ValueError), (2**64, ValueError), (2.0, TypeError), ("2", TypeError)],
)
def test_wrong_number_is_refused_and_changes_nothing(threads: object, error: type[Exception]) -> None:
    mlpcore.set_num_threads(3)
    with pytest.raises(error, match=r"set_num_threads: threads is .*, expected an integer"):
        mlpcore.set_num_threads(threads)
    assert mlpcore.get_num_threads() == 3


def test_environment_sets_the_number() -> None:
    assert python("import mlpcore; print(mlpcore.get_num_threads())", MLPCORE_NUM_THREADS="7") == "7"


@pytest.mark.parametrize(
    "value", ["0", "1025", "-2", "two", "1.5", "9" * 5000, "1_0", "\u0663", "\u00b2", " 3 ", "+3", " ", "3\n", "\udcff"]
)
def test_wrong_environment_is_an_import_error(value: str) -> None:
    code = """
    try:
        import mlpcore
    except ImportError as error:
        print(error)
    """
    expected = f"the environment variable MLPCORE_NUM_THREADS is {value!r}, expected an integer from 1 to 1024"
    assert python(code, MLPCORE_NUM_THREADS=value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [("1", 1), ("1,4", 1), (" 1 ", 1), ("4096", None), ("", None), ("0", None), ("two", None), ("\u0661", None)],
)
def test_openmp_limits_the_number(value: str, expected: int | None) -> None:
    code = "import mlpcore; print(mlpcore.get_num_threads())"
    cores = python(code, MLPCORE_NUM_THREADS="", OMP_NUM_THREADS="")
    assert python(code, MLPCORE_NUM_THREADS="", OMP_NUM_THREADS=value) == str(expected or cores)
    assert python(code, MLPCORE_NUM_THREADS="3", OMP_NUM_THREADS=value) == "3"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinity")
def test_number_is_at_most_the_cores_of_the_affinity() -> None:
    code = """
    import os
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    import mlpcore
    print(mlpcore.get_num_threads())
    """
    assert python(code, MLPCORE_NUM_THREADS="") == "1"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/", {"sys/fs/cgroup/cpu.max": "150000 100000"}, [1.5]),
        ("0::/", {"sys/fs/cgroup/cpu.max": "max 100000"}, []),
        ("0::/a/b", {"sys/fs/cgroup/a/cpu.max": "200000 100000", "sys/fs/cgroup/a/b/cpu.max": "max 100000"}, [2.0]),
        ("0::/a", {"sys/fs/cgroup/cpu.max": "400000 100000", "sys/fs/cgroup/a/cpu.max": "50000 100000"}, [4.0, 0.5]),
        ("0::/host/name", {"sys/fs/cgroup/cpu.max": "300000 100000"}, [3.0]),
        (
            "4:memory:/m\n3:cpu,cpuacct:/c\n0::/",
            {"sys/fs/cgroup/cpu/c/cpu.cfs_quota_us": "250000", "sys/fs/cgroup/cpu/c/cpu.cfs_period_us": "100000"},
            [2.5],
        ),
        (
            "3:cpu:/",
            {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"},
            [],
        ),
    ],
)
def test_quotas_of_control_groups(groups: str, files: dict[str, str], expected: list[float], tmp_path: Path) -> None:
    for name, text in {"proc/self/cgroup": groups, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert list(_quotas(tmp_path)) == expected


HALF = {"sys/fs/cgroup/cpu.max": b"50000 100000"}


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        (b"", HALF, []),
        (b"0", HALF, []),
        (b"0:", HALF, []),
        (b"nonsense\n0::/", HALF, [0.5]),
        (b"\xff\xfe:::\n0::/", HALF, [0.5]),
        (b"0::/caf\xe9", {**HALF, "sys/fs/cgroup/caf\udce9/cpu.max": b"30000 100000"}, [0.5, 0.3]),
        (b"0::/a\x00b", HALF, [0.5]),
        (b"0::/" + b"a" * 5000, HALF, [0.5]),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b""}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b"50000"}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b"50000 100000 3"}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b"50000 0"}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b"0.5 1"}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b"\xff \xfe"}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b"-2 100000"}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max": b"9" * 400 + b" 1"}, []),
        (b"0::/", {"sys/fs/cgroup/cpu.max/is/a/folder": b""}, []),
    ],
)
def test_odd_control_groups_are_no_quota(
    groups: bytes, files: dict[str, bytes], expected: list[float], tmp_path: Path
) -> None:
    for name, content in {"proc/self/cgroup": groups, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert list(_quotas(tmp_path)) == expected


def test_no_control_groups_no_quota(tmp_path: Path) -> None:
    assert list(_quotas(tmp_path)) == []


# ---- threadpoolctl ----


@pytest.mark.parametrize("first", ["mlpcore", "threadpoolctl"])
def test_threadpoolctl_limits_and_restores(first: str) -> None:
    pytest.importorskip("threadpoolctl")
    code = f"""
    import {first}
    import mlpcore, threadpoolctl
    found = [i for i in threadpoolctl.threadpool_info() if i["user_api"] == "mlpcore"]
    assert [i["num_threads"] for i in found] == [6], found
    assert found[0]["filepath"] == mlpcore._core.__file__
    with threadpoolctl.threadpool_limits(1):
        assert mlpcore.get_num_threads() == 1
    assert mlpcore.get_num_threads() == 6
    with threadpoolctl.threadpool_limits(2, user_api="mlpcore"):
        assert mlpcore.get_num_threads() == 2
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        assert mlpcore.get_num_threads() == 6
    """
    python(code, MLPCORE_NUM_THREADS="6")


def test_threadpoolctl_is_not_needed() -> None:
    python("import sys; sys.modules['threadpoolctl'] = None; import mlpcore")


# ---- the threads ----


@needs_proc
def test_threads_start_when_needed_and_stop_when_not() -> None:
    code = """
    import mlpcore, pathlib
    from mlpcore import _core
    def started(): return len(list(pathlib.Path("/proc/self/task").iterdir())) - before
    before = 0
    before = started()
    mlpcore.set_num_threads(6)
    _core.run_chunks(1, 10)
    assert started() == 0, "one chunk needs no thread"
    _core.run_chunks(3, 10)
    assert started() == 2
    _core.run_chunks(100, 10)
    assert started() == 5
    mlpcore.set_num_threads(3)
    _core.run_chunks(100, 10)
    assert started() == 2
    """
    python(code)


def test_chunks_are_shared_out_also_after_a_sleep() -> None:
    mlpcore.set_num_threads(2)
    for pause in (0, 0.02):
        for _ in range(100):
            if len(threads_that_ran(16, 100_000)) == 2:
                break
            threading.Event().wait(pause)
        else:
            pytest.fail("the second thread never ran a chunk")


def test_several_threads_may_call_at_once() -> None:
    mlpcore.set_num_threads(4)
    results = []

    def call() -> None:
        results.extend(len(_core.run_chunks(chunks, 50)) == chunks for chunks in range(200))

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(60)
    assert results == [True] * 1600


@needs_proc
@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_AS is not kept everywhere")
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="AddressSanitizer itself cannot do without the memory")
def test_refused_threads_are_done_without() -> None:
    code = """
    import mlpcore, resource, pathlib
    from mlpcore import _core
    def started(): return len(list(pathlib.Path("/proc/self/task").iterdir())) - before
    before = 0
    before = started()
    spare = [_core.run_chunks(2000, 10) for _ in range(4)]
    del spare  # Python keeps that memory: what it needs below, while threads take all there is
    used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_STACK, (8 << 20, -1))
    resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), -1))
    mlpcore.set_num_threads(1000)
    for _ in range(3):
        assert len(_core.run_chunks(2000, 10)) == 2000
    assert started() < 999, started()
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    mlpcore.set_num_threads(40)
    assert len(_core.run_chunks(2000, 10)) == 2000
    assert started() == 39, started()
    """
    python(code)


def test_a_thread_with_a_small_stack_trains_large_layers() -> None:
    # What products pack does not lie on the caller's stack.
    code = """
    import threading, numpy as np, mlpcore
    rng = np.random.default_rng(0)
    x, y = rng.random((70, 600)), rng.random((70, 530))
    def train():
        model = mlpcore.Sequential([mlpcore.Dense(600, "relu"), mlpcore.Dense(530)], dtype="float64", seed=1)
        model.fit(x, y, loss="mse", batch_size=70, progress=False)
        sums.append(model.layers[0].w.sum())
    sums = []
    train()
    threading.stack_size(192 * 1024)
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    print(len(set(sums)), len(sums))
    """
    assert python(code) == "1 2"


@pytest.mark.skipif(platform.machine() != "x86_64" or sys.platform != "linux", reason="FE_UPWARD is another number")
def test_workers_keep_the_default_floating_point_environment() -> None:
    # In a fresh process, so that its threads start while the caller rounds upward.
    code = """
    import ctypes, mlpcore, threading
    from mlpcore import _core
    libm = ctypes.CDLL("libm.so.6")
    assert _core.run_chunks(1, 0)[0][1], "what to compare with"
    libm.fesetround(0x800)
    mlpcore.set_num_threads(2)
    (me, default), = _core.run_chunks(1, 0)
    assert not default
    for _ in range(1000):
        seen = set(_core.run_chunks(16, 100_000))
        if len(seen) == 2:
            break
    assert {default for thread, default in seen if thread == me} == {False}
    assert {default for thread, default in seen if thread != me} == {True}
    assert libm.fegetround() == 0x800
    """
    python(code)


def test_calls_leave_the_callers_environment_alone() -> None:
    mlpcore.set_num_threads(4)
    libm = ctypes.CDLL(None)
    before = libm.fegetround()
    _core.run_chunks(100, 1000)
    assert libm.fegetround() == before
    assert all(default for _, default in _core.run_chunks(100, 1000))


@pytest.mark.parametrize("daemon_works", [False, True])
def test_program_ends_while_threads_spin_sleep_or_work(daemon_works: bool) -> None:
    code = f"""
    import mlpcore, threading, time
    from mlpcore import _core
    mlpcore.set_num_threads(4)
    def work():
        while True:
            _core.run_chunks(16, 10_000)
    _core.run_chunks(16, 10_000)
    if {daemon_works}:
        threading.Thread(target=work, daemon=True).start()
        time.sleep(0.05)
    """
    for _ in range(5):
        assert python(code) == ""


# ---- training ----


def trained(seed: int) -> bytes:
    """Weights of a network wide enough for several threads to have something to do."""
    random = np.random.default_rng(seed)
    x = random.standard_normal((128, 256), dtype=np.float32)
    model = mlpcore.Sequential([mlpcore.Dense(256, "relu"), mlpcore.Dense(10, "softmax")], seed=seed)
    model.fit(x, random.integers(10, size=128), loss="cce", epochs=3, batch_size=64, progress=False)
    return b"".join(layer.w.tobytes() for layer in model.layers)


def test_eight_threads_train_eight_models_to_the_serial_bits() -> None:
    mlpcore.set_num_threads(1)
    serial = {seed: trained(seed) for seed in range(8)}
    mlpcore.set_num_threads(4)
    parallel: dict[int, bytes] = {}
    trainers = [threading.Thread(target=lambda s=seed: parallel.update({s: trained(s)})) for seed in range(8)]
    for trainer in trainers:
        trainer.start()
    for trainer in trainers:
        trainer.join(60)
    assert parallel == serial


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_processes_forked_in_the_middle_of_training_train_the_same_bits() -> None:
    pytest.importorskip("joblib")
    ran = subprocess.run(
        [sys.executable, HERE / "forks.py", "50"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert ran.returncode == 0, ran.stdout
