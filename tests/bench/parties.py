"""parties.py - who is measured: nuncio and Postfix on one file system, a loop over
smtplib, and the servers that take what they send."""
import contextlib
import multiprocessing
import os
import pathlib
import re
import select
import shutil
import smtplib
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import nuncio  # noqa: E402 pylint: disable=wrong-import-position
import servers  # noqa: E402 pylint: disable=wrong-import-position

TOOLS = nuncio.BUILD / "tests" / "bench"
CONNECTIONS = 20
PATIENCE_S = 90


RUNNING = set()  # whoever has a stop()


def started(party):
    RUNNING.add(party)
    return party


def stop_all():
    """Ends what a scenario that failed left behind."""
    for party in list(RUNNING):
        with contextlib.suppress(Exception):
            party.stop()


def load(*arguments):
    """Mails a second."""
    result = subprocess.run([TOOLS / "bench_load", *map(str, arguments)], check=True, capture_output=True, text=True)
    return float(result.stdout.split()[0])


def memory_of(pids):
    """(PSS, Private_Dirty) in KiB."""
    pss = dirty = 0
    for pid in pids:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        pss += int(re.search(r"^Pss: +(\d+)", text, re.M)[1])
        dirty += int(re.search(r"^Private_Dirty: +(\d+)", text, re.M)[1])
    return pss, dirty


def rest():
    """Longer than the daemon's housekeeping waits before it comes round again."""
    select.select([], [], [], 62)


class Sink:
    """A server that takes all mail and tells how many it took, and when."""

    def __init__(self, command, port, **kw):
        self.port = port
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **kw)
        self.changed = threading.Condition()
        self.count = 0
        self.marks = []  # (time, count)
        started(self)
        threading.Thread(target=self.listen, daemon=True).start()
        servers.wait_port(port, self.process)

    def listen(self):
        rest = b""
        while data := os.read(self.process.stdout.fileno(), 65536):
            rest += data
            found = re.findall(rb"mesg=(\d+)\r", rest)
            rest = rest[rest.rfind(b"\r") + 1:]
            if found:
                with self.changed:
                    self.count = max(self.count, *map(int, found))
                    self.marks.append((time.monotonic(), self.count))
                    self.changed.notify_all()

    def rate(self, n, start):
        """Takes n mails more, once start() was called; mails a second from the first to the last."""
        with self.changed:
            before, self.marks = self.count, []
        start()
        with self.changed:
            if not self.changed.wait_for(lambda: self.count >= before + n, PATIENCE_S):
                raise RuntimeError(f"{self.count - before} of {n} mails came")
            marks = [m for m in self.marks if m[1] > before]
        first = next((t, c) for t, c in marks)
        last = next((t, c) for t, c in marks if c >= before + n)
        return (last[1] - first[1]) / (last[0] - first[0])

    def stop(self):
        RUNNING.discard(self)
        self.process.kill()
        self.process.wait()


def plain_sink():
    root = servers.unpack("postfix", servers.POSTFIX_PACKAGES)
    libraries = f"{root}/usr/lib/postfix:{root}/usr/lib/x86_64-linux-gnu"
    port = servers.free_port()
    return Sink([root / "usr" / "sbin" / "smtp-sink", "-u", "nobody", "-c", f"127.0.0.1:{port}", "1000"], port,
                env={**os.environ, "LD_LIBRARY_PATH": libraries})


def tls_sink(folder):
    if not (folder / "ca.pem").exists():
        servers.make_certificates(folder)
    port = servers.free_port()
    return Sink([TOOLS / "bench_sink", str(port), folder / "server.pem", folder / "server.key"], port)


class Delay:
    """A way of ms there and back before another port."""

    def __init__(self, target, ms):
        self.port = servers.free_port()
        self.process = subprocess.Popen([TOOLS / "bench_delay", str(self.port), str(target), str(ms // 2)])
        started(self)
        servers.wait_port(self.port, self.process)

    def stop(self):
        RUNNING.discard(self)
        self.process.kill()
        self.process.wait()


class Nuncio:
    """The daemon, with one way out to port."""

    def __init__(self, folder, port=25, slow=False, ca=None, tls=False):
        secure = f'ca_file = "{ca}";' if ca else "" if tls else 'tls = "none";'
        config = ('from = "Bench <box@example.com>";\nlimits = { peers_per_uid = 200; };\n'
                  f'transports = ( {{ name = "relay"; type = "smtp"; url = "smtp://127.0.0.1:{port}"; {secure} '
                  f'concurrency = {CONNECTIONS}; }} );\n')
        self.daemon = nuncio.Daemon(folder, config, {"LD_PRELOAD": str(TOOLS / "slow_fsync.so")} if slow else {})
        self.daemon.options = []
        started(self).daemon.start()
        self.daemon.call("Pause", {"transport": "relay"})

    def accept(self, clients, window, n):
        return load("varlink", self.daemon.socket, clients, window, n)

    def fill(self, n):
        self.accept(50, 16, n)

    def go(self):
        self.daemon.call("Resume", {"transport": "relay"})

    def halt(self):
        self.daemon.call("Pause", {"transport": "relay"})

    def memory(self):
        return memory_of([self.daemon.process.pid])

    def command(self, n):
        script = f'for i in $(seq {n}); do echo done | "$0" -i -f box@example.com me@example.net || exit 1; done'
        link = self.daemon.folder / "sendmail"
        link.unlink(missing_ok=True)
        link.symlink_to(nuncio.BUILD / "client" / "nuncio")
        start = time.monotonic()
        subprocess.run(["sh", "-c", script, link], check=True,
                       env={**os.environ, "NUNCIO_SOCKET": str(self.daemon.socket)})
        return n / (time.monotonic() - start)

    def stop(self):
        RUNNING.discard(self)
        self.daemon.stop()
        shutil.rmtree(self.daemon.folder, ignore_errors=True)


def start_to_answer(daemon):
    """ms from exec to the first answer of a daemon that is not running."""
    start = time.monotonic()
    daemon.start(wait=False)
    while True:
        try:
            daemon.call("Status")
            return (time.monotonic() - start) * 1000
        except (FileNotFoundError, ConnectionRefusedError):
            select.select([], [], [], 0.0005)


QMGR = "qmgr unix n - n 300 1 qmgr\n"


class Postfix(servers.Postfix):
    """Postfix that keeps its queue on disk, and does not send before go()."""
    main_cf = servers.MAIN_CF.replace("default_transport = virtual", "default_transport = smtp").replace(
        "static:all/", "") + (
        "in_flow_delay = 0\nsmtpd_client_connection_rate_limit = 0\nsmtpd_client_connection_count_limit = 0\n"
        "smtp_tls_security_level = {level}\nrelayhost = [127.0.0.1]:{relay}\n")
    master_cf = servers.MASTER_CF.replace(QMGR, "") + "smtp unix - - n - - smtp\n"
    boot = servers.BOOT.replace(
        "mount -t tmpfs tmpfs /var/spool",
        "mkdir -p {dir}/spool && mount --bind {dir}/spool /var/spool").replace(
        "exec postfix", "date +%s.%N >{dir}/booted\nexec postfix")

    def __init__(self, folder, port=25, slow=False, level="none"):
        super().__init__(folder)
        folder.mkdir(parents=True)
        self.main_cf = self.main_cf.replace("{relay}", str(port)).replace("{level}", level)
        if slow:
            (folder / "etc").mkdir()
            (folder / "etc" / "ld.so.preload").write_text(f"{TOOLS / 'slow_fsync.so'}\n")
        started(self).start()

    def accept(self, clients, window, n):
        return load("smtp", self.smtp, clients, window, n)

    def fill(self, n):
        self.accept(50, 16, n)

    def inside(self, *command):
        pid = servers.descendants(self.process.pid)[0]
        subprocess.run(["nsenter", "-t", str(pid), "-m", "-p", *command], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def go(self):
        with open(self.folder / "etc" / "postfix" / "master.cf", "a", encoding="ascii") as file:
            file.write(QMGR)
        self.inside("postfix", "reload")

    def memory(self):
        return memory_of(servers.descendants(self.process.pid))

    def command(self, n):
        script = f"for i in $(seq {n}); do echo done | sendmail -i -f box@example.com me@example.net || exit 1; done"
        start = time.monotonic()
        self.inside("sh", "-c", script)
        return n / (time.monotonic() - start)

    def cold_start_ms(self):
        """From its exec to the greeting, as measured while this one started."""
        return (self.answered - float((self.folder / "booted").read_text())) * 1000

    def start(self):
        super().start()
        with contextlib.closing(smtplib.SMTP("127.0.0.1", self.smtp)):
            self.answered = time.time()

    def stop(self):
        RUNNING.discard(self)
        super().stop()
        shutil.rmtree(self.folder, ignore_errors=True)


MAIL = ("From: <box@example.com>\r\nTo: <me@example.net>\r\nSubject: done\r\n\r\n"
        "The boring task is finished. It took three hours, and two of its parts were done again.\r\n"
        "Nothing is left to do, and nothing was lost: the copies are where the copies were.\r\n"
        "The next one begins at six o'clock, if nobody says otherwise before that time.\r\n")


def smtplib_one(port, n, secure):
    with smtplib.SMTP("127.0.0.1", port) as server:
        if secure:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            server.starttls(context=context)
        for _ in range(n):
            server.sendmail("box@example.com", ["me@example.net"], MAIL)


class Smtplib:
    """Ten processes, each with a connection it keeps."""

    def __init__(self, port, secure=False):
        self.port, self.secure, self.processes, self.n = port, secure, [], 0

    def fill(self, n):
        self.n = n

    def go(self):
        for i in range(10):
            n = self.n // 10 + (i < self.n % 10)
            process = multiprocessing.Process(target=smtplib_one, args=(self.port, n, self.secure))
            process.start()
            self.processes.append(process)

    def stop(self):
        for process in self.processes:
            process.join()
