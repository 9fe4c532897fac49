"""Hosts on one machine: all at 127.0.0.1, or each in a network of its own."""

import os
import shutil
import subprocess


class OneHost:
    """All hosts are this one.

    Parameters
    ----------
    hosts : sequence of str
        Their names.
    """

    def __init__(self, hosts):
        self.addresses = dict.fromkeys(hosts, "127.0.0.1")

    def command(self, host, command):
        """Return what is to be typed here, to run a command there."""
        return command

    def close(self):
        """Leave nothing behind."""


class Namespaces(OneHost):
    """Network namespaces of Linux: each host has its own interfaces, ports and loopback.

    A bridge joins them, and leads nowhere else.  Needs root, and the command ``ip`` (iproute2).

    Parameters
    ----------
    hosts : sequence of str
        Their names; up to 15 letters each.

    Raises
    ------
    SystemExit
        They can't be made.
    """

    def __init__(self, hosts):
        if os.geteuid() or shutil.which("ip") is None:
            raise SystemExit("--namespaces needs root, and the command ip of iproute2")
        self.addresses = {host: f"198.51.100.{10 + k}" for k, host in enumerate(hosts)}
        self._made = []
        self._switch = self._name("switch")
        try:
            self._add(self._switch)
            self._ip(self._switch, "link", "add", "bridge", "type", "bridge")
            self._ip(self._switch, "link", "set", "bridge", "up")
            for host, address in self.addresses.items():
                self._join(host, address)
        except subprocess.CalledProcessError as error:
            self.close()
            raise SystemExit(f"{' '.join(error.cmd)}: {error.stderr.strip()}") from None

    def command(self, host, command):
        """Return what is to be typed here, to run a command there."""
        return ["ip", "netns", "exec", self._name(host), *command]

    def close(self):
        """Remove the namespaces."""
        for name in self._made:
            subprocess.run(["ip", "netns", "delete", name], check=False)
        self._made = []

    def _join(self, host, address):
        name = self._name(host)
        self._add(name)
        ends = ("link", "add", host, "type", "veth", "peer", "name", "eth0", "netns", name)
        self._ip(self._switch, *ends)
        self._ip(self._switch, "link", "set", host, "master", "bridge", "up")
        self._ip(name, "address", "add", f"{address}/24", "dev", "eth0")
        for interface in ("lo", "eth0"):
            self._ip(name, "link", "set", interface, "up")

    def _name(self, host):
        return f"adsupport-{os.getpid()}-{host}"

    def _add(self, name):
        subprocess.run(["ip", "netns", "add", name], check=True, capture_output=True, text=True)
        self._made.append(name)

    def _ip(self, name, *arguments):
        command = ["ip", "-n", name, *arguments]
        subprocess.run(command, check=True, capture_output=True, text=True)
