"""What an operator sees: rates, figures for Prometheus, the history, doctor, a backup."""
import json
import os
import re
import socket
import sqlite3
import subprocess

import pytest

import nuncio


def send(daemon, to="a@example.org", **more):
    return daemon.call("Send", {"to": [to], "text": "x", **more})["id"]


def parse_prometheus(text):
    """The text exposition format: {(name, labels): value}; strict about its grammar."""
    types, values = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            assert kind in ("counter", "gauge") and name not in types, line
            types[name] = kind
            continue
        if line.startswith("# HELP "):
            continue
        found = re.fullmatch(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\n"])*",?)*)\})? (-?[0-9.e+]+)', line)
        assert found, line
        name, labels, value = found.groups()
        assert name in types, f"{name} has no TYPE before it"
        assert name.endswith("_total") == (types[name] == "counter"), name
        key = (name, *sorted(re.findall(r'([a-z]+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert key not in values, line
        values[key] = float(value)
    return values


def test_rates_and_the_oldest_are_shown(daemon):
    for _ in range(3):
        daemon.wait_final(send(daemon))
    send(daemon, at="1h")
    row = daemon.call("Status")["transports"][0]
    assert (row["sent"], row["sent_minute"], row["sent_hour"]) == (3, 3, 3)
    shown = daemon.client("status", check=True).stdout
    assert re.search(r"1 MIN +1 H +SENT", shown), shown
    assert re.search(r"waiting on #mail: 1, the oldest from \S+ \(.*\)", shown), shown


def test_prometheus_text(daemon, folder):
    daemon.wait_final(send(daemon))
    send(daemon, at="1h")
    daemon.call("Pause", {"transport": "outbox"})
    values = parse_prometheus(daemon.client("status", "--prometheus", check=True).stdout)
    outbox = (("transport", "outbox"), ("type", "maildir"))
    assert values[("nuncio_up",)] == 1
    assert values[("nuncio_transport_up", *outbox)] == 0
    assert values[("nuncio_transport_sent_total", *outbox)] == 1
    assert values[("nuncio_deliveries", ("state", "sent"))] == 1
    assert values[("nuncio_deliveries", ("state", "queued"))] == 1
    assert values[("nuncio_waiting", ("route", "#mail"))] == 1
    assert values[("nuncio_oldest_waiting_seconds", ("route", "#mail"))] < nuncio.PATIENCE
    assert values[("nuncio_database_bytes",)] > 0


def test_prometheus_file_is_whole_and_says_when_nobody_answers(daemon, folder):
    file = folder / "nuncio.prom"
    daemon.client("status", f"--prometheus={file}", check=True)
    assert parse_prometheus(file.read_text())[("nuncio_up",)] == 1
    assert file.stat().st_mode & 0o777 == 0o644
    daemon.stop()
    assert daemon.client("status", f"--prometheus={file}").returncode == 69
    assert parse_prometheus(file.read_text()) == {("nuncio_up",): 0}
    assert [f.name for f in folder.glob("nuncio.prom*")] == ["nuncio.prom"]
    assert daemon.client("status", f"--prometheus={folder}/none/x").returncode != 0


def test_the_history_is_in_the_order_of_time(daemon):
    first = send(daemon, hold=True)
    second = send(daemon)
    daemon.wait_final(second)
    daemon.call("Release", {"select": {"message": first}})
    daemon.wait_final(first)
    lines = [json.loads(line) for line in daemon.client("log", "--json", check=True).stdout.splitlines()]
    assert [e["at"] for e in lines] == sorted(e["at"] for e in lines)
    assert [e["to"] for e in lines if e["message"] == first][-1] == "sent"
    assert lines[-1]["message"] == first and lines[0]["message"] == first
    assert {e["message"] for e in lines} == {first, second}
    of_one = daemon.client("log", second, check=True).stdout.splitlines()
    assert len(of_one) == len(daemon.show(second)["events"])
    assert f"  {second}: queued" in of_one[0]
    assert all(f"  {second} to a@example.org: " in line for line in of_one[1:])
    assert daemon.client("log", "--since", "1ms", second, check=True).stdout == ""
    assert daemon.client("log", "--follow", "--since", "1ms", second, check=True).stdout == ""
    assert len(daemon.client("log", "--follow", second, check=True).stdout.splitlines()) == len(of_one)
    assert daemon.client("log", "--since", "soon").returncode == 64
    assert daemon.client("log", "one", "two").returncode == 64


def test_the_history_comes_in_pages(daemon):
    with daemon.connect() as v:
        for _ in range(300):
            v.start("Send", {"to": ["a@example.org", "b@example.org"], "text": "x", "hold": True})
        for _ in range(300):
            v.answer()
        seen, after, pages = [], None, 0
        while True:
            reply = v.call("Log", {} if after is None else {"after": after})
            seen += [e["id"] for e in reply["events"]]
            after, pages = reply["after"], pages + 1
            if after is None:
                break
    assert len(seen) == len(set(seen)) >= 300 and seen == sorted(seen)
    shown = daemon.client("log", "--json", check=True).stdout.splitlines()
    assert len(shown) == len(seen)


@pytest.mark.parametrize("parameters", [{"message": 0}, {"message": -1}, {"message": 2**62}])
def test_no_message_has_no_history(daemon, parameters):
    assert daemon.error("Log", parameters).name == "io.nuncio.NoSuchMessage"


def test_odd_pages_are_empty(daemon):
    send(daemon)
    for after in (2**63 - 1, 2**62):
        assert daemon.call("Log", {"after": after}) == {"events": [], "after": None}
    assert daemon.call("Log", {"after": -5, "since": -5})["events"]


def test_the_history_goes_on(daemon):
    send(daemon, hold=True)
    process = subprocess.Popen([nuncio.BUILD / "client" / "nuncio", "log", "--follow", "--json"], text=True,
                               stdout=subprocess.PIPE, env={**os.environ, "NUNCIO_SOCKET": str(daemon.socket)})
    try:
        first = json.loads(process.stdout.readline())
        assert first["to"] == "held"
        later = send(daemon)
        seen = []
        while not seen or seen[-1]["to"] != "sent":
            seen.append(json.loads(process.stdout.readline()))
        assert {e["message"] for e in seen} <= {later, first["message"]}
        assert len({e["id"] for e in seen}) == len(seen)
    finally:
        process.kill()
        process.communicate()


def test_others_see_their_own_history_only(daemon):
    daemon.folder.chmod(0o755)
    mine = send(daemon, hold=True)
    script = r'''
import json, os, sys
sys.path.insert(0, sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
import nuncio
v = nuncio.Varlink(sys.argv[2])
theirs = v.call("Send", {"to": ["b@example.org"], "text": "x", "hold": True})["id"]
print(json.dumps([sorted({e["message"] for e in v.call("Log", {})["events"]}) == [theirs],
                  v.call("Log", {"message": int(sys.argv[3])})["events"]]))
'''
    done = subprocess.run(["/usr/bin/python3", "-c", script, nuncio.SOURCE / "tests" / "system", daemon.socket,
                           str(mine)], capture_output=True, text=True, timeout=nuncio.PATIENCE, check=False)
    assert json.loads(done.stdout) == [True, []], done.stderr


PATH = {"PATH": f"{nuncio.BUILD / 'daemon'}:{os.environ['PATH']}"}


def doctor(daemon, *arguments):
    """Its exit status, and for each thing it looked at whether that is good, its text and advice."""
    done = daemon.client("doctor", "--json", "--file", daemon.file, *arguments, env=PATH)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, {f["what"]: f for f in found}


def test_doctor_finds_nothing_where_all_is_well(daemon):
    status, found = doctor(daemon)
    assert status == 0, found
    assert set(found) == {"configuration", "daemon", "database", "transport outbox"}
    assert all(f["good"] and f["advice"] is None for f in found.values())
    shown = daemon.client("doctor", "--file", daemon.file, env=PATH)
    assert shown.returncode == 0 and "good  transport outbox: works" in shown.stdout, shown.stdout


def test_doctor_says_what_is_wrong_and_what_to_do(make_daemon, folder):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    d = make_daemon(f'''transports = (
        {{ name = "away"; type = "smtp"; url = "smtp://127.0.0.1:{port}"; tls = "none"; }},
        {{ name = "lost"; type = "smtp"; url = "smtp://nowhere.invalid"; }},
        {{ name = "outbox"; type = "maildir"; path = "{folder}/outbox"; }} );\n''').start()
    d.call("Pause", {"transport": "outbox", "reason": "moving house"})
    status, found = doctor(d)
    assert status == 1
    assert found["configuration"]["good"] and found["database"]["good"]
    assert not found["transport away"]["good"] and "DNS" in found["transport away"]["advice"]
    assert not found["transport lost"]["good"] and "nowhere.invalid" in found["transport lost"]["text"]
    assert found["transport outbox"]["advice"] == "nuncio resume outbox"
    d.configure("transports = 5;\n")
    status, found = doctor(d)
    assert status == 1 and "nuncio.conf:3" in found["configuration"]["text"]


def test_what_waits_for_a_transport_that_is_no_more(daemon, folder):
    pinned, other = send(daemon, by="outbox", at="1h"), send(daemon, at="1h")
    assert "is called" not in daemon.client("why", pinned, check=True).stdout and doctor(daemon)[0] == 0
    daemon.reload(nuncio.outbox(folder / "outbox").replace("outbox", "post", 1))
    assert "no transport is called 'outbox' any more" in daemon.client("why", pinned, check=True).stdout
    assert "is called" not in daemon.client("why", other, check=True).stdout
    status, found = doctor(daemon)
    assert status == 1 and found["transport post"]["good"]
    assert found["transport outbox"]["text"].startswith("1 waits for it")
    daemon.client("cancel", "--route", "outbox", check=True)
    assert doctor(daemon)[0] == 0


def test_doctor_without_a_daemon(daemon):
    daemon.stop()
    status, found = doctor(daemon)
    assert status == 1 and found["configuration"]["good"]
    assert "start it" in found["socket"]["advice"]


def test_doctor_finds_a_damaged_database(daemon):
    for _ in range(50):
        daemon.wait_final(send(daemon))
    with daemon.connect() as v:
        assert v.call("Check")["damage"] is None
    sqlite3.connect(daemon.state / "queue.db").execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with open(daemon.state / "queue.db", "r+b") as file:
        pages = os.fstat(file.fileno()).st_size // 4096
        for page in range(pages // 2, pages // 2 + 3):
            file.seek(page * 4096)
            file.write(b"\xa5" * 4096)
    status, found = doctor(daemon)
    assert status == 1 and not found["database"]["good"], found
    daemon.kill()


def test_only_an_operator_may_have_the_database_read(daemon):
    daemon.folder.chmod(0o755)
    script = r'''
import os, sys
sys.path.insert(0, sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
import nuncio
try:
    nuncio.Varlink(sys.argv[2]).call("Check")
except nuncio.VarlinkError as error:
    print(error.name)
'''
    done = subprocess.run(["/usr/bin/python3", "-c", script, nuncio.SOURCE / "tests" / "system", daemon.socket],
                          capture_output=True, text=True, timeout=nuncio.PATIENCE, check=False)
    assert done.stdout.strip() == "io.nuncio.NotPermitted", done.stderr


def test_a_backup_that_is_put_back_sends_nothing_twice(daemon):
    daemon.call("Pause", {"transport": "outbox"})
    waiting = [send(daemon, f"r{i}@example.org") for i in range(40)]
    copy = daemon.folder / "backup.db"
    source, target = sqlite3.connect(daemon.state / "queue.db"), sqlite3.connect(copy)
    source.backup(target)
    target.close()
    source.close()
    daemon.call("Resume", {"transport": "outbox"})
    for identity in waiting:
        daemon.wait_final(identity)
    later = send(daemon)
    daemon.wait_final(later)
    assert doctor(daemon, "--restored")[0] == 78  # it runs
    daemon.stop()
    sent = sorted(m["To"] for m in nuncio.maildir(daemon.outbox))
    assert len(sent) == 41
    for file in daemon.state.glob("queue.db*"):
        file.unlink()
    copy.rename(daemon.state / "queue.db")
    (daemon.state / "queue.db").chmod(0o600)
    done = daemon.client("doctor", "--restored", "--file", daemon.file, env=PATH)
    assert done.returncode == 0 and done.stdout.startswith("40 held in "), done
    daemon.start()
    daemon.call("Resume", {"transport": "outbox"})
    new = send(daemon, "new@example.org")
    assert new > later  # its number was given already, which the copy can't know
    daemon.wait_final(new)
    assert sorted(m["To"] for m in nuncio.maildir(daemon.outbox)) == sorted([*sent, "new@example.org"])
    assert all(daemon.states(i) == {f"r{n}@example.org": "held"} for n, i in enumerate(waiting))
    daemon.call("Release", {"select": {"message": waiting[0]}})
    assert daemon.wait_final(waiting[0]) == {"r0@example.org": "sent"}
