"""test_imap.py - mailboxes on real IMAP servers: every way in, mail as it comes, mail that came
while nobody listened, servers that go away. Each mail is seen once."""
import json
import os
import queue
import random
import subprocess
import threading
import time

import pytest

import dovecot
import nuncio

ALICE, BOB = dovecot.Dovecot.users
LONG = os.environ.get("NUNCIO_LONG")


class Tool:
    """tests/talk/imap_tool.c, running."""

    def __init__(self, **settings):
        arguments = [f"{key}={value}" for key, value in settings.items()]
        self.process = subprocess.Popen([nuncio.BUILD / "tests/talk/imap_tool", *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.events = queue.Queue()
        self.seen = []
        self.logged = []
        for stream, put in ((self.process.stdout, lambda line: self.events.put(json.loads(line))),
                            (self.process.stderr, self.logged.append)):
            threading.Thread(target=self.read, args=(stream, put), daemon=True).start()

    @staticmethod
    def read(stream, put):
        for line in stream:
            put(line)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def until(self, event, **wanted):
        """The next event of that kind with these values; others are kept in .seen."""
        end = time.monotonic() + nuncio.PATIENCE
        while True:
            try:
                got = self.events.get(timeout=max(0.01, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event} {wanted}; seen {self.seen[-5:]}, {''.join(self.logged[-5:])}") from None
            self.seen.append(got)
            if got["event"] == event and all(got[key] == value for key, value in wanted.items()):
                return got

    def subjects(self):
        return [e["subject"] for e in self.seen if e["event"] == "mail"]

    def expect_once(self, subjects):
        """Each of them once, by ascending UID. (Dovecot gives UIDs by the names of files, which two
        deliveries in one second may have in either order.)"""
        assert sorted(self.subjects()) == sorted(subjects)
        uids = [int(e["ref"].split("/")[1].split("@")[0]) for e in self.seen if e["event"] == "mail"]
        assert uids == sorted(set(uids))

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=nuncio.PATIENCE) == 0, "".join(self.logged)
        while not self.events.empty():
            self.seen.append(self.events.get())


@pytest.fixture(scope="module")
def server(session_folder):
    server = dovecot.Dovecot(session_folder / "dovecot")
    server.folder.mkdir()
    server.start()
    yield server
    server.stop()


@pytest.fixture
def make_tool(server):
    tools = []

    def make(user=ALICE, **settings):
        settings = {"port": server.imaps, "tls": "implicit", "user": user, "password": server.users[user],
                    "ca": server.ca, **settings}
        tools.append(Tool(**settings))
        return tools[-1]

    yield make
    for tool in tools:
        if tool.process.poll() is None:
            tool.process.kill()
            tool.process.wait()


@pytest.mark.parametrize("user", [ALICE, BOB])
@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize("auth", ["LOGIN", "PLAIN", "SCRAM-SHA-256"])
def test_every_way_in(server, make_tool, user, tls, auth):
    tool = make_tool(user, tls=tls, auth=auth, port=server.imaps if tls == "implicit" else server.imap)
    tool.until("state", state="watching")
    tool.until("cursor")
    tool.close()


def test_a_wrong_password(make_tool):
    tool = make_tool(password="wrong")
    down = tool.until("state", state="down")
    assert "login refused" in down["why"]
    assert down["kind"] == 2
    assert "wrong" not in "".join(tool.logged)


def test_a_mail_comes_and_goes(server, make_tool):
    tool = make_tool(BOB)
    tool.until("cursor")
    deliverer = server.deliverer()
    deliverer.deliver(BOB, "first")
    first = tool.until("mail", subject="first")
    tool.say(f"flag {first['ref']} flagged")
    tool.say(f"fetch {first['ref']}")
    tool.say(f"move {first['ref']} \\Trash")
    assert tool.until("done", deed="flag")["why"] == ""
    assert tool.until("fetched")["subject"] == "first"
    assert tool.until("done", deed="move")["why"] == ""
    tool.say(f"fetch {first['ref']}")
    assert tool.until("fetched")["why"] == "gone"
    deliverer.deliver(BOB, "second", "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 3000)
    second = tool.until("mail", subject="second")
    assert second["len"] == second["size"] > 200000
    tool.say(f"move {second['ref']} Nowhere")
    assert "folder" in tool.until("done", deed="move")["why"].lower()
    tool.say(f"delete {second['ref']}")
    assert tool.until("done", deed="delete")["why"] == ""
    deliverer.close()
    tool.close()
    assert tool.subjects() == ["first", "second"]


def test_a_thousand_at_once(server, make_tool):
    tool = make_tool(BOB, delete=1)
    tool.until("cursor")
    deliverer = server.deliverer()
    for number in range(1000):
        deliverer.deliver(BOB, f"burst {number}")
    deliverer.close()
    while len(tool.subjects()) < 1000:
        tool.until("mail")
    tool.say("status")
    assert tool.until("status")["mails"] == 1000
    tool.close()
    tool.expect_once(f"burst {number}" for number in range(1000))


def test_the_server_goes_and_comes_back(server, make_tool):
    tool = make_tool(ALICE)
    cursor = tool.until("cursor")["cursor"]
    deliverer = server.deliverer()
    deliverer.deliver(ALICE, "before")
    cursor = tool.until("mail", subject="before")["cursor"]
    server.stop()
    assert tool.until("state", state="down")["why"]
    server.start()
    deliverer = server.deliverer()
    deliverer.deliver(ALICE, "while it was away")
    tool.until("mail", subject="while it was away")
    deliverer.deliver(ALICE, "after")
    tool.until("mail", subject="after")
    tool.close()
    assert tool.subjects() == ["before", "while it was away", "after"]
    again = make_tool(ALICE, cursor=cursor)
    again.until("mail", subject="after")
    again.close()
    assert again.subjects() == ["while it was away", "after"]


def test_deliveries_at_random_moments(server, make_tool):
    number = 10000 if LONG else 300
    tool = make_tool(ALICE, delete=1)
    tool.until("cursor")
    deliverer = server.deliverer()
    chance = random.Random(4)
    for i in range(number):
        deliverer.deliver(ALICE, f"random {i}")
        threading.Event().wait(chance.choice((0, 0, 0.001, 0.003, 0.01, 0.03)))
        if i % 100 == 50:
            tool.say("status")
    deliverer.close()
    while len(tool.subjects()) < number:
        tool.until("mail")
    tool.close()
    tool.expect_once(f"random {i}" for i in range(number))


@pytest.fixture(scope="module", params=["dovecot", "cyrus"])
def outside(request, oracle):
    server = oracle(request.param)
    server.user = server.env["USER1"]
    return server


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_the_oracles(outside, tls):
    env = outside.env
    settings = {"port": env["IMAPS_PORT" if tls == "implicit" else "IMAP_PORT"], "tls": tls, "user": env["USER1"],
                "ca": env["CA_FILE"], "delete": 1}
    ways = [{"password": env["PASS1"], "auth": "PLAIN"}, {"password": env["PASS1"], "auth": "LOGIN"}]
    if "OAUTH_TOKEN1" in env:
        ways += [{"token": env["OAUTH_TOKEN1"], "auth": auth} for auth in ("XOAUTH2", "OAUTHBEARER")]
    for way in ways:
        tool = Tool(**settings, **way)
        tool.until("cursor")
        deliverer = dovecot.Deliverer(int(env["LMTP_PORT"]))
        deliverer.deliver(env["USER1"], f"by {way['auth']}")
        tool.until("mail", subject=f"by {way['auth']}")
        tool.until("done", why="")
        deliverer.close()
        tool.close()
        assert tool.subjects() == [f"by {way['auth']}"]
