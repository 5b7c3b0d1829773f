"""kill -9 at every step between a command's arrival and the end of its mail: no command
runs twice, none is left without a report, and its mail is gone."""
import collections
import os
import random

import nuncio
from rules_rig import SECRET, SESAME, key, rig

LONG = os.environ.get("NUNCIO_LONG") == "yes"
KILLS = 200 if LONG else 20
POINTS = ["rules.taken", "rules.started", "rules.running", "rules.result", "rules.reported", "rules.disposed",
          "store.batch", "store.commit", "store.committed"]


def one_life(r, number, chance):
    """The daemon starts, gets a command, and dies on the way, or after it by our hand."""
    point = POINTS[number % len(POINTS)]
    times = 1 if point.startswith("rules.") else chance.randrange(1, 8)
    r.daemon.environment = {"NUNCIO_CRASH_AT": f"{point}:{times}"}
    name = r.command(f"count {number}", key(SECRET))
    try:
        r.daemon.start()
        r.watch()
        r.wait_report(f"Re: count {number}")
        r.wait_gone(name)
        r.daemon.process.kill()
    except (AssertionError, ConnectionError, FileNotFoundError, nuncio.VarlinkError):
        if r.daemon.process.poll() is None:
            r.daemon.process.wait(timeout=nuncio.PATIENCE)
    if r.watcher:
        r.watcher.close()
    assert r.daemon.ended() == -9, r.daemon.log_text()[-4000:]
    return name, point


def reports(r):
    """Of each command: the Message-IDs of what was said about it."""
    found = collections.defaultdict(set)
    for mail in r.mails("Re: count "):
        found[int(mail["Subject"].split()[-1])].add(mail["Message-ID"])
    return found


def test_kill_at_every_step(make_daemon, folder):
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    chance = random.Random(seed)
    with rig(make_daemon, folder, SESAME, start=False) as r:
        r.runner.start()
        # the mailbox begins with what comes from now on
        r.start_daemon()
        r.settle()
        r.stop_daemon()
        names, died = [], collections.Counter()
        for number in range(KILLS):
            name, point = one_life(r, number, chance)
            names.append(name)
            died[point] += 1
        r.daemon.environment = {}
        r.start_daemon()
        while len(reports(r)) < KILLS:
            r.settle()
        for name in names:
            r.wait_gone(name)

        ran = collections.Counter(r.ran())
        assert not [what for what, times in ran.items() if times > 1], ran
        said = reports(r)
        assert sorted(said) == list(range(KILLS))
        assert {n: ids for n, ids in said.items() if len(ids) != 1} == {}
        states = collections.Counter(run["state"] for run in all_runs(r))
        assert set(states) <= {"done", "interrupted"} and sum(states.values()) == KILLS
        print(dict(died), dict(states), f"{len(ran)} of {KILLS} ran")
        # what is told to have run did, and nothing else
        done = {int(run["command"].split()[-1]) for run in all_runs(r) if run["state"] == "done"}
        assert {str(n) for n in done} <= set(ran)


def all_runs(r):
    rows, before = [], None
    while True:
        page = r.daemon.call("RulesLog", {"rule": "count", "limit": 500, **({"before": before} if before else {})})
        rows += page["runs"]
        before = page["before"]
        if before is None:
            return rows
