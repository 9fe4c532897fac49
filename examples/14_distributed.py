"""Beyond one machine: IOC, acquisition, proxy, dask cluster, writer and viewer, each a program.

All of them run here, as they would on hosts of their own; only the addresses differ.  A part can
be killed in the middle of the projections, to see what the others make of it.

    python examples/14_distributed.py --demo
    python examples/14_distributed.py --demo --kill compute
    python examples/14_distributed.py --demo --kill each      # one after the other
    python examples/14_distributed.py --demo --keys           # all of ZeroMQ encrypted
    python examples/14_distributed.py --demo --namespaces     # as root: networks of their own
    python examples/14_distributed.py --ioc im:               # an IOC that runs already
"""

import argparse
import atexit
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

from distributed_network import Namespaces, OneHost
from distributed_parts import Part
from distributed_results import complaints, results
from example_options import at_least, make_directory

from adsupport.imaging.remote import make_keys
from adsupport.loopback import client_environment, free_port, server_environment

# Who notices first that a part is gone, and by which line
NOTICED = {
    "viewer": ("acquisition", "Consumer 'live view' of frames is lost"),
    "worker": ("scheduler", "(?i)remove worker.*worker-1"),
    "compute": ("acquisition", "Consumer 'compute' of frames is lost"),
    "writer": ("acquisition", "Consumer 'writer' of frames is lost"),
    "proxy": ("acquisition", "proxy of documents at .* is gone"),
    "scheduler": ("worker", "Connection to .* has been closed"),
    "acquisition": ("writer", "The publisher of frames at .* is gone"),
    "ioc": ("acquisition", "The IOC of .* is gone"),
}
# What is to be started again then, if it isn't that part alone
AGAIN = {"scheduler": ["scheduler", "worker", "worker-2"], "ioc": []}

parser = argparse.ArgumentParser(description="A tomography with parts on several hosts.")
parser.add_argument("--ioc", default="im:", help="prefix of the imaging beamline")
parser.add_argument("--projections", default=60, type=at_least(20), help="over half a turn")
parser.add_argument("--kill", choices=[*NOTICED, "each"], help="kill it in the projections")
parser.add_argument("--keys", action="store_true", help="make CURVE keys, and demand them")
parser.add_argument("--namespaces", action="store_true", help="a network for each host; root")
parser.add_argument("--out", default="demo-data", type=pathlib.Path, help="for the files")
parser.add_argument("--demo", action="store_true", help="bring up simulated hardware, use it")
args = parser.parse_args()
if args.kill in ("ioc", "each") and not args.demo:
    parser.error("only an IOC of --demo may be killed")
if args.namespaces and not args.demo:
    parser.error("--namespaces needs --demo: no other IOC is in these networks")
args.keys |= args.namespaces  # nothing leaves loopback without
if args.kill == "viewer" and args.keys:
    parser.error("with --keys the viewer has its frames from the IOC: nobody notices its end")
out = make_directory(parser, args.out / "distributed").resolve()
QUIET = ("scheduler", "worker-1", "worker-2", "ioc")  # their lines are in their log files only


def tell(name, line):
    """Show a line of a part."""
    if name not in QUIET:
        print(f"  {name:>11} | {line}", flush=True)


def leave(*_):
    """End by SIGTERM or SIGINT, once."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit("interrupted")


signal.signal(signal.SIGINT, leave)
signal.signal(signal.SIGTERM, leave)


# --- what runs where -----------------------------------------------------------------------

HOSTS = ("ioc", "acquisition", "compute1", "compute2", "storage", "office")
network = (Namespaces if args.namespaces else OneHost)(HOSTS)
atexit.register(network.close)  # when all processes have ended
at = network.addresses
ca, pva, frames, documents_in, documents_out, dask = (free_port() for _ in range(6))
find_ioc = client_environment(ca, pva_ports=[pva]) if args.demo else {}
serve, find_ioc = (
    {name: value.replace("127.0.0.1", at["ioc"]) for name, value in each.items()}
    for each in (server_environment(ca, pva), find_ioc)
)
proxy_in, proxy_out = f"127.0.0.1:{documents_in}", f"{at['acquisition']}:{documents_out}"
publisher, scheduler = f"tcp://{at['acquisition']}:{frames}", f"tcp://{at['compute1']}:{dask}"
examples = pathlib.Path(__file__).resolve().parent
importable = {"PYTHONPATH": os.pathsep.join([str(examples), os.environ.get("PYTHONPATH", "")])}
LOOK = (args.ioc, "--source", "pva") if args.keys else (f"--source={publisher}",)
DASK = {"DASK_DISTRIBUTED__LOGGING__DISTRIBUTED": "info"}
keys_of = {name: [] for name in ("acquisition", "writer", "compute", "proxy")}
if args.keys:  # each host has its own secret key, and the public ones of those that it talks to
    keys = pathlib.Path(tempfile.mkdtemp(prefix="keys-", dir=out))
    (keys / "allowed").mkdir()
    for name in keys_of:
        public, _ = make_keys(keys, name)
        if name != "proxy":
            shutil.copy(public, keys / "allowed")
    keys_of["acquisition"] = keys_of["writer"] = ["--keys", keys]
    keys_of["compute"] = ["--key", keys / "compute.key_secret",
                          "--publisher-key", keys / "acquisition.key"]  # fmt: skip
    # the proxy can demand keys on one side only: the other one is on the acquisition host
    keys_of["proxy"] = ["--out-curve-secret", keys / "proxy.key_secret",
                        "--out-curve-client-keys", keys / "allowed"]  # fmt: skip


def program(name, *options):
    """Return the command of a program beside this one."""
    return [sys.executable, str(examples / f"{name}.py"), *map(str, options)]


def module(name, *options):
    """Return the command of an installed one."""
    return [sys.executable, "-m", name, *map(str, options)]


def worker(number):
    """Return a dask worker; without a nanny, which would start it again."""
    host = f"compute{number}"
    options = ("--host", at[host], "--nthreads", 1, "--no-nanny", "--no-dashboard",
               "--local-directory", out / "compute" / "scratch")  # fmt: skip
    name = f"worker-{number}"
    return Part(
        name, host, module("dask", "worker", scheduler, "--name", name, *options),
        "Registered to", scheduler, importable | DASK, out / "compute", tell,
    )  # fmt: skip


parts = {
    "ioc": Part(
        "ioc", "ioc", module("adsupport", "ioc", "imaging_beamline", "--prefix", args.ioc),
        "IOC ready", f"{at['ioc']}:{ca} (CA), {pva} (PVA)", serve, out, tell,
    ),
    "proxy": Part(
        "proxy", "acquisition",
        module("bluesky.commandline.zmq_proxy", "--in-address", proxy_in,
               "--out-address", proxy_out, *keys_of["proxy"]),
        "Use Ctrl.C", f"{proxy_in} to {proxy_out}", {}, out, tell,
    ),
    "scheduler": Part(
        "scheduler", "compute1",
        module("dask", "scheduler", "--host", at["compute1"], "--port", dask, "--no-dashboard",
               "--dashboard-address", f"{at['compute1']}:0"),
        "Scheduler at", scheduler, importable | DASK, out / "compute", tell,
    ),
    "worker": worker(1),
    "worker-2": worker(2),
    "compute": Part(
        "compute", "compute1",
        module("adsupport", "consume", publisher, "distributed_slices:SharedSlices",
               "--name", "compute", "--runs", 0, "--wait", 120, *keys_of["compute"]),
        "connected to", publisher, importable | {"DASK_SCHEDULER_ADDRESS": scheduler},
        out / "compute", tell,
    ),
    "writer": Part(
        "writer", "storage",
        program("distributed_writer", "--proxy-out", proxy_out, "--frames", publisher,
                "--out", out / "files", *keys_of["writer"]),
        "documents from", proxy_out, {}, out, tell,
    ),
    "viewer": Part(
        "viewer", "office", module("adsupport", "view", *LOOK), "http://", LOOK[0], find_ioc,
        out, tell,
    ),
    "acquisition": Part(
        "acquisition", "acquisition",
        program("distributed_acquisition", "--ioc", args.ioc, "--projections", args.projections,
                "--frames", publisher, "--proxy", proxy_in, "--proxy-out", proxy_out,
                "--images", out / "images", *keys_of["acquisition"]),
        "type the name", publisher, find_ioc, out, tell,
    ),
}  # fmt: skip
if not args.demo:
    del parts["ioc"]


# --- one tomography, in which a part may be killed -----------------------------------------


def start():
    """Start all parts at once; show which process each one is, and where."""
    for part in parts.values():
        part.start(network)
    for name, part in parts.items():
        if name != "compute":  # it's ready when the publisher is there
            part.wait_until_ready()
        print(f"{name:>11}: process {part.pid} on host {part.host!r}, {part.address}")
    parts["compute"].wait_until_ready()


def measure(sample, victim=None):
    """Measure a sample; return what is wrong about the results."""
    acquisition = parts["acquisition"]
    print(f"\n--- {sample}" + (f": {victim} will be killed" if victim else ""))
    begun = time.monotonic()
    acquisition.type(sample)
    if victim:
        middle = f"{sample}: {args.projections // 20 * 10} of"
        _, said = acquisition.wait_for(f"{middle}|{sample}: failed", 60, begun)
        if "failed" in said:
            return [said]
        killed = parts[victim].kill()
        who, line = NOTICED[victim]
        when, said = parts[who].wait_for(line, 30, killed)
        print(f"{victim} killed; {who} knew it after {when - killed:.1f} s: {said.strip()}")
    said = f"{sample}: killed"
    if victim != "acquisition":
        _, said = acquisition.wait_for(f"{sample}: (measured|failed)", 120, begun)
    for name in AGAIN.get(victim, [victim] if victim else []):
        parts[name].end(timeout=5)
        parts[name].start(network)
        parts[name].wait_until_ready()
        print(f"{name} started again: process {parts[name].pid}")
    found = results(out, sample, said, parts, victim, begun)
    for what, text in found.items():
        print(f"{what:>16}: {text}")
    return complaints(found, victim, args.projections)


def end():
    """End all that was started: who controls hardware first, the hardware last."""
    for name in ("acquisition", *reversed(parts)):
        with contextlib.suppress(KeyError):
            parts[name].end(timeout=20 if name == "acquisition" else 5)


wrong = []
victims = [args.kill] if args.kill else []
if args.kill == "each":  # with keys nobody notices the end of a viewer
    victims = [each for each in NOTICED if not (args.keys and each == "viewer")]
try:
    start()
    wrong += measure("head")
    for victim in victims:
        wrong += measure(f"head-without-{victim}", victim)
finally:
    end()
print(f"\nAll processes have ended. Files, pictures and log files: {out}")
if wrong:
    raise SystemExit("Not as expected:\n  " + "\n  ".join(wrong))
