"""runner.py - a nuncio-runner with a configuration and a folder of its own, spoken to over
its socket by a client that is not nuncio's."""
import base64
import os
import pathlib
import select
import signal
import subprocess
import sys
import time

import nuncio

INTERFACE = "io.nuncio.runner."


def quote(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rule(name, run, command=None, **do):
    """A rule that runs something; settings of `do` as they are written."""
    settings = "".join(f" {key} = {value};" for key, value in do.items())
    when = f"command = {quote(command)}; " if command else ""
    argv = ", ".join(quote(str(a)) for a in run)
    return (f'{{ name = "{name}"; on = {{ mail = "inbox"; }}; when = {{ {when}proof = "none"; }};'
            f" do = {{ run = [{argv}];{settings} }}; }}")


def rules(folder, *rows):
    """The part of a configuration that both nunciod and the runner need."""
    return (nuncio.outbox(folder / "outbox") +
            f'mailboxes = ( {{ name = "inbox"; type = "maildir"; path = "{folder / "inbox"}"; authserv = "none"; }} );\n'
            "rules = (\n  " + ",\n  ".join(rows) + "\n);\n")


class Runner:
    def __init__(self, folder, *rows, settings="", environment=None):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket = self.folder / "runner.sock"
        self.state = self.folder / "runner"
        self.file = self.folder / "nuncio.conf"
        self.log = self.folder / "runner.log"
        self.environment = environment or {}
        self.process = None
        self.configure(*rows, settings=settings)

    def configure(self, *rows, settings=""):
        new = self.file.with_suffix(".new")
        new.write_text(f'socket = "{self.folder}/nuncio.sock";\nstate = "{self.folder}/state";\n'
                       f'runner = {{ socket = "{self.socket}"; state = "{self.state}"; {settings} }};\n' +
                       rules(self.folder, *rows))
        new.chmod(0o640)
        new.rename(self.file)

    def start(self, **environment):
        assert self.process is None
        already = self.log_text().count("is ready")
        kept = {k: v for k, v in os.environ.items() if k != "JOURNAL_STREAM"}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [nuncio.BUILD / "runner" / "nuncio-runner", "-f", self.file], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env={**kept, **self.environment, **environment})
        self.wait_log("is ready", already + 1)
        return self

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_log(self, text, times=1):
        end = time.monotonic() + nuncio.PATIENCE
        while self.log_text().count(text) < times:
            assert self.process.poll() is None, f"ended with {self.process.returncode}:\n{self.log_text()}"
            assert time.monotonic() < end, self.log_text()
            select.select([], [], [], 0.01)

    def ended(self):
        status = self.process.wait(timeout=nuncio.PATIENCE)
        self.process = None
        return status

    def kill(self):
        self.process.kill()
        return self.ended()

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        assert self.ended() == 0, self.log_text()

    def connect(self):
        return nuncio.Varlink(self.socket)

    def call(self, method, parameters, descriptors=()):
        with self.connect() as v:
            return v.call(INTERFACE + method, parameters, descriptors)

    def begin(self, run, name, command="go", attachments=()):
        """attachments: (name, bytes)"""
        fds = [nuncio.sealed_memfd(data) for _, data in attachments]
        try:
            return self.call("Start", {"run": run, "rule": name, "command": command,
                                       "attachments": [n for n, _ in attachments]}, fds)["state"]
        finally:
            for fd in fds:
                os.close(fd)

    def begin_when_free(self, run, name, command="go"):
        """Begins, asked again as nunciod does while the answer is that it is busy."""
        end = time.monotonic() + nuncio.PATIENCE
        while True:
            try:
                return self.begin(run, name, command)
            except nuncio.VarlinkError as refusal:
                assert refusal.name == INTERFACE + "Busy" and time.monotonic() < end, refusal

    def refused(self, run, name, command="go", error="Refused"):
        try:
            state = self.begin(run, name, command)
        except nuncio.VarlinkError as refusal:
            assert refusal.name == INTERFACE + error, refusal
            return refusal.parameters.get("reason", "")
        raise AssertionError(f"it was begun: {state}")

    def collect(self, run, wait=True):
        result = self.call("Collect", {"run": run, "wait": wait})
        result["output"] = base64.b64decode(result["output"])
        return result

    def ack(self, run):
        self.call("Ack", {"run": run})

    def do(self, run, name, command="go", attachments=()):
        """The whole way of a run; its result."""
        self.begin(run, name, command, attachments)
        result = self.collect(run)
        self.ack(run)
        return result

    def list(self):
        return {row["run"]: row["state"] for row in self.call("List", {})["runs"]}


def program(folder, name, text):
    """A Python program of the test's; it finds out about itself."""
    file = pathlib.Path(folder) / name
    file.write_text(f"#!{sys.executable} -I\nimport os, signal, sys, time, json\n" + text)
    file.chmod(0o755)
    return file


def alive(pid):
    """Is it there, and no zombie?"""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_gone(pid):
    """Waits for a process that is no child of ours to end."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], nuncio.PATIENCE)[0], f"process {pid} goes on"
    finally:
        os.close(fd)


def end(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
