#!/usr/bin/python3
"""react.py - how long from a mail's delivery until the program starts: nuncio, a loop over Python's
imaplib in IDLE, the same loop writing down first what it is about to run ("ledger", without which a
crash runs it twice or never; nuncio always does), and a raw client that only waits for EXISTS (what the
server alone takes), beside each other on one server: Debian's Dovecot, and a scripted one that announces
at once.

  NUNCIO_BUILD=build-release tests/bench/react.py [EVENTS]

Times are milliseconds on CLOCK_MONOTONIC, from just before the mail is put into the folder; for the
scripted server from just before it sends EXISTS. The program is the same for all: bench_now."""
import base64
import contextlib
import email.utils
import hmac
import imaplib
import os
import pathlib
import queue
import re
import select
import shutil
import signal
import socket
import sqlite3
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))
import dovecot  # noqa: E402 pylint: disable=wrong-import-position
import nuncio  # noqa: E402 pylint: disable=wrong-import-position
import servers  # noqa: E402 pylint: disable=wrong-import-position
from rules_rig import Runner  # noqa: E402 pylint: disable=wrong-import-position

NOW = nuncio.BUILD / "tests" / "bench" / "bench_now"
PATIENCE_S = 30
PARTIES = ("nuncio", "imaplib", "ledger", "raw")


def accept(listening, context, serve):
    def begin(peer):
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        serve(context.wrap_socket(peer, server_side=True))

    while True:
        try:
            peer, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=begin, args=(peer,), daemon=True).start()


def listen(certificates, serve):
    """The socket: who connects is served in a thread, over TLS, until it is closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    listening = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listening, context, serve), daemon=True).start()
    return listening


class Scripted:
    """An IMAP server, one mail at a time for each of its users: EXISTS is told at once."""

    def __init__(self, folder):
        servers.make_certificates(folder / "tls")
        self.ca = folder / "tls" / "ca.pem"
        self.socket = listen(folder / "tls", self.serve)
        self.imaps = self.socket.getsockname()[1]
        self.users = {party: "secret" for party in PARTIES}
        self.mails = {party: [] for party in PARTIES}
        self.ready = {party: threading.Semaphore(0) for party in PARTIES}
        self.wake = {party: os.pipe() for party in PARTIES}
        self.told = queue.Queue()

    def start(self):
        pass

    def stop(self):
        self.socket.close()

    def serve(self, peer):
        file, user = peer.makefile("rb"), None
        say = lambda text: peer.sendall(text if isinstance(text, bytes) else text.encode())  # noqa: E731
        say("* OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS LITERAL+] ready\r\n")
        while line := file.readline():
            tag, _, command = line.decode().strip().partition(" ")
            verb = command.upper()
            if verb.startswith("LOGIN"):
                user = command.split()[1].strip('"')
            mails = self.mails.get(user)
            if verb.startswith(("SELECT", "EXAMINE")):
                say(f"* {len(mails)} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Deleted)\r\n"
                    f"* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT {self.next_uid(user)}] ok\r\n")
            elif verb.startswith("IDLE"):
                say("+ idling\r\n")
                self.ready[user].release()
                if self.wake[user][0] in select.select([peer, self.wake[user][0]], [], [])[0]:
                    os.read(self.wake[user][0], 1)
                    self.told.put(time.monotonic())
                    say(f"* {len(mails)} EXISTS\r\n")
                if not file.readline():
                    return
            elif verb.startswith("CAPABILITY"):
                say("* CAPABILITY IMAP4rev1 IDLE UIDPLUS LITERAL+\r\n")
            elif verb.startswith("UID SEARCH"):
                say("* SEARCH " + " ".join(str(uid) for uid, _ in mails[-1:]) + "\r\n")
            elif verb.startswith("UID FETCH"):
                for n, (uid, text) in list(enumerate(mails, 1))[-1:]:  # nobody asks for older ones
                    head = text[:text.index(b"\r\n\r\n") + 4]
                    body = b"BODY[HEADER] {%d}\r\n%s" % (len(head), head) if "BODY.PEEK[HEADER]" in verb else \
                        b"BODY[]<0> {%d}\r\n%s" % (len(text), text) if "<0." in verb else \
                        b"BODY[] {%d}\r\n%s" % (len(text), text)
                    say(b'* %d FETCH (UID %d FLAGS () INTERNALDATE "%s" RFC822.SIZE %d %s)\r\n' % (
                        n, uid, time.strftime("%d-%b-%Y %H:%M:%S +0000", time.gmtime()).encode(), len(text), body))
            say(f"{tag} OK done\r\n")

    def next_uid(self, user):
        return len(self.mails[user]) + 1

    def deliver(self, user, mail):
        """At a moment when the client idles."""
        if not self.ready[user].acquire(timeout=PATIENCE_S):
            raise AssertionError(f"{user} does not idle")
        self.mails[user].append((self.next_uid(user), mail))
        os.write(self.wake[user][1], b"x")
        return self.told.get(timeout=PATIENCE_S)


class Real(dovecot.Dovecot):
    def __init__(self, folder):
        super().__init__(folder)
        self.users = {f"{party}@example.test": "secret" for party in PARTIES}

    def deliver(self, user, mail):
        begun = time.monotonic()
        self.drop(user, mail, f"{time.time_ns()}.bench.test")
        return begun


class Announced(Real):
    """The same Dovecot behind a proxy that tells who idles of a mail as soon as it is there."""

    def start(self):
        super().start()
        self.counts = {user: 0 for user in self.users}
        self.idle = {user: queue.Queue() for user in self.users}
        self.socket = listen(self.folder / "tls", self.serve)
        self.imaps = self.socket.getsockname()[1]

    def stop(self):
        self.socket.close()
        super().stop()

    def user_in(self, said):
        """LOGIN says it, and SASL's first words do, in base64."""
        with contextlib.suppress(ValueError):
            said += base64.b64decode(said.split()[-1], validate=True)
        return next((user for user in self.users if user.encode() in said), None)

    def serve(self, client):
        server = socket.create_connection(("127.0.0.1", self.imap))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.setblocking(False)
        wake, user, idles = os.pipe(), None, False
        while True:
            ready = select.select([client, server, wake[0]], [], [])[0]
            if wake[0] in ready:
                os.read(wake[0], 1)
                client.sendall(b"* %d EXISTS\r\n" % self.counts[user])
            if client in ready:
                with contextlib.suppress(ssl.SSLWantReadError):
                    if not (said := client.recv(65536)):
                        return
                    user = user or self.user_in(said)
                    idles = b" IDLE\r\n" in said.upper()
                    server.sendall(said)
            if server in ready:
                if not (said := server.recv(1 << 20)):
                    return
                client.sendall(said)
                if idles and b"+ idling" in said:
                    self.idle[user].put(wake[1])

    def deliver(self, user, mail):
        """At a moment when the client idles."""
        wake = self.idle[user].get(timeout=PATIENCE_S)
        super().deliver(user, mail)
        self.counts[user] += 1
        begun = time.monotonic()
        os.write(wake, b"x")
        return begun


class ByFifo:
    """Whoever starts bench_now, which says when into a fifo."""

    def __init__(self, folder):
        self.fifo = folder / "started"
        os.mkfifo(self.fifo)
        self.end = os.open(self.fifo, os.O_RDWR)

    def wait(self):
        if not select.select([self.end], [], [], PATIENCE_S)[0]:
            raise AssertionError("nothing was started")
        return int(os.read(self.end, 64).split()[0]) / 1e9


class Nuncio(ByFifo):
    def __init__(self, folder, server, user):
        super().__init__(folder)
        config = f'''from = "Box <box@example.com>";
contacts = ( {{ name = "me"; mail = ["me@example.com"]; secret = "open-sesame-7731"; }} );
runner = {{ socket = "{folder}/d/runner.sock"; state = "{folder}/d/runs"; }};
mailboxes = ( {{ name = "inbox"; type = "imap"; url = "imaps://localhost:{server.imaps}"; user = "{user}";
  password = "secret"; ca_file = "{server.ca}"; authserv = "none"; }} );
{nuncio.outbox(folder / "outbox")}
rules = ( {{ name = "now"; on = {{ mail = "inbox"; }};
  when = {{ from = ["me"]; command = "^now (?<n>[0-9]+)$"; proof = "secret"; }};
  do = {{ run = ["{NOW}", "{self.fifo}"]; }}; then = {{ mail = "keep"; }}; }} );
'''
        self.daemon = nuncio.Daemon(folder / "d", config)
        self.daemon.options = []
        self.runner = Runner(self.daemon)
        self.runner.start()
        self.daemon.start()
        while [m["state"] for m in self.daemon.call("Status")["mailboxes"]] != ["watching"]:
            servers.select_a_moment()

    def stop(self):
        self.daemon.stop()
        self.runner.end()


def is_command(mail):
    """From the owner, with the secret."""
    message = email.message_from_bytes(mail)
    return (email.utils.parseaddr(message["From"])[1] == "me@example.com" and
            re.fullmatch("now ([0-9]+)", message["Subject"]) and
            hmac.compare_digest(message.get_payload().strip(), "key: open-sesame-7731"))


def imaplib_loop(port, ca, user, fifo, ledger):
    """What people write: IDLE, and for each EXISTS the new mail is read and the program run."""
    session = imaplib.IMAP4_SSL("localhost", port, ssl_context=ssl.create_default_context(cafile=ca))
    session.login(user, "secret")
    session.select("INBOX")
    known = max([0, *map(int, session.uid("SEARCH", "ALL")[1][0].split())])
    book = None
    if ledger:
        book = sqlite3.connect(ledger, isolation_level=None)
        book.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE runs (uid INTEGER)")
    while True:
        tag = session._new_tag()
        session.send(tag + b" IDLE\r\n")
        session.readline()
        while b"EXISTS" not in session.readline():
            pass
        session.send(b"DONE\r\n")
        while not session.readline().startswith(tag):
            pass
        for uid in session.uid("SEARCH", f"UID {known + 1}:*")[1][0].split():
            if int(uid) > known:
                known = int(uid)
                if is_command(session.uid("FETCH", uid, "(BODY.PEEK[])")[1][0][1]):
                    if book:
                        book.execute("INSERT INTO runs VALUES (?)", (known,))
                    subprocess.run([NOW, fifo], check=True)


class Imaplib(ByFifo):
    ledger = ""

    def __init__(self, folder, server, user):
        super().__init__(folder)
        self.process = subprocess.Popen([sys.executable, __file__, "imaplib", str(server.imaps), server.ca, user, self.fifo,
                                         self.ledger and folder / self.ledger])

    def stop(self):
        self.process.kill()
        self.process.wait()


class Ledger(Imaplib):
    ledger = "ledger.sqlite"


class Raw:
    """Only waits for EXISTS."""

    def __init__(self, folder, server, user):
        context = ssl.create_default_context(cafile=server.ca)
        self.socket = context.wrap_socket(socket.create_connection(("localhost", server.imaps)), server_hostname="localhost")
        self.file = self.socket.makefile("rb")
        self.file.readline()
        self.say(f"a LOGIN {user} secret", b"a OK")
        self.say("b SELECT INBOX", b"b OK")
        self.say("c IDLE", b"+")

    def say(self, line, until):
        self.socket.sendall(line.encode() + b"\r\n")
        while not self.file.readline().startswith(until):
            pass

    def wait(self):
        while b"EXISTS" not in self.file.readline():
            pass
        at = time.monotonic()
        self.say("DONE", b"c OK")
        self.say("c IDLE", b"+")
        return at

    def stop(self):
        self.socket.close()


def mail(n):
    date = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    return (f"From: Me <me@example.com>\r\nTo: box@example.com\r\nSubject: now {n}\r\nDate: {date}\r\n"
            f"Message-ID: <{n}.{time.time_ns()}@example.com>\r\n\r\nkey: open-sesame-7731\r\n").encode()


def measure(server, folder, users, events):
    parties = {}
    took = {party: [] for party in PARTIES}
    try:
        for party, kind in zip(PARTIES, (Nuncio, Imaplib, Ledger, Raw)):
            (folder / party).mkdir()
            parties[party] = kind(folder / party, server, users[party])
        select.select([], [], [], 2)  # all of them idle
        for n in range(events):
            for party, made in parties.items():
                begun = server.deliver(users[party], mail(n))
                took[party].append((made.wait() - begun) * 1000)
                select.select([], [], [], 0.05)  # it idles again
    finally:
        for made in parties.values():
            made.stop()
    return took


def least(folder, events):
    """What each of them pays at the least, medians in ms: (the program's start, and, for who writes down what it
    does before it does it, one fdatasync of about what a commit is)."""
    starts, syncs = [], []
    fifo = ByFifo(folder)
    with open(folder / "written", "wb", buffering=0) as file:
        for _ in range(events):
            file.write(bytes(32768))
            begun = time.monotonic()
            os.fdatasync(file.fileno())
            syncs.append((time.monotonic() - begun) * 1000)
            select.select([], [], [], 0.05)
            begun = time.monotonic()
            pid = os.posix_spawn(NOW, [NOW, fifo.fifo], {})
            starts.append((fifo.wait() - begun) * 1000)
            os.waitpid(pid, 0)
            select.select([], [], [], 0.05)
    return statistics.median(starts), statistics.median(syncs)


def show(name, took):
    print(f"{name}: {len(took['raw'])} events each, ms")
    for party, times in took.items():
        times = sorted(times)
        print(f"  {party:8} median {statistics.median(times):7.2f}  p99 {times[int(len(times) * 0.99) - 1]:7.2f}"
              f"  most {times[-1]:7.2f}")
    for other in ("imaplib", "ledger"):
        ratio = statistics.median(took["nuncio"]) / statistics.median(took[other])
        print(f"  nuncio / {other}, medians: {ratio:.2f}", flush=True)


def main(events=100):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="nuncio-react-"))
    folder.chmod(0o755)
    known = None
    try:
        for name, kind in (("announces at once", Scripted), ("Dovecot, announced at once", Announced), ("Dovecot", Real)):
            at = folder / kind.__name__.lower()
            at.mkdir()
            server = kind(at)
            server.start()
            try:
                users = dict(zip(PARTIES, server.users))
                took = measure(server, at, users, events)
                show(name, took)
                known = known or [statistics.median(took[party]) for party in ("raw", "imaplib")]
            finally:
                server.stop()
        start, sync = least(folder, events)
        print(f"at the least: the notice {known[0]:.2f} and the program's start {start:.2f} are "
              f"{(known[0] + start) / known[1]:.2f} of imaplib's; one fdatasync is {sync:.2f}")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if sys.argv[1:2] == ["imaplib"]:
        imaplib_loop(int(sys.argv[2]), *sys.argv[3:])
    else:
        main(*map(int, sys.argv[1:]))
