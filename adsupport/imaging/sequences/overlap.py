"""Two plans in one stream of messages: moves for what comes next, while the present one ends.

The RunEngine takes a message after the other, so only what goes on by itself can overlap: moves
that have been started.  A :class:`Background` plan is taken forward between the messages of the
main plan, and while that waits for what isn't a device (``wait_for``), as long as it moves devices
(``set``, and ``wait`` for these); anything else it asks for waits until the main plan has ended.
So does a move of a device that the main plan has used, in whatever way: the main plan may put it
back, or read it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Generator
from typing import Any

from bluesky.utils import Msg, ensure_generator, short_uid

from ..stubs.control import CONTROL
from .shielded_move import ShieldedMove, related

__all__ = ["Background", "run_alongside"]

_Messages = Generator[Msg, Any, None]

#: Longest wait for what still moves when the plan has failed, in seconds.
_AFTER_FAILURE = 30.0


class Background:
    """A plan that is taken forward beside another one, and then by itself.

    Parameters
    ----------
    make : callable
        Gives the plan; called when it's first taken forward.

    Attributes
    ----------
    error : Exception or None
        What it failed with; it isn't raised.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self.error: Exception | None = None
        self._make = make
        self._plan: Generator[Msg, Any, Any] | None = None
        self._over = False
        self._message: Msg | None = None
        self._response: Any = None
        self._throw: BaseException | None = None
        self._moves: dict[Any, ShieldedMove] = {}  # the latest of each device
        self._groups: dict[Any, list[ShieldedMove]] = {}
        self._group = short_uid("background")  # nobody waits for it

    def advance(self, used: Collection[Any]) -> _Messages:
        """Go as far as moves go.

        Parameters
        ----------
        used : collection of devices
            Those that the main plan has used, and that aren't moved here.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        while True:
            yield from self._redo(late=False)
            message = self._current()
            if message is None:
                return
            if message.command == "set":
                if any(related(message.obj, each) for each in used):
                    return
                yield from self._start(message)
            elif message.command == "wait":
                moves = self._awaited(message)
                if not moves or _under_way(moves):
                    return
                self._answer(True)
            elif message.command in ("null", "checkpoint"):
                # a checkpoint here would make the RunEngine forget the main plan's messages
                self._answer(None)
            else:
                return

    def finish(self) -> _Messages:
        """Go to the end, and until all moves have ended.

        Yields
        ------
        Msg
            Messages for the RunEngine.

        Raises
        ------
        BaseException
            What the RunEngine ended it with; not what it failed with.
        """
        while True:
            message = self._current()
            moves = list(self._moves.values())
            if message is not None:
                moves = self._awaited(message) if message.command == "wait" else []
            try:
                if (yield from self._redo(late=True)):
                    continue
                if _under_way(moves):
                    limit = None if self.error is None or message is not None else _AFTER_FAILURE
                    if not (yield from _arrive(moves, message, limit)):
                        if message is None:  # of what has failed nobody knows whether it ends
                            return
                        self._answer(False)
                    continue
                if message is None:
                    if any(each.failed for each in moves):
                        continue
                    return
                if message.command == "set" and message.obj in self._moves:
                    self._moves.pop(message.obj).supersede()
                response = yield message
            except GeneratorExit:
                self.close()
                raise
            except BaseException as error:
                if self._over:
                    raise
                self._message, self._throw = None, error
            else:
                self._answer(response)

    def cancel(self, error: BaseException) -> _Messages:
        """End the plan; it can clean up.  Its moves aren't waited for.

        Parameters
        ----------
        error : BaseException
            One of ``CONTROL``; it is thrown into the plan, if that has begun.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        if self._plan is None:
            self._over = True
        if not self._over:
            self._message, self._throw = None, error
            try:
                yield from self.finish()
            except BaseException as ended:
                if ended is not error:
                    raise

    def close(self) -> None:
        """Give the plan up: no message can be sent any more."""
        self._over = True
        if self._plan is not None:
            self._plan.close()

    def give_way(self, message: Msg) -> _Messages:
        """Let the main plan use a device that is moved here.

        Its move ends first, and is made once more at the end when the main plan moves it.

        Parameters
        ----------
        message : Msg
            The main plan's.

        Yields
        ------
        Msg
            Messages for the RunEngine.
        """
        moves = [each for each in self._moves.values() if related(each.device, message.obj)]
        while _under_way(moves):
            yield from _arrive(moves)
            yield from self._redo(late=False)
        if message.command == "set":
            for each in moves:
                each.late = True

    def under_way(self) -> list[ShieldedMove]:
        """List the moves that go on.

        Returns
        -------
        list of ShieldedMove
            The latest of each device, if it hasn't ended.
        """
        return [each for each in self._moves.values() if not each.arrived()]

    def _current(self) -> Msg | None:
        """Have a message to look at; None when the plan is over."""
        failed = next((each for each in self._moves.values() if each.failed), None)
        if failed is not None:
            error = failed.take_error()
            if self._over:
                self.error = self.error or error
            else:
                self._message, self._throw = None, error
        if self._over or self._message is not None:
            return self._message
        response, self._response = self._response, None
        thrown, self._throw = self._throw, None
        try:
            if self._plan is None:
                self._plan = ensure_generator(self._make())
            self._message = (
                self._plan.send(response) if thrown is None else self._plan.throw(thrown)
            )
        except StopIteration:
            self._over = True
        except CONTROL:
            self._over = True
            raise
        except Exception as error:
            self._over, self.error = True, error
        return self._message

    def _answer(self, response: Any) -> None:
        self._message, self._response = None, response

    def _start(self, message: Msg) -> _Messages:
        """Move a device without the RunEngine's minding when that fails."""
        kwargs = dict(message.kwargs)
        group = kwargs.pop("group", None)
        move = ShieldedMove(message.obj, message.args, kwargs)
        if message.obj in self._moves:
            self._moves[message.obj].supersede()
        self._moves[message.obj] = move
        self._groups.setdefault(group, []).append(move)
        self._answer(None)
        yield Msg("set", move, *message.args, **kwargs, group=self._group)
        self._response = move.status

    def _redo(self, *, late: bool) -> Generator[Msg, Any, bool]:
        """Begin moves anew that a pause has stopped, or at last those that gave way."""
        moves = [each for each in self._moves.values() if each.interrupted or (late and each.late)]
        for move in moves:
            move.late = False
            yield Msg("set", move, *move.args, **move.kwargs, group=self._group)
        return bool(moves)

    def _awaited(self, message: Msg) -> list[ShieldedMove]:
        """List the moves that a wait is for."""
        group = message.args[0] if message.args else message.kwargs.get("group")
        return self._groups.get(group, [])


def _under_way(moves: Collection[ShieldedMove]) -> bool:
    missing = [each for each in moves if not each.arrived()]  # each of them is looked at
    return bool(missing)


def _arrive(
    moves: Collection[ShieldedMove], message: Msg | None = None, limit: float | None = None
) -> Generator[Msg, Any, bool]:
    """Wait until moves have ended, or one of them has failed, or the wait's time is up.

    False when that is up, and the wait isn't one that fails then.
    """

    def enough() -> bool:
        return all(each.ended for each in moves) or any(each.failed for each in moves)

    kwargs = {} if message is None else message.kwargs
    timeout = kwargs.get("timeout", limit)
    more = {} if timeout is None else {"timeout": timeout}
    try:
        yield Msg("wait_for", None, [lambda: _until(enough, moves)], **more)
    except TimeoutError:
        if message is not None and kwargs.get("error_on_timeout", True):
            raise
        return False
    return True


async def _until(enough: Callable[[], bool], moves: Collection[ShieldedMove]) -> None:
    """Look whenever a move ends whether it's enough."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def look(_: Any = None) -> None:
        if enough():
            loop.call_soon_threadsafe(ended.set)

    for each in moves:
        each.when_ended(look)
    look()
    await ended.wait()


def _wait_alongside(
    message: Msg, background: Background, used: Collection[Any]
) -> Generator[Msg, Any, Any]:
    """Wait for what the main plan waits for, and meanwhile take the background forward."""
    tasks: list[asyncio.Future[Any]] = []
    moves: list[ShieldedMove] = []

    async def either() -> None:
        # the RunEngine may ask again, after a pause
        if not tasks:
            tasks.extend([asyncio.ensure_future(each()) for each in message.args[0]])
        ends: list[asyncio.Future[Any]] = [asyncio.ensure_future(asyncio.wait(tasks))]
        if moves:
            one = _until(lambda: any(each.ended for each in moves), moves)
            ends.append(asyncio.ensure_future(one))
        _, others = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for each in others:
            each.cancel()

    while True:
        moves = background.under_way()
        if not moves and not tasks:
            return (yield message)
        yield Msg("wait_for", None, [either])
        if all(each.done() for each in tasks):
            return tasks
        yield from background.advance(used)


def run_alongside(main: Any, free: Callable[[], bool], background: Background | None) -> Any:
    """Run a plan, and take another one forward between its messages.

    Parameters
    ----------
    main : iterable of Msg
        The plan.
    free : callable
        Tells, without arguments, whether the other one may begin.
    background : Background or None
        The other one.  When the RunEngine ends the plan, this ends too, with what it does to
        clean up.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    any
        What the plan returns.

    Raises
    ------
    BaseException
        What the plan raised.
    """
    plan = ensure_generator(main)
    used: set[Any] = set()
    response, error = None, None
    while True:
        try:
            message = plan.send(response) if error is None else plan.throw(error)
        except StopIteration as end:
            return end.value
        except CONTROL as control:
            if background is not None and not isinstance(control, GeneratorExit):
                yield from background.cancel(control)
            raise
        response, error = None, None
        try:
            if background is not None and free():
                yield from background.advance(used)
                if message.obj is not None:
                    yield from background.give_way(message)
            if message.obj is not None:
                used.add(message.obj)
            # with a limit of time it is the RunEngine's to wait
            if background is not None and message.command == "wait_for" and not message.kwargs:
                response = yield from _wait_alongside(message, background, used)
            else:
                response = yield message
        except GeneratorExit:
            plan.close()
            if background is not None:
                background.close()
            raise
        except BaseException as thrown:
            error = thrown
