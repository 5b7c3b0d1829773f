"""Secrets that a command says: run by the runner, never by nunciod, and kept from every eye."""
import base64
import os
import pathlib
import select
import socketserver
import ssl
import subprocess
import threading

import pytest

import nuncio
import runner as runner_rig
import servers
from rules_rig import Runner, rig

VALUE = "pa55-\u00fc-word"


def asked(folder, text, settings=""):
    """What the runner answers when the password of a contact is what this script prints."""
    script = folder / "tell"
    if text is not None:
        script.write_text(f"#!/bin/sh\n{text}\n")
        script.chmod(0o755)
    r = runner_rig.Runner(folder / "r", runner_rig.rule("one", ["/bin/true"]), settings=settings)
    with open(r.file, "a", encoding="utf-8") as file:
        file.write(f'contacts = ( {{ name = "me"; mail = ["me@example.com"];\n  secret = {{ command = ["{script}", "say", "it"]; }}; }} );\n')
    r.start()
    try:
        return r.call("Secret", {"name": "contacts.me.secret"})["value"]
    except nuncio.VarlinkError as refusal:
        assert refusal.name == runner_rig.INTERFACE + "Refused", refusal
        return refusal.parameters
    finally:
        r.stop()
        text = r.log_text()
        assert "Sanitizer" not in text and "runtime error" not in text and VALUE not in text, text


@pytest.mark.parametrize("text, value", [
    (f"echo '{VALUE}'", VALUE), (f"printf '{VALUE}'", VALUE), (f"printf '{VALUE}\\r\\nuser: me\\n'", VALUE),
    ("echo \"$*\"", "say it"), ("echo ' a b '", " a b "), ("echo oh >&2; echo x", "x"),
    ("head -c 65535 /dev/zero | tr '\\0' a", "a" * 65535)])
def test_the_first_line_is_the_secret(folder, text, value):
    assert asked(folder, text) == value


@pytest.mark.parametrize("text, reason", [
    ("echo no such key >&2; echo x; exit 3", "status 3: no such key"), ("kill -9 $$", "signal 9"), ("true", "empty"),
    ("echo; echo second", "empty"), ("printf 'a\\0b'", "NUL"), ("printf '\\377'", "UTF-8"), ("cat /dev/zero", "more than 64 KiB"),
    ("head -c 70000 /dev/zero | tr '\\0' a", "more than 64 KiB"), (None, "No such file")])
def test_what_is_no_secret(folder, text, reason):
    assert reason in asked(folder, text)["reason"]


def test_one_that_does_not_end(folder):
    """Nor what it started."""
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    end = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    reason = asked(folder, f"exec 3>{fifo}; trap '' TERM; sleep 1000 & sleep 1000", 'secret_timeout = "1s";')["reason"]
    assert "within 1 s" in reason
    assert select.select([end], [], [], nuncio.PATIENCE)[0] and os.read(end, 1) == b""  # nobody holds it
    os.close(end)


def test_its_environment_is_clean(folder):
    os.environ["NOT_FOR_IT"] = "no"
    try:
        words = asked(folder, "env | tr '\\n' ' '").split()
    finally:
        del os.environ["NOT_FOR_IT"]
    assert {w.partition("=")[0] for w in words} <= {"PATH", "HOME", "USER", "LOGNAME", "LANG", "PWD", "SHLVL", "_", "OLDPWD"}


def test_only_names_of_settings_are_known(folder):
    r = runner_rig.Runner(folder / "r", runner_rig.rule("one", ["/bin/true"])).start()
    for name in ("contacts.me.secret", "/bin/sh", ""):
        with pytest.raises(nuncio.VarlinkError, match="NoSuchSecret"):
            r.call("Secret", {"name": name})
    for parameters in ({}, {"name": 1}, {"name": "x", "command": ["/bin/sh"]}):
        with pytest.raises(nuncio.VarlinkError, match="InvalidParameter"):
            r.call("Secret", parameters)
    r.stop()


RULE = '''  { name = "count"; on = { mail = "inbox"; }; when = { from = ["cy"]; command = "^count (?<n>[0-9]+)$"; proof = "secret"; };
    do = { run = ["@program@", "{n}"]; }; then = { mail = "delete"; }; }'''


def test_a_command_is_proven_with_it(make_daemon, folder):
    script = folder / "tell"
    gate = folder / "gate"
    os.mkfifo(gate)
    script.write_text(f"#!/bin/sh\nread go <{gate}\necho '{VALUE}'\n")
    script.chmod(0o755)
    contact = f', {{ name = "cy"; mail = ["cy@example.com"]; secret = {{ command = ["{script}"]; }}; }}'
    with rig(make_daemon, folder, RULE, contacts=contact, start=False) as r:
        r.runner.start()
        r.daemon.start()  # it is ready, though the secret is not
        assert r.daemon.call("Status")["mailboxes"] == []
        r.daemon.call("Send", {"to": ["you@example.org"], "subject": "first", "text": "x"})
        while not r.mails("first"):
            select.select([], [], [], 0.01)
        with open(gate, "w", encoding="ascii") as file:
            file.write("go\n")
        r.watch()
        r.settle()
        r.command("count 1", f"key: {VALUE}\n", sender="cy@example.com")
        r.wait_report("Re: count 1")
        assert r.ran() == ["1"]
        r.command("count 2", "key: wrong\n", sender="cy@example.com")
        r.settle()
        assert r.ran() == ["1"]
        r.stop_daemon()
        for file in (r.daemon.log, r.runner.log, *r.daemon.state.rglob("*")):
            if file.is_file():
                assert VALUE.encode() not in file.read_bytes(), file


class Server(socketserver.ThreadingTCPServer):
    """SMTP over TLS that knows one password, and keeps those it was told."""
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, folder, password):
        super().__init__(("127.0.0.1", 0), Session)
        servers.make_certificates(folder / "tls")
        self.ca_file = folder / "tls" / "ca.pem"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "tls" / "server.pem", folder / "tls" / "server.key")
        self.password, self.told, self.mails = password, [], []
        self.changed = threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()


    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            verb = line.split()[0].upper()
            if verb == "EHLO":
                self.say("250-here\r\n250 AUTH PLAIN")
            elif verb == "AUTH":
                password = base64.b64decode(line.split()[2]).split(b"\0")[2].decode()
                with self.server.changed:
                    self.server.told.append(password)
                    self.server.changed.notify_all()
                self.say("235 ok" if password == self.server.password else "535 5.7.8 no")
            elif verb == "DATA":
                self.say("354 go")
                while self.rfile.readline() != b".\r\n":
                    pass
                with self.server.changed:
                    self.server.mails.append(1)
                    self.server.changed.notify_all()
                self.say("250 kept")
            else:
                self.say("250 ok")
                if verb == "QUIT":
                    return


def smtp_config(folder, server, script):
    d = folder / "d"
    return f'''from = "Box <box@example.com>";
runner = {{ socket = "{d}/runner.sock"; state = "{d}/runs"; }};
transports = ( {{ name = "mail"; type = "smtp"; url = "smtps://localhost:{server.server_address[1]}"; user = "me"; ca_file = "{server.ca_file}";
  password = {{ command = ["{script}"]; }}; }} );
'''


def test_a_refused_login_asks_again(make_daemon, folder):
    server = Server(folder, "new")
    kept, script = folder / "kept", folder / "tell"
    kept.write_text("old\n")
    script.write_text(f"#!/bin/sh\ncat {kept}\n")
    script.chmod(0o755)
    daemon = make_daemon(smtp_config(folder, server, script))
    beside = Runner(daemon).start()
    try:
        daemon.start()
        daemon.call("Send", {"to": ["you@example.org"], "text": "x"})
        with server.changed:
            assert server.changed.wait_for(lambda: "old" in server.told, nuncio.PATIENCE)
        while "its command is asked again" not in daemon.log_text():
            select.select([], [], [], 0.01)
        kept.write_text("new\n")
        daemon.process.send_signal(1)  # asked again at a reload too
        with server.changed:
            while not server.mails:
                daemon.call("Resume", {"transport": "mail"})
                server.changed.wait(0.2)
        assert server.told[-1] == "new" and daemon.call("Status")["secrets"][0]["known"]
        daemon.stop()
    finally:
        beside.end()
        server.shutdown()
        server.server_close()


def test_one_that_fails_is_told_with_its_place(make_daemon, folder):
    server = Server(folder, "x")
    script = folder / "tell"
    script.write_text("#!/bin/sh\necho locked >&2; exit 2\n")
    script.chmod(0o755)
    daemon = make_daemon(smtp_config(folder, server, script))
    beside = Runner(daemon).start()
    try:
        daemon.start()
        daemon.call("Send", {"to": ["you@example.org"], "text": "x"})
        want = f"transports.mail.password ({daemon.file}:6): its command: it ended with status 2: locked"
        while want not in daemon.log_text():
            select.select([], [], [], 0.01)
        while daemon.call("Status")["transports"][0]["state"] != "down":
            select.select([], [], [], 0.01)
        assert server.told == []
        [secret] = daemon.call("Status")["secrets"]
        assert not secret["known"] and "locked" in secret["reason"] and secret["place"] == f"{daemon.file}:6"
        doctor = daemon.client("doctor", "--file", daemon.file)
        assert doctor.returncode == 1 and "secret transports.mail.password" in doctor.stdout and "locked" in doctor.stdout
        daemon.stop()
    finally:
        beside.end()
        server.shutdown()
        server.server_close()


def test_check_says_what_would_run(make_daemon, folder):
    ran = folder / "ran"
    script = folder / "tell"
    script.write_text(f"#!/bin/sh\necho x >{ran}\n")
    script.chmod(0o755)
    server = Server(folder, "x")
    daemon = make_daemon(smtp_config(folder, server, script))
    done = subprocess.run([daemon.build / "daemon" / "nunciod", "--check", "-f", daemon.file], capture_output=True, text=True,
                          check=True)
    assert f"{daemon.file}:6: transports.mail.password" in done.stdout and str(script) in done.stdout and not ran.exists()
    server.server_close()


@pytest.mark.parametrize("written, told", [
    ('{ command = []; }', "takes a program"), ('{ command = ["pass"]; }', "absolute path"), ('{ command = "/bin/pass"; }', "takes"),
    ('{ command = ["/bin/a\\nb"]; }', "one line"), ('{ command = [1]; }', "one line"),
    ('{ command = ["/bin/true"]; file = "/x"; }', "takes")])
def test_what_is_no_command(folder, written, told):
    file = pathlib.Path(folder) / "nuncio.conf"
    file.write_text(f'from = "a@example.com";\n{nuncio.outbox(folder / "outbox")}'
                    f'contacts = ( {{ name = "me"; mail = ["me@example.com"]; secret = {written}; }} );\n')
    done = subprocess.run([nuncio.BUILD / "daemon" / "nunciod", "--check", "-f", file], capture_output=True, text=True, check=False)
    assert done.returncode == 78 and told in done.stderr, done.stderr
