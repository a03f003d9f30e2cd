"""The playground without Python gives the numbers of the installed package: see the parts for what each one shows."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "playground"

import mlpcore  # noqa: E402
from mlpcore import catalogue  # noqa: E402
from mlpcore.widget import points, state  # noqa: E402


def states() -> list[str]:
    """Networks with every activation, optimizer, output and data of the playground."""
    optimizers, outputs = catalogue.names("optimizers"), list(state.OUTPUTS)
    texts = [
        "data=xor&layers=8,8&activation=tanh&output=softmax-cce&optimizer=adam&rate=0.03&batch=10&seed=1&steps=500"
    ]
    for i, activation in enumerate(state.hidden_activations()):
        texts.append(
            f"data={points.NAMES[i % 4]}&noise={points.NOISES[i % 3]:g}&layers={','.join('753'[: i % 4])}"
            f"&activation={activation}&optimizer={optimizers[i % len(optimizers)]}&output={outputs[i % len(outputs)]}"
            f"&rate=0.01&batch={(1, 10, 64, 500)[i % 4]}&seed={i * 1000003}&steps={(1000, 110, 17, 3)[i % 4]}"
        )
    return texts


def trained(text: str) -> tuple[mlpcore.Sequential, mlpcore.History]:
    """The same network, built and fitted by hand with the package: whole epochs."""
    s = state.parse(text)
    sigma, loss = state.OUTPUTS[s.output]
    X, classes = points.points(s.data, s.noise)
    X, y = X.astype(np.float32), 2 * classes - 1 if sigma == "tanh" else classes
    layers = [mlpcore.Dense(units, s.activation) for units in s.layers]
    model = mlpcore.Sequential([*layers, mlpcore.Dense(2 if loss == "cce" else 1, sigma)], input_size=2, seed=s.seed)
    optimizer = getattr(mlpcore, catalogue.entry("optimizers", s.optimizer).class_name)(s.rate_at(0))
    epochs, rest = divmod(s.steps, -(-len(X) // s.batch))
    assert rest == 0
    return model, model.fit(X, y, loss=loss, optimizer=optimizer, epochs=epochs, batch_size=s.batch, progress=False)


def digest(params: bytes) -> str:
    return hashlib.sha256(params).hexdigest()


def check_bits() -> None:
    """What WebAssembly has trained, under Node, is what `fit` has trained, to the bit; so are the losses of epochs."""
    texts = [text.replace("steps=110", "steps=100").replace("steps=17", "steps=16") for text in states()]
    printed = subprocess.check_output(["node", HERE / "train.mjs", BUILD, *texts], text=True).splitlines()
    assert len(printed) == len(texts)
    for text, line in zip(texts, printed, strict=True):
        answer = json.loads(line)
        model, history = trained(text)
        expected = model.layers[0]._engine()[0].params.tobytes()
        assert answer["state"] == str(state.parse(text))
        assert answer["losses"] == history["loss"], text
        assert digest(bytes.fromhex(answer["params"])) == digest(expected), text
    print(
        f"WebAssembly, Node: the bits of fit for {len(texts)} networks; the first has SHA-256 "
        f"{digest(trained(texts[0])[0].layers[0]._engine()[0].params.tobytes())}"
    )


def main() -> None:
    """Run all checks."""
    check_bits()


if __name__ == "__main__":
    sys.exit(main())
