"""Mixed load for a while, and faults at random: the smarthost restarts, the daemon is
killed, its configuration read again, good and bad, the disk is full for seconds. What
was acknowledged arrives; memory stays what it was."""
import base64
import collections
import contextlib
import os
import random
import statistics
import subprocess
import threading
import time

import pytest

import nuncio
import sink as sinks

LONG = os.environ.get("NUNCIO_LONG") == "yes"
SECONDS = float(os.environ.get("NUNCIO_SOAK_SECONDS", 1800 if LONG else 60))
CLIENTS = 12
DISK = "64M"
PACE = 0.25  # seconds between two requests of one client

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk of its own")


class Load:
    """Clients that send this and that, each message under a key until it is acknowledged."""

    def __init__(self, socket, seed):
        self.socket, self.seed = socket, seed
        self.acknowledged = {}  # key -> (message_id, recipients)
        self.refused = collections.Counter()
        self.broken = []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, n):
        chance = random.Random(self.seed * 1000 + n)
        number = 0
        while not self.over.is_set():
            number += 1
            try:
                self._until_acknowledged(*self._make(chance, f"c{n}-{number}"))
            except Exception as error:  # pylint: disable=broad-except
                self.broken.append(repr(error))
                return
            self.over.wait(PACE * chance.random() * 2)

    @staticmethod
    def _make(chance, key):
        to = [f"{key}-{i}@example.org" for i in range(chance.choice([1, 1, 1, 2, 5]))]
        asked = {"to": to, "key": key}
        kind = chance.random()
        if kind < 0.3:
            mail = f"From: box@example.com\nSubject: {key}\n\n" + "a line\n" * chance.choice([1, 100, 3000])
            asked["content"] = base64.b64encode(mail.encode()).decode()
            return "Submit", asked
        asked.update(subject=key, text="x" * chance.choice([10, 300, 20_000]),
                     priority=chance.choice(["urgent", "high", "normal", "normal", "low"]))
        if kind < 0.4:
            asked["attachments"] = [{"name": "a.bin", "content": base64.b64encode(bytes(100_000)).decode()}]
        elif kind < 0.5:
            asked["html"] = "<p>x</p>"
        elif kind < 0.6:
            asked["at"] = f"{chance.choice([1, 2, 3])}s"
        return "Send", asked

    def _until_acknowledged(self, method, asked):
        while not self.over.is_set():
            try:
                with nuncio.Varlink(self.socket, timeout=nuncio.PATIENCE) as v:
                    reply = v.call(method, asked)
                self.acknowledged[asked["key"]] = (reply["message_id"], asked["to"])
                return
            except nuncio.VarlinkError as error:
                if error.name not in ("io.nuncio.NotStored", "io.nuncio.OverLimit"):
                    raise
                self.refused[error.name.rpartition(".")[2]] += 1
            except (ConnectionError, FileNotFoundError, TimeoutError):
                self.refused["not there"] += 1
            self.over.wait(0.1)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.broken, self.broken[:3]


class Soak:
    def __init__(self, daemon, host, chance):
        self.daemon, self.host, self.chance = daemon, host, chance
        self.done = collections.Counter()
        self.life = 0

    def wait(self, low, high):
        threading.Event().wait(self.chance.uniform(low, high))

    def config(self):
        return (f'transports = ( {{ name = "mail"; type = "smtp"; tls = "none"; url = "smtp://127.0.0.1:{self.host.port}";'
                f' concurrency = {self.chance.choice([1, 2, 4])}; mails_per_session = {self.chance.choice([5, 100])}; '
                f'retry = {{ first = "1s"; max = "5s"; }}; }} );\nretention = "10s";\nfrom = "box@example.com";\n')

    def smarthost_restarts(self):
        self.host.leave()
        self.wait(0.1, 3)
        self.host.come_back()

    def kill(self):
        self.daemon.kill()
        self.life += 1
        self.host.life = self.life
        self.daemon.start()

    def good_config(self):
        self.daemon.reload(self.config())

    def bad_config(self):
        good = self.daemon.file.read_text()
        self.daemon.reload(self.chance.choice(["transports = ( { name = 5; } );\n", "nothing here\n", "access = (((\n"]))
        self.daemon.file.write_text(good)

    def disk_full(self):
        """By others; the queue may have filled it before."""
        ballast = self.daemon.state / "ballast"
        with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 12))
        self.wait(0.5, 3)
        ballast.unlink(missing_ok=True)

    def run(self, seconds):
        """Kills only in the first half: the memory of one life is what is looked at in the second. Returns what it
        was in the beginning and in the end of that, when its caches had been filled: the median of a tenth each."""
        begin = time.monotonic()
        memory = []
        faults = [self.smarthost_restarts, self.good_config, self.bad_config, self.disk_full]
        while time.monotonic() - begin < seconds:
            early = time.monotonic() - begin < seconds / 2
            fault = self.chance.choice(faults + ([self.kill] if early else []))
            fault()
            self.done[fault.__name__] += 1
            self.wait(0.3, 3)
            if time.monotonic() - begin > seconds / 2 + min(180, seconds / 6):
                memory.append(self.memory())
        few = max(1, len(memory) // 10)
        print("memory in KiB:", memory)
        return statistics.median(memory[:few]), statistics.median(memory[-few:])

    def memory(self):
        """What the daemon has for itself and can't be had again from a file, in KiB."""
        with open(f"/proc/{self.daemon.process.pid}/smaps_rollup", encoding="ascii") as smaps:
            return sum(int(line.split()[1]) for line in smaps if line.startswith("Private_Dirty:"))

    def finish(self):
        """Nothing stands in the way any more: all goes out, once the transport was tried again."""
        with self.daemon.connect() as watcher:
            watcher.start("Watch", {}, more=True)
            with contextlib.suppress(nuncio.VarlinkError):
                self.daemon.call("Probe", {"transport": "mail"})
            while True:
                status = self.daemon.call("Status")
                counts = status["counts"]
                if not counts["queued"] and not counts["sending"]:
                    return counts
                try:
                    watcher.answer()
                except TimeoutError as error:
                    raise AssertionError(f"{counts} {status['transports']}\n{self.daemon.log_text()[-5000:]}") from error


@pytest.fixture
def disk(folder):
    state = folder / "d" / "state"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", state], check=True)
    yield state
    subprocess.run(["umount", "-l", state], check=True)


def test_soak(disk, make_daemon):
    seed = int(os.environ.get("NUNCIO_SOAK_SEED", random.SystemRandom().randrange(10**6)))
    print("seed", seed)
    host = sinks.Sink()
    soak = Soak(None, host, random.Random(seed))
    # freed memory is kept by the address sanitizer: little, or its growth is all there is to see
    options = os.environ.get("ASAN_OPTIONS", "detect_leaks=1") + ":quarantine_size_mb=2:thread_local_quarantine_size_kb=64"
    soak.daemon = make_daemon(soak.config(), environment={"ASAN_OPTIONS": options})
    soak.daemon.start()
    load = Load(soak.daemon.socket, seed)
    before, after = soak.run(SECONDS)
    load.end()
    counts = soak.finish()
    assert set(k for k, v in counts.items() if v) <= {"sent"}, counts

    copies = collections.defaultdict(list)
    for copy in host.copies:
        copies[copy.recipient].append(copy)
    lost = [r for _, to in load.acknowledged.values() for r in to if r not in copies]
    assert not lost, f"{len(lost)} lost: {lost[:5]}"
    for _, (message_id, to) in load.acknowledged.items():
        assert {c.message_id for r in to for c in copies[r]} == {message_id}
    twice = [r for r, c in copies.items() if len(c) > 1]
    print(f"{SECONDS:.0f} s, {dict(soak.done)}, {len(load.acknowledged)} acknowledged, {len(copies)} recipients, "
          f"{len(twice)} of them twice, refused {dict(load.refused)}, memory {before} -> {after} KiB")
    assert len(load.acknowledged) > SECONDS * 2
    assert len(twice) < len(copies) / 20  # only what was in flight when somebody went
    assert after < before * 1.15 + 2048, f"memory grew from {before} to {after} KiB"
    host.stop()
