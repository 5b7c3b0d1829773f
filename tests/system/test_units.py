"""The units: systemd takes them, finds little that a broken nunciod could reach, and what a user's
say is all that a user's nunciod and runner need."""
import email.utils
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

import nuncio
import servers
from rules_rig import SECRET, key

UNITS = nuncio.BUILD / "systemd"
EXPOSURE = 1.5


@pytest.fixture(name="units")
def units_of_both(folder):
    """All units as they are installed, with a nunciod that is there."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze")
    for place, source in (("system", ""), ("user", "user")):
        (folder / place).mkdir()
        for file in (*(UNITS / source).glob("*.service"), *(nuncio.SOURCE / "systemd" / source).glob("*.[st][oi]*")):
            text = file.read_text()
            built = nuncio.BUILD / ("runner/nuncio-runner" if "runner" in file.name else "daemon/nunciod")
            text = re.sub(r"(?m)^(ExecStart=)\S+", rf"\1{built}", text)
            (folder / place / file.name).write_text(text)
    return folder


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                          timeout=nuncio.PATIENCE, check=False)


def test_systemd_reads_them(units):
    for place in ("system", "user"):
        files = sorted((units / place).iterdir())
        assert len(files) >= 2
        done = analyze("verify", "--man=no", f"--{place}", *files)
        wrong = [line for line in done.stderr.splitlines() if "nuncio" in line and "not found" not in line]
        assert not wrong, done.stderr


def test_the_system_s_service_is_locked_down(units):
    done = analyze("security", "--offline=true", units / "system" / "nunciod.service")
    found = re.search(r"exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found.group(1)) <= EXPOSURE, done.stdout


def test_a_restart_of_the_runner_leaves_its_programs(units):
    for place in ("system", "user"):
        assert "\nKillMode=process\n" in (units / place / "nuncio-runner.service").read_text()


def test_the_runner_s_state_is_made_for_it_and_purged(units):
    """runner.state is beside nunciod's own, which systemd would give to nunciod's user."""
    text = (units / "system" / "nuncio-runner.service").read_text()
    assert "\nStateDirectory=nuncio-runner\n" in text and "\nStateDirectoryMode=0711\n" in text
    assert "/var/lib/nuncio-runner\"" in (nuncio.SOURCE / "debian" / "nuncio.postrm").read_text()


def test_the_runner_s_socket_is_nunciod_s_alone(units):
    text = (units / "system" / "nuncio-runner.socket").read_text()
    assert "\nSocketUser=nuncio\n" in text and "\nSocketMode=0600\n" in text


# ---- of a user ----

SOMEBODY = 8917
CONFIG = """from = "Me <me@example.com>";
contacts = ( {{ name = "me"; mail = ["me@example.com"]; secret = {{ credential = "me"; }}; }} );
mailboxes = ( {{ name = "inbox"; type = "maildir"; path = "{home}/Maildir"; authserv = "none"; }} );
rules = ( {{ name = "count"; on = {{ mail = "inbox"; }};
  when = {{ from = "me"; command = "^count (?<what>.+)$"; proof = "secret"; }};
  do = {{ run = ["{home}/program", "{{what}}"]; }}; }} );
"""
# As systemd passes sockets: the number of who is started is in the environment.
EXEC = ("import os, sys; os.dup2(int(sys.argv[1]), 3, inheritable=True); os.umask(int(sys.argv[2], 8)); "
        "os.environ['LISTEN_PID'] = str(os.getpid()); os.execv(sys.argv[3], sys.argv[3:])")


class UserManager:
    """systemd --user, as far as these units ask for it: folders, sockets, credentials, environment."""

    def __init__(self, folder, units):
        self.units, self.home, self.run = units, folder / "home", folder / "run"
        self.user = SOMEBODY if os.geteuid() == 0 else os.geteuid()
        self.identity = {"user": self.user, "group": self.user, "extra_groups": []} if os.geteuid() == 0 else {}
        self.processes = {}
        for part in (self.home, self.run, self.home / ".config" / "nuncio", self.run / "credentials"):
            self.make(part)
        self.environment = {"HOME": str(self.home), "XDG_RUNTIME_DIR": str(self.run), "PATH": os.environ["PATH"],
                            "LISTEN_FDS": "1", "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}

    def make(self, path, mode=0o700):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        os.chown(path, self.user, -1)

    def write(self, path, text, mode=0o600):
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, self.user, -1)

    def settings(self, unit):
        """Its lines, the last of each name."""
        return dict(re.findall(r"(?m)^([A-Za-z]+)=(.*)$", (self.units / "user" / unit).read_text()))

    def listen(self, unit):
        settings = self.settings(unit)
        path = self.run / settings["ListenStream"].removeprefix("%t/")
        self.make(path.parent, int(settings["DirectoryMode"], 8))
        made = socket.socket(socket.AF_UNIX)
        made.bind(str(path))
        os.chmod(path, int(settings["SocketMode"], 8))
        os.chown(path, self.user, -1)
        made.listen(64)
        return made, settings["FileDescriptorName"]

    def start(self, name, log, more=()):
        settings = self.settings(f"{name}.service")
        made, fdname = self.listen(f"{name}.socket")
        environment = {**self.environment, "LISTEN_FDNAMES": fdname, **dict(more)}
        for what, where in (("Runtime", self.run), ("State", self.home / ".config")):  # before systemd 254
            if f"{what}Directory" in settings:
                self.make(where / settings[f"{what}Directory"], int(settings.get(f"{what}DirectoryMode", "755"), 8))
                environment[f"{what.upper()}_DIRECTORY"] = str(where / settings[f"{what}Directory"])
        with open(log, "ab") as out:
            self.processes[name] = subprocess.Popen(
                ["/usr/bin/python3", "-c", EXEC, str(made.fileno()), settings["UMask"], *settings["ExecStart"].split()],
                pass_fds=[made.fileno()], stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, cwd="/",
                **self.identity)
        made.close()

    def end(self):
        for name, process in self.processes.items():
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=nuncio.PATIENCE) == 0, name


def test_a_user_s_units_are_all_that_it_takes(units, folder):
    manager = UserManager(folder, units)
    home, log = manager.home, folder / "log"
    manager.write(home / ".config" / "nuncio" / "nuncio.conf", CONFIG.format(home=home))
    manager.write(home / "program", f'#!/bin/sh\necho "$*" >>{home}/ran\necho "did $*"\n', 0o700)
    manager.write(manager.run / "credentials" / "me", SECRET, 0o400)
    # the runner first, in a home where nobody made a folder for state yet
    manager.start("nuncio-runner", log)
    manager.start("nunciod", log, [("CREDENTIALS_DIRECTORY", str(manager.run / "credentials"))])
    asked = subprocess.run([nuncio.BUILD / "client" / "nuncio", "status", "--wait=60s"], env=manager.environment, capture_output=True, text=True,
                           check=False, timeout=nuncio.PATIENCE, **manager.identity)
    assert asked.returncode == 0, asked.stderr + log.read_text()
    new = home / "Maildir" / "new"
    with nuncio.Varlink(manager.run / "nuncio" / "nuncio.sock") as v:
        while [m["state"] for m in v.call("Status")["mailboxes"]] != ["watching"]:
            servers.select_a_moment()
        mail = new.parent / "tmp" / "1.test"
        manager.write(mail, f"From: me@example.com\nDate: {email.utils.formatdate()}\nSubject: count sheep\n\n{key(SECRET)}")
        mail.rename(new / "1.test")
        outbox = home / ".local" / "state" / "nuncio" / "outbox"
        v.start("Watch", {}, more=True)
        while not nuncio.maildir(outbox):
            v.answer()
    [report] = nuncio.maildir(outbox)
    assert report["Subject"] == "Re: count sheep" and "did sheep" in report.get_content()
    assert (home / "ran").read_text() == "sheep\n"
    assert (home / ".local" / "state" / "nuncio-runner").stat().st_mode & 0o777 == 0o700
    assert os.listdir(home / ".config" / "nuncio") == ["nuncio.conf"]
    assert (manager.run / "nuncio").stat().st_mode & 0o777 == 0o700
    manager.end()
    assert "Sanitizer" not in log.read_text()
