"""Start and stop child processes that behave like IOCs, and like bad ones."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from adsupport import loopback
from adsupport.adcore import Release
from adsupport.errors import ConfigurationError, IOCError
from adsupport.launch import IOCProcess, boot_file, client_environment, free_port

GOOD = """
import sys
print("noise first", flush=True)
print(f"IOC ready: good {' '.join(sys.argv[1:])}", flush=True)
print("x" * 200_000, file=sys.stderr)      # more than a pipe holds
sys.stdin.read()
"""


@pytest.fixture
def boot(tmp_path: Path):
    def write(code: str) -> Path:
        path = tmp_path / "boot.py"
        path.write_text(textwrap.dedent(code))
        return path

    return write


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_held_port_is_not_given_to_another_process(monkeypatch):
    code = """from adsupport.loopback import free_port
print(free_port(hold=True), flush=True)
input()"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], text=True, **pipes) as other:
        held = int(other.stdout.readline())
        monkeypatch.setattr("adsupport.loopback._share", range(held, held + 1))
        with pytest.raises(IOCError, match="No free port"):
            free_port()
        other.communicate("\n")
    assert free_port() == held


def test_free_port_is_free_and_never_given_twice():
    ports = [free_port() for _ in range(20)]
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", port))
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            tcp.bind(("127.0.0.1", port))


def test_processes_that_share_the_ports_never_choose_the_same(monkeypatch):
    monkeypatch.setattr(loopback, "_share", loopback._share)
    chosen = []
    for part in range(3):
        loopback.share_ports(part, 3)
        chosen.append({free_port() % 3 for _ in range(10)})
    assert chosen == [{0}, {1}, {2}]


def test_client_environment_lists_every_port():
    environment = client_environment(5001, 5002)
    assert environment["EPICS_CA_ADDR_LIST"] == "127.0.0.1:5001 127.0.0.1:5002"
    assert environment["EPICS_CA_AUTO_ADDR_LIST"] == "NO"
    assert int(environment["EPICS_CA_MAX_ARRAY_BYTES"]) > 4096 * 4096 * 2


def test_client_environment_tells_of_pvaccess_only_when_asked():
    assert not [name for name in client_environment(5001) if name.startswith("EPICS_PVA")]
    environment = client_environment(5001, pva_ports=[6001, 6002])
    assert environment["EPICS_PVA_ADDR_LIST"] == "127.0.0.1:6001 127.0.0.1:6002"
    assert environment["EPICS_PVA_AUTO_ADDR_LIST"] == "NO"


def test_unknown_boot_file_is_named_with_the_places_looked_at():
    with pytest.raises(FileNotFoundError, match=r"'nope'.*iocs.nope\.py.*Expected 'adsim', 'gp'"):
        boot_file("nope")


def test_start_passes_the_arguments_and_stop_ends_the_process(boot):
    ioc = IOCProcess(boot(GOOD), "zz:", args=["--extra"]).start()
    pid = ioc.pid
    assert ioc.ready_line == "IOC ready: good --prefix zz: --watch-stdin --extra"
    assert is_alive(pid)
    assert os.getsid(pid) == pid  # a session of its own: Ctrl-C stays with the parent
    ioc.stop()
    assert not is_alive(pid)
    assert not ioc.running
    ioc.stop()  # once more is harmless


@pytest.mark.parametrize("adcore", ["3.4", "R3-4", Release(3, 4)])
def test_release_of_adcore_is_passed_on(boot, adcore):
    ioc = IOCProcess(boot(GOOD), "zz:", adcore=adcore)
    assert ioc.command[-2:] == ["--adcore", "R3-4"]
    assert ioc.adcore == Release(3, 4)
    assert "--adcore" not in IOCProcess(boot(GOOD), "zz:").command


def test_what_is_no_release_of_adcore_is_refused(boot):
    with pytest.raises(ConfigurationError, match=r"adcore='newest'.*'R3-14'"):
        IOCProcess(boot(GOOD), "zz:", adcore="newest")


def test_a_release_that_cannot_be_served_is_told_by_the_ioc():
    with pytest.raises(IOCError, match=r"ADCore R2-5 can't be simulated.*R2-6 to R3-14"):
        IOCProcess("adsim", "zz:", adcore="R2-5").start()


def test_environment_of_the_child(boot):
    code = """
    import os, sys
    keys = ("EPICS_CA_SERVER_PORT", "EPICS_CAS_INTF_ADDR_LIST")
    print("IOC ready:", *(os.environ[key] for key in keys), flush=True)
    sys.stdin.read()
    """
    with IOCProcess(boot(code), "zz:", port=23456) as ioc:
        assert ioc.ready_line == "IOC ready: 23456 127.0.0.1"


def test_restart_keeps_the_port_and_takes_a_new_process(boot):
    with IOCProcess(boot(GOOD), "zz:") as ioc:
        port, pid = ioc.port, ioc.pid
        ioc.restart()
        assert ioc.port == port
        assert ioc.pid != pid
        assert not is_alive(pid)


def test_a_child_that_dies_first_shows_its_standard_error(boot):
    code = "import sys; print('port in use', file=sys.stderr); sys.exit(3)"
    ioc = IOCProcess(boot(code), "zz:")
    with pytest.raises(IOCError, match=r"(?s)'zz:'.*exit code 3.*port in use"):
        ioc.start()
    assert not ioc.running


def test_a_child_that_never_gets_ready_is_stopped(boot):
    code = "import sys; print('still loading', flush=True); sys.stdin.read()"
    ioc = IOCProcess(boot(code), "zz:")
    with pytest.raises(IOCError, match="no ready line within 0.5 s"):
        ioc.start(timeout=0.5)
    with pytest.raises(IOCError, match="not running"):
        _ = ioc.pid


def test_a_child_deaf_to_signals_is_killed(boot):
    code = """
    import signal, sys, time
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("IOC ready: deaf", flush=True)
    while True:
        time.sleep(1)
    """
    ioc = IOCProcess(boot(code), "zz:").start()
    pid = ioc.pid
    ioc.stop(timeout=0.2)
    assert not is_alive(pid)


def test_a_child_that_cannot_hear_sigint_is_asked_otherwise(boot):
    """Who is started under nohup ignores SIGINT, and so does what he starts."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ioc = IOCProcess(boot(GOOD), "zz:").start()
        process = ioc._process
        ioc.stop()
    finally:
        signal.signal(signal.SIGINT, before)
    assert process is not None
    assert process.returncode == -signal.SIGTERM


def test_a_second_start_is_refused(boot):
    with IOCProcess(boot(GOOD), "zz:") as ioc, pytest.raises(IOCError, match="runs already"):
        ioc.start()


def test_the_child_learns_that_its_parent_was_killed(boot, tmp_path: Path):
    """Its standard input ends, whatever way the parent went."""
    child = boot(GOOD)
    parent = f"""
    import sys, time
    from adsupport.launch import IOCProcess
    print(IOCProcess({str(child)!r}, "zz:").start().pid, flush=True)
    time.sleep(60)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(parent)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.wait()
    for _ in range(200):
        if not is_alive(pid) or _is_zombie(pid):
            break
        os.sched_yield()
        signal.sigtimedwait([], 0.05)
    assert not is_alive(pid) or _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and waits for an init that may not collect it."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
    return status.rpartition(")")[2].split()[0] == "Z"
