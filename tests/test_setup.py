"""What setup.py does about compilers: says what is missing, compiles anew what is out of date, keeps fast-math out.

Where nothing needs to run, a script that writes down its arguments stands in for the compiler.
"""

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mlpcore import Adam, Dense, Sequential

SOURCE = Path(__file__).parent.parent
FLUSHING = ["-Ofast", "-ffast-math", "-funsafe-math-optimizations", "-mdaz-ftz"]

pytestmark = [
    pytest.mark.skipif(not (SOURCE / "setup.py").exists(), reason="the sources of mlpcore do not lie beside its tests"),
    pytest.mark.skipif(sys.platform == "win32", reason="runs shell scripts"),
]

COMPILER = """#!/bin/sh
echo "$@" >> {log}
case " $* " in
*" --version "*) echo {version}; exit;;
*" -fsyntax-only "*)
    for source; do :; done
    grep -q Python.h "$source" && [ -n "{without}" ] && {{ echo "Python.h: error: no such file" >&2; exit 1; }}
    exit 0;;
*" -shared "*) {link}
esac
while [ $# -gt 1 ]; do [ "$1" = -o ] && : > "$2"; shift; done
"""


@pytest.fixture(autouse=True)
def _setuptools() -> None:
    pytest.importorskip("setuptools", minversion="77")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy: setuptools leaves files in the folder that it builds."""
    ignored = shutil.ignore_patterns(".*", "build", "*.egg-info", "*.so", "__pycache__", "tests", "docs", "benchmarks")
    return shutil.copytree(SOURCE, tmp_path / "source", ignore=ignored)


Compiler = Callable[..., Path]


@pytest.fixture
def compiler(tmp_path: Path) -> Compiler:
    def write(name: str = "cc", version: str = "1.0", without: str = "", link: str = "") -> Path:
        path = tmp_path / name
        path.write_text(COMPILER.format(log=tmp_path / "log", version=version, without=without, link=link))
        path.chmod(0o755)
        return path

    return write


def build(source: Path, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "CPPFLAGS", "LDFLAGS", "LDSHARED")}
    return subprocess.run(
        [sys.executable, "setup.py", "-q", "build"],
        cwd=source,
        env={**inherited, **{name: str(value) for name, value in environment.items()}},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def compilations(source: Path, **environment: str | Path) -> int:
    """How often a build calls the compiler to compile."""
    log = source.parent / "log"
    log.unlink(missing_ok=True)
    ran = build(source, **environment)
    assert ran.returncode == 0, ran.stdout
    return sum(" -c " in line for line in log.read_text().splitlines())


# ---- what is missing ----


@pytest.mark.parametrize(
    ("cc", "says"),
    [
        ("nosuchcc", "the C compiler 'nosuchcc' is not there"),
        ("nosuchcc -m64", "the C compiler 'nosuchcc' is not there"),
        ("/no/such/ccache gcc", "the C compiler '/no/such/ccache gcc' is not there"),
        ("false", "the C compiler 'false' does not work"),
        ("env nosuchcc", "the C compiler 'env' does not work"),
    ],
)
def test_without_a_compiler_one_message_says_so(source: Path, cc: str, says: str) -> None:
    ran = build(source, CC=cc)
    assert ran.returncode == 1
    assert ran.stdout.startswith(f"mlpcore: {says}")
    assert len(ran.stdout.splitlines()) < 12
    for package in "python3-dev", "python3-devel", "pacman -S gcc", "musl-dev", "xcode-select --install":
        assert package in ran.stdout


def test_without_headers_one_message_says_so(source: Path, compiler: Compiler) -> None:
    ran = build(source, CC=compiler(without="headers"))
    assert ran.returncode == 1
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert ran.stdout.startswith(f"mlpcore: the headers of Python {version} are not there")
    assert "apt-get install gcc python3-dev" in ran.stdout


# ---- what is out of date ----


def test_a_leftover_build_is_used_only_for_the_same_compiler_and_options(source: Path, compiler: Compiler) -> None:
    cc, other = compiler(), compiler("other")
    every = compilations(source, CC=cc)
    assert every > 20
    assert compilations(source, CC=cc) == 0
    assert compilations(source, CC=other) == every
    assert compilations(source, CC=other) == 0
    assert compilations(source, CC=cc) == every
    assert compilations(source, CC=cc, CFLAGS="-O1") == every
    assert compilations(source, CC=cc, CFLAGS="-O1", LDFLAGS="-s") == every
    assert compilations(source, CC=cc, CFLAGS="-O1", LDFLAGS="-s") == 0
    assert compilations(source, CC=cc, CFLAGS="-O2", LDFLAGS="-s") == every
    compiler(version="2.0")
    assert compilations(source, CC=cc, CFLAGS="-O2", LDFLAGS="-s") == every


def test_a_build_that_failed_does_not_count(source: Path, compiler: Compiler) -> None:
    every = compilations(source, CC=compiler())
    assert build(source, CC=compiler(link="exit 1"), CFLAGS="-O1").returncode == 1
    assert compilations(source, CC=compiler(), CFLAGS="-O1") == every


def test_make_installs_anew_for_another_compiler_or_other_options(tmp_path: Path) -> None:
    """A script stands in for pip; what it is called for is an installation."""
    if shutil.which("make") is None or not (SOURCE / "Makefile").exists():
        pytest.skip("make or the Makefile is not there")
    for name in "csrc", "mlpcore", ".venv/bin":
        (tmp_path / name).mkdir(parents=True)
    for name in "pyproject.toml", "setup.py", ".venv/.base":
        (tmp_path / name).touch()
    shutil.copy(SOURCE / "Makefile", tmp_path)
    pip = tmp_path / ".venv/bin/pip"
    pip.write_text('#!/bin/sh\necho "$CC|$CFLAGS" >>log\n[ "$CC" != broken ]\n')
    pip.chmod(0o755)
    inherited = {k: v for k, v in os.environ.items() if k not in ("CC", "CFLAGS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")}

    def make(*arguments: str, **environment: str) -> int:
        command = ["make", "-s", ".venv/.installed", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=inherited | environment, stderr=subprocess.DEVNULL).returncode

    for _ in range(2):  # the second call of each pair finds nothing to do
        assert make() == make() == 0
        assert make(CC="clang") == make("CC=clang") == 0
        assert make("CC=clang", "CFLAGS=-O1 -g") == make(CC="clang", CFLAGS="-O1 -g") == 0
    assert make(CC="broken") != 0
    assert make(CC="broken") != 0
    assert make() == 0
    ways = ["|", "clang|", "clang|-O1 -g"]
    assert (tmp_path / "log").read_text().splitlines() == [*ways, *ways, "broken|", "broken|", "|"]


# ---- fast-math ----


def test_no_option_reaches_the_compiler_that_flushes_subnormals(source: Path, compiler: Compiler) -> None:
    cc = f"{compiler()} -Ofast"
    ran = build(source, CC=cc, CFLAGS="-ffast-math -g1", CPPFLAGS="-mdaz-ftz", LDFLAGS="-funsafe-math-optimizations")
    assert ran.returncode == 0, ran.stdout
    told = [line for line in ran.stdout.splitlines() if "building without" in line]
    assert told == [f"mlpcore: building without {', '.join(sorted(FLUSHING))}: its results are defined to the bit"]
    calls = (source.parent / "log").read_text().splitlines()
    assert any("-shared" in call for call in calls)
    assert not set(FLUSHING) & {option for call in calls for option in call.split()}
    assert all("-g1" in call for call in calls if " -c " in call)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is not installed")
def test_a_compiler_that_brings_fast_math_along_is_refused(source: Path, compiler: Compiler) -> None:
    link = 'while [ "$1" != -o ]; do shift; done; exec gcc -shared -ffast-math -x c /dev/null -o "$2";;'
    ran = build(source, CC=compiler(link=link))
    if ran.returncode == 0:
        pytest.skip("this gcc adds no such start-up to what is shared")
    assert ran.returncode == 1
    assert "takes subnormal numbers for 0: build without fast-math" in ran.stdout
    assert not list(source.glob("build/lib*/mlpcore/_core*"))


TRAIN = """
import hashlib
import numpy as np
smallest, one = float("5e-324"), float("1")
import mlpcore
from mlpcore import Adam, Dense, Sequential
assert mlpcore.__file__.startswith(PLACE), mlpcore.__file__
assert smallest * one != 0
assert np.array([1e-45], np.float32)[0] * np.float32(1) != 0
print(trained())
"""


def trained() -> str:
    x = np.random.default_rng(0).standard_normal((40, 3))
    model = Sequential([Dense(8, "tanh"), Dense(2, "softmax")], seed=1)
    history = model.fit(x, (x[:, 0] > 0).astype(int), loss="cce", optimizer=Adam(0.1), epochs=5, progress=False)
    return "".join(layer.w.tobytes().hex() for layer in model.layers) + str(history["loss"])


@pytest.mark.parametrize("cc", ["gcc", "clang"])
def test_a_build_with_fast_math_leaves_subnormals_and_bits_alone(source: Path, cc: str) -> None:
    if shutil.which(cc) is None:
        pytest.skip(f"{cc} is not installed")
    ran = build(source, CC=cc, CFLAGS="-Ofast -ffast-math -O0", LDFLAGS="-Ofast -ffast-math")
    assert ran.returncode == 0, ran.stdout
    (library,) = source.glob("build/lib.*")
    code = TRAIN.replace("PLACE", repr(str(library))).replace("print(", f"{inspect.getsource(trained)}\nprint(")
    python = subprocess.run(
        [sys.executable, "-c", code],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(library)},
        capture_output=True,
        text=True,
    )
    assert python.returncode == 0, python.stderr
    assert python.stdout.strip() == trained()
