"""What a bug report needs: versions, compiler, instruction set, threads, and which extras are there."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy
import pytest

import mlpcore
from mlpcore import show_versions

ROOT = Path(__file__).parent.parent


def test_the_command_prints_what_the_function_tells():
    command = [sys.executable, "-m", "mlpcore.show_versions"]
    ran = subprocess.run(command, cwd="/", capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    told = show_versions.versions()
    for section, values in told.items():
        assert f"\n{section}\n" in f"\n{ran.stdout}"
        for name, value in values.items():
            assert any(line.split(None, 1) == [name, value] for line in ran.stdout.splitlines()), name


def test_versions_are_those_in_use():
    told = show_versions.versions()
    assert told["system"]["mlpcore"] == mlpcore.__version__
    assert told["system"]["python"].startswith(".".join(map(str, sys.version_info[:3])))
    assert told["system"]["instructions"].startswith(mlpcore.cpu.info()["current"])
    assert told["system"]["threads"] == str(mlpcore.get_num_threads())
    assert told["packages"]["numpy"] == numpy.__version__


def test_the_compiler_is_known():
    assert any(name in mlpcore._core.COMPILER.lower() for name in ("gcc ", "clang "))
    assert show_versions.versions()["system"]["compiler"] == mlpcore._core.COMPILER


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    def requires(package):
        return ['numpy>=2.0; python_version > "3"', 'nowhere-at-all[x]>=3; extra == "plot"', 'ruff; extra == "lint"']

    monkeypatch.setattr(show_versions.metadata, "requires", requires)
    told = show_versions.versions()
    assert list(told["packages"]) == ["numpy"]
    assert told["extras"] == {"nowhere-at-all": "not installed: pip install 'mlpcore[plot]'"}


def test_a_source_tree_without_installation_is_no_error(monkeypatch):
    def requires(package):
        raise show_versions.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(show_versions.metadata, "requires", requires)
    assert show_versions.versions()["packages"] == {}


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="the tests do not lie in a checkout")
def test_every_extra_is_for_users_or_for_development():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras.keys() >= show_versions.DEVELOPMENT
    named = {requirement.split(">")[0].split("=")[0] for name in extras for requirement in extras[name]}
    listed = show_versions.versions()["extras"].keys()
    assert listed <= named
    assert {"scikit-learn", "matplotlib", "pandas"} <= listed
    assert not {"pytest", "ruff", "sphinx"} & listed
