"""test_rules_imap.py - commands by mail on real servers: every way in, and every way in which a
server or the way to it goes. Each command is obeyed once."""
import os
import signal
import subprocess
import time

import pytest

import dovecot
import nuncio
import servers
from imap_rig import Account, ImapRig, imap_rig
from rules_rig import SESAME

ALICE, BOB = dovecot.Dovecot.users
LONG = os.environ.get("NUNCIO_LONG")


def relay(postfix):
    return (f'transports = ( {{ name = "mail"; type = "smtp"; url = "smtp://localhost:{postfix.submission}"; '
            f'user = "{postfix.user}"; password = "{postfix.password}"; ca_file = "{postfix.ca}"; }} );\n')


@pytest.fixture(scope="module")
def server(session_folder):
    server = dovecot.Dovecot(session_folder / "dovecot-rules")
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


def obey_and_answer(rig, postfix, what):
    """The whole way of one command: from LMTP to the answer in the relay's Maildir."""
    identity = f"{what}.{time.time_ns()}@example.com"
    rig.bring(what, message_id=f"<{identity}>")
    rig.until_ran(what)
    end = time.monotonic() + nuncio.PATIENCE
    while not (answers := [m for m in postfix.mails() if identity in (m["In-Reply-To"] or "")]):
        assert time.monotonic() < end, rig.daemon.log_text()[-2000:]
        servers.select_a_moment()
    rig.wait_disposed()
    [answer] = answers
    assert answer["To"] == "me@example.com" and answer["Subject"] == f"Re: count {what}"
    assert answer["References"].split()[-1] == f"<{identity}>"
    assert answer["Auto-Submitted"] == "auto-replied"
    assert f"did {what}" in answer.get_content()
    rig.expect_once(what)


WAYS = [(tls, auth) for tls in ("implicit", "starttls") for auth in ("LOGIN", "PLAIN", "SCRAM-SHA-256")]


@pytest.mark.parametrize("tls,auth", WAYS)
def test_a_command_is_obeyed_and_answered(server, postfix, make_daemon, folder, tls, auth):
    account = Account.of_dovecot(server, BOB)
    with imap_rig(make_daemon, folder, account, transports=relay(postfix), row=account.row(tls, auth)) as rig:
        obey_and_answer(rig, postfix, f"{tls}-{auth.lower()}")


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("name,auth", [("dovecot", "LOGIN"), ("dovecot", "XOAUTH2"), ("dovecot", "OAUTHBEARER"),
                                       ("cyrus", "LOGIN"), ("cyrus", "PLAIN")])
def test_a_command_on_the_oracles(oracle, postfix, make_daemon, folder, name, auth, tls):
    account = Account.of_oracle(oracle(name).env, token="OAUTH" in auth or auth == "XOAUTH2")
    with imap_rig(make_daemon, folder, account, transports=relay(postfix), row=account.row(tls, auth)) as rig:
        obey_and_answer(rig, postfix, f"{name}-{tls}-{auth.lower()}")


# ---- what goes wrong ----

@pytest.fixture
def user(server):
    """One of his own for each test: what the others left does not disturb."""
    name = f"user{len(server.users)}@example.test"
    server.users[name] = "secret"
    server.write_users()
    return name


@pytest.fixture
def rig(server, user, make_daemon, folder):
    with imap_rig(make_daemon, folder, Account.of_dovecot(server, user)) as made:
        yield made


@pytest.fixture
def told(record_property):
    """told(what, since): how long it took, for people and for the report."""
    def tell(what, since):
        took = time.monotonic() - since
        record_property(what, f"{took:.3f}")
        print(f"{what}: {took:.3f} s")
        return took
    return tell


def wait_state(rig, state):
    """Until the mailbox is in that state; returns its row of Status."""
    end = time.monotonic() + nuncio.PATIENCE
    while True:
        [row] = rig.daemon.call("Status")["mailboxes"]
        if row["state"] == state:
            return row
        assert time.monotonic() < end, f"{row}\n{rig.daemon.log_text()[-3000:]}"
        servers.select_a_moment()


def drop(server, rig, *whats):
    """Brings commands without the server's doing."""
    for what in whats:
        server.drop(rig.account.user, rig.genuine(what), f"{time.time_ns()}.{rig.number}.test")


def test_the_server_goes_and_comes_back(server, rig, told):
    rig.bring("before")
    rig.until_ran("before")
    rig.hang_up()
    server.stop()
    wait_state(rig, "down")
    drop(server, rig, "meanwhile")
    server.start()
    since = time.monotonic()
    rig.until_ran("meanwhile")
    told("server started -> the mail that waited is obeyed", since)
    rig.bring("after")
    rig.until_ran("after")
    rig.wait_disposed()
    rig.expect_once("before", "meanwhile", "after")


def test_the_server_says_bye(server, rig, told):
    rig.bring("before")
    rig.until_ran("before")
    server.end_sessions()
    since = time.monotonic()
    rig.bring("during")
    rig.until_ran("during")
    told("BYE -> a mail that came then is obeyed", since)
    rig.wait_disposed()
    rig.expect_once("before", "during")


def test_mail_comes_while_it_connects_anew(server, rig, told):
    whats = []
    for n in range(7 if LONG else 4):  # the back-off doubles
        server.end_sessions(signal.SIGKILL if n % 2 else signal.SIGTERM)
        since = time.monotonic()
        for part in range(5):
            whats.append(f"{n}-{part}")
            rig.bring(whats[-1])
        rig.until_ran(*whats, within=150)
        told(f"connection {n} lost -> five mails obeyed", since)
    rig.wait_disposed()
    rig.expect_once(*whats)


def test_its_process_is_stopped_for_longer_than_the_server_waits(server, rig, told):
    rig.bring("before")
    rig.until_ran("before")
    rig.daemon.process.send_signal(signal.SIGSTOP)
    try:
        server.end_sessions()  # as it does to a client that says nothing for half an hour
        rig.bring("while it stood")
    finally:
        rig.daemon.process.send_signal(signal.SIGCONT)
    since = time.monotonic()
    rig.until_ran("while it stood")
    told("SIGCONT -> the mail that waited is obeyed", since)
    rig.bring("after")
    rig.until_ran("after")
    rig.wait_disposed()
    rig.expect_once("before", "while it stood", "after")


def test_the_certificate_is_replaced(server, rig, told):
    tls = server.folder / "tls"
    rig.bring("before")
    rig.until_ran("before")
    rig.hang_up()
    server.stop()
    wait_state(rig, "down")
    good = {file: (tls / file).read_bytes() for file in ("server.pem", "server.key")}
    strange = server.folder / "strange"
    servers.make_certificates(strange, server.names)
    for file in good:
        (tls / file).write_bytes((strange / file).read_bytes())
    try:
        server.start()
        drop(server, rig, "meanwhile")
        end = time.monotonic() + nuncio.PATIENCE
        while "certificate" not in wait_state(rig, "down")["reason"]:
            assert time.monotonic() < end
            servers.select_a_moment()
        assert rig.told == ["before"]
    finally:
        server.stop()
        for file, bytes_ in good.items():
            (tls / file).write_bytes(bytes_)
        server.start()
    since = time.monotonic()
    rig.until_ran("meanwhile", within=150)
    told("good certificate again -> the mail that waited is obeyed", since)
    rig.wait_disposed()
    rig.expect_once("before", "meanwhile")


def test_old_mail_is_left_alone(server, user, make_daemon, folder, told):
    account = Account.of_dovecot(server, user)
    old = 10000 if LONG else 500
    made = ImapRig(make_daemon, folder, account)
    try:
        drop(server, made, *(f"old-{n}" for n in range(old)))
        since = time.monotonic()
        made.start()
        told(f"start -> a mailbox with {old} mails is watched", since)
        since = time.monotonic()
        made.bring("new")
        made.until_ran("new")
        told(f"a mail beside {old} is obeyed", since)
        made.wait_runs_over()
        made.stop_daemon()
        made.start_daemon()
        made.bring("newer")
        made.until_ran("newer")
        made.expect_once("new", "newer")
        memory(made)
        assert len(account.mails()) >= old
    finally:
        made.end()


def memory(rig):
    """What nunciod has and had at most, for people."""
    with open(f"/proc/{rig.daemon.process.pid}/status", encoding="ascii") as status:
        print("nunciod:", *(" ".join(line.split()) for line in status if line.startswith(("VmRSS", "VmHWM"))))


PEOPLE = 10  # nobody is told of more than 200 runs in an hour
MANY = SESAME.replace('["me"]', '["all"]')


def secret_of(person):
    return f"open-sesame-of-{person}"


def wait_answers(rig, number):
    end = time.monotonic() + nuncio.PATIENCE + number / 10
    new = rig.outbox / "new"
    while not new.is_dir() or len(os.listdir(new)) < number:
        assert time.monotonic() < end, rig.daemon.log_text()[-2000:]
        servers.select_a_moment()
    return rig.mails("Re: count ")


def test_many_come_at_once(server, user, make_daemon, folder, told):
    """Each runs once, each is answered once, to who gave it, and no mail is left."""
    number = 1000 if LONG else 200
    people = "".join(f', {{ name = "p{n}"; mail = ["p{n}@example.com"]; secret = "{secret_of(n)}"; }}'
                     for n in range(PEOPLE))
    group = ', { name = "all"; members = [' + ", ".join(f'"p{n}"' for n in range(PEOPLE)) + "]; }"
    account = Account.of_dovecot(server, user)
    with imap_rig(make_daemon, folder, account, rules=MANY, contacts=people + group) as rig:
        mails = {str(n): rig.genuine(n, secret=secret_of(n % PEOPLE), sender=f"p{n % PEOPLE}@example.com",
                                     message_id=f"<many.{n}@example.com>") for n in range(number)}
        since = time.monotonic()
        for mail in mails.values():
            rig.deliver(mail)
        told(f"{number} mails delivered", since)
        rig.until_ran(*mails)
        told(f"{number} mails obeyed", since)
        answers = wait_answers(rig, number)
        told(f"{number} mails answered", since)
        rig.wait_disposed()
        told(f"{number} mails deleted", since)
        memory(rig)
        rig.expect_once(*mails)
        assert sorted((m["In-Reply-To"], m["To"]) for m in answers) == sorted(
            (f"<many.{n}@example.com>", f"p{n % PEOPLE}@example.com") for n in range(number))
        assert len(rig.mails()) == number
        assert all(f"did {m['Subject'].split()[-1]}\n" in m.get_content() for m in answers)


# ---- a network that swallows all ----

class Network:
    """client - router - server, namespaces of their own; the router can drop all it is given."""
    client, server = "10.77.1.2", "10.77.2.2"

    def __init__(self):
        self.names = {part: f"nuncio-{os.getpid()}-{part}" for part in "crs"}
        for name in self.names.values():
            self.ip("netns", "add", name)
        self.pair("c", self.client, "10.77.1.1")
        self.pair("s", self.server, "10.77.2.1")
        self.inside("r", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward")

    @staticmethod
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def within(self, part):
        return ["ip", "netns", "exec", self.names[part]]

    def inside(self, part, *command):
        subprocess.run([*self.within(part), *command], check=True, capture_output=True)

    def pair(self, part, address, router):
        self.ip("link", "add", "wire", "netns", self.names[part], "type", "veth", "peer", "name", f"wire-{part}",
                "netns", self.names["r"])
        for where, link, at in ((part, "wire", address), ("r", f"wire-{part}", router)):
            self.inside(where, "ip", "address", "add", f"{at}/24", "dev", link)
            for up in ("lo", link):
                self.inside(where, "ip", "link", "set", up, "up")
        self.inside(part, "ip", "route", "add", "default", "via", router)

    def swallow(self, all_):
        for address in (self.client, self.server):
            self.inside("r", "ip", "route", "add" if all_ else "del", "blackhole", f"{address}/32")

    def end(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


class FarDovecot(dovecot.Dovecot):
    names = f"DNS:localhost,IP:{Network.server}"

    def wait_port(self, port):
        end = time.monotonic() + nuncio.PATIENCE
        while subprocess.run([*self.within, "nc", "-z", Network.server, str(port)], check=False).returncode:
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"port {port} did not open")
            servers.select_a_moment()

    def left(self, user):
        return [f for part in ("new", "cur") for f in (self.folder / "mail" / user / part).iterdir()]


@pytest.fixture
def network():
    try:
        made = Network()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no networks of our own can be made here: {error}")
    yield made
    made.end()


@pytest.mark.parametrize("moment", ["busy", pytest.param("idle", marks=pytest.mark.skipif(
    not LONG, reason="waits until an IDLE that nothing answers is given up (NUNCIO_LONG)"))])
def test_the_network_swallows_all(network, make_daemon, folder, told, moment):
    (folder / "far").mkdir()
    server = FarDovecot(folder / "far", "*", network.within("s"))
    server.start()
    account = Account.of_dovecot(server, ALICE)
    account.host = network.server
    made = ImapRig(make_daemon, folder, account,
                   row=account.row(more='idle = "1m"; timeout = "2s"; connect_timeout = "2s";'))
    made.daemon.within = network.within("c")
    try:
        made.start()
        drop(server, made, "before")
        made.until_ran("before")
        end = time.monotonic() + 200
        while moment == "idle" and server.left(ALICE):
            assert time.monotonic() < end
            servers.select_a_moment()
        network.swallow(True)
        since = time.monotonic()
        drop(server, made, "meanwhile")
        while made.watches():
            assert time.monotonic() < end
            servers.select_a_moment()
        told("packets dropped -> it knows", since)
        assert made.told == ["before"]
        network.swallow(False)
        since = time.monotonic()
        made.until_ran("meanwhile")
        told("packets go through -> the mail that waited is obeyed", since)
        drop(server, made, "after")
        made.until_ran("after")
        made.wait_runs_over()
        while server.left(ALICE):
            assert time.monotonic() < end
            servers.select_a_moment()
        made.expect_once("before", "meanwhile", "after")
    finally:
        made.end()
        made.daemon.stop()
        server.stop()
