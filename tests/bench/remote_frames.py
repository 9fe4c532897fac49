"""Frames to a consumer in another process, and the same pixels through bare ZeroMQ.

Both send 2048 x 2048 uint16 over loopback to a process that looks at one pixel of each; ours also
sends headers, looks for gaps, and hears of each frame that it was taken.  The peer is PUSH and PULL
of pyzmq without a copy.  Run ``python -m tests.bench.remote_frames``.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import time
from typing import Any

import numpy as np

SIZE = 2048
_QUEUE = 8


def measure(frames: int, rounds: int) -> tuple[float, float]:
    """Send the frames in both ways by turns.

    Parameters
    ----------
    frames : int
        How many in each round.
    rounds : int
        How many rounds.

    Returns
    -------
    tuple of float
        Medians of frames per second: ours, the peer's.
    """
    ways: dict[Any, list[float]] = {_ours: [], _peer: []}
    for number in range(rounds):
        for way in sorted(ways, key=lambda each: (each is _peer) == (number % 2 == 0)):
            ways[way].append(frames / way(frames))
    return statistics.median(ways[_ours]), statistics.median(ways[_peer])


def _pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    pictures = [rng.integers(0, 60_000, (SIZE, SIZE), dtype=np.uint16) for _ in range(4)]
    for each in pictures:
        each.flags.writeable = False  # as those of a bus are: they needn't be copied
    return pictures


def _ours(frames: int) -> float:
    from adsupport.imaging.frames import Frame, StreamAbout, StreamEnd
    from adsupport.imaging.remote import FramePublisher

    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    with FramePublisher(consumers=1) as publisher:
        process = spawn.Process(target=_consume, args=(publisher.address, results))
        process.start()
        publisher.ready()
        pictures = _pictures()
        about = StreamAbout("bench", "primary", frames)
        begun = time.perf_counter()
        publisher.begin(about)
        for number in range(frames):
            picture = pictures[number % len(pictures)]
            publisher.frame(
                Frame(picture, "primary", number, number, 0.1 * number, run_uid="bench")
            )
        publisher.end(StreamEnd(about, frames, frames))
        taken = time.perf_counter() - begun
        publisher.close()
        came, gaps = results.get(timeout=60)
        process.join(60)
    if came != frames or gaps:
        raise RuntimeError(f"{came} of {frames} frames came, {gaps} of them out of order")
    return taken


def _consume(address: str, results: Any) -> None:
    from adsupport.imaging.addons import Addon
    from adsupport.imaging.frames import Frame
    from adsupport.imaging.remote import FrameConnection, consume

    class Looker(Addon):
        frames = gaps = pixels = 0

        def frame(self, frame: Frame) -> None:
            self.gaps += frame.unique_id != self.frames
            self.frames += 1
            self.pixels += int(frame.data[-1, -1])

    looker = Looker()
    consume(FrameConnection(address, queue=_QUEUE), [looker])
    results.put((looker.frames, looker.gaps))


def _peer(frames: int) -> float:
    import zmq

    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    with zmq.Context() as context, context.socket(zmq.PUSH) as push:
        push.setsockopt(zmq.SNDHWM, _QUEUE)
        port = push.bind_to_random_port("tcp://127.0.0.1")
        process = spawn.Process(target=_pull, args=(port, frames, results))
        process.start()
        results.get(timeout=60)
        pictures = _pictures()
        begun = time.perf_counter()
        for number in range(frames):
            push.send(pictures[number % len(pictures)], copy=False)
        results.get(timeout=600)
        taken = time.perf_counter() - begun
        process.join(60)
    return taken


def _pull(port: int, frames: int, results: Any) -> None:
    import zmq

    pixels = 0
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.setsockopt(zmq.RCVHWM, _QUEUE)
        pull.connect(f"tcp://127.0.0.1:{port}")
        results.put("ready")
        for _ in range(frames):
            message = pull.recv(copy=False)
            pixels += int(np.frombuffer(message.buffer, np.uint16)[-1])
    results.put(pixels)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=1000, help="10 s at 100 frames/s")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    ours, peer = measure(args.frames, args.rounds)
    print(
        f"adsupport {ours:.0f} frames/s, bare ZeroMQ {peer:.0f} frames/s, ratio {ours / peer:.2f}"
    )


if __name__ == "__main__":
    main()
