"""The playground: a network that is trained batch by batch and equation by equation before your eyes.

`Playground` is the widget for notebooks, which needs ``pip install 'mlpcore[notebook]'``; the page without Python is
made by ``make playground``. See docs/playground.md.
"""

from typing import TYPE_CHECKING, Any

from mlpcore import lazy

if TYPE_CHECKING:
    from mlpcore.widget.playground import Playground

__all__ = ["Playground"]

_at_first_use = lazy.attributes(__name__, playground=("Playground",))


def __getattr__(name: str) -> Any:  # noqa: ANN401  a class
    return _at_first_use(name)
