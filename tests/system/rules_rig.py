"""rules_rig.py - a daemon that listens on a Maildir, a runner beside it, a program that
counts what was run, and mails by hand."""
import base64
import contextlib
import email.utils
import hashlib
import hmac
import os
import signal
import struct
import subprocess
import time

import nuncio

TOTP_KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
SECRET = "open-sesame-7731"
AUTHSERV = "mx.example.com"


def totp(at=None, key=TOTP_KEY):
    """RFC 6238, by hand."""
    step = int((time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(key), struct.pack(">Q", step), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start:start + 4])[0] & 0x7fffffff) % 10**6:06d}"


class Runner:
    """nuncio-runner with the daemon's configuration."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.process = None
        self.log = daemon.folder / "runner.log"
        self.socket = daemon.folder / "runner.sock"

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.daemon.build / "runner" / "nuncio-runner", "-v", "-f", self.daemon.file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={k: v for k, v in os.environ.items() if k not in ("JOURNAL_STREAM", "NOTIFY_SOCKET")})
        return self

    def end(self, signo=signal.SIGTERM):
        if self.process:
            self.process.send_signal(signo)
            self.process.wait(timeout=nuncio.PATIENCE)
            self.process = None


class Rig:
    """settings: further lines of the configuration; rules: rows of `rules`."""

    def __init__(self, make_daemon, folder, rules, authserv="none", contacts="", settings="", box_settings=""):
        self.folder = folder
        self.box = folder / "box"
        self.outbox = folder / "outbox"
        self.counts = folder / "counts"
        self.number = 0
        self.watcher = None
        for part in ("tmp", "new", "cur"):
            (self.box / part).mkdir(parents=True)
        self.program = self.script("program", f'printf "%s\\n" "$*" >>{self.counts}; echo "did $*"')
        self.settings = dict(authserv=authserv, contacts=contacts, settings=settings, box_settings=box_settings)
        self.rules = rules
        self.daemon = make_daemon(self.config())
        self.runner = Runner(self.daemon)

    def script(self, name, text):
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def config(self):
        s = self.settings
        d = self.folder / "d"
        return f'''from = "Home server <box@example.com>";
contacts = ( {{ name = "me"; mail = ["me@example.com"]; totp = "{TOTP_KEY}"; secret = "{SECRET}"; }},
  {{ name = "bo"; mail = ["bo@example.org"]; secret = "another-secret"; }}{s["contacts"]} );
operator = ["bo"];
runner = {{ socket = "{d}/runner.sock"; state = "{d}/runs"; }};
mailboxes = ( {{ name = "inbox"; type = "maildir"; path = "{self.box}"; authserv = "{s["authserv"]}";
  {s["box_settings"]} }} );
{nuncio.outbox(self.outbox)}
rules = (
{self.rules.replace("@program@", str(self.program)).replace("@folder@", str(self.folder))},
  {{ name = "ping"; on = {{ mail = "inbox"; }}; when = {{ subject = "^ping (?<n>[0-9]+)$"; }};
    do = {{ send = {{ to = ["nobody@example.net"]; subject = "pong {{n}}"; text = "pong"; }}; }};
    then = {{ mail = "delete"; }}; }}
);
{s["settings"]}
'''

    def start(self):
        self.runner.start()
        self.daemon.start()
        self.watch()
        return self

    def watch(self):
        self.watcher = self.daemon.connect()
        self.watcher.start("Watch", {}, more=True)
        # what came before the mailbox was first looked at is not its business
        while self.daemon.call("Status")["mailboxes"] == [] or not self.watches():
            pass

    def watches(self):
        return all(m["state"] == "watching" for m in self.daemon.call("Status")["mailboxes"])

    def stop_daemon(self):
        self.watcher.close()
        self.daemon.stop()

    def start_daemon(self):
        self.daemon.start()
        self.watch()

    # ---- mails ----

    def mail(self, subject, text="", sender="Me <me@example.com>", headers=(), message_id=None, date=None):
        self.number += 1
        lines = [("From", sender), ("To", "box@example.com"), ("Subject", subject),
                 ("Date", date or email.utils.formatdate(time.time())),
                 ("Message-ID", message_id or f"<{self.number}.{time.time_ns()}@example.com>")]
        head = "".join(f"{name}: {value}\n" for name, value in [*headers, *lines] if value is not None)
        return (head + "\n" + text).encode()

    def drop(self, mail, at=None):
        self.number += 1
        name = f"{time.time_ns()}.{self.number}.test"
        path = self.box / "tmp" / name
        path.write_bytes(mail)
        if at is not None:
            os.utime(path, (at, at))
        path.rename(self.box / "new" / name)
        return name

    def command(self, subject, text="", at=None, **kw):
        return self.drop(self.mail(subject, text, **kw), at)

    def vouched(self, subject, text="", **kw):
        """As the provider would have added it."""
        kw.setdefault("headers", [("Authentication-Results", f"{AUTHSERV}; dmarc=pass header.from=example.com")])
        return self.command(subject, text, **kw)

    # ---- what comes of them ----

    def mails(self, part=None):
        return [m for m in nuncio.maildir(self.outbox) if part is None or part in (m["Subject"] or "")]

    def wait_mail(self, wanted, count=1):
        """Until so many mails that are wanted(mail) are in the outbox."""
        while True:
            found = [m for m in nuncio.maildir(self.outbox) if wanted(m)]
            if len(found) >= count:
                return found
            self.watcher.answer()

    def wait_report(self, part, count=1):
        return self.wait_mail(lambda m: part in (m["Subject"] or ""), count)[-1]

    def settle(self):
        """All mails dropped so far were dealt with. A folder that is read while mails come may
        show a later one first, so a second ping is sent when the first was answered."""
        for _ in range(2):
            self.number += 1
            pong = f"pong {self.number}"
            self.drop(self.mail(f"ping {self.number}"))
            self.wait_mail(lambda m, pong=pong: m["Subject"] == pong)

    def wait_gone(self, name):
        """The mail's disposal happened; each mail that is dealt with is a turn of the wait."""
        while self.exists(name):
            self.settle()

    def exists(self, name):
        return any(f.name.startswith(name) for part in ("new", "cur") for f in (self.box / part).iterdir())

    def ran(self):
        return self.counts.read_text().splitlines() if self.counts.exists() else []

    def runs(self, **filter_):
        return self.daemon.call("RulesLog", filter_)["runs"]

    def end(self):
        if self.watcher:
            self.watcher.close()
        self.runner.end()


@contextlib.contextmanager
def rig(make_daemon, folder, rules, start=True, **kw):
    made = Rig(make_daemon, folder, rules, **kw)
    try:
        yield made.start() if start else made
    finally:
        made.end()


COUNT = '''  { name = "count"; on = { mail = "inbox"; };
    when = { from = ["me"]; command = "^count (?<what>.+)$"; proof = "totp"; };
    do = { run = ["@program@", "{what}"]; }; }'''
SESAME = COUNT.replace('"totp"', '"secret"')


def key(value):
    return f"Please.\n\nkey: {value}\n"
