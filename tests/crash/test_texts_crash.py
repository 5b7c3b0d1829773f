"""kill -9 at every step between a text's arrival and its answer, while the list repeats itself and
shuffles: no command runs twice, each is answered by one text, and STOP is not forgotten."""
import collections
import os
import random

import nuncio
from test_twilio_crash import pass_time
from texts_rig import COUNT, STRANGER, rig

LONG = os.environ.get("NUNCIO_LONG") == "yes"
KILLS = 100 if LONG else 8
POINTS = ["rules.taken", "rules.started", "rules.running", "rules.result", "rules.reported",
          "store.batch", "store.commit", "store.committed"]


def one_life(r, number, chance):
    """The daemon starts, gets a command by text, and dies on the way, or after it by our hand."""
    point = POINTS[number % len(POINTS)]
    times = 1 if point.startswith("rules.") else chance.randrange(1, 8)
    r.daemon.environment = {"NUNCIO_CRASH_AT": f"{point}:{times}"}
    r.receive(f"count {number}")
    try:
        r.daemon.start()
        answered = r.fake.wait_or_end(r.daemon.process, lambda f: any(f"count {number}:" in m["body"]
                                                                     for m in f.sent()), nuncio.PATIENCE)
        assert answered, r.daemon.log_text()[-4000:]
        if r.daemon.process.poll() is None:
            r.daemon.process.kill()
    except AssertionError:
        if r.daemon.process.poll() is None:
            raise
    assert r.daemon.ended() == -9, r.daemon.log_text()[-4000:]
    return point


def finish(r):
    """The last lives: until all is answered, also what was on its way when the daemon died and is
    not at Twilio, which is only believed after a while."""
    r.daemon.environment = {}
    for _ in range(5):
        r.start_daemon()
        if r.fake.wait(lambda f: len(f.sent()) >= KILLS, timeout=10):
            break
        r.stop_daemon()
        pass_time(r.daemon, r.fake, 650)
    r.wait_rounds()


def test_kill_at_every_step(make_daemon, folder):
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    with rig(make_daemon, folder, COUNT.replace('"totp"', '"none"'), start=False) as r:
        r.runner.start()
        # the transport begins with what comes from now on
        r.start_daemon()
        r.receive("STOP", number=STRANGER)
        r.wait_rounds()
        r.stop_daemon()
        r.fake.page_max = 5
        r.fake.order = lambda rows: chance.sample(rows, len(rows)) if len(rows) <= 5 else rows
        r.fake.spoil = lambda page: chance.sample(page, len(page)) + page[:2]
        died = collections.Counter(one_life(r, number, chance) for number in range(KILLS))
        finish(r)

        ran = collections.Counter(r.ran())
        assert not [what for what, times in ran.items() if times > 1], ran
        said = collections.Counter(body.split(":")[0] for body in r.answers())
        assert said == {f"count {n}": 1 for n in range(KILLS)}
        states = collections.Counter(run["state"] for run in r.runs(rule="count", limit=500))
        assert set(states) <= {"done", "interrupted"} and sum(states.values()) == KILLS
        assert [o["number"] for o in r.daemon.call("Contacts")["others"]] == [STRANGER]
        done = {run["command"].split()[-1] for run in r.runs(rule="count", limit=500) if run["state"] == "done"}
        assert done <= set(ran)
        print(dict(died), dict(states), f"{len(ran)} of {KILLS} ran")
