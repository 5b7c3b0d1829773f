"""nuncio-runner over its socket: what it runs, how it ends, and what it never does."""
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

import pytest

import nuncio
import runner as rig
from runner import program, rule

SHOW = """
print(json.dumps({"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(), "uid": os.getuid(),
                  "groups": os.getgroups(), "umask": os.umask(0), "sid": os.getsid(0) == os.getpid(),
                  "fds": sorted(map(int, os.listdir("/proc/self/fd")))[:4], "stdin": os.readlink("/proc/self/fd/0"),
                  "status": open("/proc/self/status").read(),
                  "files": {f: open(os.environ["NUNCIO_ATTACHMENTS"] + "/" + f).read()
                            for f in sorted(os.listdir(os.environ["NUNCIO_ATTACHMENTS"]))}}))
"""
ROOT = os.geteuid() == 0


@pytest.fixture
def make_runner(folder):
    made = []

    def make(*rows, name="r", **kw):
        runner = rig.Runner(folder / name, *rows, **kw)
        made.append(runner)
        return runner

    yield make
    for runner in made:
        if runner.process is not None:
            for run, state in runner.list().items():
                if state == "running":
                    runner.call("Kill", {"run": run})
        runner.stop()
        text = runner.log_text()
        assert "Sanitizer" not in text and "runtime error" not in text, text[-6000:]


def shown(result):
    assert result["end"] == "exited" and result["code"] == 0, result
    return json.loads(result["output"])


# What is run, and as what


def test_a_command_becomes_arguments(make_runner, folder):
    show = program(folder, "show", SHOW)
    r = make_runner(rule("torrent", [show, "-a", "<{link}>", "{link}", "{attachments}", "{ print }", "{}"],
                         "^torrent (?<link>.+)$")).start()
    got = shown(r.do("r1", "torrent", "torrent magnet:?x=1&y=2"))
    home = str(r.state / "homes" / "r1")
    assert got["argv"] == ["-a", "<magnet:?x=1&y=2>", "magnet:?x=1&y=2", home + "/attachments", "{ print }", "{}"]
    assert got["cwd"] == home


@pytest.mark.parametrize("hostile", [
    "; rm -rf /", "$(id)", "`id`", "a && b | c > d", "'\"\\", "* ? [a]", "~root", "%s%n", "a  b\u00a0c", "{link}",
    "{attachments}", "\u202egnp.exe", "../../etc/passwd"])
def test_captures_stay_one_argument(make_runner, folder, hostile):
    show = program(folder, "show", SHOW)
    r = make_runner(rule("echo", [show, "{it}"], "^echo (?<it>.+)$")).start()
    assert shown(r.do("r1", "echo", "echo " + hostile))["argv"] == [hostile]


@pytest.mark.parametrize("command, reason", [
    ("echo a\nb", "control characters"), ("echo a\rb", "control characters"), ("echo \x1b[2J", "control characters"),
    ("echo -rf", "begins with '-'"), ("echo --", "begins with '-'"), ("say it", "does not match"),
    ("", "does not match"), pytest.param("echo " + "x" * (1 << 20), "are taken", id="1 MB")])
def test_what_may_not_become_an_argument(make_runner, folder, command, reason):
    marker = folder / "ran"
    touch = program(folder, "touch", f"open({str(marker)!r}, 'w')")
    r = make_runner(rule("echo", [touch, "{it}"], "^echo (?<it>.+)$")).start()
    assert reason in r.refused("r1", "echo", command)
    assert r.list() == {} and not marker.exists()
    r.refused("r1", "echo", command)


def test_a_nul_is_no_text(make_runner, folder):
    r = make_runner(rule("echo", [program(folder, "p", ""), "{it}"], "^echo (?<it>.+)$")).start()
    with r.connect() as v:
        v.send_raw(b'{"method":"io.nuncio.runner.Start","parameters":{"run":"r1","rule":"echo","command":"echo a\\u0000b",'
                   b'"attachments":[]}}\0')
        with pytest.raises(ConnectionError):
            v.answer()
    assert r.list() == {}


def test_a_rule_may_allow_a_leading_dash(make_runner, folder):
    r = make_runner(rule("echo", [program(folder, "show", SHOW), "{it}"], "^echo (?<it>.+)$",
                         leading_dash="true")).start()
    assert shown(r.do("r1", "echo", "echo -n"))["argv"] == ["-n"]


def test_only_what_the_configuration_names(make_runner, folder):
    show = program(folder, "show", SHOW)
    r = make_runner(rule("one", [show]), rule("off", [show]).replace("{ name", "{ enabled = false; name", 1)).start()
    assert "no rule" in r.refused("r1", "two", error="NoSuchRule")
    assert "no rule" in r.refused("r1", "../one", error="NoSuchRule")
    assert "turned off" in r.refused("r1", "off")
    assert r.list() == {}


def test_the_environment_is_clean(make_runner, folder):
    show = program(folder, "show", SHOW)
    r = make_runner(rule("one", [show], environment='["FOR_IT", "NOT_SET"]'))
    r.start(FOR_IT="yes", NOT_FOR_IT="no", LD_LIBRARY_PATH="/nowhere")
    got = shown(r.do("r1", "one"))
    environment = got["env"]
    environment.pop("LC_CTYPE", None)  # Python's own
    assert set(environment) == {"PATH", "HOME", "USER", "LOGNAME", "LANG", "NUNCIO_RUN", "NUNCIO_RULE",
                                "NUNCIO_ATTACHMENTS", "FOR_IT"}
    assert environment["NUNCIO_RUN"] == "r1" and environment["NUNCIO_RULE"] == "one"
    assert environment["FOR_IT"] == "yes" and environment["LANG"] == "C.UTF-8"
    assert got["fds"][:3] == [0, 1, 2] and len(got["fds"]) == 4  # the fourth is the listing's own
    assert got["stdin"] == "/dev/null" and got["umask"] == 0o77 and got["sid"]
    assert "NoNewPrivs:\t1" in got["status"]


@pytest.mark.skipif(not ROOT, reason="only root becomes another user")
def test_another_user(make_runner, folder):
    show = program(folder, "show", SHOW)
    r = make_runner(rule("one", [show], user='"nobody"'), rule("none", [show], user='"no-such-user"'),
                    rule("private", ["/bin/cat", str(folder / "r" / "nuncio.conf")], user='"nobody"')).start()
    result = r.do("r1", "one", attachments=[("a.txt", b"mine")])
    got = shown(result)
    assert got["uid"] == 65534 and 0 not in got["groups"] and got["env"]["USER"] == "nobody"
    assert got["files"] == {"a.txt": "mine"}
    assert "CapEff:\t0000000000000000" in got["status"]
    result = r.do("r2", "none")
    assert result["end"] == "refused" and "no user" in result["reason"]
    assert r.do("r3", "private")["code"] == 1


# Attachments


def test_attachments_are_saved_under_safe_names(make_runner, folder):
    r = make_runner(rule("save", [program(folder, "show", SHOW)])).start()
    sent = [("report.pdf", b"1"), ("../../etc/passwd", b"2"), ("a\nb\x1b", b"3"), ("", b"4"), (".bashrc", b"5"),
            ("-rf", b"6"), ("report.pdf", b"7"), ("x" * 5000, b"8"), ("gr\u00fc\u00dfe.txt", b"9"), ("..", b"10"), ("/", b"11")]
    files = shown(r.do("r1", "save", attachments=sent))["files"]
    assert sorted(files.values(), key=int) == [str(n) for n in range(1, 12)]
    by_text = {text: name for name, text in files.items()}
    assert by_text["1"] == "report.pdf" and by_text["9"] == "gr\u00fc\u00dfe.txt" and by_text["7"] == "7-report.pdf"
    for name in files:
        assert name[0] not in "-." and "/" not in name and len(name.encode()) < 230 and name.isprintable(), name
    assert r.list() == {} and not (r.state / "runs" / "r1").exists() and not (r.state / "homes" / "r1").exists()


def test_a_large_attachment_comes_whole(make_runner, folder):
    sums = program(folder, "sums", "import hashlib\nprint(hashlib.sha256(open(sys.argv[1] + '/big', 'rb').read()).hexdigest())")
    r = make_runner(rule("sum", [sums, "{attachments}"])).start()
    import hashlib
    data = os.urandom(1 << 20) * 30
    assert r.do("r1", "sum", attachments=[("big", data)])["output"].decode().strip() == hashlib.sha256(data).hexdigest()


def test_only_sealed_memory_is_an_attachment(make_runner, folder):
    r = make_runner(rule("save", [program(folder, "show", SHOW)])).start()
    secret = folder / "secret"
    secret.write_text("secret")
    ask = {"run": "r1", "rule": "save", "command": "go", "attachments": ["a"]}
    for fd in (os.open(secret, os.O_RDONLY), nuncio.sealed_memfd(b"x", seal=False), os.pipe()[0]):
        with pytest.raises(nuncio.VarlinkError) as refusal:
            r.call("Start", ask, [fd])
        assert "no sealed memory" in refusal.value.parameters["reason"]
        os.close(fd)
    with pytest.raises(nuncio.VarlinkError, match="InvalidParameter"):
        r.call("Start", ask)
    with r.connect() as v:  # one that nobody declared
        fd = nuncio.sealed_memfd(b"x")
        v.start(rig.INTERFACE + "List", {}, [fd])
        os.close(fd)
        with pytest.raises(ConnectionError):
            v.answer()
    assert r.list() == {}


# Who may speak


@pytest.mark.skipif(not ROOT or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_another_user_may_not_speak(make_runner, folder):
    marker = folder / "ran"
    r = make_runner(rule("one", [program(folder, "touch", f"open({str(marker)!r}, 'w')")])).start()
    r.socket.chmod(0o666)
    text = ("import socket, sys\ns = socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n"
            "try:\n s.sendall(sys.argv[2].encode() + b'\\0')\n print(s.recv(100))\n"
            "except (BrokenPipeError, ConnectionResetError):\n print(b'')")
    ask = json.dumps({"method": rig.INTERFACE + "Start",
                      "parameters": {"run": "r1", "rule": "one", "command": "go", "attachments": []}})
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-I", "-c",
                           text, r.socket, ask], capture_output=True, text=True, timeout=nuncio.PATIENCE, check=True)
    assert done.stdout.strip() == "b''"
    r.wait_log("user 65534 may not speak here")
    assert r.list() == {} and not marker.exists()


@pytest.mark.skipif(not ROOT or not shutil.which("setpriv"), reason="needs root and setpriv")
def test_the_user_who_is_named_may(make_runner, folder):
    r = make_runner(rule("one", [program(folder, "show", SHOW)]), settings='user = "nobody";').start()
    assert r.socket.stat().st_uid == 65534 and r.socket.stat().st_mode & 0o777 == 0o600
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "nc", "-NU", r.socket],
                          input='{"method":"io.nuncio.runner.List"}\n', capture_output=True, text=True,
                          timeout=nuncio.PATIENCE, check=True)
    assert json.loads(done.stdout) == {"parameters": {"runs": []}}


# How runs end


def test_ends_have_names(make_runner, folder):
    r = make_runner(rule("three", [program(folder, "three", "print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(3)")]),
                    rule("dies", [program(folder, "dies", "os.kill(os.getpid(), signal.SIGSEGV)")]),
                    rule("gone", [str(folder / "no-such-program")]),
                    rule("nowhere", ["/bin/true"], directory='"/no-such-directory"')).start()
    result = r.do("r1", "three")
    assert (result["end"], result["code"], result["output"]) == ("exited", 3, b"out\nerr\n")
    assert result["started"] <= result["ended"] and result["rss"] > 0
    result = r.do("r2", "dies")
    assert (result["end"], result["code"]) == ("signaled", 11)
    result = r.do("r3", "gone")
    assert result["end"] == "refused" and "No such file" in result["reason"]
    result = r.do("r4", "nowhere")
    assert result["end"] == "refused" and "directory" in result["reason"]


def test_a_run_is_begun_once(make_runner, folder):
    count = folder / "count"
    r = make_runner(rule("one", [program(folder, "p", f"open({str(count)!r}, 'a').write('x')")])).start()
    r.begin("r1", "one")
    first = r.collect("r1")
    for _ in range(3):
        assert r.begin("r1", "one") == "ended"
        assert r.collect("r1") == first
    assert count.read_text() == "x"
    r.ack("r1")
    with pytest.raises(nuncio.VarlinkError, match="NoSuchRun"):
        r.collect("r1")


def test_time_passes_and_sigterm_is_enough(make_runner, folder):
    ready = "print('ready', flush=True)\n"
    r = make_runner(rule("polite", [program(folder, "polite", "def end(*_):\n print('ended', flush=True)\n os._exit(5)\n"
                                            "signal.signal(signal.SIGTERM, end)\n" + ready + "signal.pause()")],
                         timeout='"1s"')).start()
    result = r.do("r1", "polite")
    assert (result["end"], result["code"], result["output"]) == ("timed_out", 5, b"ready\nended\n")


STUBBORN = """
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for n in range(20):
    if os.fork() == 0:
        if n % 2:
            os.setsid()
            if os.fork(): os._exit(0)
        print(os.getpid(), flush=True)
        while True: signal.pause()
print(os.getpid(), flush=True)
while True: signal.pause()
"""


def test_sigterm_is_ignored_and_all_are_killed(make_runner, folder):
    r = make_runner(rule("stubborn", [program(folder, "stubborn", STUBBORN)], timeout='"1s"')).start()
    result = r.do("r1", "stubborn")
    assert result["end"] == "timed_out" and result["code"] == 9
    pids = [int(line) for line in result["output"].split()]
    assert len(pids) == 21
    assert not [pid for pid in pids if rig.alive(pid)]
    assert result["ended"] - result["started"] >= 11000


DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork(): os._exit(0)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    print(os.getpid(), flush=True)
    while True: signal.pause()
os.wait()
print("done", flush=True)
"""


def test_a_daemon_that_keeps_the_output_open_is_not_waited_for(make_runner, folder):
    r = make_runner(rule("daemon", [program(folder, "daemon", DAEMON)])).start()
    result = r.do("r1", "daemon")
    assert (result["end"], result["code"]) == ("exited", 0)
    assert b"done" in result["output"]
    pid = int([line for line in result["output"].split() if line != b"done"][0])
    assert not rig.alive(pid)
    assert result["ended"] - result["started"] < 30000


FORKS = """
import resource
resource.setrlimit(resource.RLIMIT_NPROC, (300, 300))
while True:
    try: os.fork()
    except OSError: pass
"""


@pytest.mark.skipif(not ROOT, reason="the limit of processes is another user's")
def test_a_program_that_forks_without_end(make_runner, folder):
    r = make_runner(rule("bomb", [program(folder, "bomb", FORKS)], user='"nobody"', timeout='"1s"')).start()
    result = r.do("r1", "bomb")
    assert result["end"] == "timed_out"
    left = [p for p in pathlib.Path("/proc").iterdir() if p.name.isdigit() and is_bomb(p, folder)]
    assert not left


def is_bomb(process, folder):
    try:
        return str(folder / "bomb").encode() in (process / "cmdline").read_bytes() and rig.alive(int(process.name))
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_program_that_prints_without_end(make_runner, folder):
    text = "line = 0\nwhile True:\n line += 1\n sys.stdout.write(f'{line:07}\\n')\n"
    r = make_runner(rule("yes", [program(folder, "yes", text)], timeout='"2s"', max_output='"64K"')).start()
    result = r.do("r1", "yes")
    assert result["end"] == "timed_out"
    kept = result["output"]
    assert len(kept) == 65536 and result["head"] == 32768 and result["total"] > 1 << 17
    lines = kept[:32768].split(b"\n")
    assert lines[:3] == [b"0000001", b"0000002", b"0000003"]
    tail = kept[32768:]
    start = tail.index(b"\n") + 1
    numbers = [int(n) for n in tail[start:].split(b"\n") if len(n) == 7]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert abs(numbers[-1] - result["total"] // 8) <= 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_program_that_fills_the_disk_keeps_its_result(make_runner, folder):
    r = make_runner(rule("fills", ["/bin/sh", "-c", "cat /dev/zero >big; exit 7"]))
    r.state.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k,mode=0700", "none", r.state], check=True)
    try:
        r.start()
        result = r.do("r1", "fills")
        assert (result["end"], result["code"]) == ("exited", 7)
    finally:
        r.stop()
        subprocess.run(["umount", "-l", r.state], check=False)


def test_what_a_program_leaves_goes_however_deep_it_is(make_runner, folder):
    deep = program(folder, "deep", """
for name in ("~0", "~1", "wide"):
    os.mkdir(name)
for _ in range(1000):
    open("file", "w").close()
    os.mkdir("d")
    os.mkdir("other")
    os.chdir("d")
""")
    r = make_runner(rule("deep", [deep])).start()
    home = r.state / "homes"
    assert r.do("r1", "deep")["code"] == 0
    end = time.monotonic() + nuncio.PATIENCE
    while any(p.name.endswith("r1") for p in home.iterdir()):  # a process of its own does it
        assert time.monotonic() < end


def test_output_of_every_size_is_kept_in_order(make_runner, folder):
    text = "for n in range(int(sys.argv[1])): os.write(1, bytes([97 + n % 26]))\n"
    r = make_runner(rule("print", [program(folder, "print", text), "{n}"], "^(?<n>[0-9]+)$", max_output='"1K"')).start()
    for size in (0, 1, 511, 512, 513, 1023, 1024, 1025, 1500, 1536, 1537, 3000):
        result = r.do(f"r{size}", "print", str(size))
        whole = bytes(97 + n % 26 for n in range(size))
        assert result["total"] == size
        want = whole if size <= 1024 else whole[:512] + whole[-512:]
        assert result["output"] == want, size
        assert result["head"] == (size if size <= 1024 else 512)


def test_memory_has_a_limit(make_runner, folder):
    r = make_runner(rule("eats", [program(folder, "eats", "try:\n x = bytearray(1 << 30)\nexcept MemoryError:\n print('none')")],
                         memory='"256M"')).start()
    assert r.do("r1", "eats")["output"] == b"none\n"


WAITS = "print('there', flush=True)\nopen(sys.argv[1], 'w').write(str(os.getpid()))\nopen(sys.argv[1] + '.go').read()\nprint('over')\n"


class Gate:
    """A program that says when it is there, and goes on when it is told."""

    def __init__(self, folder, name="gate"):
        self.there, self.go = folder / name, folder / (name + ".go")
        os.mkfifo(self.there)
        os.mkfifo(self.go)
        self.program = program(folder, name + "-program", WAITS)

    def rule(self, name="waits", **do):
        return rule(name, [self.program, self.there], **do)

    def wait_there(self):
        """Its process."""
        return int(self.there.read_text())

    def open(self):
        self.go.write_text("x")


def test_kill(make_runner, folder):
    gate = Gate(folder)
    r = make_runner(gate.rule(timeout='"1h"')).start()
    r.begin("r1", "waits")
    gate.wait_there()
    assert r.list() == {"r1": "running"}
    assert r.collect("r1", wait=False)["end"] == "running"
    with pytest.raises(nuncio.VarlinkError, match="still runs"):
        r.ack("r1")
    with r.connect() as waiting:
        waiting.start(rig.INTERFACE + "Collect", {"run": "r1", "wait": True})
        r.call("Kill", {"run": "r1"})
        result = waiting.answer()["parameters"]
    assert result["end"] == "killed" and result["code"] == 15
    r.call("Kill", {"run": "r1"})
    with pytest.raises(nuncio.VarlinkError, match="NoSuchRun"):
        r.call("Kill", {"run": "r2"})


# Restarts


@pytest.mark.parametrize("hard", [False, True])
def test_a_restart_of_the_runner_ends_no_run(make_runner, folder, hard):
    gate = Gate(folder)
    r = make_runner(gate.rule(timeout='"1h"')).start()
    r.begin("r1", "waits")
    gate.wait_there()
    if hard:
        r.kill()
    else:
        r.stop()
    r.start()
    assert r.list() == {"r1": "running"}
    assert r.begin("r1", "waits") == "running"
    with r.connect() as waiting:
        waiting.start(rig.INTERFACE + "Collect", {"run": "r1", "wait": True})
        gate.open()
        result = waiting.answer()["parameters"]
    assert result["end"] == "exited" and result["total"] == 11
    r.ack("r1")


def test_a_run_that_ends_while_no_runner_is_there(make_runner, folder):
    gate = Gate(folder)
    r = make_runner(gate.rule(timeout='"1h"')).start()
    r.begin("r1", "waits")
    pid = gate.wait_there()
    r.kill()
    gate.open()
    rig.wait_gone(pid)
    r.start()
    result = r.collect("r1")
    assert result["end"] == "exited" and result["output"] == b"there\nover\n"


POINTS = ["runner.named", "runner.begun", "run.exec", "run.going", "run.ended", "run.written"]


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_point_it_never_runs_twice(make_runner, folder, point):
    count = folder / "count"
    r = make_runner(rule("one", [program(folder, "p", f"open({str(count)!r}, 'a').write('x')")]))
    r.start(NUNCIO_CRASH_AT=f"{point}:1")
    try:
        r.begin("r1", "one")
    except ConnectionError:
        pass
    if point.startswith("runner."):
        assert r.ended() == -9
        r.start()
    result = r.collect("r1")
    assert result["end"] in ("lost", "exited"), result
    if point in ("run.written", "runner.begun"):
        assert result["end"] == "exited"
    if point in ("runner.named", "run.exec", "run.ended"):
        assert result["end"] == "lost" and result["reason"]
    assert r.begin("r1", "one") == "ended"
    ran = count.read_text() if count.exists() else ""
    assert len(ran) <= 1
    if point in ("runner.named", "run.exec"):
        assert ran == ""
    r.stop()
    r.start()
    assert r.collect("r1")["end"] == result["end"]
    r.ack("r1")
    assert r.list() == {}


def test_killed_before_it_is_begun_a_run_is_not_known(make_runner, folder):
    count = folder / "count"
    r = make_runner(rule("one", [program(folder, "p", f"open({str(count)!r}, 'a').write('x')")]))
    r.start(NUNCIO_CRASH_AT="runner.fork:1")
    try:
        r.begin("r1", "one")
    except ConnectionError:
        pass
    assert r.ended() == -9
    r.start()
    with pytest.raises(nuncio.VarlinkError, match="NoSuchRun"):
        r.collect("r1")
    assert r.do("r1", "one")["end"] == "exited" and count.read_text() == "x"


# Prepared


def prepare(v, run, name, command="go", attachments=()):
    fds = [nuncio.sealed_memfd(data) for _, data in attachments]
    v.call(rig.INTERFACE + "Prepare", {"run": run, "rule": name, "command": command,
                                       "attachments": [n for n, _ in attachments]}, fds)
    for fd in fds:
        os.close(fd)


def supervisors(r):
    """Processes of the runner's, but itself."""
    mine = f"/{r.folder.name}/".encode()
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != r.process.pid and b"nuncio-runner" in \
                    (line := (entry / "cmdline").read_bytes()) and mine in line:
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def test_prepared_it_begins_with_its_start(make_runner, folder):
    count = folder / "count"
    show = program(folder, "show", f"open({str(count)!r}, 'a').write('x')\n" + SHOW)
    r = make_runner(rule("one", [show, "{it}"], "^go (?<it>.+)$")).start()
    with r.connect() as v:
        for n in range(3):  # without a spare, and with one
            prepare(v, f"r{n}", "one", f"go {n}", [("a.txt", b"mine")])
            assert r.list() == {}
            assert len(count.read_text()) == n if n else not count.exists()
            assert v.call(rig.INTERFACE + "Start", {"run": f"r{n}", "rule": "one", "command": f"go {n}",
                                                    "attachments": []})["state"] == "running"
            got = shown(r.collect(f"r{n}"))
            assert got["argv"] == [str(n)] and got["files"] == {"a.txt": "mine"}
            assert r.begin(f"r{n}", "one", f"go {n}") == "ended"
            r.ack(f"r{n}")
    assert count.read_text() == "xxx"
    assert [p.name for p in (r.state / "homes").iterdir() if p.name[0] != "."] == []


@pytest.mark.parametrize("how", ["hangup", "another", "command", "reload", "kill", "stop"])
def test_prepared_and_not_begun_leaves_nothing(make_runner, folder, how):
    count = folder / "count"
    rows = [rule("one", [program(folder, "p", f"open({str(count)!r}, 'a').write(sys.argv[1])"), "{it}"], "^go (?<it>.+)$")]
    r = make_runner(*rows).start()
    v = r.connect()
    prepare(v, "r1", "one", "go 1", [("a.txt", b"mine")])
    waiting = supervisors(r)
    assert waiting
    if how == "hangup":
        v.close()
    elif how == "another":
        prepare(v, "r2", "one", "go 2")
    elif how == "command":
        assert r.begin_when_free("r1", "one", "go 3") == "running"
        assert r.collect("r1")["end"] == "exited" and count.read_text() == "3"
        r.ack("r1")
        count.unlink()
    elif how == "reload":
        r.configure(*rows, rule("two", ["/bin/true"]))
        r.process.send_signal(1)
        r.wait_log("read again")
    elif how == "kill":
        r.kill()
    else:
        r.stop()
    for pid in waiting:
        if how in ("kill", "stop", "reload") or pid == min(waiting):
            rig.wait_gone(pid)
    if r.process is None:
        r.start()
    assert not count.exists() and r.list() == {}
    assert not (r.state / "homes" / "r1").exists() and not (r.state / "runs" / ".r1").exists()
    assert r.begin_when_free("r1", "one", "go 4") == "running"
    assert r.collect("r1")["end"] == "exited" and count.read_text() == "4"
    v.close()


def test_what_can_not_be_prepared_is_told_with_the_start(make_runner, folder):
    r = make_runner(rule("one", ["/nonexistent/program"])).start()
    with r.connect() as v:
        prepare(v, "r1", "two")
        prepare(v, "r1", "one")
        assert r.begin("r1", "one") == "running"
        result = r.collect("r1")
        assert result["end"] == "refused" and "/nonexistent/program" in result["reason"]
    assert "no rule" in r.refused("r2", "two", error="NoSuchRule")


def test_a_supervisor_that_is_killed_takes_its_program_along(make_runner, folder):
    gate = Gate(folder)
    r = make_runner(gate.rule(timeout='"1h"')).start()
    r.begin("r1", "waits")
    pid = gate.wait_there()
    parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    rig.end(parent)
    assert r.collect("r1")["end"] == "lost"
    rig.wait_gone(pid)


def test_a_supervisor_that_is_told_to_end_says_so(make_runner, folder):
    gate = Gate(folder)
    r = make_runner(gate.rule(timeout='"1h"')).start()
    r.begin("r1", "waits")
    pid = gate.wait_there()
    parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    os.kill(parent, 15)
    result = r.collect("r1")
    assert result["end"] == "lost" and "told to end" in result["reason"] and result["output"] == b"there\n"


def test_two_runners_of_one_state_exclude_each_other(make_runner):
    r = make_runner(rule("one", ["/bin/true"])).start()
    done = subprocess.run([nuncio.BUILD / "runner" / "nuncio-runner", "-f", r.file], capture_output=True, text=True,
                          timeout=nuncio.PATIENCE, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 78 and "another runner" in done.stderr
    assert r.do("r1", "one")["end"] == "exited"


# Ceilings, and the configuration


def test_so_many_at_a_time(make_runner, folder):
    gates = [Gate(folder, f"gate{n}") for n in range(3)]
    r = make_runner(*(g.rule(f"waits{n}", timeout='"1h"') for n, g in enumerate(gates)), settings="max_runs = 2;").start()
    for n in range(2):
        r.begin(f"r{n}", f"waits{n}")
        gates[n].wait_there()
    assert "no more" in r.refused("r2", "waits2", error="Busy")
    gates[0].open()
    assert r.collect("r0")["end"] == "exited"
    r.begin("r2", "waits2")
    gates[2].wait_there()
    gates[1].open()
    gates[2].open()
    assert {r.collect(f"r{n}")["end"] for n in range(3)} == {"exited"}


def test_two_hundred_runs(make_runner, folder):
    count = folder / "count"
    r = make_runner(rule("one", ["/bin/sh", "-c", f"echo x >>{count}"]), settings="max_runs = 200;").start()
    with r.connect() as v:
        for n in range(200):
            assert v.call(rig.INTERFACE + "Start", {"run": f"r{n}", "rule": "one", "command": "go", "attachments": []})
        for n in range(200):
            assert v.call(rig.INTERFACE + "Collect", {"run": f"r{n}", "wait": True})["end"] == "exited"
        assert len(r.list()) == 200
        for n in range(200):
            v.call(rig.INTERFACE + "Ack", {"run": f"r{n}"})
    assert count.read_text() == "x\n" * 200
    assert r.list() == {} and not list((r.state / "runs").iterdir())


def test_frames_have_a_ceiling_and_form(make_runner):
    r = make_runner(rule("one", ["/bin/true"])).start()
    for bad in (b"x" * 100, b"[1]\0", b'{"method":1}\0', b'{"a":' * 100, b'{"method":"' + b"x" * (5 << 20)):
        with r.connect() as v:
            with pytest.raises(OSError):
                v.send_raw(bad)
                v.answer()
    for method, parameters in (("Start", {}), ("Start", {"run": "a/b", "rule": "one", "command": ""}),
                               ("Collect", {"run": ".."}), ("Collect", {"run": "r1", "wait": 1, "x": 2}),
                               ("List", {"x": 1}), ("Ack", {"run": 3})):
        with pytest.raises(nuncio.VarlinkError, match="InvalidParameter"):
            r.call(method, parameters)
    with pytest.raises(nuncio.VarlinkError, match="MethodNotFound"):
        r.call("Exec", {"argv": ["/bin/true"]})
    assert r.do("r1", "one")["end"] == "exited"


def test_many_silent_peers_keep_nobody_out(make_runner):
    r = make_runner(rule("one", ["/bin/true"])).start()
    silent = [r.connect() for _ in range(200)]
    assert r.do("r1", "one")["end"] == "exited"
    for v in silent:
        v.close()


def test_reload_and_check(make_runner, folder):
    r = make_runner(rule("one", ["/bin/true"])).start()
    r.refused("r1", "two", error="NoSuchRule")
    r.configure(rule("two", ["/bin/true"]))
    r.process.send_signal(1)
    r.wait_log("configuration read again")
    assert r.do("r1", "two")["end"] == "exited"
    r.refused("r2", "one", error="NoSuchRule")
    r.file.write_text("nonsense")
    r.process.send_signal(1)
    r.wait_log("stays as it was")
    assert r.do("r3", "two")["end"] == "exited"
    check = [nuncio.BUILD / "runner" / "nuncio-runner", "--check", "-f", r.file]
    assert subprocess.run(check, capture_output=True, check=False, timeout=nuncio.PATIENCE).returncode == 78
    r.configure(rule("two", ["/bin/true"]))
    assert subprocess.run(check, capture_output=True, check=False, timeout=nuncio.PATIENCE).returncode == 0
    r.file.chmod(0o666)
    done = subprocess.run(check, capture_output=True, text=True, check=False, timeout=nuncio.PATIENCE)
    assert done.returncode == 78 and "written by others" in done.stderr
    assert subprocess.run([check[0], "--nonsense"], capture_output=True, check=False).returncode == 64


def test_a_changed_file_counts_for_the_next_run(make_runner, folder):
    """nunciod is told of a change, the runner finds it: in the file, and in what it includes."""
    r = make_runner(rule("one", ["/bin/true"])).start()
    r.configure(rule("two", ["/bin/false"]))
    assert r.do("r1", "two")["code"] == 1
    r.refused("r2", "one", error="NoSuchRule")
    part = folder / "part.conf"
    part.write_text("max_runs = 5;\n")
    r.configure(rule("two", ["/bin/false"]), settings=f'\n@include "{part}"\n')
    assert r.do("r3", "two")["code"] == 1
    read = r.log_text().count("configuration read again")
    assert r.do("r4", "two")["code"] == 1 and r.log_text().count("configuration read again") == read
    part.write_text("max_runs = 6;\n")
    assert r.do("r5", "two")["code"] == 1
    r.wait_log("configuration read again", read + 1)
    # a bad one changes nothing, however often it is looked at
    r.file.write_text("nonsense")
    assert r.do("r6", "two")["code"] == 1 and r.do("r7", "two")["code"] == 1
    r.wait_log("stays as it was")


def test_a_socket_of_the_service_manager(make_runner, folder):
    r = make_runner(rule("one", ["/bin/true"]))
    with socket.socket(socket.AF_UNIX) as passed:
        passed.bind(str(folder / "passed"))
        passed.listen()
        start = ("import os, sys\nos.dup2(int(sys.argv[1]), 3)\nos.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
                 "os.execv(sys.argv[2], sys.argv[2:])")
        with open(r.log, "ab") as log:
            r.process = subprocess.Popen([sys.executable, "-c", start, str(passed.fileno()),
                                          nuncio.BUILD / "runner" / "nuncio-runner", "-f", r.file],
                                         pass_fds=[passed.fileno()], stdout=log, stderr=log)
        r.wait_log("is ready")
    r.socket = folder / "passed"
    assert r.do("r1", "one")["end"] == "exited"


@pytest.mark.skipif(not ROOT, reason="needs another user's directory")
def test_a_state_that_others_could_change_is_refused(make_runner):
    r = make_runner(rule("one", ["/bin/true"]))
    r.state.mkdir(mode=0o700)
    os.chown(r.state, 65534, 65534)
    done = subprocess.run([nuncio.BUILD / "runner" / "nuncio-runner", "-f", r.file], capture_output=True, text=True,
                          timeout=nuncio.PATIENCE, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 78 and "nobody else writes to" in done.stderr, done.stderr
