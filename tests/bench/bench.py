#!/usr/bin/env python3
"""bench.py BUILD [--quick] [--only NAME] [--write] - how fast nuncio is beside Postfix:
all sides take turns in one run, three times, and the medians are compared. BUILD
is a release build in which `meson compile bench` was run; the folder for the
queues of all is --folder. --write puts the figures, the table and the plot into
doc/; figures of scenarios that were not run stay as they were.
Needs root, for Postfix runs in namespaces of its own."""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import statistics
import sys
import tempfile
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
ARGUMENTS = argparse.ArgumentParser()
ARGUMENTS.add_argument("build")
ARGUMENTS.add_argument("--quick", action="store_true")
ARGUMENTS.add_argument("--only", action="append", default=[])
ARGUMENTS.add_argument("--write", action="store_true")
ARGUMENTS.add_argument("--folder", default=tempfile.gettempdir())
OPTIONS = ARGUMENTS.parse_args()
os.environ["NUNCIO_BUILD"] = OPTIONS.build

import parties  # noqa: E402 pylint: disable=wrong-import-position
import plot  # noqa: E402 pylint: disable=wrong-import-position

ROUNDS = 1 if OPTIONS.quick else 3
SCALE = 0.2 if OPTIONS.quick else 1
MANY = 100_000 if OPTIONS.quick else 1_000_000


def scaled(n):
    return max(50, int(n * SCALE))


class Result:
    """One line of the table. better: "high" or "low"; goal: a ratio, or a number with its unit."""

    def __init__(self, name, unit, better="high", goal=None, against="Postfix"):
        self.name, self.unit, self.better, self.goal, self.against = name, unit, better, goal, against
        self.values = {}

    @classmethod
    def known(cls, kept):
        made = cls(*(kept[k] for k in ("name", "unit", "better", "goal", "against")))
        made.values = kept["values"]
        return made

    def add(self, party, value):
        self.values.setdefault(party, []).append(value)
        print(f"  {self.name}: {party} {value:.1f} {self.unit}", flush=True)

    def median(self, party):
        return statistics.median(self.values[party]) if party in self.values else None

    def ratio(self):
        ours, theirs = self.median("nuncio"), self.median(self.against)
        if not ours or not theirs:
            return None
        return ours / theirs if self.better == "high" else theirs / ours


class Bench:
    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="nuncio-bench-", dir=OPTIONS.folder))
        self.folder.chmod(0o755)
        self.results = []
        self.made = 0

    def result(self, *a, **kw):
        self.results.append(Result(*a, **kw))
        return self.results[-1]

    def place(self):
        self.made += 1
        return self.folder / f"p{self.made}"

    def nuncio(self, **kw):
        return parties.Nuncio(self.place(), **kw)

    def postfix(self, **kw):
        return parties.Postfix(self.place(), **kw)


# Accepting


def accept(bench, slow=False):
    cases = [(50, 1, 4)] if slow else [(1, 1, 3), (1, 16, None), (10, 1, None), (10, 16, None), (50, 1, 10),
                                      (50, 16, None)]
    after = ", fsync + 5 ms" if slow else ""
    lines = {}
    for clients, window, goal in cases:
        how = "waiting" if window == 1 else "pipelined"
        lines[clients, window] = bench.result(
            f"durable accept, {clients} client{'s' * (clients > 1)} {how}{after}", "mails/s", goal=goal)
    for _ in range(ROUNDS):
        ours, theirs = bench.nuncio(slow=slow), bench.postfix(slow=slow)
        for (clients, window), line in lines.items():
            line.add("Postfix", theirs.accept(clients, window, scaled(1000 if clients == 1 else 3000)))
            line.add("nuncio", ours.accept(clients, window, scaled(5000 if clients == 1 else 30000)))
        ours.stop()
        theirs.stop()


def accept_slow(bench):
    accept(bench, slow=True)


def command(bench):
    line = bench.result("sendmail, one command after the other", "mails/s")
    ours, theirs = bench.nuncio(), bench.postfix()
    for _ in range(ROUNDS):
        line.add("Postfix", theirs.command(scaled(300)))
        line.add("nuncio", ours.command(scaled(300)))
    ours.stop()
    theirs.stop()


# Relaying


def relay(line, sink, n, parties_made):
    for name, make, part in parties_made:
        party = make()
        party.fill(int(n * part))
        line.add(name, sink.rate(int(n * part), party.go))
        party.stop()


def relay_plain(bench):
    line = bench.result("relay to smtp-sink", "mails/s", goal=3)
    for _ in range(ROUNDS):
        sink = parties.plain_sink()
        relay(line, sink, scaled(20000), [
            ("Postfix", lambda sink=sink: bench.postfix(port=sink.port), 0.25),
            ("smtplib", lambda sink=sink: parties.Smtplib(sink.port), 0.5),
            ("nuncio", lambda sink=sink: bench.nuncio(port=sink.port), 1)])
        sink.stop()


def relay_tls(bench):
    line = bench.result("relay over STARTTLS", "mails/s", goal=4)
    tls = bench.folder / "tls"
    for _ in range(ROUNDS):
        sink = parties.tls_sink(tls)
        relay(line, sink, scaled(20000), [
            ("Postfix", lambda sink=sink: bench.postfix(port=sink.port, level="encrypt"), 0.1),
            ("smtplib", lambda sink=sink: parties.Smtplib(sink.port, True), 0.5),
            ("nuncio", lambda sink=sink: bench.nuncio(port=sink.port, ca=tls / "ca.pem"), 1)])
        sink.stop()


def relay_far(bench):
    line = bench.result(f"relay, 50 ms away, {parties.CONNECTIONS} connections", "mails/s", goal=3)
    for _ in range(ROUNDS):
        sink = parties.plain_sink()
        way = parties.Delay(sink.port, 50)
        relay(line, sink, scaled(5000), [
            ("Postfix", lambda way=way: bench.postfix(port=way.port), 0.2),
            ("smtplib (10)", lambda way=way: parties.Smtplib(way.port), 0.1),
            ("nuncio", lambda way=way: bench.nuncio(port=way.port), 1)])
        way.stop()
        sink.stop()


# At rest


def idle(bench):
    pss = bench.result("idle memory, PSS", "MB", better="low", goal="14 MB")
    dirty = bench.result("idle memory, Private_Dirty", "MB", better="low", goal="3 MB")
    start = bench.result("cold start: exec to the first answer", "ms", better="low", goal="30 ms")
    for _ in range(ROUNDS):
        ours, theirs = bench.nuncio(tls=True), bench.postfix()
        start.add("Postfix", theirs.cold_start_ms())
        ours.daemon.stop()
        start.add("nuncio", parties.start_to_answer(ours.daemon))
        for name, party in (("Postfix", theirs), ("nuncio", ours)):
            total, private = party.memory()
            pss.add(name, total / 1024)
            dirty.add(name, private / 1024)
        ours.stop()
        theirs.stop()


def many(bench):
    """A daemon with many messages waiting beside an empty one."""
    hundred = bench.result("100,000 queued, PSS more than when empty by", "MB", better="low", goal="4 MB")
    million = MANY > 100_000 and bench.result(f"{MANY:,} queued, PSS more than when empty by", "MB", better="low", goal="4 MB")
    begins = bench.result(f"cold start with {MANY:,} queued", "ms", better="low")
    taking = bench.result(f"accept with {MANY:,} queued, against an empty queue", "mails/s", goal=0.9, against="empty")
    giving = bench.result(f"relay with {MANY:,} queued, against an empty queue", "mails/s", goal=0.9, against="empty")
    sink = parties.plain_sink()
    full, empty = bench.nuncio(port=sink.port), bench.nuncio(port=sink.port)
    before = full.memory()[0]
    full.fill(100_000)
    parties.rest()
    hundred.add("nuncio", (full.memory()[0] - before) / 1024)
    if MANY > 100_000:
        full.fill(MANY - 100_000)
        parties.rest()
        million.add("nuncio", (full.memory()[0] - before) / 1024)
    full.daemon.stop()
    os.sync()  # what filling left to be written would slow whoever comes next
    begins.add("nuncio", parties.start_to_answer(full.daemon))
    pair = [("empty", empty), ("nuncio", full)]
    for _ in range(6):
        for name, party in pair:
            taking.add(name, party.accept(50, 1, scaled(30000)))
        pair.reverse()  # whoever comes second has the first one's bytes before it at the disk
    for _ in range(5):
        empty.fill(scaled(40000))  # more than are sent before it halts
        for name, party in (("empty", empty), ("nuncio", full)):
            giving.add(name, sink.rate(scaled(20000), party.go))
            party.halt()
    full.stop()
    empty.stop()
    sink.stop()


SCENARIOS = {"accept": accept, "accept-slow": accept_slow, "command": command, "relay": relay_plain,
             "relay-tls": relay_tls, "relay-far": relay_far, "idle": idle, "many": many}


# Telling


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def met(result):
    """Whether the goal is reached, or None where there is none."""
    if result.goal is None:
        return None
    if isinstance(result.goal, str):
        return result.median("nuncio") <= float(result.goal.split()[0])
    return (result.ratio() or 0) >= result.goal


def goal_text(result):
    if result.goal is None:
        return ""
    text = f"≤ {result.goal}" if isinstance(result.goal, str) else f"≥ {result.goal:g}×"
    return text if met(result) else f"{text}, missed"


def others(result):
    return "; ".join(f"{name} {number(result.median(name))}" for name in result.values
                     if name not in ("nuncio", result.against))


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}"


def table(results):
    lines = ["| what | unit | nuncio | Postfix or the empty queue | ratio | goal | others |",
             "| --- | --- | ---: | ---: | ---: | --- | --- |"]
    for r in results:
        ratio = r.ratio()
        lines.append(f"| {r.name} | {r.unit} | {number(r.median('nuncio'))} | {number(r.median(r.against))} | "
                     f"{f'{ratio:.2f}×' if ratio else '–'} | {goal_text(r)} | {others(r)} |")
    return "\n".join(lines)


def merge(results):
    """All results by scenario, those of this run in place of the older ones."""
    path = ROOT / "doc" / "bench.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    for name, list_ in results.items():
        kept[name] = [vars(r) for r in list_ if r.values]
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    return [Result.known(r) for name in SCENARIOS for r in kept.get(name, [])]


def write(results):
    shown = merge(results)
    text = (f"# How fast it is\n\nMeasured by `tests/bench/bench.py` on {datetime.date.today().isoformat()}: {machine()}.\n"
            "Medians of 3 or more; in each row all sides took turns on one machine and one file system, each with fsync(2)\n"
            "before its answer. Machines drift, and this one was shared: what counts is the ratio (of rates; for\n"
            "times and memory how many times less nuncio takes). All figures are in [bench.json](bench.json).\n\n"
            "![the ratios](bench.svg)\n\n" + table(shown) + "\n")
    (ROOT / "doc" / "bench.md").write_text(text)
    (ROOT / "doc" / "bench.svg").write_text(plot.svg(shown))


def main():
    unknown = set(OPTIONS.only) - set(SCENARIOS)
    if unknown:
        sys.exit(f"no scenario is called {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    os.sync()  # programs just built count as dirty memory
    bench = Bench()
    failed, done = [], {}
    try:
        for name in OPTIONS.only or SCENARIOS:
            print(name, flush=True)
            bench.results = []
            try:
                SCENARIOS[name](bench)
                done[name] = bench.results
                if OPTIONS.write:
                    write({name: done[name]})
            except Exception:  # pylint: disable=broad-except
                traceback.print_exc()
                failed.append(name)
    finally:
        parties.stop_all()
        shutil.rmtree(bench.folder, ignore_errors=True)
    print(table([r for results in done.values() for r in results]))
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
