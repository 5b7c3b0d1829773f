"""nunciod under a service manager: its watchdog, what it says of itself, its socket
passed in, its log in the journal's own form."""
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

import nuncio


def hear(daemon, wanted, seconds=nuncio.PATIENCE):
    """The first datagram in which wanted is; None: not in this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            said = daemon.notify.recv(4096).decode()
        except TimeoutError:
            continue
        if wanted in said:
            return said
    return None


def test_the_watchdog_is_fed_only_while_the_store_answers(make_daemon, folder):
    d = make_daemon(nuncio.outbox(folder / "outbox"), environment={"WATCHDOG_USEC": "200000"}).start()
    for _ in range(3):
        assert hear(d, "WATCHDOG=1")
    other = sqlite3.connect(d.state / "queue.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    d.notify.settimeout(0.2)
    quiet = 0  # in a row, of 0.2 s each; pings come twice as often
    end = time.monotonic() + nuncio.PATIENCE
    while quiet < 4:
        assert time.monotonic() < end
        quiet = 0 if hear(d, "WATCHDOG=1", 0.2) else quiet + 1
    other.rollback()
    other.close()
    for _ in range(3):
        assert hear(d, "WATCHDOG=1")


def test_another_process_s_watchdog_is_not_fed(make_daemon, folder):
    d = make_daemon(nuncio.outbox(folder / "outbox"),
                    environment={"WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"}).start()
    assert hear(d, "STATUS=")
    assert hear(d, "WATCHDOG=1", 1) is None


def test_the_status_line_counts_and_tells_of_a_bad_reload(make_daemon, folder):
    d = make_daemon(nuncio.outbox(folder / "outbox"), environment={"WATCHDOG_USEC": "200000"}).start()
    d.call("Send", {"to": ["a@example.org"], "text": "x", "at": "1h"})
    d.call("Send", {"to": ["a@example.org", "b@example.org"], "text": "x", "hold": True})
    assert hear(d, "STATUS=1 waiting, 0 being sent, 2 held")
    d.call("Pause", {"transport": "outbox"})
    assert hear(d, "; outbox is paused")
    d.reload("transports = 5;\n")
    assert hear(d, "the new configuration is bad")
    d.reload(nuncio.outbox(folder / "outbox"))
    assert hear(d, "STATUS=1 waiting, 0 being sent, 2 held; outbox is paused")


def test_a_start_says_how_long_it_may_take(make_daemon, folder):
    d = make_daemon(nuncio.outbox(folder / "outbox")).start(wait=False)
    said = hear(d, "EXTEND_TIMEOUT_USEC=")
    assert int(said.split("=")[1]) >= 30_000_000
    d.wait_ready()


class Manager:
    """Keeps a listening socket and passes it to each nunciod it starts."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(daemon.socket))
        self.listener.listen(64)
        self.process = None

    def start(self):
        fd = self.listener.fileno()
        script = ("import os, sys; fd = int(sys.argv[1]); os.dup2(fd, 3, inheritable=True); "
                  "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='nuncio'); "
                  "os.execv(sys.argv[2], sys.argv[2:])")
        with open(self.daemon.log, "ab") as log:
            self.process = subprocess.Popen(
                ["/usr/bin/python3", "-c", script, str(fd), nuncio.BUILD / "daemon" / "nunciod", "-f", self.daemon.file],
                pass_fds=[fd], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self, signo):
        self.process.send_signal(signo)
        return self.process.wait(timeout=nuncio.PATIENCE)


def send_in_thread(daemon, answers):
    def run():
        with daemon.connect() as v:
            answers.append(v.call("Send", {"to": ["a@example.org"], "text": "while nobody is there"})["id"])

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("signo", [signal.SIGTERM, signal.SIGKILL])
def test_clients_wait_while_it_is_restarted(folder, signo):
    d = nuncio.Daemon(folder / "d", nuncio.outbox(folder / "outbox"))
    manager = Manager(d)
    manager.start()
    assert d.call("Status")["pid"] == manager.process.pid
    assert manager.end(signo) == (0 if signo == signal.SIGTERM else -signo)
    assert d.socket.exists()
    answers = []
    threads = [send_in_thread(d, answers) for _ in range(5)]
    connected = [d.connect() for _ in range(3)]  # nobody is there, and nobody is refused
    assert answers == []
    manager.start()
    for thread in threads:
        thread.join(nuncio.PATIENCE)
    assert len(set(answers)) == 5
    for v in connected:
        assert v.call("Status")["pid"] == manager.process.pid
        v.close()
    for identity in answers:
        assert d.wait_final(identity) == {"a@example.org": "sent"}
    assert manager.end(signal.SIGTERM) == 0
    assert d.socket.exists()
    assert "Sanitizer" not in d.log_text()


def test_what_is_passed_must_be_a_listening_unix_socket(folder):
    d = nuncio.Daemon(folder / "d", nuncio.outbox(folder / "outbox"))
    manager = Manager(d)
    manager.listener = socket.create_server(("127.0.0.1", 0))
    manager.start()
    assert manager.process.wait(timeout=nuncio.PATIENCE) == 78
    assert "no listening Unix stream socket" in d.log_text()
