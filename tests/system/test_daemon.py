"""nunciod's own life: --check, a second one, reload, the log, the end."""
import os
import pathlib
import re
import signal
import socket
import subprocess

import nuncio

NUNCIOD = nuncio.BUILD / "daemon" / "nunciod"


def run(*arguments, **kw):
    return subprocess.run([NUNCIOD, *map(str, arguments)], capture_output=True, text=True, timeout=nuncio.PATIENCE,
                          stdin=subprocess.DEVNULL, check=False, **kw)


def test_check_names_file_line_and_what_would_be_right(folder):
    file = folder / "nuncio.conf"
    file.write_text('transports = (\n  { name = "mail"; type = "smtp"; url = "smtp://h"; concurency = 2; } );\n')
    file.chmod(0o640)
    done = run("--check", "-f", file)
    assert done.returncode == 78
    assert f"{file}:2" in done.stderr and "concurrency" in done.stderr, done.stderr
    file.write_text('transports = ( { name = "mail"; type = "smtp"; url = "smtp://h"; concurrency = 2; } );\n')
    done = run("--check", "-f", file)
    assert done.returncode == 0, done.stderr


def test_the_reference_configuration_is_valid(folder):
    file = folder / "nuncio.conf"
    file.write_text((nuncio.SOURCE / "conf" / "nuncio.conf").read_text())
    file.chmod(0o640)
    done = run("--check", "-f", file)
    assert done.returncode == 0, done.stderr


def test_command_line(folder):
    assert run("--version").returncode == 0
    assert run("--nonsense").returncode == 64
    assert run("-f", folder / "none").returncode == 78


def test_a_second_daemon_on_the_same_state_is_refused(daemon):
    done = run("-f", daemon.file)
    assert done.returncode == 78
    assert str(daemon.process.pid) in done.stderr and "in use" in done.stderr, done.stderr
    assert daemon.call("Status")["pid"] == daemon.process.pid


def test_a_bad_reload_changes_nothing(daemon, folder):
    good = nuncio.outbox(folder / "outbox")
    daemon.reload('transports = ( { name = "x"; type = "pigeon"; } );\n')
    assert "pigeon" in daemon.log_text() and "nuncio.conf:3" in daemon.log_text()
    identity = daemon.call("Send", {"to": ["a@example.org"], "text": "x"})["id"]
    assert daemon.wait_final(identity) == {"a@example.org": "sent"}
    daemon.reload(good + 'contacts = ( { name = "me"; mail = ["me@example.org"]; } );\n')
    identity = daemon.call("Send", {"to": ["me"], "text": "x"})["id"]
    assert daemon.wait_final(identity) == {"me@example.org": "sent"}


def test_for_one_user_without_root(folder):
    """Places under $XDG_..., made when missing; another uid than root's."""
    home = folder / "home"
    (home / "config" / "nuncio").mkdir(parents=True)
    (home / "run").mkdir()
    file = home / "config" / "nuncio" / "nuncio.conf"
    file.write_text('from = "me@example.com";\n')
    for path in (home, *home.rglob("*")):
        os.chown(path, 65534, 65534)
    environment = {**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
                   "XDG_RUNTIME_DIR": str(home / "run"), "XDG_STATE_HOME": str(home / "local" / "state"),
                   "ASAN_OPTIONS": "detect_leaks=0"}  # a leak check wants ptrace, which the daemon denies
    def user(*command):
        return {"args": [str(c) for c in command], "user": 65534, "group": 65534, "extra_groups": [],
                "env": environment, "cwd": "/", "stdin": subprocess.DEVNULL}
    programs = folder / "programs"
    programs.mkdir()
    for name in ("daemon/nunciod", "client/nuncio"):
        (programs / name.split("/")[1]).write_bytes((nuncio.BUILD / name).read_bytes())
    for program in programs.iterdir():
        program.chmod(0o755)
    daemon = subprocess.Popen(**user(programs / "nunciod"))
    client = subprocess.run(**user(programs / "nuncio", "status", "--wait"), capture_output=True, text=True, check=False)
    assert client.returncode == 0, client.stderr
    client = subprocess.run(**user(programs / "nuncio", "send", "--wait", "you@example.org", "hello"),
                            capture_output=True, text=True, check=False)
    assert client.returncode == 0, client.stderr
    [mail] = nuncio.maildir(home / "local" / "state" / "nuncio" / "outbox")
    assert mail["From"] == "me@example.com" and mail.get_content() == "hello\n"
    daemon.terminate()
    assert daemon.wait(nuncio.PATIENCE) == 0


def test_the_log_file_is_reopened(make_daemon, folder):
    log = folder / "nuncio.log"
    config = nuncio.outbox(folder / "outbox") + f'log = {{ file = "{log}"; level = "debug"; }};\n'
    d = make_daemon(config).start()
    log.rename(folder / "old.log")
    d.reload()
    assert log.exists()
    size = (folder / "old.log").stat().st_size
    d.wait_final(d.call("Send", {"to": ["a@example.org"], "text": "x"})["id"])
    assert (folder / "old.log").stat().st_size == size and log.stat().st_size > 0


def test_a_log_that_cannot_be_opened_is_a_bad_reload(make_daemon, folder):
    """All of it stays as it was; and a bad reload opens the log again, as log rotation expects."""
    log = folder / "nuncio.log"
    good = nuncio.outbox(folder / "outbox") + f'log = {{ file = "{log}"; }};\n'
    d = make_daemon(good).start()
    d.reload(nuncio.outbox(folder / "outbox") + f'log = {{ file = "{folder}/none/nuncio.log"; }};\n'
             'contacts = ( { name = "me"; mail = ["me@example.org"]; } );\n')
    assert "stays as it was" in log.read_text()
    assert d.error("Send", {"to": ["me"], "text": "x"}).name == "io.nuncio.BadRecipient"
    log.rename(folder / "old.log")
    d.reload("nonsense = 1;\n")
    assert "stays as it was" in log.read_text()
    d.configure(good)


def test_it_ends_well_and_takes_its_socket_along(daemon):
    daemon.call("Send", {"to": ["a@example.org"], "text": "x"})
    daemon.stop()
    assert not daemon.socket.exists()


def test_a_stale_socket_is_no_obstacle(daemon):
    daemon.kill()
    assert daemon.socket.exists()
    daemon.start()
    assert daemon.call("Status")["pid"] == daemon.process.pid


def test_modes_of_what_it_makes(daemon):
    assert daemon.state.stat().st_mode & 0o777 == 0o711
    for file in daemon.state.iterdir():
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0, file
    assert daemon.socket.stat().st_mode & 0o777 == 0o666


def test_rights_of_other_users(make_daemon, folder):
    """Another uid sends under the default From only, sees only its own, operates nothing."""
    d = make_daemon(nuncio.outbox(folder / "outbox")).start()
    d.folder.chmod(0o755)
    mine = d.call("Send", {"to": ["a@example.org"], "text": "mine", "at": "1h"})["id"]
    script = r'''
import json, os, sys
sys.path.insert(0, sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
import nuncio
v = nuncio.Varlink(sys.argv[2])
def name(method, parameters):
    try:
        return v.call(method, parameters)
    except nuncio.VarlinkError as error:
        return error.name.split(".")[-1]
theirs = v.call("Send", {"to": ["b@example.org"], "text": "x", "at": "1h"})["id"]
print(json.dumps([
    name("Send", {"to": ["b@example.org"], "text": "x", "from": "root@example.com"}),
    name("Show", {"id": int(sys.argv[3])}),
    name("Cancel", {"select": {"message": int(sys.argv[3])}}),
    name("Pause", {"transport": "outbox"}),
    [d["message"] for d in v.call("List", {})["deliveries"]] == [theirs],
    name("Cancel", {"select": {"all": True}}),
    name("Show", {"id": theirs})["message"]["uid"],
]))
'''
    done = subprocess.run(["/usr/bin/python3", "-c", script, nuncio.SOURCE / "tests" / "system", d.socket, str(mine)],
                          capture_output=True, text=True, timeout=nuncio.PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == ('["NotPermitted", "NoSuchMessage", {"changed": 0, "passed_over": 0}, '
                                   '"NotPermitted", true, {"changed": 1, "passed_over": 0}, 65534]') or \
        '"NoSuchMessage", "NoSuchMessage", "NotPermitted", true' in done.stdout, done.stdout
    assert d.states(mine) == {"a@example.org": "queued"}


def test_secrets_are_nowhere(make_daemon, folder):
    password = "s3cr3t-" + os.urandom(6).hex()
    file = folder / "password"
    file.write_text(password + "\n")
    file.chmod(0o600)
    listener = socket.create_server(("127.0.0.1", 0))
    d = make_daemon(f'''transports = ( {{ name = "mail"; type = "smtp"; user = "u";
        url = "smtps://127.0.0.1:{listener.getsockname()[1]}"; password = {{ file = "{file}"; }}; }} );\n''').start()
    d.call("Send", {"to": ["a@example.org"], "text": "x"})
    listener.accept()[0].close()
    d.wait_transport("mail", "down")
    for path in [d.log, *d.state.iterdir()]:
        if path.is_file():
            assert password.encode() not in path.read_bytes()
    with open(f"/proc/{d.process.pid}/cmdline", "rb") as command:
        assert password.encode() not in command.read()
    listener.close()


def test_a_signal_during_start_and_two_at_once(daemon):
    daemon.process.send_signal(signal.SIGHUP)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.call("Status")["pid"] == daemon.process.pid


def test_it_can_execute_nothing(daemon):
    """Every thread that there is, of the loop, the store, the resolver, is filtered."""
    tasks = list(pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir())
    assert len(tasks) > 1
    for task in tasks:
        status = (task / "status").read_text()
        assert re.search(r"(?m)^Seccomp:\t2$", status), status
        assert re.search(r"(?m)^NoNewPrivs:\t1$", status), status
