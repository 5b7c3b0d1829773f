"""hostile.py - SMTP servers that misbehave by plan, each on a port of its own. A plan
says for a step (greeting, EHLO, ..., dot) what is answered in place of what is due:

    bytes           said as they are
    a list          each member in a write of its own
    a function      of (session, line): does what it likes, returns one of these
    None            what is due

Nothing here waits for time: sessions wait for the client, tests for what a server heard."""
import contextlib
import email
import email.policy
import re
import socket
import ssl
import struct
import threading

import nuncio

CAPABILITIES = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 100000000", "ENHANCEDSTATUSCODES")
DUE = {"greeting": b"220 hostile ESMTP\r\n", "HELO": b"250 hostile\r\n", "MAIL": b"250 2.1.0 ok\r\n",
       "RCPT": b"250 2.1.5 ok\r\n", "dot": b"250 2.0.0 kept\r\n", "RSET": b"250 2.0.0 ok\r\n",
       "NOOP": b"250 2.0.0 ok\r\n", "QUIT": b"221 2.0.0 bye\r\n", "AUTH": b"235 2.7.0 in\r\n"}


class Over(Exception):
    """The connection is."""


# ---- what a plan may do ----

def close(session, _line=None):
    session.socket.shutdown(socket.SHUT_RDWR)
    raise Over


def reset(session, _line=None):
    session.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Over


def silence(session, _line=None):
    """Says nothing, reads on until the client goes."""
    while True:
        session.read()


def deafness(session, _line=None):
    """Says nothing and reads nothing until the server is stopped."""
    session.server.stopping.wait()
    raise Over


def endless(line):
    def say(session, _line=None):
        while True:
            session.say(line)
    return say


def then(*answers):
    """One after the other, within one answer."""
    def go(session, line=None):
        for answer in answers:
            session.answer(answer, line)
        return b""
    return go


def in_turn(*answers):
    """The first at the first time, and so on; then what is due."""
    rest, lock = list(answers), threading.Lock()

    def go(_session, _line=None):
        with lock:
            return rest.pop(0) if rest else None
    return go


def byte_by_byte(data):
    return [data[i:i + 1] for i in range(len(data))]


class Mail:
    def __init__(self, session, sender):
        self.session, self.sender = session, sender
        self.recipients, self.stuffed, self.answered = [], b"", b""

    @property
    def data(self):
        return re.sub(rb"^\.", b"", self.stuffed, flags=re.M)

    @property
    def parsed(self):
        """As Python's email reads it, once its lines are what SMTP wants."""
        assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", self.data)
        assert max(map(len, self.data.split(b"\r\n"))) <= 998
        mail = email.message_from_bytes(self.data.replace(b"\r\n", b"\n"), policy=email.policy.default)
        assert not mail.defects and mail["Date"].datetime and mail["Message-ID"] == f"<{self.message_id}>"
        return mail

    @property
    def message_id(self):
        found = re.search(rb"^Message-ID:\s*<(.*?)>", self.data, re.I | re.M)
        return found[1].decode() if found else None


class Session:
    def __init__(self, server, sock, number):
        self.server, self.socket, self.number = server, sock, number
        self.buffer, self.lines, self.mail = b"", [], None
        self.said = self.heard = 0  # bytes
        self.unasked = []           # what had come already when its question was answered
        self.over = False

    # ---- bytes, and the end after so many of them ----

    def cut(self, direction, already, more):
        """How many of so many more bytes may pass."""
        cut = self.server.cut
        if not cut or cut[0] != direction or self.number > 1:
            return more
        return max(0, min(more, cut[1] - already))

    def say(self, data):
        allowed = self.cut("said", self.said, len(data))
        self.socket.sendall(data[:allowed])
        self.said += allowed
        if allowed < len(data):
            self.server.cut[2](self)

    def read(self):
        allowed = self.cut("heard", self.heard, 1 << 16)
        if not allowed:
            self.server.cut[2](self)
        data = self.socket.recv(allowed)
        if not data:
            raise Over
        self.heard += len(data)
        return data

    def read_until(self, end):
        data, looked = bytearray(self.buffer), 0
        while (found := data.find(end, max(0, looked - len(end)))) < 0:
            looked = len(data)
            data += self.read()
        self.buffer = bytes(data[found + len(end):])
        return bytes(data[:found])

    # ---- the conversation ----

    def answer(self, answer, line=None):
        while callable(answer):
            answer = answer(self, line)
        for piece in [answer] if isinstance(answer, bytes) else answer or []:
            self.say(piece)
        return answer

    def planned(self, step, line, due):
        answer = self.server.plan.get(step)
        while callable(answer):
            answer = answer(self, line)
        if answer is None:
            answer = due
        whole = answer if isinstance(answer, bytes) else b"".join(answer)
        if self.server.drip:
            answer = byte_by_byte(whole)
        self.answer(answer, line)
        return whole

    def secure(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server.certificate / "server.pem", self.server.certificate / "server.key")
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def ehlo(self):
        lines = ["hostile", *self.server.capabilities]
        return b"".join(b"250%s%s\r\n" % (b" " if i + 1 == len(lines) else b"-", line.encode())
                        for i, line in enumerate(lines))

    def take_mail(self):
        self.buffer = b"\r\n" + self.buffer  # a lone dot ends a mail too
        self.mail.stuffed = (self.read_until(b"\r\n.\r\n") + b"\r\n")[2:]
        with self.server.changed:
            self.server.mails.append(self.mail)
            self.server.changed.notify_all()
        self.mail.answered = self.planned("dot", None, DUE["dot"])
        self.mail = None

    def due(self, step, line):
        if step == "EHLO":
            return self.ehlo()
        if step == "DATA":
            return b"354 go on\r\n" if self.mail and self.mail.recipients else b"554 5.5.1 no valid recipients\r\n"
        if step == "STARTTLS":
            return b"220 2.0.0 go\r\n"
        return DUE.get(step, b"502 5.5.2 what\r\n")

    def do(self, line):
        step = line[:8].upper() if line[:8].upper() == b"STARTTLS" else line[:4].upper()
        step = step.decode(errors="replace")
        if self.buffer:
            self.unasked.append((step, self.buffer[:40]))
        if step == "MAIL":
            self.mail = Mail(self, line)
        elif step == "RSET":
            self.mail = None
        said = self.planned(step, line, self.due(step, line))
        if step == "RCPT" and self.mail and said[:1] == b"2":
            self.mail.recipients.append(re.search(rb"<(.*)>", line)[1].decode())
        elif step == "DATA" and said[:3] == b"354":
            self.take_mail()
        elif step == "STARTTLS" and said[:3] == b"220":
            self.secure()
        elif step == "QUIT":
            raise Over

    def talk(self):
        if self.server.tls_at_once:
            self.secure()
        self.planned("greeting", None, DUE["greeting"])
        while True:
            line = self.read_until(b"\r\n")
            self.lines.append(line)
            self.do(line)

    def run(self):
        try:
            self.talk()
        except (OSError, Over, ssl.SSLError):
            pass
        finally:
            with self.server.changed:
                self.over = True
                with contextlib.suppress(OSError):
                    self.socket.close()
                self.server.changed.notify_all()


class Server:
    """plan, capabilities, cut, drip may be changed at any time.
    cut: ("said" or "heard", so many bytes, close or reset), of the first connection."""

    def __init__(self, plan=None, capabilities=CAPABILITIES, host="127.0.0.1", port=0, cut=None, certificate=None,
                 tls_at_once=False, drip=False, receive_buffer=None):
        self.plan, self.capabilities, self.cut = plan or {}, capabilities, cut
        self.certificate, self.tls_at_once, self.drip = certificate, tls_at_once, drip
        self.sessions, self.mails = [], []
        self.changed = threading.Condition()
        self.stopping = threading.Event()
        self.listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in host:
            self.listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if receive_buffer:
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.listener.bind((host, port))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.changed:
                session = Session(self, sock, len(self.sessions) + 1)
                self.sessions.append(session)
                self.changed.notify_all()
            threading.Thread(target=session.run, daemon=True).start()

    def stop(self):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for session in self.sessions:
            with contextlib.suppress(OSError):
                session.socket.shutdown(socket.SHUT_RDWR)

    def wait(self, wanted):
        """Until wanted(server) is true; returns that."""
        with self.changed:
            assert self.changed.wait_for(lambda: wanted(self), nuncio.PATIENCE), "a server waited in vain"
            return wanted(self)
