"""imap_rig.py - rules_rig.py's daemon and runner with a mailbox on a real IMAP server; each
program that is run says so in a fifo, so that a test can wait for it."""
import contextlib
import imaplib
import os
import select
import smtplib
import socket
import ssl
import time

import nuncio
import servers
from rules_rig import AUTHSERV, SECRET, SESAME, Rig, key


class Account:
    """A user of an IMAP server: how to log in, how to bring a mail."""

    def __init__(self, user, imap, imaps, lmtp, ca, password=None, token=None, host="localhost"):
        self.user, self.imap, self.imaps, self.lmtp = user, int(imap), int(imaps), int(lmtp)
        self.ca, self.password, self.token, self.host = ca, password, token, host

    @classmethod
    def of_oracle(cls, env, token=False):
        return cls(env["USER1"], env["IMAP_PORT"], env["IMAPS_PORT"], env["LMTP_PORT"], env["CA_FILE"],
                   env["PASS1"], env["OAUTH_TOKEN1"] if token else None)

    @classmethod
    def of_dovecot(cls, server, user):
        return cls(user, server.imap, server.imaps, server.lmtp, server.ca, server.users[user])

    def row(self, tls="implicit", auth=None, more=""):
        url = f"imaps://{self.host}:{self.imaps}" if tls == "implicit" else f"imap://{self.host}:{self.imap}"
        secret = f'token = "{self.token}";' if self.token else f'password = {quoted(self.password)};'
        ways = f'auth = ["{auth}"];' if auth else ""
        return (f'{{ name = "inbox"; type = "imap"; url = "{url}"; user = "{self.user}"; {secret} {ways}'
                f' ca_file = "{self.ca}"; authserv = "{AUTHSERV}";'
                f' received_by = ["localhost*", "{socket.gethostname()}*", "{socket.getfqdn()}"]; {more} }}')

    def session(self):
        return smtplib.LMTP("127.0.0.1", self.lmtp)

    @contextlib.contextmanager
    def look(self):
        """An IMAP session of a client that is not nuncio's."""
        session = imaplib.IMAP4_SSL(self.host, self.imaps, ssl_context=ssl.create_default_context(cafile=self.ca))
        session.login(self.user, self.password)
        session.select("INBOX")
        try:
            yield session
        finally:
            session.logout()

    def mails(self):
        with self.look() as session:
            return session.uid("SEARCH", "ALL")[1][0].split()


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class ImapRig(Rig):
    def __init__(self, make_daemon, folder, account, transports=None, rules=SESAME, row=None, **kw):
        self.account = account
        self.row = row or account.row()
        self.transports = transports
        self.fifo = folder / "ran"
        os.mkfifo(self.fifo)
        self.ends = os.open(self.fifo, os.O_RDWR | os.O_NONBLOCK)  # our own writing end: it is never at its end
        self.said = b""
        self.told = []
        super().__init__(make_daemon, folder, rules, **kw)
        self.script("program", f'printf "%s\\n" "$*" >>{self.fifo}; echo "did $*"')
        self.session = None

    def config(self):
        text = super().config()
        start = text.index("mailboxes = (")
        end = text.index("transports = (")
        transports = text[end:text.index("rules = (")] if not self.transports else self.transports
        return text[:start] + f"mailboxes = ( {self.row} );\n" + transports + text[text.index("rules = ("):]

    # ---- mails ----

    def deliver(self, mail):
        """Over LMTP, as the provider's server got it."""
        if self.session is None:
            self.session = self.account.session()
        self.session.sendmail("me@example.com", [self.account.user], mail)

    def hang_up(self):
        """The delivering session: the server goes."""
        if self.session is not None:
            self.session.close()
            self.session = None

    def genuine(self, what, secret=SECRET, **kw):
        return self.mail(f"count {what}", key(secret), headers=[
            ("Authentication-Results", f"{AUTHSERV}; dmarc=pass header.from=example.com")], **kw)

    def bring(self, *whats, **kw):
        """A genuine command for each."""
        for what in whats:
            self.deliver(self.genuine(what, **kw))

    # ---- what comes of them ----

    def next_ran(self, within=None):
        """The next program's argument."""
        end = time.monotonic() + (within or nuncio.PATIENCE)
        while b"\n" not in self.said:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.ends], [], [], left)[0]:
                raise AssertionError(f"nothing ran; before: {self.told[-5:]}\n{self.daemon.log_text()[-2000:]}")
            self.said += os.read(self.ends, 65536)
        line, _, self.said = self.said.partition(b"\n")
        self.told.append(line.decode())
        return self.told[-1]

    def until_ran(self, *whats, within=None):
        """Each of them has run by now."""
        while not set(whats) <= set(self.told):
            self.next_ran(within)

    def wait_disposed(self):
        """Until nothing is left to do, and no mail either."""
        self.wait_runs_over()
        end = time.monotonic() + nuncio.PATIENCE
        with self.account.look() as session:
            while left := session.uid("SEARCH", "ALL")[1][0].split():
                assert time.monotonic() < end, f"{len(left)} mails are left\n{self.daemon.log_text()[-2000:]}"
                servers.select_a_moment()
                session.noop()

    def wait_runs_over(self):
        end = time.monotonic() + nuncio.PATIENCE
        while [run for run in self.runs(rule="count") if run["state"] == "started"]:
            assert time.monotonic() < end
            servers.select_a_moment()

    def expect_once(self, *whats):
        """Obeyed once each, and nothing else was."""
        self.wait_runs_over()
        while select.select([self.ends], [], [], 0)[0]:
            self.said += os.read(self.ends, 65536)
        self.told += self.said.decode().splitlines()
        self.said = b""
        assert sorted(self.told) == sorted(whats)

    def end(self):
        self.hang_up()
        os.close(self.ends)
        super().end()


@contextlib.contextmanager
def imap_rig(make_daemon, folder, account, **kw):
    made = ImapRig(make_daemon, folder, account, **kw)
    try:
        yield made.start()
    finally:
        made.end()
