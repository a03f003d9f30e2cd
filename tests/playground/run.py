"""The playground without Python gives the numbers of the installed package, quickly, and asks for nothing.

1. Under Node: networks of every activation, optimizer and output are trained to the bits of `fit`.
2. In Chromium (browser.py): the page makes one request, that for itself; what it has trained has the bits of the
   package, and its address reproduces it; equation by equation is a batch; keys do what the mouse does; it draws 30
   pictures a second. Some, to be looked at, are left in build/playground.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "playground"

import browser as chromium  # noqa: E402

import mlpcore  # noqa: E402
from mlpcore import catalogue  # noqa: E402
from mlpcore.widget import points, state  # noqa: E402
from mlpcore.widget.session import Session  # noqa: E402


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


def expected(text: str) -> str:
    """The hash of what the package trains by a state."""
    return digest(Session(state=text).ask({"do": "params"})["params"].tobytes())


def state_of(page: chromium.Page) -> str:
    chromium.settled(page)
    return page.url.partition("#")[2]


def check_page(browser: chromium.Browser, url: str) -> None:
    """One request; the bits of the package; the state in the address goes there again."""
    requests: list[str] = []
    begun = "data=circle&layers=8,8&activation=tanh&seed=5&rate=0.02&steps=320"
    page = chromium.opened(browser, f"{url}#{begun}", requests)
    assert state_of(page) == str(state.parse(begun))
    assert chromium.weights(page) == expected(begun)
    chromium.press(page, "Epoch")
    page.get_by_label("learning rate").fill("0.005")
    page.get_by_label("learning rate").blur()
    chromium.press(page, "Batch")
    there = state_of(page)
    assert "rate=0.02,350:0.005" in there
    assert "steps=351" in there
    assert chromium.weights(page) == expected(there)
    again = chromium.opened(browser, f"{url}#{there}", requests)
    assert state_of(again) == there
    assert chromium.weights(again) == chromium.weights(page)
    chromium.press(page, "Rewind")
    assert chromium.weights(page) == expected("data=circle&layers=8,8&activation=tanh&seed=5")
    assert requests == [url, url], requests
    print(f"Chromium {browser.version}: one request a page; the bits of the package, SHA-256 {expected(there)}")


def check_equations(browser: chromium.Browser, url: str) -> None:
    """All equations of a batch are a batch, and the numbers shown are the package's."""
    text = "data=xor&layers=3&activation=sigmoid&output=sigmoid-bce&optimizer=sgd&rate=0.5&batch=4&seed=2&steps=10"
    page = chromium.opened(browser, f"{url}#{text}", [])
    session = Session(state=text)
    session.ask({"do": "forward"})
    view = session.ask({"do": "backward"})
    view["layers"][1]["w"] = session.model.layers[1].w[0]
    titles = []
    for _ in range(12):
        chromium.press(page, "Equation")
        chromium.settled(page)
        titles.append(page.locator(".equation h3").inner_text())
        if "Equation 2" in titles[-1]:
            shown = page.locator(".equation .number").all_text_contents()
            assert f"equation={len(titles)}" in page.url
    numbers = [float(number.replace("−", "-")) for number in shown if number != "−"]  # and unseen signs
    hidden, last = view["layers"]
    vectors = [last["w"], last["phi"], hidden["dsigma"], hidden["grad_a"], hidden["dsigma"], hidden["phi"]]
    assert np.allclose(numbers, np.concatenate(vectors), rtol=5e-3, atol=5e-4)
    assert [re.sub(r" \d+ of \d+$", "", title) for title in titles] == [
        "Forward: z, layer 1", "Forward: a, layer 1", "Forward: z, layer 2", "Forward: a, layer 2", "The loss",
        "Equation 1, layer 2", "Equation 3, layer 2", "Equation 4, layer 2",
        "Equation 2, layer 1", "Equation 3, layer 1", "Equation 4, layer 1", "The step of the weights, layer 1",
    ]  # fmt: skip
    chromium.press(page, "Equation")
    assert chromium.weights(page) == expected(text.replace("steps=10", "steps=11"))
    chromium.press(page, "Equation")
    chromium.press(page, "Batch")  # the rest of it
    assert chromium.weights(page) == expected(text.replace("steps=10", "steps=12"))
    print(f"equation by equation: {len(titles) + 1} steps are a batch, to the bit")


def check_keys(browser: chromium.Browser, url: str) -> None:
    """The network is reached by Tab and walked by arrows; a unit shows its equations and, as a table, its weights'."""
    page = chromium.opened(browser, f"{url}#layers=3&steps=20", [])
    page.locator("button.unit").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.locator(".details h3").inner_text().startswith("Unit 2 of layer 1")
    assert page.locator(".details tbody tr").count() == 2
    page.get_by_role("button", name="▶ Run").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Epoch"
    page.keyboard.press("Enter")
    assert "steps=50&" in state_of(page)
    page.goto(f"{url}#data=moons")
    page.reload()
    chromium.settled(page)
    page.get_by_role("alert").filter(has_text="data is moons, expected one of circle").wait_for()


def check_rate(browser: chromium.Browser, url: str) -> None:
    """2-8-8-2, 500 points, 60 x 60: 30 pictures a second; where others take the processors, by the time it computes."""
    page = chromium.opened(browser, f"{url}#{chromium.RATE_STATE}", [])
    drawn, computed = chromium.rate(page, 5)
    busy = os.getloadavg()[0] / (os.cpu_count() or 1)
    print(f"{drawn:.1f} pictures a second, {computed:.1f} ms of computing each; programs for a processor: {busy:.1f}")
    assert drawn >= chromium.LEAST_RATE or (busy > 0.8 and 1000 / computed >= chromium.LEAST_RATE)


def take_pictures(browser: chromium.Browser, url: str) -> None:
    """For eyes."""
    text = "data=circle&noise=0.1&layers=8,8&activation=tanh&seed=3&steps=250"
    for scheme in ("light", "dark"):
        page = chromium.opened(browser, f"{url}#{text}", [], color_scheme=scheme)
        for _ in range(9):
            chromium.press(page, "Equation")
        page.locator("button.unit").nth(4).hover()
        chromium.settled(page)
        page.screenshot(path=BUILD / f"page_{scheme}.png", full_page=True)


def main() -> None:
    """Run all checks."""
    check_bits()
    with chromium.served(BUILD) as url, chromium.browser() as browser:
        check_page(browser, url)
        check_equations(browser, url)
        check_keys(browser, url)
        check_rate(browser, url)
        take_pictures(browser, url)


if __name__ == "__main__":
    sys.exit(main())
