"""What programs left in the drop directory while no daemon answered."""
import os
import pathlib
import stat
import subprocess
import time

import pytest

import nuncio

MAIL = b"From: box@example.com\nTo: a@example.org\nSubject: left\n\nbody\n"
CONFIG = 'from = "Home server <box@example.com>";\n'


def spool(key, *to, sender=None, mail=MAIL, size=None):
    head = f"nuncio spool 1\nsize {len(mail) if size is None else size}\nkey {key}\n"
    head += "" if sender is None else f"from {sender}\n"
    return head.encode() + b"".join(b"to %s\n" % t.encode() for t in to) + b"\n" + mail


class Drop:
    """A daemon and its drop directory, into which files come as programs put them there."""

    def __init__(self, daemon, outbox):
        self.daemon, self.outbox = daemon, outbox
        self.path = daemon.state / "drop"
        self.rejected = daemon.state / "rejected"

    def put(self, name, content):
        """Whole, by its name."""
        new = self.path / f".{name}"
        new.write_bytes(content)
        new.rename(self.path / name)

    def make(self):
        self.path.mkdir(parents=True)

    def files(self):
        return sorted(p.name for p in self.path.iterdir())

    def aside(self):
        return sorted(self.rejected.iterdir())

    def wait(self, wanted, what):
        end = time.monotonic() + nuncio.PATIENCE
        while not wanted():
            assert time.monotonic() < end, f"{what}\n{self.daemon.log_text()[-3000:]}"
            self.daemon.call("Status")

    def wait_empty(self):
        self.wait(lambda: not self.files(), "files are left")

    def wait_mails(self, n):
        self.wait(lambda: len(nuncio.maildir(self.outbox)) >= n, "mails are missing")
        mails = nuncio.maildir(self.outbox)
        assert len(mails) == n
        return mails


@pytest.fixture
def drop(make_daemon, folder):
    return Drop(make_daemon(CONFIG + nuncio.outbox(folder / "outbox")), folder / "outbox")


def mode(path):
    return stat.S_IMODE(pathlib.Path(path).stat().st_mode)


def test_left_before_the_start_and_after(drop):
    drop.make()
    drop.put("one", spool("one", "a@example.org", sender=""))
    drop.daemon.start()
    assert (mode(drop.path), mode(drop.rejected), mode(drop.daemon.state / "queue.db")) == (0o3733, 0o700, 0o600)
    drop.wait_empty()
    drop.wait_mails(1)
    drop.put("two", spool("two", "b@example.org", "c@example.org", sender="box@example.com"))
    drop.wait_empty()
    drop.wait_mails(3)
    shown = drop.daemon.show(2)
    assert sorted(d["recipient"] for d in shown["deliveries"]) == ["b@example.org", "c@example.org"]
    assert (drop.daemon.show(1)["sender"], shown["sender"]) == ("", "box@example.com")
    assert drop.aside() == []


def test_as_the_client_leaves_it(drop, folder):
    link = folder / "sendmail"
    link.symlink_to(nuncio.BUILD / "client" / "nuncio")
    drop.daemon.start()
    drop.daemon.stop()
    environment = {**os.environ, "NUNCIO_SOCKET": str(drop.daemon.socket), "NUNCIO_SPOOL": str(drop.path)}
    subprocess.run([link, "-i", "a@example.org"], input=MAIL, env=environment, check=True)
    assert len(drop.files()) == 1
    drop.daemon.start()
    drop.wait_empty()
    assert drop.wait_mails(1)[0]["Subject"] == "left"


def test_a_mail_the_daemon_has_seen_is_sent_once(drop):
    drop.daemon.start()
    fd = nuncio.sealed_memfd(MAIL)
    drop.daemon.call("Submit", {"to": ["a@example.org"], "descriptor": 0, "key": "seen"}, [fd])
    os.close(fd)
    drop.put("seen", spool("seen", "a@example.org"))
    drop.wait_empty()
    drop.wait_mails(1)
    assert drop.aside() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_the_owner_submits(make_daemon, folder):
    config = CONFIG + nuncio.outbox(folder / "outbox") + \
        'access = ( { users = ["23456"]; may = ["submit"]; }, { groups = ["34567"]; may = ["submit"]; } );\n'
    drop = Drop(make_daemon(config), folder / "outbox")
    drop.daemon.start()
    drop.daemon.stop()
    for name, uid, gid, sender in (("may", 23456, 0, None), ("may-not", 45678, 34567, None),
                                   ("as-another", 23456, 0, "boss@example.com")):
        drop.put(name, spool(name, "a@example.org", sender=sender))
        os.chown(drop.path / name, uid, gid)
    drop.daemon.start()
    drop.wait_empty()
    drop.wait_mails(1)
    assert drop.daemon.show(1)["uid"] == 23456
    assert len(drop.aside()) == 2
    assert "may not" in drop.daemon.log_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_mails_that_are_too_many_at_a_time_go_one_after_the_other(make_daemon, folder):
    config = CONFIG + nuncio.outbox(folder / "outbox") + \
        'access = ( { users = ["23456"]; may = ["submit"]; connections = 1; } );\n'
    drop = Drop(make_daemon(config), folder / "outbox")
    drop.make()
    for i in range(20):
        drop.put(f"m{i}", spool(f"m{i}", "a@example.org"))
        os.chown(drop.path / f"m{i}", 23456, 0)
    drop.daemon.start()
    drop.wait_empty()
    drop.wait_mails(20)
    assert drop.aside() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_whose_hour_is_full_waits_and_holds_up_nobody(make_daemon, folder):
    config = CONFIG + nuncio.outbox(folder / "outbox") + \
        'access = ( { users = ["23456"]; may = ["submit"]; messages = "3/h"; } );\n'
    drop = Drop(make_daemon(config), folder / "outbox")
    drop.make()
    for i in range(10):
        drop.put(f"m{i}", spool(f"m{i}", "a@example.org"))
        os.chown(drop.path / f"m{i}", 23456, 0)
    drop.put("other", spool("other", "b@example.org"))
    drop.daemon.start()
    drop.wait(lambda: len(drop.files()) == 7, "three and the other one's are taken")
    drop.wait_mails(4)
    assert "other" not in drop.files() and drop.aside() == []
    assert "waits in the drop directory" in drop.daemon.log_text()


HOSTILE = {
    "empty": b"", "text": b"hello\n", "cut": spool("cut", "a@example.org", size=500),
    "long": spool("long", "a@example.org", size=3), "nobody": spool("nobody"), "bad": spool("bad", "a@@example.org", sender=""),
    "sender": spool("sender", "a@example.org", sender="a@@b"), "zeros": bytes(3_000_000),
    "mail": spool("mail", "a@example.org", mail=b"From: a@x.org\nFrom: b@x.org\n\nx\n", sender=""),
    "a\n\x1b[31mname": b"",
}


def test_hostile_files(drop, folder):
    drop.make()
    (folder / "secret").write_bytes(spool("secret", "a@example.org"))
    (drop.path / "link").symlink_to(folder / "secret")
    (drop.path / "dangling").symlink_to("nowhere")
    os.link(folder / "secret", drop.path / "hard")
    os.mkfifo(drop.path / "fifo")
    (drop.path / "directory").mkdir()
    (drop.path / "directory" / "in").write_bytes(b"x")
    (drop.path / ".begun").write_bytes(spool("begun", "a@example.org"))
    (drop.path / ".stale").write_bytes(b"x")
    os.utime(drop.path / ".stale", (1, 1))
    for name, content in HOSTILE.items():
        (drop.path / name).write_bytes(content)
    (drop.path / "good").write_bytes(spool("good", "a@example.org"))
    with open(drop.path / "huge", "wb") as huge:
        huge.truncate(1 << 40)
    drop.daemon.start()
    drop.wait(lambda: drop.files() == [".begun", "directory"], "files are left")
    drop.wait_mails(1)
    assert len(drop.aside()) == len(HOSTILE) + 5
    assert (folder / "secret").exists()
    log = drop.daemon.log_text()
    assert "\x1b" not in log and log.count("of the drop directory is now") == len(HOSTILE) + 5
    looks = log.count("import")
    drop.put("later", spool("later", "b@example.org"))
    drop.wait_mails(2)
    assert drop.files() == [".begun", "directory"] and drop.daemon.log_text().count("import") < looks + 10


def test_ten_thousand_files(drop):
    drop.make()
    n = 10_000 if os.environ.get("NUNCIO_LONG") == "yes" else 2_500
    for i in range(n):
        (drop.path / f"m{i}").write_bytes(spool(f"m{i}", f"a{i}@example.org"))
    drop.daemon.start()
    drop.wait_empty()
    drop.wait_mails(n)
    assert len({m["X-Nuncio-Id"] for m in nuncio.maildir(drop.outbox)}) == n


def test_the_sender_hears_of_recipients_that_are_none(drop):
    drop.make()
    drop.put("some", spool("some", "a@@example.org", "a@example.org", "carol", "b@example.org"))
    drop.daemon.start()
    drop.wait_empty()
    mails = drop.wait_mails(3)
    [notice] = [m for m in mails if m.get_content_type() == "multipart/report"]
    assert notice["To"] == "box@example.com"
    about = str(list(notice.iter_parts())[1])
    assert "rfc822; carol" in about and "rfc822; a@@example.org" in about and "b@example.org" not in about
    drop.put("none", spool("none", "carol"))
    drop.wait_empty()
    drop.wait_mails(4)
    assert drop.daemon.show(3)["sender"] == "" and drop.aside() == []


def test_many_that_are_none(drop):
    drop.make()
    drop.put("many", spool("many", *[f"nobody{i}" for i in range(500)]))
    drop.daemon.start()
    drop.wait_empty()
    drop.wait(lambda: "too many" in drop.daemon.log_text(), "it is not said why")
    assert len(drop.aside()) == 1


def test_over_a_limit(make_daemon, folder):
    drop = Drop(make_daemon(CONFIG + nuncio.outbox(folder / "outbox") + 'limits = { message = "64K"; };\n'),
                folder / "outbox")
    drop.daemon.start()
    drop.put("large", spool("large", "a@example.org", mail=MAIL + 70_000 * b"x", sender=""))
    drop.wait_empty()
    assert len(drop.aside()) == 1


def test_who_may_send_no_more_just_now_waits(make_daemon, folder):
    """That there is no room is no fault of the mail's."""
    full = 'limits = { queue = 1; };\n'
    drop = Drop(make_daemon(CONFIG + nuncio.outbox(folder / "outbox") + full), folder / "outbox")
    drop.daemon.start()
    held = drop.daemon.call("Send", {"to": ["a@example.org"], "text": "first", "hold": True})["id"]
    drop.put("m", spool("m", "a@example.org"))
    drop.wait(lambda: "waits in the drop directory" in drop.daemon.log_text(), "nobody looked")
    assert drop.files() == ["m"] and drop.aside() == []
    drop.daemon.call("Cancel", {"select": {"message": held}})
    (drop.path / ".something").touch()  # it is looked again
    drop.wait(lambda: "m" not in drop.files(), "it still waits")
    drop.wait_mails(1)


def test_it_goes_as_is_configured_now(make_daemon, folder):
    fake = f'transports = ( {{ name = "t"; type = "fake"; log = "{folder / "log"}"; }} );\n'
    drop = Drop(make_daemon(CONFIG + nuncio.outbox(folder / "outbox")), folder / "outbox")
    drop.daemon.start()
    assert drop.daemon.stop() == 0
    drop.put("m", spool("m", "a@example.org"))
    drop.daemon.configure(CONFIG + fake)
    drop.daemon.start()
    drop.wait_empty()
    assert drop.daemon.wait_final(1) == {"a@example.org": "sent"}
