"""nuncio called as sendmail, mailq and newaliases, by programs that know nothing of
it; with the daemon there, and without it."""
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import socket
import stat
import subprocess
import sys
import threading

import pytest

import nuncio

CONFIG = """
from = "Home server <box@example.com>";
contacts = ( { name = "root"; mail = ["root@host.example.org"]; },
             { name = "alice"; mail = ["alice@host.example.org"]; } );
aliases = ( { name = "www-data"; to = ["admins", "web@example.org"]; }, { name = "admins"; to = ["root", "alice"]; } );
"""
MAIL = b"From: me@example.org\nTo: ops@example.org\nSubject: x\n\nbody\n"


class Box:
    """A folder with the three programs, a drop directory, and a daemon, started or not."""

    def __init__(self, folder):
        self.folder = folder
        self.drop = folder / "drop"
        self.drop.mkdir()
        self.outbox = folder / "outbox"
        self.daemon = nuncio.Daemon(folder / "d", CONFIG + nuncio.outbox(self.outbox))
        for name in ("sendmail", "mailq", "newaliases"):
            (folder / name).symlink_to(nuncio.BUILD / "client" / "nuncio")

    def run(self, *arguments, input=MAIL, program="sendmail", env=None, **kw):
        environment = {**os.environ, "NUNCIO_SOCKET": str(self.daemon.socket), "NUNCIO_SPOOL": str(self.drop),
                       **(env or {})}
        return subprocess.run([self.folder / program, *arguments], input=input, capture_output=True,
                              timeout=nuncio.PATIENCE, env=environment, **kw)

    def files(self):
        return set(self.outbox.glob("new/*"))

    def newest(self):
        return max((d["message"] for d in self.daemon.call("List", {"limit": 500})["deliveries"]), default=0)

    def send(self, *arguments, input=MAIL, **kw):
        """What became of it: exit status, envelope, and the bytes of the mail."""
        before, newest = self.files(), self.newest()
        done = self.run(*arguments, input=input, **kw)
        sent = {"exit": done.returncode, "said": done.stderr.decode(errors="replace"), "message": None}
        identity = self.newest()
        if identity == newest:
            return sent
        self.daemon.wait_final(identity)
        shown = self.daemon.show(identity)
        new = self.files() - before
        recipients = sorted(d["recipient"] for d in shown["deliveries"])
        assert len(new) == len(recipients)
        mail = min(new)
        return {**sent, "sender": shown["sender"], "recipients": recipients, "message": str(mail),
                "mail": mail.read_bytes()}

    def spooled(self):
        return sorted(self.drop.iterdir())


def begin(folder):
    folder.mkdir()
    folder.chmod(0o755)
    return Box(folder)


@pytest.fixture(scope="module")
def box(session_folder):
    """One daemon for all that only send."""
    b = begin(session_folder / "sendmail")
    b.daemon.start()
    yield b
    b.daemon.stop()
    assert "Sanitizer" not in b.daemon.log_text()
    assert b.spooled() == []


@pytest.fixture
def alone(folder):
    """Without a daemon."""
    b = begin(folder / "alone")
    yield b
    b.daemon.stop()


def body_of(mail):
    return mail.replace(b"\r\n", b"\n").partition(b"\n\n")[2]


def field(mail, name):
    found = re.search(rb"^" + name.encode() + rb":[ \t]*(.*)$", mail.replace(b"\r\n", b"\n").partition(b"\n\n")[0],
                      re.M | re.I)
    return found and found.group(1).decode()


def test_callers_as_captured(box):
    oracle = nuncio.ORACLES / "sendmail"
    if not oracle.is_dir():
        pytest.skip("no oracles beside this clone")
    cases = json.loads((oracle / "cases.json").read_text())
    results = box.folder / "results"
    with results.open("w") as out:
        for case in cases:
            original = (oracle / case["stdin"]).read_bytes()
            sent = box.send(*case["argv"], input=original)
            out.write(json.dumps({"id": case["id"], **{k: v for k, v in sent.items() if k != "mail"}}) + "\n")
    judged = subprocess.run([sys.executable, oracle / "judge.py", results], capture_output=True, text=True)
    assert judged.stdout.splitlines()[-1] == f"{len(cases)} passed, 0 failed", judged.stdout


# What goes out: (arguments, standard input, recipients, envelope sender or None for the default, body)
SENT = {
    "cronie": (["-FCronDaemon", "-i", "-odi", "-oem", "-oi", "-t", "-f", "root"],
               b"From: root (Cron Daemon)\nTo: root\nSubject: c\n\nout\n.\nmore\n",
               ["root@host.example.org"], None, b"out\n.\nmore\n"),
    "cronie, older": (["-FCronDaemon", "-i", "-odi", "-oem", "root"], b"To: root\n\nout\n",
                      ["root@host.example.org"], None, b"out\n"),
    "an alias": (["-i", "www-data", "alice"], MAIL, ["alice@host.example.org", "root@host.example.org",
                                                      "web@example.org"], None, b"body\n"),
    "sender glued": (["-frobot@example.org", "-i", "a@example.org"], MAIL, ["a@example.org"], "robot@example.org",
                     b"body\n"),
    "null sender in brackets": (["-f", "<>", "a@example.org"], MAIL, ["a@example.org"], "", b"body\n"),
    "local sender": (["-f", "alice", "a@example.org"], MAIL, ["a@example.org"], None, b"body\n"),
    "last sender counts": (["-f", "a@example.org", "-r", "b@example.org", "c@example.org"], MAIL, ["c@example.org"],
                           "b@example.org", b"body\n"),
    "options behind": (["a@example.org", "-i"], b"\na\n.\nb\n", ["a@example.org"], None, b"a\n.\nb\n"),
    "dash recipient": (["-i", "--", "-x@example.org"], MAIL, ["-x@example.org"], None, b"body\n"),
    "word with a name": (["Ops <a@example.org>, b@example.org (B)"], MAIL, ["a@example.org", "b@example.org"], None,
                         b"body\n"),
    "header adds to words": (["-ti", "b@example.org"], b"To: a@example.org\n\nbody\n",
                             ["a@example.org", "b@example.org"], None, b"body\n"),
    "header folded, groups, comments": (
        ["-ti"], b'To: "A, a" <a@example.org>,\n\tTeam: b@example.org, C <c@example.org>;\n'
        b"Cc: (nobody, here) d@example.org (D)\nBCC: e@example.org\n\nbody\n",
        [f"{c}@example.org" for c in "abcde"], None, b"body\n"),
    "resent": (["-ti"], b"Resent-From: me@example.org\nResent-To: b@example.org\nResent-Bcc: c@example.org\n"
               b"To: a@example.org\n\nbody\n", ["b@example.org", "c@example.org"], None, b"body\n"),
    "once each": (["-ti", "a@example.org"], b"To: a@example.org\nCc: A <a@example.org>\n\nbody\n",
                  ["a@example.org"], None, b"body\n"),
    "international domain": (["a@bücher.example"], MAIL, ["a@xn--bcher-kva.example"], None, b"body\n"),
    "quoted local part": (['"a b"@example.org'], MAIL, ['"a b"@example.org'], None, b"body\n"),
    "CRLF": (["-ti"], b"To: a@example.org\r\nSubject: x\r\n\r\nbody\r\nmore\r\n", ["a@example.org"], None,
             b"body\nmore\n"),
    "CRLF and a dot": (["a@example.org"], b"Subject: x\r\n\r\nbody\r\n.\r\nmore\r\n", ["a@example.org"], None,
                       b"body\n"),
    "dots that end nothing": (["a@example.org"], b"\n..\n. \n.x\n", ["a@example.org"], None, b"..\n. \n.x\n"),
    "a dot alone": (["a@example.org"], b".\nmore\n", ["a@example.org"], None, b""),
    "a dot at the end of the file": (["a@example.org"], b"\nbody\n.", ["a@example.org"], None, b"body\n"),
    "only text": (["a@example.org"], b"just text\n", ["a@example.org"], None, b"just text\n"),
    "only a header": (["a@example.org"], b"Subject: x", ["a@example.org"], None, b""),
    "8 bits": (["-i", "a@example.org"], "Subject: Größe\n\nGröße\n".encode(), ["a@example.org"], None,
               "Größe\n".encode()),
    "8 bits that are no UTF-8": (["-i", "a@example.org"], b"X: y\n\n\xff\xfe\xe9\n", ["a@example.org"], None,
                                 b"\xff\xfe\xe9\n"),
    "NUL in the header": (["-i", "a@example.org"], b"Subject: a\0b\n\nbody\n", ["a@example.org"], None, b"body\n"),
    "two mbox lines": (["-i", "a@example.org"], b"From alice Sun Nov 22 08:00:00 2026\nA: b\n\nFrom me\n",
                       ["a@example.org"], None, b"From me\n"),
    "large": (["-i", "a@example.org"], b"A: b\n\n" + 40000 * b"0123456789 0123456789 0123456789\n.\n",
              ["a@example.org"], None, 40000 * b"0123456789 0123456789 0123456789\n.\n"),
}


@pytest.mark.parametrize("name", SENT)
def test_what_goes_out(box, name):
    arguments, mail, recipients, sender, body = SENT[name]
    sent = box.send(*arguments, input=mail)
    assert sent["exit"] == 0, sent
    assert sent["recipients"] == recipients
    assert sent["sender"] == ("box@example.com" if sender is None else sender)
    assert hashlib.sha256(body_of(sent["mail"])).digest() == hashlib.sha256(body).digest(), sent["mail"][:2000]
    assert field(sent["mail"], "Bcc") is None and field(sent["mail"], "Resent-Bcc") is None
    assert field(sent["mail"], "Date") and field(sent["mail"], "Message-ID")


# What does not: (arguments, standard input, exit status, part of what is said)
REFUSED = {
    "nobody": (["-i"], MAIL, 64, "to whom"),
    "an empty word": ([""], MAIL, 64, "to whom"),
    "nobody in the header": (["-ti"], b"Subject: x\n\nTo: a@example.org\n", 65, "nobody"),
    "undisclosed": (["-ti"], b"To: undisclosed-recipients:;\n\nx\n", 65, "nobody"),
    "an unknown user": (["carol"], MAIL, 67, "aliases"),
    "an unknown user in the header": (["-ti"], b"To: a@example.org, carol\n\nx\n", 67, "carol"),
    "no address": (["a@@example.org"], MAIL, 67, "a@@example.org"),
    "two that ran together": (["-ti"], b"To: a@example.org b@example.org\n\nx\n", 67, "b@example.org"),
    "a recipient that is not UTF-8": ([b"\xff@example.org"], MAIL, 67, "UTF-8"),
    "a sender that is none": (["-f", "a@@b", "a@example.org"], MAIL, 65, "a@@b"),
    "a second line of the sender": (["-f", "a@b.org\nX: y", "a@example.org"], MAIL, 65, "control character"),
    "an option that is none": (["-Z", "a@example.org"], MAIL, 64, "-Z"),
    "an argument missing": (["-i", "-f"], MAIL, 64, "-f"),
    "the daemon": (["-bd", "-q30m"], b"", 64, "nunciod"),
    "test of addresses": (["-bt"], b"", 64, "rules"),
    "verification": (["-bv", "a@example.org"], b"", 64, "-bv"),
    "a header without end": (["a@example.org"], 40000 * b"X-Long: 0123456789 0123456789 0123456789\n", 65, "header"),
    "two authors": (["a@example.org"], b"From: a@x.org\nFrom: b@x.org\n\nx\n", 65, "From"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not(box, name):
    arguments, mail, status, said = REFUSED[name]
    sent = box.send(*arguments, input=mail)
    assert (sent["exit"], sent["message"]) == (status, None), sent
    assert said in sent["said"]
    assert len(sent["said"].splitlines()) == 1


def test_from_is_made_of_the_sender(box):
    no_from = b"Subject: x\n\nbody\n"
    assert field(box.send("a@example.org", input=no_from)["mail"], "From") == "Home server <box@example.com>"
    mail = box.send("-f", "robot@example.org", "-F", 'The "Robot"', "a@example.org", input=no_from)["mail"]
    assert field(mail, "From") == '"The \\"Robot\\"" <robot@example.org>'
    mail = box.send("-f", "robot@example.org", "-F", "Robot", "a@example.org")["mail"]
    assert field(mail, "From") == "me@example.org"
    mail = box.send("-f", "r@example.org", "-F", "a\nTo: b@example.org", "a@example.org", input=no_from)["mail"]
    assert field(mail, "To") is None
    mail = box.send("-F", "Cron Daemon", "a@example.org", input=no_from)["mail"]
    assert field(mail, "From") == "Cron Daemon <box@example.com>"
    mail = box.send("a@example.org", input=b"From: Cron Daemon <root>\n\nx\n")["mail"]
    assert field(mail, "From") == "Cron Daemon <box@example.com>"
    mail = box.send("a@example.org", input=b"From: root\n\nx\n")["mail"]
    assert field(mail, "From") == "Home server <box@example.com>"


def test_nul_bytes_in_the_body(box):
    sent = box.send("-i", "a@example.org", input=b"Subject: x\n\nbo\0dy\n")
    assert sent["exit"] == 0 and b"dy" in body_of(sent["mail"])


def test_a_program_that_writes_slowly_and_in_pieces(box):
    program = subprocess.Popen([box.folder / "sendmail", "-t"], stdin=subprocess.PIPE, env={
        **os.environ, "NUNCIO_SOCKET": str(box.daemon.socket), "NUNCIO_SPOOL": str(box.drop)})
    before = box.files()
    for byte in b"To: a@example.org\n\nslow\n.\n":
        program.stdin.write(bytes([byte]))
        program.stdin.flush()
    assert program.wait(timeout=nuncio.PATIENCE) == 0  # the dot has ended it, the pipe is still open
    program.stdin.close()
    box.daemon.wait_final(box.newest())
    [mail] = box.files() - before
    assert body_of(mail.read_bytes()) == b"slow\n"


def test_a_program_in_perl(box):
    if not shutil.which("perl"):
        pytest.skip("no perl here")
    before = box.files()
    program = """open(my $mail, '|-', $ARGV[0], '-t', '-oi') or die; print $mail "To: a\\@example.org\\n\\nIt is\\n.\\ndone\\n";
                 close($mail) or die"""
    subprocess.run(["perl", "-e", program, box.folder / "sendmail"], check=True,
                   env={**os.environ, "NUNCIO_SOCKET": str(box.daemon.socket)})
    box.daemon.wait_final(box.newest())
    [mail] = box.files() - before
    assert body_of(mail.read_bytes()) == b"It is\n.\ndone\n"


def test_standard_input_closed(box):
    done = subprocess.run(["sh", "-c", 'exec "$0" a@example.org <&-', box.folder / "sendmail"], capture_output=True,
                          env={**os.environ, "NUNCIO_SOCKET": str(box.daemon.socket)})
    assert done.returncode == 66 and b"standard input" in done.stderr


def test_verbose_says_what_became_of_it(box):
    assert re.search(r"queued as message \d+", box.send("-v", "a@example.org")["said"])
    assert box.send("a@example.org")["said"] == ""


def test_as_a_command_of_the_client(box):
    before = box.newest()
    done = box.daemon.client("sendmail", "-i", "a@example.org", input=MAIL.decode())
    assert done.returncode == 0 and box.newest() == before + 1
    assert box.daemon.client("sendmail", "-i", input="x").returncode == 64


def test_the_queue_and_its_flush(make_daemon, folder):
    b = begin(folder / "queue")
    answers = b.folder / "answers"
    answers.write_text("*@* 451 4.7.1 later\n")
    b.daemon = make_daemon(f'transports = ( {{ name = "t"; type = "fake"; answers = "{answers}"; }} );\n').start()
    assert b.run(program="mailq", input=None).stdout == b"Mail queue is empty\n"
    assert b.run("-bp", input=None).stdout == b"Mail queue is empty\n"
    assert b.run("a@example.org").returncode == 0
    b.daemon.wait_events(1, lambda e: e["to"] == "queued" and e["attempt"] == 1)
    listed = b.run(program="mailq", input=None).stdout.decode()
    assert "a@example.org" in listed and "later" in listed and "empty" not in listed
    answers.write_text("*@* 250 2.0.0 ok\n")
    assert b.run("-q", input=None).returncode == 0
    assert b.daemon.wait_final(1) == {"a@example.org": "sent"}
    assert b.run("-q30m", input=None).returncode == 0
    assert b.run(program="mailq", input=None).stdout == b"Mail queue is empty\n"
    for program, arguments in (("newaliases", []), ("newaliases", ["-v"]), ("sendmail", ["-bi"])):
        done = b.run(*arguments, program=program, input=None)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# Without a daemon

def read_spooled(path):
    head, _, mail = path.read_bytes().partition(b"\n\n")
    lines = head.decode().split("\n")
    assert lines[0] == "nuncio spool 1" and lines[1] == f"size {len(mail)}"
    assert re.fullmatch(r"key [0-9a-f]{32}", lines[2])
    return [line for line in lines[3:]], mail, lines[2].split()[1]


def test_without_a_daemon_the_mail_is_kept(alone):
    done = alone.run("-i", "-f", "robot@example.org", "ops@example.org", "root")
    assert (done.returncode, done.stderr) == (0, b"")
    [path] = alone.spooled()
    lines, mail, key = read_spooled(path)
    assert lines == ["from robot@example.org", "to ops@example.org", "to root"]
    assert mail == MAIL and path.name == key
    about = path.lstat()
    assert stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and stat.S_IMODE(about.st_mode) == 0o600


def test_what_is_kept_is_the_envelope_and_the_mail(alone):
    alone.run("-t", "-f", "", input=b"From x y\nTo: a@example.org\nBcc: b@example.org\nno field\n.\nx\n")
    [path] = alone.spooled()
    lines, mail, _ = read_spooled(path)
    assert lines == ["from ", "to a@example.org", "to b@example.org"]
    assert mail == b"To: a@example.org\nBcc: b@example.org\n\nno field\n"
    alone.run("-f", "alice", "a@example.org")
    [path] = set(alone.spooled()) - {path}
    assert read_spooled(path)[0] == ["to a@example.org"]


def test_what_can_be_refused_without_a_daemon_is(alone):
    for arguments, status in ((["-i"], 64), (["a@@example.org"], 67), (["-f", "a@@b", "a@example.org"], 65),
                              (["-bd"], 64), ([b"\xff@example.org"], 67)):
        assert alone.run(*arguments).returncode == status
    assert alone.spooled() == []
    assert alone.run(program="mailq", input=None).returncode == 69
    assert alone.run("-q", input=None).returncode == 69
    assert alone.run(program="newaliases", input=None).returncode == 0


def test_the_daemon_reads_what_its_group_may(alone):
    alone.drop.chmod(0o3733)
    assert stat.S_IMODE(alone.drop.stat().st_mode) == 0o3733
    alone.run("a@example.org")
    [path] = alone.spooled()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640 and path.stat().st_gid == alone.drop.stat().st_gid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_others_can_leave_a_mail_where_they_can_see_none(alone):
    alone.drop.chmod(0o3733)
    os.chown(alone.drop, 12345, 12346)
    done = alone.run("a@example.org", user=23456, group=23457, extra_groups=[])
    assert (done.returncode, done.stderr) == (0, b"")
    [path] = alone.spooled()
    about = path.stat()
    assert (about.st_uid, about.st_gid, stat.S_IMODE(about.st_mode)) == (23456, 12346, 0o640)
    seen = subprocess.run(["ls", alone.drop], user=34567, group=34567, extra_groups=[], capture_output=True)
    assert seen.returncode != 0 and path.name.encode() not in seen.stdout


def test_a_mail_that_cant_be_kept_is_refused(alone):
    for env in ({"NUNCIO_SPOOL": str(alone.folder / "none")}, {"NUNCIO_SPOOL": str(alone.folder / "sendmail")}):
        done = alone.run("a@example.org", env=env)
        assert done.returncode == 75
        said = done.stderr.decode()
        assert "no nunciod answers" in said and "can't be left" in said and len(said.splitlines()) == 1
    full = alone.run("a@example.org", input=MAIL + 100000 * b"x", env={"MALLOC_CHECK_": "0"}, preexec_fn=small_files)
    assert full.returncode != 0 and alone.spooled() == []


def small_files():
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


def test_verbose_says_where_it_waits(alone):
    done = alone.run("-v", "a@example.org")
    assert done.returncode == 0 and str(alone.drop).encode() in done.stderr


class Answering(threading.Thread):
    """Listens where the daemon would; does with each call what it is told to."""

    def __init__(self, path, reply):
        super().__init__(daemon=True)
        pathlib.Path(path).parent.mkdir(exist_ok=True)
        self.reply, self.calls = reply, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.start()

    def run(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                data, fds, _, _ = socket.recv_fds(peer, 65536, 4)
                self.calls.append((json.loads(data.rstrip(b"\0")), [os.pread(fd, 65536, 0) for fd in fds]))
                for fd in fds:
                    os.close(fd)
                if self.reply is not None:
                    peer.sendall(json.dumps(self.reply).encode() + b"\0")

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()


@pytest.mark.parametrize("error,status", [
    ("NotPermitted", 77), ("OverLimit", 69), ("NotStored", 75), ("NoTransport", 78), ("BadMessage", 65),
    ("BadRecipient", 67)])
def test_errors_of_the_daemon_are_exit_statuses(alone, error, status):
    server = Answering(alone.daemon.socket, {"error": "io.nuncio." + error,
                                             "parameters": {"reason": "so it is", "field": "to"}})
    done = alone.run("a@example.org")
    server.stop()
    assert done.returncode == status and b"so it is" in done.stderr
    assert alone.spooled() == []


def test_what_is_asked_of_the_daemon(alone):
    server = Answering(alone.daemon.socket, {"parameters": {"id": 1, "duplicate": False, "repeated": False}})
    assert alone.run("-f", "<>", "a@example.org", "root").returncode == 0
    assert alone.run("a@example.org").returncode == 0
    server.stop()
    (first, [mail]), (second, _) = server.calls
    assert first["method"] == "io.nuncio.Submit" and mail == MAIL
    key = first["parameters"].pop("key")
    assert first["parameters"] == {"to": ["a@example.org", "root"], "from": "", "descriptor": 0}
    assert "from" not in second["parameters"] and second["parameters"]["key"] != key


def test_a_daemon_that_dies_before_it_answers(alone):
    """The mail is kept, under the key that the daemon may have seen."""
    server = Answering(alone.daemon.socket, None)
    done = alone.run("a@example.org")
    server.stop()
    assert done.returncode == 0
    [path] = alone.spooled()
    assert read_spooled(path)[2] == server.calls[0][0]["parameters"]["key"]


# SMTP

def talk(box, text, **kw):
    done = box.run("-bs", input=text, **kw)
    assert done.returncode == 0, done
    lines = done.stdout.decode().split("\r\n")
    assert lines.pop() == ""
    return [line[:3] for line in lines if line[3:4] == " "], lines


def test_smtp_on_standard_input(box):
    before = box.files()
    codes, _ = talk(box, b"EHLO x\r\nMAIL FROM:<robot@example.org> BODY=8BITMIME\r\nRCPT TO:<a@example.org>\r\n"
                         b"RCPT TO:<root>\r\nDATA\r\nSubject: x\r\n\r\n..dot\r\nbody\r\n.\r\nNOOP\r\nQUIT\r\n")
    assert codes == ["220", "250", "250", "250", "250", "354", "250", "250", "221"]
    box.daemon.wait_final(box.newest())
    mails = [f.read_bytes() for f in box.files() - before]
    assert len(mails) == 2 and all(body_of(m) == b".dot\nbody\n" for m in mails)
    assert box.daemon.show(box.newest())["sender"] == "robot@example.org"


def test_smtp_out_of_order(box):
    codes, _ = talk(box, b"RCPT TO:<a@example.org>\nDATA\nMAIL FROM:nobody\nmail from:<>\nMAIL FROM:<>\nRCPT TO:<>\n"
                         b"VRFY a\nEXPN a\nNONSENSE\n\n\xff\nRSET\nRCPT TO:<a@example.org>\nHELO x\nHELP\n")
    assert codes == ["220", "503", "503", "501", "250", "503", "501", "252", "500", "500", "500", "501", "250", "503",
                     "250", "214"]


def test_smtp_says_what_the_daemon_says(box):
    start = b"HELO x\nMAIL FROM:<>\nRCPT TO:<carol>\nDATA\nX: y\n\nbody\n.\n"
    codes, _ = talk(box, start + b"MAIL FROM:<>\nRCPT TO:<a@example.org>\nDATA\nX: y\n\nbody\n.\nQUIT\n")
    assert codes == ["220", "250", "250", "250", "354", "550", "250", "250", "354", "250", "221"]
    newest = box.newest()
    codes, _ = talk(box, b"HELO x\nMAIL FROM:<>\nRCPT TO:<a@example.org>\nRCPT TO:<carol>\nDATA\nX: y\n\nbody\n.\n")
    assert codes[-3:] == ["250", "354", "550"] and box.newest() == newest
    # cut off in the middle of a mail: nothing is sent
    codes, _ = talk(box, b"HELO x\nMAIL FROM:<>\nRCPT TO:<a@example.org>\nDATA\nX: y\n\nbody\n")
    assert codes[-1] == "354" and box.newest() == newest


def test_smtp_without_a_daemon(alone):
    codes, _ = talk(alone, b"HELO x\nMAIL FROM:<alice>\nRCPT TO:<a@example.org>\nDATA\nX: y\n\nbody\n.\nQUIT\n")
    assert codes == ["220", "250", "250", "250", "354", "250", "221"]
    [path] = alone.spooled()
    assert read_spooled(path)[:2] == (["to a@example.org"], b"X: y\n\nbody\n")
