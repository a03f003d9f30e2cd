"""Builds the extension module; everything else about the package stands in pyproject.toml."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build import build
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
SOURCES = sorted(
    str(path.relative_to(ROOT))
    for pattern in (
        "csrc/reference/reference_f*.c",
        "csrc/catalogue/*.c",
        "csrc/runtime/*.c",
        "csrc/net/*.c",
        "csrc/isa/*.c",
        "csrc/python/*.c",
    )
    for path in ROOT.glob(pattern)
    if not path.name.endswith(".inc.c")
)
DEPENDS = ["setup.py", *(str(path.relative_to(ROOT)) for path in ROOT.glob("csrc/**/*.[ch]"))]

# The result of every operation is defined to the bit: no a * b + c contracted behind our back, no fast-math.
# These come last on the command line, whatever CFLAGS says.
if os.name == "nt":
    FLAGS = ["/O2", "/fp:precise", "/std:c11"]
    LIBRARIES = []
else:
    # What a row of the catalogue names and nothing defines must not compile.
    FLAGS = ["-std=c11", "-fno-fast-math", "-ffp-contract=off", "-fvisibility=hidden"]
    FLAGS += ["-Werror=implicit-function-declaration"]
    LIBRARIES = ["m", "pthread"]
    os.environ["CFLAGS"] = "-O3 -DNDEBUG " + os.environ.get("CFLAGS", "")

# With these on its command line the linker adds a start-up (crtfastmath.o) that makes the thread which imports us, and
# whatever it computes afterwards, take subnormal numbers for 0.
FAST_MATH = {"-Ofast": ["-O3"], "-ffast-math": [], "-funsafe-math-optimizations": [], "-mdaz-ftz": []}
# A subnormal number times 1, in a process of its own. It also ends well where what was built cannot be loaded.
LOOK_AT_SUBNORMALS = """
import ctypes, sys
one, smallest = float("1"), float("5e-324")
try:
    ctypes.PyDLL(sys.argv[1])
except OSError:
    sys.exit()
sys.exit(smallest * one == 0 and 3)
"""

PACKAGES = """
    Debian, Ubuntu   apt-get install gcc python3-dev
    Fedora           dnf install gcc python3-devel
    Arch             pacman -S gcc python
    Alpine           apk add gcc musl-dev python3-dev
    macOS            xcode-select --install
"""


class BuildExtension(build_ext):
    """Builds the extension: says first what is missing for that, and builds anew what was built in another way."""

    def build_extensions(self) -> None:
        """Build, with no option left that changes the arithmetic of the process."""
        if self.compiler.compiler_type == "unix":
            self._leave_out_fast_math()
            self._look_for_compiler_and_headers()
        stamp, built_with = Path(self.build_temp) / "built-with", self._built_with()
        if not stamp.exists() or stamp.read_text() != built_with:
            self.force = self.compiler.force = True
        stamp.unlink(missing_ok=True)
        if self.compiler.compiler_type == "unix":
            self._compile_on_all_cores()
        super().build_extensions()
        self._look_at_subnormals()
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.write_text(built_with)

    def _leave_out_fast_math(self) -> None:
        left_out = set()
        for name in "compiler", "compiler_so", "linker_so":
            command = getattr(self.compiler, name)
            left_out |= FAST_MATH.keys() & set(command)
            setattr(self.compiler, name, [kept for option in command for kept in FAST_MATH.get(option, [option])])
        if left_out:
            print(f"mlpcore: building without {', '.join(sorted(left_out))}: its results are defined to the bit")

    def _look_for_compiler_and_headers(self) -> None:
        command = self.compiler.compiler_so
        name = f"the C compiler {shlex.join(command[:2] if 'ccache' in command[0] else command[:1])!r}"
        if shutil.which(command[0]) is None:
            missing(f"{name} is not there")
        includes = [f"-I{directory}" for directory in self.compiler.include_dirs]
        with tempfile.TemporaryDirectory() as directory:
            source = Path(directory) / "look.c"
            for header, what in (
                ("math.h", f"{name} does not work, or the headers of the C library are not there"),
                ("Python.h", f"the headers of Python {sys.version_info[0]}.{sys.version_info[1]} are not there"),
            ):
                source.write_text(f"#include <{header}>\n")
                ran = subprocess.run([*command, *includes, "-fsyntax-only", source], capture_output=True, text=True)
                if ran.returncode != 0:
                    missing(what, next((line for line in ran.stderr.splitlines() if "error" in line), ran.stderr))

    def _compile_on_all_cores(self) -> None:
        """Let the compiler take several sources at once, where setuptools takes one after the other."""
        compile_in_turn = self.compiler.compile

        def compile_at_once(sources: list[str], **options: object) -> list[str]:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                objects = pool.map(lambda source: compile_in_turn([source], **options), sources)
                return [name for names in objects for name in names]

        self.compiler.compile = compile_at_once

    def _built_with(self) -> str:
        """Return all that the result depends on besides the files that are watched."""
        parts = [*map(self.get_ext_fullpath, (ext.name for ext in self.extensions)), numpy.__version__, *FLAGS]
        if self.compiler.compiler_type == "unix":
            version = subprocess.run([*self.compiler.compiler_so, "--version"], capture_output=True, text=True).stdout
            parts += [*self.compiler.compiler_so, *self.compiler.linker_so, version]
        return "\n".join(parts)

    def _look_at_subnormals(self) -> None:
        """Refuse what a compiler has built that brings fast-math along by itself."""
        for ext in self.extensions:
            path = Path(self.get_ext_fullpath(ext.name)).absolute()
            if subprocess.run([sys.executable, "-c", LOOK_AT_SUBNORMALS, path], capture_output=True).returncode == 3:
                path.unlink()
                sys.exit("mlpcore: what the compiler built takes subnormal numbers for 0: build without fast-math")


class BuildPython(build_py):
    """Copies the Python files, and beside them the texts of the reference, which `mlpcore.to_c` cuts its C out of.

    What is installed with -e reads them where they are.
    """

    def run(self) -> None:
        """Copy them."""
        super().run()
        if not self.editable_mode:
            folder = Path(self.build_lib, "mlpcore", "export", "reference")
            self.mkpath(str(folder))
            for text in (ROOT / "csrc" / "reference").glob("*.[ch]"):
                self.copy_file(str(text), str(folder / text.name))


class Build(build):
    """Compiles before it copies the Python files, so that what is missing for that is said at once."""

    sub_commands = sorted(build.sub_commands, key=lambda command: command[0] != "build_ext")


def missing(what: str, said: str = "") -> None:
    """End with what is missing and how to get it."""
    sys.exit(f"mlpcore: {what}{said and f' ({said.strip()})'}. Installing mlpcore from its source needs:\n{PACKAGES}")


setup(
    cmdclass={"build": Build, "build_ext": BuildExtension, "build_py": BuildPython},
    ext_modules=[
        Extension(
            "mlpcore._core",
            sources=SOURCES,
            depends=DEPENDS,
            include_dirs=["csrc", numpy.get_include()],
            extra_compile_args=FLAGS,
            libraries=LIBRARIES,
        )
    ],
)
