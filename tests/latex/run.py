"""Compiles the LaTeX documents that mlpcore writes: `make test-latex` needs pdflatex, with amsmath and geometry."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import mlpcore

sys.path.insert(0, str(Path(__file__).parent.parent))
import derivations


def worksheets():
    for loss in ("mse", "bce", "cce"):
        for activation in ("relu", "sigmoid", "hard_sigmoid"):
            for notation in ("paper", "delta", "dz"):
                sheet = mlpcore.worksheet(
                    [2, 3, 2], seed=3, activation=activation, loss=loss, notation=notation, numbers="fractions"
                )
                yield f"worksheet-{activation}-{loss}-{notation}", sheet.to_latex()
                yield f"key-{activation}-{loss}-{notation}", sheet.key.to_latex()


def traces():
    for name in ("dense", "bce", "cce", "dropout", "batch norm", "residual", "embedding", "prelu", "custom layer"):
        for notation, orientation in (("paper", "columns"), ("delta", "columns"), ("dz", "rows")):
            trace = derivations.trace_of(name, notation=notation, orientation=orientation)
            yield f"trace-{name.replace(' ', '-')}-{notation}", trace.to_latex()
    layers = [mlpcore.Dense(40, "gelu"), mlpcore.Dense(30, "mish"), mlpcore.Dense(10, "softmax")]
    x, y = np.random.default_rng(0).normal(size=(32, 20)), np.arange(32) % 10
    large = mlpcore.Sequential(layers, input_size=20, seed=1).trace(x, y, "cce", optimizer="nadam")
    yield "trace-large", large.to_latex()
    yield "trace-all-digits", large.styled(digits="all").to_latex()


def compiled(name: str, document: str, folder: Path) -> str:
    """What is wrong with a document: the lines of the log that tell of an error or a line too long, or nothing."""
    (folder / f"{name}.tex").write_text(document, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=60)
    complaints = [line for line in ran.stdout.splitlines() if line.startswith(("!", "Overfull \\hbox"))]
    return "; ".join(complaints) or ("" if ran.returncode == 0 else f"pdflatex ended with {ran.returncode}")


def main() -> None:
    if shutil.which("pdflatex") is None:
        sys.exit("pdflatex is not installed: apt-get install texlive-latex-base texlive-latex-recommended")
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    documents = dict(worksheets()) | dict(traces())
    wrong = {name: told for name, document in documents.items() if (told := compiled(name, document, folder))}
    for name, told in wrong.items():
        print(f"{name}: {told}")
    print(f"{len(documents) - len(wrong)} of {len(documents)} documents compile; they lie in {folder}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
