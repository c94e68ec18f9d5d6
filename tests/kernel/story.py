"""What happens within the booted kernel: a live exporter on host a beside a log that we write as racoon would.

Each step waits for what must follow and notes figures; `test_kernel_witness.py` judges them.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from racoon_exporter.witness.netlink import NetlinkKernel
from racoon_parsers.kernel import parse_ip_policy, parse_ip_state
from racoon_parsers.setkey import Policy
from tests.kernel.hosts import AUTH, HERE, KEY, THERE, Pair, exchange, kernel_bytes, note, policies, run, wire

LOG, STATE, CONFIG = Path("/mnt/racoon.log"), Path("/mnt/state.json"), Path("/mnt/exporter.yml")
ADDRESS = "127.0.0.1:10500"
INTERVAL = 1
PATIENCE = 60.0
COOKIES = "8f1b2c3d4e5f6071:a1b2c3d4e5f60718"


def log(*lines: str) -> None:
    stamp = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    with LOG.open("a") as file:
        file.writelines(f"{stamp}: {line}\n" for line in lines)


class Exporter:
    """A live exporter on host a."""

    def __init__(self) -> None:
        command = [
            sys.executable,
            "-m",
            "racoon_exporter",
            "serve",
            "--web.listen-address",
            "127.0.0.1:10500",
            "--time-zone",
            "UTC",
        ]
        command += ["--config.file", str(CONFIG), "--state.file", str(STATE), "--state.interval", "0.5", str(LOG)]
        self.process = subprocess.Popen(["ip", "netns", "exec", "a", *command])

    def get(self, path: str) -> str:
        return run(
            sys.executable,
            "-c",
            f"import urllib.request as r; print(r.urlopen('http://127.0.0.1:10500{path}').read().decode())",
        )

    def value(self, name: str, **labels: str) -> float | None:
        for family in text_string_to_metric_families(self.get("/metrics")):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return float(sample.value)
        return None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def until(holds: Callable[[], bool]) -> float:
    """Wait until something holds; how many seconds it took."""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            if holds():
                return time.monotonic() - began
        except (OSError, subprocess.CalledProcessError):
            pass  # the exporter does not listen yet
        time.sleep(0.1)
    raise AssertionError(f"{holds.__doc__ or holds} did not come true within {PATIENCE} s")


def shown(policy: Policy) -> str:
    """What both forms tell of a policy."""
    return repr((policy.direction, policy.source, policy.destination, policy.action, policy.peer, policy.requests))


def compare_with_iproute2(out: str) -> None:
    """The tables by netlink and as iproute2 prints them, in the same moment."""
    look = NetlinkKernel().look()
    state = parse_ip_state(run("ip", "-s", "xfrm", "state"), taken=look.taken)
    policies_ = parse_ip_policy(run("ip", "xfrm", "policy")).policies
    note(
        out,
        netlink_sas=sorted(map(repr, look.sas)),
        printed_sas=sorted(map(repr, state.sas)),
        netlink_policies=sorted(map(shown, look.policies or ())),
        printed_policies=sorted(map(shown, policies_)),
        complete=look.complete,
    )


def many(out: str, count: int = 20_000) -> None:
    """How long a look takes at a large table, of SAs that carry nothing."""
    run("ip", "xfrm", "state", "flush")
    adds = "".join(
        f"xfrm state add src 10.{n >> 16}.{n >> 8 & 255}.{n & 255} dst {HERE} proto esp spi 0x{n + 0x10000:x} mode tunnel "
        f"auth-trunc hmac(sha1) 0x{AUTH[HERE]} 96 enc cbc(aes) 0x{KEY[HERE]}\n"
        for n in range(count)
    )
    Path("/mnt/many").write_text(adds)
    run("ip", "-batch", "/mnt/many")
    began = time.monotonic()
    look = NetlinkKernel().look()
    note(out, many=len(look.sas), many_seconds=time.monotonic() - began, many_complete=look.complete)
    run("ip", "xfrm", "state", "flush")


_LOOK = """
from racoon_exporter.witness import WitnessError
from racoon_exporter.witness.netlink import NetlinkKernel
try:
    print(len(NetlinkKernel().look().sas))
except WitnessError as error:
    print(error)
"""


def rights(out: str) -> None:
    """Who may look: nobody may not, nobody with CAP_NET_ADMIN alone may."""
    plain = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    capable = [*plain, *(f"--{kind}=-all,+net_admin" for kind in ("inh-caps", "ambient-caps", "bounding-set"))]
    said = {
        name: run(*command, sys.executable, "-c", _LOOK).strip() for name, command in (("nobody", plain), ("capable", capable))
    }
    note(out, **said)


class Story:
    """The gateway's day, step by step."""

    def __init__(self, out: str) -> None:
        self.out = out
        self.exporter = Exporter()

    def total(self, direction: str) -> float:
        return self.exporter.value("racoon_ipsec_bytes_total", direction=direction) or 0.0

    def comes_up(self, first: Pair) -> None:
        policies()
        first.add()
        log("INFO: @(#)ipsec-tools 0.9.1 (x)", f"INFO: {HERE}[500] used as isakmp port (fd=6)")
        log(f"INFO: ISAKMP-SA established {HERE}[500]-{THERE}[500] spi:{COOKIES}", *first.lines())
        note(self.out, answered=exchange(20))
        until(lambda: self.total("in") == kernel_bytes()[first.inbound] > 0)

    def rekeys(self, first: Pair, second: Pair) -> None:
        """The outbound SA of the old pair goes; what it carried must stay."""
        carried = kernel_bytes()
        second.add()
        log(*second.lines())
        gone = ("src", HERE, "dst", THERE, "proto", "esp", "spi", f"0x{first.outbound:x}")
        run("ip", "xfrm", "state", "delete", *gone)
        note(self.out, answered_after_rekey=exchange(10))
        until(lambda: self.total("out") >= carried[first.outbound] + kernel_bytes()[second.outbound] > carried[first.outbound])
        until(lambda: self.total("in") >= kernel_bytes()[first.inbound] + kernel_bytes()[second.inbound])
        kernel = kernel_bytes()
        note(
            self.out,
            bytes_in=self.total("in"),
            kernel_in=kernel[first.inbound] + kernel[second.inbound],
            bytes_out=self.total("out"),
            kernel_out=carried[first.outbound] + kernel[second.outbound],
        )

    def tells(self) -> None:
        value = self.exporter.value
        note(
            self.out,
            weak=value("racoon_peer_weak_crypto", phase="2"),
            encryption=value("racoon_peer_crypto_info", encryption="aes_128", hash="sha1"),
            expires_in=(value("racoon_phase2_expiry_timestamp_seconds") or 0) - time.time(),
            policies=value("racoon_policies"),
            without_sa=value("racoon_policies_without_sa"),
        )

    def is_flushed(self, third: Pair) -> None:
        run("ip", "xfrm", "state", "flush")
        seconds = until(lambda: self.exporter.value("racoon_phase2_up") == 0)
        until(lambda: self.exporter.value("racoon_policies_without_sa") == 1)
        vanished = self.exporter.value("racoon_ipsec_sa_ended_total", cause="vanished")
        note(self.out, vanished_after=seconds, vanished=vanished, interval=INTERVAL)
        third.add()
        note(self.out, appeared_after=until(lambda: self.exporter.value("racoon_phase2_up") == 1))

    def keeps_no_key(self) -> None:
        until(lambda: COOKIES in STATE.read_text())
        pages = ("/metrics", "/", "/api/v1/sas", "/api/v1/peers")
        kept = STATE.read_text() + "".join(self.exporter.get(page) for page in pages)
        note(self.out, keys_found=[key for key in (*KEY.values(), *AUTH.values()) if key[:12] in kept])

    def is_killed(self) -> None:
        before = self.total("in")
        until(lambda: str(int(before)) in STATE.read_text())
        self.exporter.kill()
        self.exporter = Exporter()
        until(lambda: self.exporter.value("racoon_exporter_witness_up", witness="kernel") == 1)
        up = self.exporter.value("racoon_phase2_up")
        note(self.out, before_kill=before, after_kill=self.total("in"), up_after_kill=up)

    def changes_to_ah(self, third: Pair, fourth: Pair) -> None:
        third.delete()
        fourth.add()
        until(lambda: self.exporter.value("racoon_ipsec_sas", protocol="ah", state="mature") == 2)
        note(self.out, ah=self.exporter.value("racoon_ipsec_sas", protocol="ah", state="mature"))


def main(out: str) -> None:
    wire()
    CONFIG.write_text(f"witnesses:\n  interval: {INTERVAL}\n  kernel: {{netlink: true}}\npeers:\n  - address: {THERE}\n")
    LOG.touch()
    first, second, third = Pair(0x1001, 0x1002), Pair(0x2001, 0x2002), Pair(0x3001, 0x3002)
    story = Story(out)
    story.comes_up(first)
    run(sys.executable, "-m", "tests.kernel.story", out, "compare")
    rights(out)
    story.rekeys(first, second)
    story.tells()
    story.is_flushed(third)
    story.keeps_no_key()
    story.is_killed()
    story.changes_to_ah(third, Pair(0x4001, 0x4002, "ah"))
    story.exporter.kill()
    run(sys.executable, "-m", "tests.kernel.story", out, "many")


STEPS: dict[str, Callable[[str], None]] = {"compare": compare_with_iproute2, "many": many}

if __name__ == "__main__":
    (STEPS[sys.argv[2]] if len(sys.argv) > 2 else main)(sys.argv[1])
