"""ByHand: one step of a model, forward, backward and update, each by itself, and what happens in it."""

from __future__ import annotations  # so that signatures show names, not what ArrayLike stands for

from typing import TYPE_CHECKING, Any, cast

from numpy.typing import ArrayLike, NDArray

from mlpcore import checks, lazy, training
from mlpcore.engine import Choice
from mlpcore.optimizers import Optimizer, optimizer_object
from mlpcore.stack import Stack

if TYPE_CHECKING:
    from mlpcore.model import Sequential
    from mlpcore.trace import Steps, Trace


class ByHand(Stack):
    """What `Sequential` can do with one batch."""

    def forward(self, x: ArrayLike, *, training: bool = False, sample_weight: ArrayLike | None = None) -> NDArray[Any]:
        """Compute z and a of every layer for a batch.

        Parameters
        ----------
        x : array_like of shape (n, in)
        training : bool, default False
            Whether layers act as in training: dropout drops. Its mask is the one that `fit` would use for this batch,
            where every `update` counts as a batch of the epoch that is under way. `BatchNorm` takes mean and variance
            of this batch, and its running means move.
        sample_weight : array_like of shape (n,), optional
            What each row counts in the mean and variance of `BatchNorm` in training; give it to `backward` too. >= 0.

        Returns
        -------
        ndarray of shape (n, out)
            a^J, the output of the last layer: a new array. `layers[-1].a` is a view of the engine's.

        Raises
        ------
        TypeError, ValueError
            If x is no array of real numbers of this shape, or weights are wrong.
        """
        self._check_columns("x", x)
        x = checks.batch_of("x", x, self.input_size)
        training = checks.flag("training", training)
        weight = None
        if sample_weight is not None:
            weight = checks.weights_of("sample_weight", sample_weight, len(x), self._dtype)
        bound = self._bound_for(x.shape[1])
        self._check_input("x", x)
        a = bound.net.forward(x, training, self._seed, int(self._cursor[0]), int(self._cursor[1]), weight)
        # The last step: what fails before leaves the model as it was.
        if self._holder.bind(bound) is bound:
            return a
        return self.forward(x, training=training, sample_weight=weight)

    def backward(self, y: ArrayLike, loss: Choice | None = None, *, sample_weight: ArrayLike | None = None) -> float:
        """Compute the loss of the last `forward`'s batch, and phi, grad_w and grad_b of every layer.

        Parameters
        ----------
        y : array_like of shape (n, out) or (n,)
            The ground truth, as in `fit`.
        loss : str or object
            Must be given: a name of ``mlpcore.catalogue.names("losses")``, an object with constants of its own, or a
            `CustomLoss`, written in Python.
        sample_weight : array_like of shape (n,), optional
            The weight of each sample in the mean; >= 0.

        Returns
        -------
        float
            The weighted mean of the samples' losses.

        Raises
        ------
        RuntimeError
            If there was no forward.
        TypeError, ValueError
            If an argument is of the wrong type or out of range.
        """
        net = self._built()
        n, inputs = net.value(0).shape
        loss = checks.given_loss(loss)
        target = checks.targets_of("y", y, loss, n, self._output_size(inputs), self._dtype)
        weight = None if sample_weight is None else checks.weights_of("sample_weight", sample_weight, n, self._dtype)
        return net.backward(target, loss, weight)

    def update(self, optimizer: Optimizer) -> None:
        """Take one step of `optimizer` with the gradients of the last `backward`.

        Parameters
        ----------
        optimizer : Optimizer
            Keeps its state from step to step; from its first step on it can be used with this model only.

        Raises
        ------
        RuntimeError
            If there was no backward since the last forward.
        TypeError, ValueError
            If it is no optimizer, or another model's.
        """
        optimizer = optimizer_object(optimizer)
        net = self._built()
        model = cast("Sequential", self)
        optimizer._check_for(model)
        training.run_update(model, net, optimizer)

    def trace(
        self,
        x: ArrayLike,
        y: ArrayLike,
        loss: Choice | None = None,
        *,
        optimizer: str | Optimizer | None = None,
        training: bool = False,
        sample_weight: ArrayLike | None = None,
        notation: str = "paper",
        orientation: str = "columns",
    ) -> Trace:
        """Return every number of one step of backpropagation, by the paper's names; the model stays as it is.

        The step is taken on a copy of the model, and of the optimizer with its state.

        Parameters
        ----------
        x : array_like of shape (in,) or (n, in)
            One sample or a batch. Of one sample, no array of the trace has an axis of samples.
        y : array_like of shape (out,), (n, out) or (n,)
            The ground truth, as in `fit`; of one sample a number will do where there is one output, or the index of its
            class.
        loss : str or object
            Must be given, as in `backward`.
        optimizer : str or Optimizer, optional
            Whose step is shown too: the parameters after it.
        training : bool, default False
            Whether layers act as in training, as in `forward`.
        sample_weight : array_like of shape (n,), optional
            As in `backward`.
        notation : {"paper", "delta", "dz"}, default "paper"
            Whose symbols it is written in: phi as in the paper, Nielsen's delta, Ng's dZ.
        orientation : {"columns", "rows"}, default "columns"
            Whether it is written with samples as columns, z = w a + b, or as rows, Z = X W^T + b.

        Returns
        -------
        Trace
            ``t[j]`` is layer j, counted from 1, with x, z, a, dsigma, grad_a, phi, grad_w, grad_b, w and b.

        Raises
        ------
        TypeError, ValueError
            If an argument is of the wrong type or out of range.

        Examples
        --------
        >>> import mlpcore
        >>> layers = [mlpcore.Dense(2, "sigmoid"), mlpcore.Dense(1, "sigmoid")]
        >>> model = mlpcore.Sequential(layers, input_size=2, dtype="float64")
        >>> layers[0].w, layers[1].w, layers[1].b = [[2, -1], [-1, 1]], [[1, -2]], [1]
        >>> t = model.trace([1, 2], 1, "bce")
        >>> t[1].z, t[1].a.round(4), t[2].phi.round(4)
        (array([0., 1.]), array([0.5   , 0.7311]), array([-0.4905]))
        >>> t[1].phi.round(4), t[1].grad_w.round(4)
        (array([-0.1226,  0.1929]), array([[-0.1226, -0.2453],
               [ 0.1929,  0.3858]]))
        """
        with lazy.no_fork:
            from mlpcore.trace.record import record
            from mlpcore.typeset import Style
        style = Style(notation, orientation)
        return record(cast("Sequential", self), x, y, loss, optimizer, training, sample_weight, style)

    def steps(
        self,
        x: ArrayLike,
        y: ArrayLike,
        loss: Choice | None = None,
        *,
        optimizer: str | Optimizer | None = None,
        training: bool = False,
        sample_weight: ArrayLike | None = None,
        notation: str = "paper",
        orientation: str = "columns",
    ) -> Steps:
        """Return one step of backpropagation equation by equation, to go through forwards and back.

        Parameters
        ----------
        x, y, loss, optimizer, training, sample_weight, notation, orientation
            As in `trace`.

        Returns
        -------
        Steps
            A sequence of `mlpcore.trace.Step`, each with `equation`, `symbols`, `inputs`, `output` and `explain()`; its
            `next` and `back` move through it.

        Raises
        ------
        TypeError, ValueError
            As in `trace`.

        Examples
        --------
        >>> import mlpcore
        >>> layers = [mlpcore.Dense(2, "sigmoid"), mlpcore.Dense(1, "sigmoid")]
        >>> model = mlpcore.Sequential(layers, input_size=2, dtype="float64")
        >>> layers[0].w, layers[1].w, layers[1].b = [[2, -1], [-1, 1]], [[1, -2]], [1]
        >>> (step,) = model.steps([1, 2], 1, "bce").find(equation=2)
        >>> step.symbols, list(step.inputs), step.output.round(4)
        ("φ¹ = (w²)ᵀ φ² ∘ σ'(z¹)", ['t[2].w', 't[2].phi', 't[1].dsigma'], array([-0.1226,  0.1929]))
        """
        trace = self.trace(
            x,
            y,
            loss,
            optimizer=optimizer,
            training=training,
            sample_weight=sample_weight,
            notation=notation,
            orientation=orientation,
        )
        with lazy.no_fork:
            from mlpcore.trace.steps import Steps
        return Steps(trace, trace.style)
