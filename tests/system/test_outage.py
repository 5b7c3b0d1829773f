"""A smarthost that is away while much waits: how often it is asked, what that costs,
and that all goes out when it is back, urgent and oldest first."""
import os
import socket
import threading
import time

import nuncio
import sink as sinks

LONG = os.environ.get("NUNCIO_LONG") == "yes"
WAITING = 100_000 if LONG else 10_000
URGENT = 20
SECONDS = 60 if LONG else 20


class Closed:
    """A server that takes connections and says nothing but goodbye; notes when."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.came = []
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.came.append(time.monotonic())
            with connection:
                connection.sendall(b"421 4.3.2 away\r\n")

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


def queue_many(daemon, first, count, **more):
    """Pipelined, with as many unanswered as the daemon takes."""
    with daemon.connect() as v:
        asked = answered = 0
        while answered < count:
            while asked < count and asked - answered < 64:
                v.start("Send", {"to": [f"n{first + asked}@example.org"], "text": "x" * 500, **more})
                asked += 1
            assert v.answer()
            answered += 1


def usage(daemon):
    """Private memory in KiB and CPU seconds."""
    pid = daemon.process.pid
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as smaps:
        memory = sum(int(line.split()[1]) for line in smaps if line.startswith("Private_Dirty:"))
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return memory, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_smarthost_that_is_away(make_daemon):
    closed = Closed()
    daemon = make_daemon(f'''transports = ( {{ name = "mail"; type = "smtp"; tls = "none"; concurrency = 4;
        url = "smtp://127.0.0.1:{closed.port}"; }} );\n''').start()
    queue_many(daemon, 0, 100)
    daemon.wait_transport("mail", "down")
    first, _ = usage(daemon)
    queue_many(daemon, 100, WAITING - 100)
    queue_many(daemon, WAITING, URGENT, priority="urgent")
    memory, cpu = usage(daemon)

    begun = time.monotonic()
    asked = len(closed.came)
    threading.Event().wait(SECONDS)
    later, later_cpu = usage(daemon)
    status = daemon.call("Status")
    print(f"{WAITING} waiting: memory {first} -> {memory} -> {later} KiB, {later_cpu - cpu:.2f} s CPU in {SECONDS} s, "
          f"connections at {[round(t - closed.came[0], 1) for t in closed.came]}")
    assert status["counts"]["queued"] == WAITING + URGENT
    # one at a time, each wait about twice the one before: 5 s, 10 s, 20 s ... (+-20 %)
    waits = [b - a for a, b in zip(closed.came, closed.came[1:])]
    for n, wait in enumerate(waits):
        assert 0.79 * 5 * 2 ** n <= wait, waits
    assert len(closed.came) - asked <= (5 if LONG else 3), closed.came
    assert later_cpu - cpu < 0.05 * (time.monotonic() - begun)
    assert later < memory + 512
    if b"__asan_init" not in (nuncio.BUILD / "daemon" / "nunciod").read_bytes():
        assert memory < first + 4096

    closed.stop()
    sink = sinks.Sink()
    daemon.reload(daemon.file.read_text().split("\n", 2)[2].replace(str(closed.port), str(sink.port)))
    assert sink.wait_copies(WAITING + URGENT, nuncio.PATIENCE * (10 if LONG else 4)), len(sink.copies)
    order = [int(c.recipient[1:].partition("@")[0]) for c in sink.copies]
    assert sorted(order) == list(range(WAITING + URGENT))
    # four sessions side by side: as good as in order
    assert max(order.index(number) for number in range(WAITING, WAITING + URGENT)) < URGENT + 8, order[:URGENT + 8]
    rest = [number for number in order if number < WAITING]
    assert max(abs(at - number) for at, number in enumerate(rest)) < 300
    sink.stop()


def test_an_outage_is_told_to_the_operator_over_another_transport(make_daemon, folder):
    """How often, and what a day of a wrong password costs, is counted with a turned clock in the talk ring."""
    closed = Closed()
    daemon = make_daemon(f'''from = "box@example.com"; operator = ["me"];
        contacts = ( {{ name = "me"; mail = ["me@example.com"]; }} );
        transports = ( {{ name = "mail"; type = "smtp"; tls = "none"; url = "smtp://127.0.0.1:{closed.port}"; max_down = "1s"; }},
          {{ name = "here"; type = "maildir"; path = "{folder}/here"; }} );\n''').start()
    daemon.call("Send", {"to": ["a@example.org"], "text": "x"})
    with daemon.connect() as watcher:
        for event in watcher.watch():
            if event.get("transport") == "here" and event["to"] == "sent":
                break
    [told] = nuncio.maildir(folder / "here")
    assert told["Subject"].endswith(": mail is down") and told["To"] == "me@example.com"
    assert told["Return-Path"] in (None, "<>") and told["Auto-Submitted"] == "auto-generated" and told["X-Nuncio-Id"]
    text = told.get_content()
    assert "421 4.3.2 away" in text and "1 deliveries wait" in text, text
    closed.stop()


def test_a_name_that_is_not_answered_holds_up_nobody_else(make_daemon, folder):
    """DNS that is dead: other transports and clients go on."""
    daemon = make_daemon(f'''transports = (
        {{ name = "lost"; type = "smtp"; tls = "none"; url = "smtp://no-such-host.invalid:25"; concurrency = 8; }},
        {{ name = "here"; type = "maildir"; path = "{folder}/here"; }} );\n''').start()
    for n in range(20):
        daemon.call("Send", {"to": [f"n{n}@example.org"], "text": "x"})
    started = time.monotonic()
    last = daemon.call("Send", {"to": ["a@example.org"], "text": "x", "by": "here"})["id"]
    assert daemon.wait_final(last) == {"a@example.org": "sent"}
    assert time.monotonic() - started < 5
    assert daemon.call("Status")["counts"]["queued"] == 20
