"""The pytest plugin in suites of other people: each a pytest process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTALLED = any(each.value == "adsupport.testing" for each in entry_points(group="pytest11"))
LOAD = [] if INSTALLED else ["-p", "adsupport.testing"]

IOC = """
import os, sys
print("IOC ready:", os.environ["EPICS_CA_SERVER_PORT"], *sys.argv[1:], flush=True)
sys.stdin.read()
"""
"""An IOC that is ready at once."""


class Suite:
    """Files of a test suite, and pytest on them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.write(**{"ioc": IOC, "epics": "", "pytest.ini": "[pytest]"})

    def write(self, **files: str) -> Suite:
        for name, text in files.items():
            file = name if "." in name else f"{name}.py"
            (self.directory / file).write_text(textwrap.dedent(text))
        return self

    def command(self, *arguments: str) -> list[str]:
        unused = [f"-pno:{plugin}" for plugin in ("cacheprovider", "hypothesispytest", "anyio")]
        return [sys.executable, "-m", "pytest", *LOAD, *unused, *arguments]

    @property
    def environment(self) -> dict[str, str]:
        """That of a beamline, not that of the tests around it."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("EPICS_", "PYTEST_"))}
        return kept | {"PYTHONPATH": str(ROOT), "EPICS_CA_ADDR_LIST": "10.0.0.1"}

    def run(self, *arguments: str) -> str:
        """Return the output of pytest."""
        ended = subprocess.run(
            self.command("-q", *arguments),
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=100,
        )
        return ended.stdout + ended.stderr


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    return Suite(tmp_path)


PRIVATE = "from adsupport.testing import private_iocs\nprivate_iocs()\n"


def test_it_is_cheap_to_load_and_it_is_loaded_everywhere() -> None:
    code = "import sys, pytest; before = set(sys.modules); import adsupport.testing;"
    code += "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    loaded = set(ended.stdout.split())
    assert "adsupport" in loaded, ended.stderr
    outsiders = {name for name in loaded if name not in sys.stdlib_module_names}
    assert outsiders == {"adsupport"}


def test_the_entry_point_is_declared() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert '[project.entry-points.pytest11]\nadsupport = "adsupport.testing"' in text


def test_a_suite_that_does_not_ask_is_left_alone(suite: Suite) -> None:
    suite.write(
        test_it="""
        import os

        def test_it():
            assert os.environ["EPICS_CA_ADDR_LIST"] == "10.0.0.1"
            assert "EPICS_CA_AUTO_ADDR_LIST" not in os.environ
        """
    )
    assert "1 passed" in suite.run()


ASKING: dict[str, Callable[[Suite], Suite]] = {
    "in conftest": lambda suite: suite.write(conftest=PRIVATE),
    "in the configuration": lambda suite: suite.write(
        **{"pytest.ini": "[pytest]\nadsupport_private_iocs = true"}
    ),
}


@pytest.mark.parametrize(
    "ask",
    [
        "in conftest",
        # the test of prefix and arguments asks there, too
        pytest.param("in the configuration", marks=pytest.mark.slow),
    ],
)
def test_a_suite_that_asks_sees_its_own_iocs_only(suite: Suite, ask: str) -> None:
    ASKING[ask](suite).write(
        test_it="""
        import os
        ADDRESSES = os.environ["EPICS_CA_ADDR_LIST"].split()   # as epics does, when imported
        assert os.environ["EPICS_CA_AUTO_ADDR_LIST"] == "NO"
        import epics

        def test_it(adsupport_ioc_factory):
            with adsupport_ioc_factory("ioc.py", args=["--extra"]) as ioc:
                assert f"127.0.0.1:{ioc.port}" in ADDRESSES
                assert ioc.ready_line.endswith("--extra")
                pva = os.environ["EPICS_PVA_ADDR_LIST"].split()
                assert f"127.0.0.1:{ioc.pva_port}" in pva
            assert all(address.startswith("127.0.0.1:") for address in ADDRESSES + pva)
        """
    )
    assert "1 passed" in suite.run()


def test_a_fixture_alone_will_do_when_epics_comes_later(suite: Suite) -> None:
    suite.write(
        test_it="""
        def test_it(adsupport_gp):
            import epics
            assert adsupport_gp.running
            assert adsupport_gp.prefix == "gp:"
        """
    )
    assert "1 passed" in suite.run()


@pytest.mark.parametrize(
    "files",
    [
        {"conftest": "import epics\n" + PRIVATE, "test_it": ""},
        {"test_it": "import epics\ndef test_it(adsupport_gp):\n    pass"},
    ],
)
def test_epics_before_the_ports_is_an_error_that_says_what_to_do(
    suite: Suite, files: dict[str, str]
) -> None:
    output = suite.write(**files).run()
    assert "came too late: epics has been imported" in output
    assert "top of the uppermost conftest.py" in output
    assert "adsupport_private_iocs = true" in output
    assert "passed" not in output


def test_the_configuration_comes_before_a_plugin_that_imports_epics_or_says_so(
    suite: Suite,
) -> None:
    suite.write(**{"pytest.ini": "[pytest]\nadsupport_private_iocs = true", "test_it": ""})
    output = suite.run("-p", "epics")
    assert "ERROR: adsupport.testing.private_iocs() came too late" in output
    assert "Traceback" not in output


def test_each_test_has_a_fresh_ioc_and_its_faults_end(suite: Suite) -> None:
    suite.write(
        conftest=PRIVATE,
        test_it="""
        import pytest
        seen = []

        @pytest.mark.parametrize("turn", range(8))
        def test_it(adsupport_ioc_factory, turn):
            ioc = adsupport_ioc_factory("ioc.py")
            assert ioc.prefix not in seen, "clients remember names"
            seen.append(ioc.prefix)
            ioc.stop()

        def test_a_fault_is_left(adsupport_gp):
            adsupport_gp.fault("latency")

        def test_it_has_ended(adsupport_gp):
            assert not adsupport_gp.has_faults

        def test_too_many(adsupport_ioc_factory):
            for _ in range(6):
                adsupport_ioc_factory("ioc.py")
            with pytest.raises(RuntimeError, match="6 IOCs of adsupport_ioc_factory run already"):
                adsupport_ioc_factory("ioc.py")
        """,
    )
    assert "11 passed" in suite.run()


def test_prefix_and_arguments_come_from_the_configuration(suite: Suite) -> None:
    suite.write(
        **{
            "pytest.ini": """
            [pytest]
            adsupport_private_iocs = true
            adsupport_prefix = 13SIM1:
            adsupport_ioc_args = --fault "latency seconds=0.01"
            """,
            "test_it": """
            def test_it(adsupport_adsim):
                assert adsupport_adsim.prefix == "13SIM1:"
                assert adsupport_adsim.args == ("--fault", "latency seconds=0.01")
                assert "prefix=13SIM1:" in adsupport_adsim.ready_line
            """,
        }
    )
    assert "1 passed" in suite.run()


def test_every_worker_has_iocs_of_its_own(suite: Suite) -> None:
    ASKING["in the configuration"](suite).write(
        test_it="""
        import os
        import pytest

        @pytest.mark.parametrize("turn", range(8))
        def test_it(adsupport_ioc_factory, turn):
            with adsupport_ioc_factory("ioc.py") as ioc:
                assert f"127.0.0.1:{ioc.port}" in os.environ["EPICS_CA_ADDR_LIST"].split()
                worker = os.environ["PYTEST_XDIST_WORKER"]
                with open(f"{worker}.txt", "a") as file:
                    print(os.environ["EPICS_CA_ADDR_LIST"], file=file)
        """,
    )
    assert "8 passed" in suite.run("-n", "2")
    ports = [
        {int(port) for port in re.findall(r":(\d+)", file.read_text())}
        for file in sorted(suite.directory.glob("gw*.txt"))
    ]
    assert [len(each) for each in ports] == [8, 8]
    assert [{port % 2 for port in each} for each in ports] == [{0}, {1}], "never the same"


@pytest.mark.parametrize("times", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_ctrl_c_leaves_no_ioc(suite: Suite, times: int) -> None:
    suite.write(
        conftest=PRIVATE,
        test_it="""
        import time

        def test_it(adsupport_ioc_factory):
            ioc = adsupport_ioc_factory("ioc.py")
            print("pid", ioc.pid, flush=True)
            time.sleep(60)
        """,
    )
    with subprocess.Popen(
        suite.command("-s"),
        cwd=suite.directory,
        env=suite.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # as in a terminal, also where the tests themselves run with Ctrl-C switched off
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        assert process.stdout is not None
        pid = next(int(line.split()[-1]) for line in process.stdout if "pid" in line)
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        process.stdout.read()
    assert process.returncode != 0
    for _ in range(200):  # an IOC whose parent is gone ends by itself
        if not is_running(pid):
            break
        signal.sigtimedwait([], 0.05)
    assert not is_running(pid)


def is_running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
