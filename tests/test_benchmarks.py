"""The benchmarks run, and what they compare is the same: every peer trains the same network to the same predictions."""

import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mlpcore

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"

pytestmark = [
    pytest.mark.skipif(not BENCHMARKS.exists(), reason="the benchmarks do not lie beside the tests"),
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks bind processes to cores as Linux does it"),
]


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, BENCHMARKS / f"{script}.py", "--quick", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch):
    """The modules of benchmarks/, by name."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.mark.parametrize("name", ["mlpcore", "torch", "jax", "sklearn"])
@pytest.mark.parametrize("sizes", [(5, 7, 1), (5, 7, 6, 3)])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_peers_train_the_same_network_as_numpy(modules, name: str, sizes: tuple[int, ...], optimizer: str) -> None:
    peers = modules("peers").PEERS
    if not peers[name].is_installed():
        pytest.skip(f"{peers[name].label} is not installed")
    configuration = modules("configurations").Configuration("small", sizes, 6, optimizer, "float64", batches=4)
    outputs = []
    for peer in (peers["numpy"](configuration), peers[name](configuration)):
        peer.reset()
        peer.train(4)
        peer.reset()  # forgets everything
        peer.train(12)
        outputs.append(peer.predict(2))
    # scikit-learn corrects the bias of Adam's moments before it adds epsilon, the others after.
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-5 if name == "sklearn" else 1e-12)


@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("steps", ["--configurations", "xor,digits"]),
        ("products", []),
        ("optimizers", ["--rounds", "1"]),
        ("overhead", []),
        ("threads", ["--rounds", "1"]),
        ("footprint", ["--rounds", "1"]),
        ("sweep", ["--dtypes", "float32"]),
    ],
)
def test_benchmark_runs_and_writes_its_report(script: str, arguments: list[str], tmp_path: Path) -> None:
    if script == "sweep":
        pytest.importorskip("matplotlib")
    ran = run(script, "--peers", "numpy", "--output", str(tmp_path), *arguments)
    assert ran.returncode == 0, ran.stderr
    if "only one core" in ran.stdout:
        return
    (folder,) = tmp_path.iterdir()
    text = (folder / f"{script}.md").read_text()
    assert "mlpcore" in text
    assert "NumPy" in text
    data = json.loads((folder / f"{script}.json").read_text())
    assert data.keys() == {"machine", "measured"}
    if script == "sweep":
        assert (folder / "sweep-float32.png").read_bytes().startswith(b"\x89PNG")


def test_estimators_are_measured_beside_scikit_learns(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    ran = run("estimators", "--rounds", "1", "--output", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (file,) = tmp_path.glob("*/estimators.json")
    found = json.loads(file.read_text())["measured"]
    assert {(entry["search"], entry["jobs"]) for entry in found} == {("cv", 1), ("grid", 2)}
    assert {entry["who"] for entry in found} == {"mlpcore", "mlpcore32", "sklearn"}


def test_parts_are_measured_with_or_without_a_peer(tmp_path: Path) -> None:
    ran = run("parts", "--output", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (file,) = tmp_path.glob("*/parts.json")
    found = json.loads(file.read_text())["measured"]
    assert found["activations"].keys() >= {"relu", "mish", "hard_swish"}
    assert all("mlpcore" in times for times in found["regularized"].values())


def test_iterables_of_batches_are_measured_beside_arrays(tmp_path: Path) -> None:
    ran = run("streams", "--output", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (file,) = tmp_path.glob("*/streams.json")
    (found,) = json.loads(file.read_text())["measured"]
    assert found["ratios"].keys() == {"shuffled", "in order"}
    assert found["step"] > 0


def test_tables_are_scored_by_each_model(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    ran = run("tables", "--models", "tabular,trees", "--output", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    (file,) = tmp_path.glob("*/tables.json")
    found = json.loads(file.read_text())["measured"]["wine"]
    assert found.keys() == {"tabular", "trees"}
    assert all(0.8 < score <= 1 and seconds > 0 for score, seconds in found.values())


def test_make_runs_every_benchmark() -> None:
    makefile = (BENCHMARKS.parent / "Makefile").read_text()
    for script in BENCHMARKS.glob("*.py"):
        if "options = report.options(" in script.read_text():
            assert re.search(rf"^\t.*\b{script.stem}\b", makefile, re.MULTILINE), (
                f"no target of make runs {script.name}"
            )


def test_a_build_is_compared_with_an_older_one(tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(Path(mlpcore.__file__).parent, older / "mlpcore")
    ran = run("builds", str(older), "--configurations", "xor,odd", "--output", str(tmp_path / "results"))
    assert ran.returncode == 0, ran.stderr
    (file,) = (tmp_path / "results").glob("*/builds.json")
    found = json.loads(file.read_text())["measured"]
    assert [entry["action"] for entry in found] == ["train", "train", "predict", "predict"]
    assert all(0.1 < entry["ratio"] < 10 for entry in found)
    ran = run("builds", str(tmp_path))
    assert ran.returncode == 2
    assert "has no folder mlpcore" in ran.stderr


def test_unknown_peer_and_configuration_are_named() -> None:
    for option, value in ("--peers", "nump"), ("--configurations", "cifar"):
        ran = run("steps", option, value)
        assert ran.returncode == 2
        assert f"{option} has '{value}'" in ran.stderr


def test_peak_is_one_or_two_fma_a_cycle(modules) -> None:
    machine = modules("machine")
    peak = machine.peak(machine.cores(1), "float32")
    if peak is None:
        pytest.skip("peak.c cannot be compiled here")
    lanes = {"avx512": 16, "avx2": 8, "neon": 4}[peak.isa]
    assert 0.2 * lanes < peak.gflops / peak.ghz < 8.2 * lanes  # up to four units; other work may slow it down


def test_ladder_gives_the_same_bits_on_every_rung(tmp_path: Path) -> None:
    if not (shutil.which("make") and shutil.which("cc")):
        pytest.skip("no compiler")
    ran = subprocess.run(
        ["make", "-C", BENCHMARKS / "ladder", f"BUILD={tmp_path}", "ARGS=--quick"], capture_output=True, text=True
    )
    if "has no page for this machine" in ran.stderr:
        pytest.skip("csrc/simd/ has no page for this machine")
    assert ran.returncode == 0, ran.stderr
    assert "Each rung gave the bits of the first." in ran.stdout
