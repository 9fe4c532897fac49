"""The writer host of example 14: DX and NXtomo files from documents that a proxy sends."""

import argparse
import contextlib
import logging
import pathlib
import sys
import threading

from bluesky.callbacks.zmq import ClientCurve, RemoteDispatcher
from proxy_watch import ProxyWatch

from adsupport.callbacks import DataExchangeWriter, NXtomoWriter
from adsupport.documents.json_text import decode
from adsupport.errors import FrameConnectionError
from adsupport.imaging.remote import CurveKeys, FrameConnection, consume

parser = argparse.ArgumentParser(description="Write DX and NXtomo files of runs elsewhere.")
parser.add_argument("--proxy-out", default="127.0.0.1:5578", help="where the proxy gives documents")
parser.add_argument("--frames", default="tcp://127.0.0.1:5701", help="publisher of frames")
parser.add_argument("--out", default="files", type=pathlib.Path, help="directory of the files")
parser.add_argument("--keys", type=pathlib.Path, help="directory of CURVE keys, off loopback")
args = parser.parse_args()
logging.basicConfig(format="%(message)s", stream=sys.stdout)
keys = documents_keys = None
if args.keys:
    keys = CurveKeys(args.keys / "writer.key_secret", args.keys / "acquisition.key")
    documents_keys = ClientCurve(args.keys / "writer.key_secret", args.keys / "proxy.key")


class Files:
    """Writes each run's files, and tells of runs whose end never came."""

    def __init__(self):
        name = "{start[sample]}"
        self.writers = [DataExchangeWriter(args.out, name), NXtomoWriter(args.out, name)]
        self.run = ""

    def __call__(self, name, doc):
        """Take a document."""
        if name == "start" and self.run:
            print(f"{self.run}: no end of this run came; it has no files")
            for writer in self.writers:
                with contextlib.suppress(LookupError):
                    writer.close(error=LookupError("its documents were lost"))
        if name == "start":
            self.run = doc["sample"]
        for writer in self.writers:
            writer.receiver(name, doc)
        if name == "stop":
            self._finish()

    def _finish(self):
        sample, self.run = self.run, ""
        for writer in self.writers:
            try:
                (written,) = writer.wait_writer(timeout=60)
            except Exception as error:  # of one file: the others are written
                print(f"{sample}: {type(error).__name__}: {error}")
            else:
                names = ", ".join(map(str, written.paths)) or "no file: no images came"
                print(f"{sample}: wrote {names}")


def be_known():
    """Stay connected to the publisher, without any frames.

    ZeroMQ's PUB sockets, by which documents come, don't know who listens.  The publisher of frames
    does: it begins no run without this process, and tells when it's gone.
    """
    connection = FrameConnection(args.frames, name="writer", streams=(), keys=keys)
    while True:
        try:
            connection.open(1e6)
            consume(connection, [], runs=None)
            print(f"The publisher of frames at {args.frames} is gone.")
        except FrameConnectionError as error:
            print(error.problem)
        finally:
            connection.close()


ProxyWatch(args.proxy_out, print, documents_keys).wait(30)
dispatcher = RemoteDispatcher(args.proxy_out, deserializer=decode, curve_config=documents_keys)
dispatcher.subscribe(Files())
threading.Thread(target=be_known, daemon=True).start()
print(f"documents from {args.proxy_out}, files in {args.out}")
dispatcher.start()
