"""One client's connection to a simulated IOC.

caproto does the protocol; this module decides what is sent when. It differs from caproto's own
server where a C IOC does: writes take effect in the order in which they arrive, a second
put-callback on a channel whose first is pending holds up that client's whole connection,
responses are sent at once (no Nagle delay), and a client that cannot keep up with monitors gets
the newest value of each channel instead of a growing backlog.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import Any

import caproto as ca
import numpy as np
from caproto import CAStatus, SubscriptionType
from caproto._dbr import ChannelType
from caproto._numpy_backend import DbrStringArray
from caproto.asyncio.server import VirtualCircuit

from adsupport.sim.ca.channel import Channel, PutRefusedError
from adsupport.sim.ca.network import Wire
from adsupport.sim.ca.values import EVENT_ADD, READ_NOTIFY, value_message
from adsupport.sim.ca.wire import ConversionError

BACKLOG_BYTES = 2 * 2**20
"""Unsent bytes above which monitors of a connection are held back until it has caught up."""

NORMAL = 1
"""ECA_NORMAL: success, as a status number on the wire."""

PUT_FAILED = 160
"""ECA_PUTFAIL: the record did not take the value."""

Key = tuple[int, int]
"""What tells a client's monitors apart: the channel's number and the monitor's."""

log = logging.getLogger(__name__)


class Monitor:
    """A client's subscription to one channel."""

    def __init__(self, circuit: Circuit, request: ca.EventAddRequest, sid: int) -> None:
        self.circuit = circuit
        self.sid = sid
        self.data_type = ChannelType(request.data_type)
        self.count = request.data_count
        self.id = request.subscriptionid
        self.key: Key = (sid, self.id)
        self.mask = int(SubscriptionType(request.mask))

    def update(self, channel: Channel) -> None:
        """Send the channel's present value, or later if the client is behind."""
        self.circuit.queue_event(self, channel)

    def response(self, channel: Channel) -> bytes:
        """Build the protocol's event message."""
        metadata, data = payload(channel, self.data_type, self.count)
        return value_message(EVENT_ADD, metadata, data, self.data_type, NORMAL, self.id)


def payload(channel: Channel, wanted: ChannelType, count: int) -> tuple[Any, Any]:
    """Return ``(metadata, data)`` of a channel's present value as a client asked for it.

    Parameters
    ----------
    channel : Channel
        The channel.
    wanted : ChannelType
        DBR type.
    count : int
        Elements; 0 is all there are.
    """
    metadata, data = channel.read(wanted)
    return metadata, sized(data, count, channel.max_length)


def sized(data: Any, count: int, most: int) -> Any:
    """Return as many elements as a client asked for: cut, or filled up with zeros as rsrv does.

    Parameters
    ----------
    data : bytes, numpy.ndarray or DbrStringArray
        All elements of the present value.
    count : int
        What the client asked for; 0 is all there are.
    most : int
        Element count of the channel.
    """
    missing = min(count, most) - len(data)
    if not count or not missing:
        return data
    if missing < 0:
        cut = data[:count]
        return DbrStringArray(cut) if isinstance(data, DbrStringArray) else cut
    if isinstance(data, DbrStringArray):
        return DbrStringArray([*data, *[b""] * missing])
    if isinstance(data, bytes):
        return data + bytes(missing)
    return np.concatenate([data, np.zeros(missing, data.dtype)])


class Circuit(VirtualCircuit):
    """A client's TCP connection (see the module's text)."""

    def __init__(self, circuit: Any, client: Any, context: Any) -> None:
        super().__init__(circuit, client, context)
        sock = client.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._monitors: dict[Key, tuple[Monitor, Channel]] = {}
        self._pending_puts: dict[int, asyncio.Future[Any]] = {}
        self._outgoing: list[bytes] = []
        self._wire = Wire(context.pvdb.network, self._write_out)
        self._flush_scheduled = False
        self._events_held: dict[Key, None] = {}
        self._events_enabled = True
        self._draining: asyncio.Task[None] | None = None
        self._commands: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Start to process the client's commands."""
        self._commands = asyncio.ensure_future(self.command_queue_loop())

    # ---- sending

    def _push(self, *commands: Any) -> None:
        if not self.connected:
            return
        self._queue(*(bytes(b) for b in self.circuit.send(*commands)))

    def _queue(self, *messages: bytes) -> None:
        self._outgoing.extend(messages)
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._outgoing and self.connected:
            data = b"".join(self._outgoing)
            self._outgoing.clear()
            self._wire.send(data)

    def _write_out(self, data: bytes) -> None:
        if self.connected:
            self.client.writer.write(data)

    async def _wake_new_command(self) -> None:
        """Wake nobody: none of caproto's own loops that wait for this runs here."""

    async def send(self, *commands: Any) -> None:
        """Queue commands behind what is queued already, so that their order is kept."""
        self._push(*commands)

    def _behind(self) -> bool:
        transport = self.client.writer.transport
        return bool(transport.get_write_buffer_size() > BACKLOG_BYTES)

    async def _until_caught_up(self) -> None:
        """Let a client take what it has asked for before it gets more."""
        self._flush()
        if not self._behind():
            return
        try:
            await self.client.writer.drain()
        except OSError as error:
            log.debug("client %s went away: %s", self.circuit.address, error)

    def queue_event(self, monitor: Monitor, channel: Channel) -> None:
        """Send an event, or note that the newest one is owed to a client that is behind."""
        if not self.connected or channel.before_event(monitor):
            return
        if self._events_held or not self._events_enabled or self._behind():
            self._events_held[monitor.key] = None
            if self._events_enabled and self._draining is None:
                self._draining = asyncio.ensure_future(self._catch_up())
            return
        self._queue(monitor.response(channel))

    async def _catch_up(self) -> None:
        try:
            while self._events_held and self._events_enabled and self.connected:
                self._flush()
                await self.client.writer.drain()
                held, self._events_held = self._events_held, {}
                for key in held:
                    if key in self._monitors:
                        monitor, channel = self._monitors[key]
                        self._queue(monitor.response(channel))
        except OSError as error:
            log.debug("client %s went away: %s", self.circuit.address, error)
        finally:
            self._draining = None

    # ---- receiving

    async def _command_queue_iteration(self, command: Any) -> Any:
        # most of what clients ask; nothing of it needs the state that caproto keeps of a circuit
        if type(command) is ca.ReadNotifyRequest and command.sid in self.circuit.channels_sid:
            await self._until_caught_up()
            try:
                self._answer_read(command)
            except Exception as error:  # whatever a client asks; it's answered with an error below
                log.debug("%s can't be read as asked: %s", command, error)
            else:
                return []
        return await super()._command_queue_iteration(command)

    async def _process_command(self, command: Any) -> Any:
        if isinstance(command, (ca.WriteRequest, ca.WriteNotifyRequest)):
            await self._write(command)
            return []
        if isinstance(command, (ca.ReadRequest, ca.ReadNotifyRequest)):
            await self._until_caught_up()
            return [self._read(command)]
        if isinstance(command, ca.EventAddRequest):
            view, channel = self._get_db_entry_from_command(command)
            monitor = Monitor(self, command, view.sid)
            self._drop(monitor.key)
            self._monitors[monitor.key] = (monitor, channel)
            channel.subscribers.append(monitor)
            self._queue(monitor.response(channel))
            return []
        if isinstance(command, ca.EventCancelRequest):
            view, channel = self._get_db_entry_from_command(command)
            monitor = self._drop((view.sid, command.subscriptionid))
            return [
                view.unsubscribe(
                    command.subscriptionid,
                    data_type=command.data_type,
                    data_count=monitor.count if monitor else channel.length,
                )
            ]
        if isinstance(command, ca.ClearChannelRequest):
            view, _ = self._get_db_entry_from_command(command)
            for key in [key for key in self._monitors if key[0] == view.sid]:
                self._drop(key)
            self._give_up_put(view.sid)
            return [view.clear()]
        if isinstance(command, ca.EventsOffRequest):
            self._events_enabled = False
            return []
        if isinstance(command, ca.EventsOnRequest):
            self._events_enabled = True
            if self._events_held and self._draining is None:
                self._draining = asyncio.ensure_future(self._catch_up())
            return []
        return await super()._process_command(command)

    def _drop(self, key: Key) -> Monitor | None:
        monitor, channel = self._monitors.pop(key, (None, None))
        if monitor is not None and channel is not None:
            channel.subscribers.remove(monitor)
        self._events_held.pop(key, None)
        return monitor

    def _read(self, command: Any) -> Any:
        view, channel = self._get_db_entry_from_command(command)
        metadata, data = payload(channel, ChannelType(command.data_type), command.data_count)
        return view.read(
            data=data,
            data_type=command.data_type,
            data_count=len(data),
            status=NORMAL,
            ioid=command.ioid,
            metadata=metadata,
            notify=isinstance(command, ca.ReadNotifyRequest),
        )

    def _answer_read(self, command: ca.ReadNotifyRequest) -> None:
        _, channel = self._get_db_entry_from_command(command)
        data_type = ChannelType(command.data_type)
        metadata, data = payload(channel, data_type, command.data_count)
        self._queue(value_message(READ_NOTIFY, metadata, data, data_type, NORMAL, command.ioid))

    async def _write(self, command: Any) -> None:
        view, channel = self._get_db_entry_from_command(command)
        notify = isinstance(command, ca.WriteNotifyRequest)
        pending = self._pending_puts.get(view.sid)
        if notify and pending is not None and not pending.done():
            # rsrv has one put-callback per channel: it waits, and this connection with it
            await asyncio.wait([pending])
        if not channel.writable:
            self._refuse(command, view, "the channel is read-only")
            return
        try:
            sent = ChannelType(command.data_type)
            done = channel.write(command.data, sent, notify=notify)
        except (ConversionError, PutRefusedError) as error:
            self._refuse(command, view, str(error))
            return
        except Exception as error:  # a fault of ours: the client must not wait for ever
            log.exception("write to %s failed", view.name)
            self._refuse(command, view, f"{type(error).__name__}: {error}")
            return
        if not notify:
            if done is not None:
                done.cancel()  # nobody waits for the end
            return
        if channel.completion_delays:
            done = asyncio.ensure_future(_later(done, sum(channel.completion_delays)))
        if done is None or done.done():
            self._answer(command, view)
            return
        self._pending_puts[view.sid] = done
        done.add_done_callback(lambda ended: self._answer_at_end(command, view, ended))

    def _give_up_put(self, sid: int) -> None:
        """Tell the record that nobody waits for a put any more: one in a queue is not done."""
        pending = self._pending_puts.pop(sid, None)
        if pending is not None:
            pending.cancel()

    def _answer_at_end(self, command: Any, view: Any, ended: asyncio.Future[Any]) -> None:
        if self._pending_puts.get(view.sid) is ended:
            del self._pending_puts[view.sid]
        if ended.cancelled():
            return
        error = ended.exception()
        if error is None:
            self._answer(command, view)
            return
        if not isinstance(error, PutRefusedError):
            log.error("write to %s failed", view.name, exc_info=error)
        self._refuse(command, view, str(error))

    def _answer(self, command: Any, view: Any, status: int = NORMAL) -> None:
        self._push(
            view.write(
                ioid=command.ioid,
                status=status,
                data_type=command.data_type,
                data_count=command.data_count,
            )
        )

    def _refuse(self, command: Any, view: Any, why: str) -> None:
        log.info("write to %s refused: %s", view.name, why)
        if isinstance(command, ca.WriteNotifyRequest):
            self._answer(command, view, PUT_FAILED)
            return
        self._push(
            ca.ErrorResponse(command, view.cid, status=CAStatus.ECA_PUTFAIL, error_message=why)
        )

    async def _on_disconnect(self) -> None:
        if not self.connected:
            return
        for key in list(self._monitors):
            self._drop(key)
        for sid in list(self._pending_puts):
            self._give_up_put(sid)
        self._outgoing.clear()
        self._wire.cut()
        if self._commands is not None and self._commands is not asyncio.current_task():
            self._commands.cancel()  # it may wait for a put that never ends
        await super()._on_disconnect()


async def _later(done: asyncio.Future[Any] | None, seconds: float) -> None:
    """End some seconds after another future."""
    if done is not None:
        await done
    await asyncio.sleep(seconds)
