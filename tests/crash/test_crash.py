"""kill -9 at every step while 20 clients send: what was acknowledged is delivered,
and nothing twice but what was in flight, and that with the same Message-ID."""
import collections
import os
import random
import sqlite3
import threading

import nuncio
import sink as sinks

LONG = os.environ.get("NUNCIO_LONG") == "yes"
KILLS = 330 if LONG else 45
CLIENTS = 20
SMTP_POINTS = ["store.begin", "store.batch", "store.commit", "store.committed", "smtp.greeting", "smtp.envelope",
               "smtp.data", "smtp.dot", "smtp.answered"]
MAILDIR_POINTS = ["store.begin", "store.batch", "store.commit", "store.committed", "maildir.written",
                  "maildir.linked"]


class Clients:
    """20 threads that send, each message under a key until it is acknowledged."""

    def __init__(self, socket, seed):
        self.socket, self.seed = socket, seed
        self.acknowledged = {}  # key -> (id, message_id, recipients)
        self.changed = threading.Condition()
        self.over = threading.Event()
        self.pause = threading.Event()
        self.broken = []
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _run(self, n):
        chance = random.Random(self.seed * 1000 + n)
        number = 0
        while not self.over.is_set():
            number += 1
            key = f"c{n}-{number}"
            recipients = [f"{key}-{i}@example.org" for i in range(chance.choice([1, 1, 1, 3]))]
            text = "x" * chance.choice([10, 300, 20_000, 200_000 if number % 10 == 0 else 50])
            asked = {"to": recipients, "subject": key, "text": text, "key": key}
            try:
                self._until_acknowledged(key, asked)
            except Exception as error:  # pylint: disable=broad-except
                self.broken.append(repr(error))
                return

    def _until_acknowledged(self, key, asked):
        while not self.over.is_set():
            try:
                with nuncio.Varlink(self.socket, timeout=nuncio.PATIENCE) as v:
                    reply = v.call("Send", asked)
                with self.changed:
                    self.acknowledged[key] = (reply["id"], reply["message_id"], asked["to"])
                    self.changed.notify_all()
                return
            except (ConnectionError, FileNotFoundError, TimeoutError):
                self.over.wait(0.02)  # the daemon is dead just now

    def wait_more(self, count, process):
        """Until count more were acknowledged, or the daemon is dead."""
        with self.changed:
            goal = len(self.acknowledged) + count
            while len(self.acknowledged) < goal and process.poll() is None:
                self.changed.wait(0.02)

    def end(self):
        self.over.set()
        for thread in self.threads:
            thread.join()
        assert not self.broken, self.broken


def one_life(daemon, clients, point, chance):
    """Starts the daemon, lets clients work, and it dies: at the point, or by our hand."""
    daemon.environment = {"NUNCIO_CRASH_AT": point} if point else {}
    try:
        daemon.start()
    except AssertionError:  # it died before it was ready: a point on the way up
        assert daemon.process.poll() == -9, daemon.log_text()[-4000:]
        daemon.ended()
        return
    clients.wait_more(chance.choice([0, 1, 5, 20, 60]) if not point else 40, daemon.process)
    daemon.process.kill()
    assert daemon.ended() == -9, daemon.log_text()[-4000:]


def lives(daemon, clients, points, sink, chance):
    for kill in range(KILLS):
        point = None
        if kill % 3 != 2:
            point = f"{points[kill % len(points)]}:{chance.choice([1, 1, 2, 3, 5, 8, 20])}"
        if sink:
            sink.life = kill
        one_life(daemon, clients, point, chance)
    assert len(daemon.exits) == KILLS


def finish(daemon, clients):
    """A last life, in which all is delivered."""
    clients.end()
    daemon.environment = {}
    daemon.start()
    with daemon.connect() as watcher:
        watcher.start("Watch", {}, more=True)
        while True:
            counts = daemon.call("Status")["counts"]
            if not counts.get("queued") and not counts.get("sending"):
                break
            watcher.answer()
    assert set(k for k, v in counts.items() if v) == {"sent"}, counts


def check_history(daemon, twice):
    """What came twice was never known as sent before its last claim."""
    database = sqlite3.connect(f"file:{next(daemon.state.glob('*.db'))}?mode=ro", uri=True)
    for recipient in twice:
        [(identity,)] = database.execute("SELECT id FROM deliveries WHERE recipient = ?", (recipient,)).fetchall()
        states = [state for (state,) in database.execute(
            "SELECT to_state FROM events WHERE delivery = ? ORDER BY id", (identity,))]
        assert states.count(5) == 1 and states[-1] == 5, (recipient, states)


def test_over_smtp(make_daemon):
    seed = random.SystemRandom().randrange(10**6) if LONG else 1
    print("seed", seed)
    sink = sinks.Sink()
    chance = random.Random(seed)
    daemon = make_daemon(f'''transports = ( {{ name = "mail"; type = "smtp"; concurrency = 4; tls = "none";
        url = "smtp://127.0.0.1:{sink.port}"; }} );\n''')
    clients = Clients(daemon.socket, seed)
    lives(daemon, clients, SMTP_POINTS, sink, chance)
    sink.life = KILLS
    finish(daemon, clients)

    copies = collections.defaultdict(list)
    for copy in sink.copies:
        copies[copy.recipient].append(copy)
    lost = [r for _, _, to in clients.acknowledged.values() for r in to if r not in copies]
    assert not lost, f"{len(lost)} lost: {lost[:5]}"
    twice = {r: c for r, c in copies.items() if len(c) > 1}
    for recipient, found in twice.items():
        assert len({c.message_id for c in found}) == 1, recipient
        assert len({c.life for c in found}) == len(found), f"{recipient} twice in one life"
    for key, (_, message_id, to) in clients.acknowledged.items():
        assert all(c.message_id == message_id for r in to for c in copies[r]), key
    check_history(daemon, twice)
    print(f"{KILLS} kills, {len(clients.acknowledged)} acknowledged, {len(copies)} recipients, "
          f"{len(twice)} of them twice")
    sink.stop()


def test_into_a_maildir(make_daemon, folder):
    outbox = folder / "outbox"
    daemon = make_daemon(nuncio.outbox(outbox))
    clients = Clients(daemon.socket, 2)
    lives(daemon, clients, MAILDIR_POINTS, None, random.Random(2))
    finish(daemon, clients)
    found = collections.Counter(m["Delivered-To"] for m in nuncio.maildir(outbox))
    wanted = [r for _, _, to in clients.acknowledged.values() for r in to]
    assert not [r for r in wanted if r not in found]
    assert not [r for r, n in found.items() if n > 1]  # its file names make it exactly once
    print(f"{KILLS} kills, {len(wanted)} acknowledged recipients, none twice")
