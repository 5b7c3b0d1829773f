"""Texts, kill -9, and a provider that loses answers, answers late and turns away: each text is
created there exactly once, and none is stuck."""
import collections
import contextlib
import os
import random
import sqlite3
import threading

import pytest

import nuncio
import twilio

LONG = os.environ.get("NUNCIO_LONG") == "yes"
KILLS = 100 if LONG else 6
TEXTS = 1000 if LONG else 60
NUMBERS = 97 if LONG else 7
NUMBER = "+15017122661"
POINTS = ["twilio.post", "twilio.answered", "tracker.settle", "store.batch", "store.commit", "store.committed"]


def config(fake, throttle):
    return f'''transports = ( {{ name = "sms"; type = "twilio"; account_sid = "{fake.account}"; concurrency = 4;
        auth_token = "{fake.token}"; api = "{fake.url}"; from = "{NUMBER}"; timeout = "1s";
        throttle = "{throttle}"; segments = 10; }} );\n'''


class Trouble:
    """What goes wrong, by chance; each text is answered in the end."""

    never = threading.Event()

    def __init__(self, chance):
        self.chance, self.on = chance, True
        self.counts = collections.Counter()

    def __call__(self, request):
        if not self.on or self.chance.random() > 0.3:
            return None
        kind = self.chance.choice(["lose", "drop", "busy", "late"] if request.creates else ["drop", "busy"])
        self.counts[kind] += 1
        return {"lose": twilio.LOSE, "drop": twilio.DROP, "busy": twilio.BUSY, "late": self.late}[kind]

    @staticmethod
    def late():
        """Acts and answers when nobody waits for it any more."""
        Trouble.never.wait(1.5)


def pass_time(daemon, fake, seconds):
    """While the daemon is dead: as if it had been dead for so long, in which Twilio comes to an end with all that
    it was asked for."""
    fake.finish()
    with contextlib.closing(sqlite3.connect(next(daemon.state.glob("*.db")))) as database, database:
        database.execute("UPDATE tracked SET since_ms = since_ms - ?1, next_ms = max(next_ms - ?1, 1) WHERE next_ms > 0",
                         (seconds * 1000,))
        database.execute("UPDATE deliveries SET next_ms = next_ms - ?1 WHERE state IN (2, 13)", (seconds * 1000,))
        database.execute("UPDATE texts SET at_ms = at_ms - ?1", (seconds * 1000,))
        # a claim begins its life when it is made
        database.execute("UPDATE deliveries SET changed_ms = changed_ms - ?1 WHERE state = 3", (seconds * 1000,))


def live_and_die(daemon, fake, point, chance, timeout=8, calls=(1, 3, 10, 30)):
    """calls: after one of so many it is killed at the latest. Returns whether it died at the point, and not by our hand."""
    daemon.environment = {"NUNCIO_CRASH_AT": point} if point else {}
    try:
        daemon.start()
    except AssertionError:  # it died before it was ready: a point on the way up
        assert daemon.process.poll() == -9, daemon.log_text()[-4000:]
        daemon.ended()
        return True
    seen = len(fake.calls) + chance.choice(calls)
    fake.wait_or_end(daemon.process, lambda f: len(f.calls) >= seen, timeout=timeout)
    died = daemon.process.poll() is not None
    daemon.process.kill()
    assert daemon.ended() == -9, daemon.log_text()[-4000:]
    return died


def counts(daemon):
    return {state: n for state, n in daemon.call("Status")["counts"].items() if n}


def finish(daemon, fake):
    """The last lives, in which nothing goes wrong: until Twilio has answered for all."""
    daemon.environment = {}
    for _ in range(30):
        daemon.start()
        fake.wait(lambda f: not set(counts(daemon)) & {"queued", "sending", "uncertain"}, timeout=8)
        left = counts(daemon)
        if not set(left) & {"queued", "sending", "uncertain"}:
            return left
        daemon.stop()
        pass_time(daemon, fake, 650)
    raise AssertionError(f"{left}\n{daemon.log_text()[-4000:]}")


def texts_of(body):
    """A bundle says several."""
    return [line[2:] for line in body.splitlines()[1:]] if " messages:" in body else [body]


@pytest.mark.parametrize("throttle", ["none", "1/1m 3/10m"])
def test_each_text_is_created_once(make_daemon, throttle):
    seed = random.SystemRandom().randrange(10**6) if LONG else 1
    print("seed", seed)
    chance = random.Random(seed)
    with twilio.Twilio() as fake:
        daemon = make_daemon(config(fake, throttle))
        daemon.start()
        assert daemon.client("pause", "sms", "not yet").returncode == 0
        bodies = [f"text {i}" for i in range(TEXTS)]
        with daemon.connect() as v:
            for i, body in enumerate(bodies):
                v.call("Send", {"to": [f"+1555{i % NUMBERS:07d}"], "by": "sms", "text": body, "expires": "10d"})
        assert daemon.client("resume", "sms").returncode == 0
        daemon.kill()
        fake.fault = Trouble(chance)
        for kill in range(KILLS):
            point = f"{POINTS[kill % len(POINTS)]}:{chance.choice([1, 2, 5, 12])}" if kill % 3 != 2 else None
            live_and_die(daemon, fake, point, chance)
            pass_time(daemon, fake, chance.choice([0, 20, 650]))
        fake.fault.on = False
        left = finish(daemon, fake)
        created = collections.Counter(t for m in fake.sent() for t in texts_of(m["body"]))
        print(f"{KILLS} kills, {dict(fake.fault.counts)}, {len([r for r in fake.calls if r.creates])} requests "
              f"for {TEXTS} texts, {len([r for r in fake.calls if r.lists])} listings, {len(fake.sent())} created; in the end {left}")
        assert {b: n for b, n in created.items() if n > 1} == {}
        assert set(created) == set(bodies) and sum(left.values()) == TEXTS
