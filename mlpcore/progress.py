"""The progress bar of `fit`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(epochs: int, shown: bool) -> Iterator[Callable[[dict[str, float]], None] | None]:
    """Show a bar over the epochs; what is yielded takes the losses of the epoch that just ended. Or nothing: None."""
    if not shown:
        yield None
        return
    from tqdm.auto import tqdm  # here: in a notebook it warns if it finds no widgets

    with tqdm(total=epochs, unit="epoch") as bar:

        def advance(logs: dict[str, float]) -> None:
            bar.set_postfix({name: f"{value:.4f}" for name, value in logs.items()}, refresh=False)
            bar.update()

        yield advance
