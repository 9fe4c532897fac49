"""Many samples, one after the other: the next one is prepared as soon as the beam is free."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg, RequestStop, new_uid

from ...errors import ConfigurationError
from ..asked.given import mapping
from ..stubs.control import CONTROL
from .failures import SampleFailure, SeriesError, check_policy, told
from .overlap import Background, run_alongside

__all__ = ["SampleFailure", "SeriesError", "series"]

logger = logging.getLogger(__name__)


def series(
    samples: Iterable[Any],
    prepare: Callable[[Any], Any],
    experiment: Any,
    *,
    on_failure: str = "stop",
    md: Mapping[str, Any] | None = None,
) -> Generator[Msg, Any, tuple[Any, ...]]:
    """Prepare each sample and run the experiment, a run for each.

    Once ``experiment.ready_to_prepare_next_sample`` is set, the next sample's preparation goes on
    between the messages of the experiment that ends.  A RunEngine does one thing after the other,
    so only moves overlap: absolute moves (``bps.mv``, ``bps.abs_set``) of devices that the
    experiment hasn't used in any way in this run.  They begin at once and go on while the
    experiment reads out and closes its run.  Further ones begin between its messages and while
    it waits for its consumers; not while it waits for its own devices.  At anything else (a
    reading, a ``sleep``, a device that the experiment has used) the preparation waits until the
    experiment has ended.  A device that the experiment uses only then first waits for its move to
    end; the experiment may move it, and it's moved again at the end.

    So give the experiment all devices whose positions it records.  A baseline of the RunEngine's
    own (``SupplementalData``) is read when a run closes, and may find a device that has gone on.

    A pause stops all moves; those that were under way begin anew at resume, so ``prepare`` must
    move to absolute positions.  A failed move of the preparation doesn't disturb the experiment.

    Parameters
    ----------
    samples : iterable
        The samples: names, or whatever ``prepare`` understands.
    prepare : callable
        Takes a sample and gives the plan that prepares it.
    experiment : Experiment, or callable
        An object with ``run(**md)``, a plan, and ``ready_to_prepare_next_sample``, an event; or
        a function that takes a sample and gives one.
    on_failure : {"stop", "skip"}
        Whether the series ends at the first failure, or goes on with the next sample and tells
        all failures at the end.
    md : mapping, optional
        For each start document, which has besides ``sample`` and ``series`` (uid, index from
        0, number of samples).

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    tuple
        What the experiments returned: the uids of their runs.

    Raises
    ------
    ConfigurationError
        An argument can't be; nothing has been done.
    SeriesError
        Samples failed, with ``on_failure="skip"``.
    Exception
        What failed first, with ``on_failure="stop"``.  A note says which sample it was.

    Notes
    -----
    A queueserver hands over samples, and a plan of the beamline has the rest::

        def overnight(samples: list[str]):
            yield from series(samples, mount, tomography_of_today, on_failure="skip")
    """
    listed = _checked(samples, prepare, experiment, on_failure)
    md = mapping("md", md)
    uid, failures = new_uid(), []
    results: list[Any] = [None] * len(listed)
    coming = [Background(lambda each=each: prepare(each)) for each in listed]

    def failed(index: int, stage: str, error: Exception) -> None:
        failures.append(SampleFailure(index, listed[index], stage, error))
        logger.error("%s", failures[-1], exc_info=error)

    for index, sample in enumerate(listed):
        if failures and on_failure == "stop":
            break
        yield from bps.checkpoint()
        yield from coming[index].finish()
        error = coming[index].error
        if error is not None:
            failed(index, "prepare", error)
            continue
        following = coming[index + 1] if index + 1 < len(listed) else None
        about = {"uid": uid, "index": index, "samples": len(listed)}
        try:
            each = _experiment(experiment, sample)
            free = each.ready_to_prepare_next_sample
            free.clear()
            plan = each.run(**{**(md or {}), "sample": _described(sample), "series": about})
            results[index] = yield from run_alongside(plan, free.is_set, following)
        except CONTROL:
            raise
        except Exception as error:
            failed(index, "experiment", error)
            if following is not None and on_failure == "stop":
                yield from following.cancel(RequestStop())
        if following is not None and following.error is not None and on_failure == "stop":
            failed(index + 1, "prepare", following.error)
    if failures:
        raise told(failures, results, on_failure, "series", "sample")
    return tuple(results)


def _checked(samples: Any, prepare: Any, experiment: Any, on_failure: str) -> list[Any]:
    check_policy(on_failure)
    if not callable(prepare):
        raise ConfigurationError(
            f"prepare must be a function that takes a sample and gives a plan, got {prepare!r}",
            remedy="Give the function itself, without calling it.",
        )
    if callable(getattr(experiment, "run", None)):
        _experiment(experiment, None)
    elif not callable(experiment):
        raise ConfigurationError(
            f"experiment must be an Experiment, or a function that gives one, got {experiment!r}."
        )
    # ("abc") would be three samples
    if isinstance(samples, (str, bytes)) or not isinstance(samples, Iterable):
        raise ConfigurationError(
            f"samples must be a list, got {samples!r}", remedy="A single one is [sample]."
        )
    listed = list(samples)
    if not listed:
        raise ConfigurationError("samples is empty: there is nothing to measure.")
    return listed


def _experiment(experiment: Any, sample: Any) -> Any:
    """Find the experiment for a sample."""
    run = getattr(experiment, "run", None)
    found = experiment if callable(run) else experiment(sample)
    event = getattr(found, "ready_to_prepare_next_sample", None)
    for of, name in ((found, "run"), (event, "is_set"), (event, "clear")):
        if not callable(getattr(of, name, None)):
            raise ConfigurationError(
                f"experiment: {found!r} has no run() and no event ready_to_prepare_next_sample",
                remedy="Give an Experiment, or a function that takes a sample and gives one.",
            )
    return found


def _described(sample: Any) -> str | dict[str, Any]:
    """Describe a sample as a start document must have it."""
    return dict(sample) if isinstance(sample, Mapping) else str(sample)
