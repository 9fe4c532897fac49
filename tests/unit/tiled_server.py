"""A tiled server of one's own, in a process that ends with the test's, however that ends."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# It ends when its standard input does.
SERVER = """
import sys
from tiled.server import SimpleTiledServer, simple

simple._STARTUP_TIMEOUT = 120
server = SimpleTiledServer(readable_storage=sys.argv[1:])
print(server.uri, flush=True)
sys.stdin.read()
server.close()
"""


@contextmanager
def tiled_client(readable: Path, log: Path) -> Iterator[Any]:
    """Start a server that reads files below a directory; it starts in some 6 s."""
    from tiled.client import from_uri

    command = [sys.executable, "-c", SERVER, str(readable)]
    with log.open("w") as errors:
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert server.stdin and server.stdout
        with server:
            try:
                found: Any = from_uri(server.stdout.readline().strip())
                yield found
                found.context.http_client.close()
            finally:
                server.stdin.close()
    gc.collect()  # other connections of tiled's, while warnings of these are ignored
