"""One browser that looks: it gets the latest picture, as often as it can draw it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from .drawings import Drawings, reading
from .messages import Look, Shown, WrongCommandError, command_of
from .model import ViewModel
from .picture import Picture

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

__all__ = ["Viewer"]

_log = logging.getLogger(__name__)

#: Seconds until a rate that isn't told by a frame is told again.
_PULSE = 1.0
#: Seconds between two readings of single pixels at least.
_BETWEEN = 0.02
#: Wrong commands after which a viewer is sent away.
_PATIENCE = 8


class Viewer:
    """Talks to one browser.

    A picture is made and sent only when the one before has been drawn, so that a slow viewer has
    one on its way at most, and gets the latest one next.

    Parameters
    ----------
    socket : WebSocket
        To the browser; not accepted yet.
    model : ViewModel
        What is shown.
    drawings : Drawings
        Makes the pictures.
    executor : Executor
        Where they are made.
    most : float
        Pictures a second.
    patience : float
        Seconds without an answer, or without any command, after which the viewer is sent away.
    """

    def __init__(
        self,
        socket: WebSocket,
        model: ViewModel,
        drawings: Drawings,
        executor: Executor,
        most: float,
        patience: float,
    ) -> None:
        self._socket, self._model, self._drawings = socket, model, drawings
        self._executor, self._most, self._patience = executor, most, patience
        self._look: Look | None = None
        self._looks = 0  # counts commands
        self._serial = 0
        #: Pictures that it has drawn.
        self.drawn = 0
        self._changed = asyncio.Event()
        self._drawn = asyncio.Event()

    async def run(self) -> None:
        """Show pictures until the browser goes, or is sent away."""
        await self._socket.accept()
        tasks = [asyncio.create_task(each) for each in (self._listen(), self._show())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is not None and not _is_farewell(error):
                    raise error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # what the browser says

    async def _listen(self) -> None:
        wrong = 0
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            try:
                if text is None:
                    raise WrongCommandError("bytes")
                command = command_of(text)
            except WrongCommandError as error:
                wrong += 1
                if wrong >= _PATIENCE:
                    await self._leave(1008, "too many wrong commands")
                    return
                await self._send_json({"kind": "refused", "text": f"Refused: {error}."})
                continue
            if isinstance(command, Look):
                self._look = command
                self._looks += 1
                self._changed.set()
            elif isinstance(command, Shown) and command.serial == self._serial:
                self._drawn.set()

    # what it gets

    async def _show(self) -> None:
        loop = asyncio.get_running_loop()
        told: Any = None
        told_at = 0.0  # when it was told how frames come
        seen: tuple[Any, ...] = ()  # what was drawn last, and which command asked for it
        answered = 0
        problem = ""
        until = loop.time() + self._patience
        picture: Picture | None = None
        while True:
            version = self._model.version
            look, asked = self._look, self._looks
            channel, state = self._state(look, problem)
            # by the clock: news of another channel wakes, too
            if state != told or loop.time() - told_at >= _PULSE:  # else it comes with pictures
                told, told_at = state, loop.time()
                await self._send_json({**state, "counts": self._model.counts(channel)})
            if look is None and loop.time() > until:
                await self._leave(1008, "no command")
                return
            latest = self._model.picture(channel)
            if look is None or latest is None:
                await self._anything_new(version, told_at + _PULSE)
                continue
            # who freezes it wants to go on with what is there
            if picture is None or not look.paused or seen[:1] != (channel,):
                picture = latest
            del latest
            wanted = (channel, picture.number, look.limits, look.region, look.size)
            if wanted != seen:
                begun = told_at = loop.time()
                seen, answered = wanted, asked
                self._serial += 1
                self._drawn.clear()
                try:
                    drawing = loop.run_in_executor(
                        self._executor, self._drawings.message, look, channel, picture, self._serial
                    )
                except RuntimeError:  # nothing more is taken: the process ends
                    return
                try:
                    data = await drawing
                except Exception as error:  # the next image may be better
                    said, problem = problem, f"This image can't be drawn: {error}"[:200]
                    if problem != said:
                        _log.warning("Channel %r can't be drawn.", channel, exc_info=True)
                    await asyncio.sleep(1 / self._most)
                    continue
                problem = ""
                if not await self._delivered(data):
                    await self._leave(1013, "the viewer doesn't answer")
                    return
                del data
                self.drawn += 1
                await asyncio.sleep(max(0.0, begun + 1 / self._most - loop.time()))
            elif asked != answered:  # the pointer has moved
                answered = asked
                await self._send_json({"kind": "reading", **reading(look, picture)})
                await asyncio.sleep(_BETWEEN)
            else:
                await self._anything_new(version, told_at + _PULSE)

    async def _delivered(self, data: bytes) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                await self._socket.send_bytes(data)
                await self._drawn.wait()
        except TimeoutError:
            return False
        return True

    async def _anything_new(self, version: int, until: float) -> None:
        """Wait for an image or a command, until a time of the loop's clock at most."""
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the server has stopped meanwhile
                loop.call_soon_threadsafe(self._changed.set)

        self._model.when_changed(version, wake)
        try:
            async with asyncio.timeout_at(until):
                await self._changed.wait()
        except TimeoutError:
            return
        finally:
            self._model.forget(wake)
        self._changed.clear()

    def _state(self, look: Look | None, problem: str) -> tuple[str, dict[str, Any]]:
        channels = self._model.channels
        channel = "" if look is None else look.channel
        if channel not in channels:
            channel = channels[0] if channels else ""
        link, default = self._model.source, self._model.limits
        return channel, {
            "kind": "state",
            "channels": list(channels),
            "channel": channel,
            # slices have no acquisition of their own
            "status": problem or self._model.status(channel) or self._model.acquisition,
            "connected": link.connected,
            "source": link.text,
            "limits": {"kind": default.kind, "low": default.low, "high": default.high},
        }

    async def _send_json(self, message: dict[str, Any]) -> None:
        async with asyncio.timeout(self._patience):
            await self._socket.send_json(message)

    async def _leave(self, code: int, reason: str) -> None:
        with contextlib.suppress(Exception):
            async with asyncio.timeout(1.0):
                await self._socket.close(code, reason)


def _is_farewell(error: BaseException) -> bool:
    """Tell whether a browser that went, or takes nothing, is all there is to an error."""
    from starlette.websockets import WebSocketDisconnect

    return isinstance(error, (WebSocketDisconnect, TimeoutError, OSError))
