"""A process forked beside a first call is not left waiting for a module that was being imported."""

import os
import subprocess
import sys
import textwrap

import pytest

IMPORTS_DURING = """
import sys
import numpy as np
import mlpcore
import mlpcore.kernels

seen = []
imports = lambda event, arguments: seen.append(arguments[0]) if event == "import" else None
sys.addaudithook(imports)
x, y = [[0.0, 1.0], [1.0, 0.0]] * 4, [0, 1] * 4
model = mlpcore.Sequential([mlpcore.Dense(3, "tanh"), mlpcore.Dense(2, "softmax")])
model.forward(x)
model.backward(y, loss="cce")
model.update(mlpcore.Adam())
callbacks = [lambda *told: None]
model.fit(x, y, loss="cce", validation_split=0.5, class_weight={0: 2.0}, callbacks=callbacks, progress=False)
model.partial_fit(x, y, loss="cce", optimizer=mlpcore.SGD(), sample_weight=[1.0] * 8)
model.predict(x)
model.evaluate(x, y, loss="cce")
model.save(sys.argv[1])
mlpcore.Sequential.load(sys.argv[1])
model.summary(), repr(model), repr(mlpcore.Adam()), repr(model.history)
mlpcore.kernels.activation_forward("relu", x)
mlpcore.cpu.info()
mlpcore.set_num_threads(2)
for wrong in [["a"]], [[np.nan, 1.0]], [[1.0, 2.0, 3.0]], [[1.0], [1.0, 2.0]]:
    for call in model.predict, lambda x: model.fit(x, y, loss="cce"):
        try:
            call(wrong)
        except (TypeError, ValueError):
            pass
print(seen)
"""

# Another thread's first call; while it imports the module, here is forked. The child does the same and ends.
FORK_DURING = """
import os, signal, sys, threading, time
import mlpcore

x, y = [[0.0], [1.0]], [[0.0], [1.0]]
during = threading.Event()
children = []

def calls(how):
    if how == "fit":
        model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
        assert model.fit(x, y, loss="mse", epochs=2).epoch == [0, 1]
    elif how == "gradcheck":
        assert mlpcore.gradcheck.check_kernel("relu", {"z": [[1.0]]}).ok
    else:
        assert mlpcore.__version__

def pause(event, arguments):
    if event == "import" and arguments[0] == sys.argv[2] and not during.is_set() and not children:
        during.set()
        time.sleep(0.2)

sys.addaudithook(pause)
thread = threading.Thread(target=calls, args=(sys.argv[1],))
thread.start()
assert during.wait(30), "never imported"
child = os.fork()
if child == 0:
    signal.alarm(10)
    calls(sys.argv[1])
    os._exit(0)
children.append(child)
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

# Another thread imports a module that we never import; while it does, here is forked.
FORK_BESIDE = """
import importlib, os, signal, sys, threading, time
import mlpcore

name = sys.argv[1]
assert name not in sys.modules
model = mlpcore.Sequential([mlpcore.Dense(1)], input_size=1, seed=1)
during = threading.Event()

def pause(event, arguments):
    if event == "import" and arguments[0] == name + "." + sys.argv[2] and not during.is_set():
        during.set()
        time.sleep(0.2)

sys.addaudithook(pause)
thread = threading.Thread(target=importlib.import_module, args=(name,))
thread.start()
assert during.wait(30), "never imported"
child = os.fork()
if child == 0:
    signal.alarm(10)
    model.predict([[0.0], (1.0,)])
    model.fit([[0.0], [1.0]], [[0.0], [1.0]], loss="mse", progress=False)
    mlpcore.kernels.activation_forward("relu", [[0.0], [1.0]])
    os._exit(0)
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""

# Another thread's bar is being written; meanwhile, here is forked. The child trains with a bar too.
FORK_BESIDE_A_BAR = """
import io, os, signal, sys, threading, time
import mlpcore

x, y = [[0.0], [1.0]], [[0.0], [1.0]]
during = threading.Event()

class Slow(io.RawIOBase):
    def writable(self):
        return True

    def write(self, data):
        if b"2/2" in bytes(data) and threading.current_thread() is not threading.main_thread():
            during.set()
            time.sleep(0.2)
        return len(data)

def fit():
    mlpcore.Sequential([mlpcore.Dense(1)], seed=1).fit(x, y, loss="mse", epochs=2)

sys.stderr = io.TextIOWrapper(io.BufferedWriter(Slow()), write_through=True)
thread = threading.Thread(target=fit)
thread.start()
assert during.wait(30), "never written"
child = os.fork()
if child == 0:
    signal.alarm(10)
    fit()
    os._exit(0)
thread.join()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def python(code: str, *arguments: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *arguments], cwd="/", capture_output=True, text=True, timeout=30
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_calls_import_nothing(tmp_path) -> None:
    assert python(IMPORTS_DURING, str(tmp_path / "model.safetensors")) == "[]"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    ("call", "module"),
    [
        ("fit", "tqdm.std"),
        ("fit", "tqdm.utils"),
        ("fit", "mlpcore.notebook_bar"),
        ("gradcheck", "numpy.random.mtrand"),
        ("version", "importlib.metadata._adapters"),
    ],
)
def test_a_fork_waits_for_an_import(call: str, module: str) -> None:
    assert python(FORK_DURING, call, module) == "0"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_fork_waits_for_a_bar_that_is_being_written() -> None:
    assert python(FORK_BESIDE_A_BAR) == "0"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_no_call_waits_for_an_import_of_others() -> None:
    assert python(FORK_BESIDE, "numpy.ma", "core") == "0"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_processes_forked_beside_first_fits_train() -> None:
    code = """
    import os, signal, threading, time
    import mlpcore

    def fit(progress):
        model = mlpcore.Sequential([mlpcore.Dense(1)], seed=1)
        model.fit([[0.0], [1.0]], [[0.0], [1.0]], loss="mse", epochs=20, progress=progress)

    thread = threading.Thread(target=fit, args=(True,))
    thread.start()
    children = []
    while thread.is_alive() or len(children) < 10:
        children.append(os.fork())
        if children[-1] == 0:
            signal.alarm(10)
            fit(False)
            fit(True)
            os._exit(0)
        time.sleep(0.005)
    print({os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children})
    """
    assert python(code) == "{0}"


def test_what_waits_for_its_first_use_is_found_and_what_is_not_public_is_refused():
    code = """
import sys, mlpcore
assert not {"mlpcore.gradcheck", "mlpcore.kernels", "mlpcore.schedules.cycles", "matplotlib"} & set(sys.modules)
for package in (mlpcore, mlpcore.schedules):
    for name in package.__all__:
        assert getattr(package, name) == getattr(package, name), name
    assert not hasattr(package, "nothing")
assert mlpcore.Cosine.__module__ == "mlpcore.schedules.cycles" and mlpcore.gradcheck.check_model
"""
    subprocess.run([sys.executable, "-c", code], check=True)
