"""Notice that bluesky's 0MQ proxy is gone: its publishers and dispatchers say nothing of it."""

import threading

import zmq
from zmq.utils.monitor import recv_monitor_message

HEARTBEAT = 500  # ms; after three that aren't answered the connection counts as lost


class ProxyWatch:
    """A connection to the proxy's outgoing address that takes no documents.

    Parameters
    ----------
    address : str
        Such as ``127.0.0.1:5578``.
    tell : callable
        Called with a sentence when the proxy is gone, and when it is back.
    keys : bluesky.callbacks.zmq.ClientCurve, optional
        When the proxy wants some.
    """

    def __init__(self, address, tell, keys=None):
        self._address, self._tell = address, tell
        self._there = threading.Event()
        self._socket = zmq.Context.instance().socket(zmq.SUB)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT)
        self._socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 3 * HEARTBEAT)
        if keys is not None:
            public, secret = zmq.auth.load_certificate(keys.secret_path)
            self._socket.curve_publickey, self._socket.curve_secretkey = public, secret
            self._socket.curve_serverkey = zmq.auth.load_certificate(keys.server_public_key)[0]
        self._events = self._socket.get_monitor_socket(
            zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED
        )
        self._socket.connect(f"tcp://{address}")
        threading.Thread(target=self._run, name="proxy watch", daemon=True).start()

    def wait(self, timeout):
        """Wait until the proxy is there.

        Raises
        ------
        TimeoutError
            It isn't.
        """
        if not self._there.wait(timeout):
            raise TimeoutError(f"No proxy of documents at {self._address} within {timeout} s.")

    def _run(self):
        lost = False
        while True:
            event = recv_monitor_message(self._events)["event"]
            if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._there.set()
                if lost:
                    self._tell(f"The proxy of documents at {self._address} is back.")
                lost = False
            elif not lost:
                lost = True
                self._there.clear()
                self._tell(f"The proxy of documents at {self._address} is gone.")
