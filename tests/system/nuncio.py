"""nuncio.py - what system tests stand on: a daemon of their own in a temporary
folder, a small Varlink client that is not nuncio's, and Maildirs read back."""
import array
import contextlib
import email
import email.policy
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

BUILD = pathlib.Path(os.environ.get("NUNCIO_BUILD", "build")).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
ORACLES = pathlib.Path(os.environ.get("NUNCIO_ORACLES", SOURCE.parent / "shared" / "oracles"))
PATIENCE = float(os.environ.get("NUNCIO_PATIENCE", "60"))  # seconds until a wait is a failure


class VarlinkError(Exception):
    def __init__(self, reply):
        super().__init__(json.dumps(reply))
        self.name = reply["error"]
        self.parameters = reply.get("parameters") or {}


class Varlink:
    """One connection to a socket; knows nothing of nuncio."""

    def __init__(self, path, timeout=PATIENCE):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.buffer = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send_raw(self, data, descriptors=()):
        ancillary = []
        if descriptors:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        while data:
            sent = self.socket.sendmsg([data], ancillary)
            data, ancillary = data[sent:], []

    def read_raw(self, end=b"\0"):
        while end not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("closed by the daemon, %d bytes unread" % len(self.buffer))
            self.buffer += more
        frame, _, self.buffer = self.buffer.partition(end)
        return json.loads(frame)

    def start(self, method, parameters=None, descriptors=(), **flags):
        call = {"method": method if "." in method else "io.nuncio." + method, **flags}
        if parameters is not None:
            call["parameters"] = parameters
        self.send_raw(json.dumps(call).encode() + b"\0", descriptors)

    def answer(self):
        reply = self.read_raw()
        if "error" in reply:
            raise VarlinkError(reply)
        return reply

    def call(self, method, parameters=None, descriptors=(), **flags):
        self.start(method, parameters, descriptors, **flags)
        return self.answer().get("parameters", {})

    def watch(self, identity=None):
        """Yields events until the daemon says that was the last."""
        self.start("Watch", {} if identity is None else {"id": identity}, more=True)
        while True:
            reply = self.answer()
            event = (reply.get("parameters") or {}).get("event")
            if event:
                yield event
            if not reply.get("continues"):
                return


def sealed_memfd(data, seal=True):
    import fcntl
    fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]
    if seal:
        f_add_seals, seal_all = 1033, 0x1 | 0x2 | 0x4 | 0x8
        fcntl.fcntl(fd, f_add_seals, seal_all)
    return fd


class Daemon:
    """nunciod with a configuration and a folder of its own."""
    options = ["-v"]
    within = ()  # a command that it is run by

    def __init__(self, folder, config, environment=None, build=BUILD):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "nuncio.sock"
        self.state = self.folder / "state"
        self.log = self.folder / "daemon.log"
        self.file = self.folder / "nuncio.conf"
        self.environment = environment or {}
        self.build = build
        self.process = None
        self.notify = None
        self.exits = []
        self.configure(config)

    def configure(self, config):
        text = f'socket = "{self.socket}";\nstate = "{self.state}";\n' + config
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o640)
        new.rename(self.file)

    def start(self, wait=True):
        assert self.process is None
        name = self.folder / "notify"
        with contextlib.suppress(FileNotFoundError):
            name.unlink()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(name))
        self.notify.settimeout(1)
        environment = {k: v for k, v in os.environ.items() if k not in ("JOURNAL_STREAM", "WATCHDOG_USEC")}
        environment.update(NOTIFY_SOCKET=str(name), **self.environment)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*self.within, self.build / "daemon" / "nunciod", *self.options, "-f", self.file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                if b"READY=1" in self.notify.recv(4096):
                    return
            except TimeoutError:
                pass
            if self.process.poll() is not None:
                raise AssertionError(f"nunciod ended with {self.process.returncode}:\n{self.log_text()}")
            if time.monotonic() > end:
                raise AssertionError(f"nunciod is not ready:\n{self.log_text()}")

    def reload(self, config=None):
        if config is not None:
            self.configure(config)
        self.process.send_signal(signal.SIGHUP)
        self.wait_ready()

    def kill(self):
        self.process.kill()
        return self.ended()

    def ended(self):
        status = self.process.wait(timeout=PATIENCE)
        self.exits.append(status)
        self.process = None
        self.notify.close()
        return status

    def stop(self):
        if self.process is None:
            return None
        self.process.terminate()
        status = self.ended()
        assert status == 0, f"nunciod ended with {status}:\n{self.log_text()}"
        return status

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def connect(self, **kw):
        return Varlink(self.socket, **kw)

    def call(self, method, parameters=None, descriptors=()):
        with self.connect() as v:
            return v.call(method, parameters, descriptors)

    def error(self, method, parameters=None, descriptors=()):
        try:
            reply = self.call(method, parameters, descriptors)
        except VarlinkError as error:
            return error
        raise AssertionError(f"{method} was answered: {reply}")

    def client(self, *arguments, input=None, timeout=PATIENCE, check=False, text=True, env=None):
        environment = {**os.environ, "NUNCIO_SOCKET": str(self.socket), **(env or {})}
        return subprocess.run([self.build / "client" / "nuncio", *map(str, arguments)], input=input,
                              capture_output=True, timeout=timeout, check=check, text=text,
                              stdin=subprocess.DEVNULL if input is None else None, env=environment)

    def show(self, identity):
        return self.call("Show", {"id": identity})["message"]

    def states(self, identity):
        return {d["recipient"]: d["state"] for d in self.show(identity)["deliveries"]}

    def wait_events(self, identity, wanted):
        """Reads the message's events until wanted(event); returns that event."""
        with self.connect() as v:
            for event in v.watch(identity):
                if wanted(event):
                    return event
        raise AssertionError(f"message {identity} ended: {self.states(identity)}\n{self.log_text()[-3000:]}")

    def wait_final(self, identity):
        """Waits until nothing more will happen to the message."""
        with self.connect() as v:
            for _ in v.watch(identity):
                pass
        return self.states(identity)

    def wait_transport(self, name, state):
        """Waits for a transport to be in a state; returns its row of Status."""
        with self.connect() as watcher:
            watcher.start("Watch", {}, more=True)
            while True:
                row = next(t for t in self.call("Status")["transports"] if t["name"] == name)
                if row["state"] == state:
                    return row
                watcher.answer()


def maildir(path):
    """The messages in a Maildir's new/ and cur/, parsed, oldest name first."""
    found = []
    for part in ("new", "cur"):
        folder = pathlib.Path(path) / part
        if folder.is_dir():
            found += sorted(folder.iterdir(), key=lambda f: f.name)
    return [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in found]


def outbox(folder, **settings):
    extra = "".join(f"{k} = {v}; " for k, v in settings.items())
    return f'transports = ( {{ name = "outbox"; type = "maildir"; path = "{folder}"; {extra}}} );\n'
