"""What senders hear of their mail: notices of failure and of delay."""
import pytest

import nuncio

MAIL = "From: box@example.com\nTo: a@example.org\nSubject: Größe\nX-Mine: 1\n\nthe body\n".encode()
ANSWERS = "no@* 550 5.1.1 no such user\nbad@* 554 nonsense\nlater@* 451 4.7.1 later\n*@* 250 2.0.0 ok\n"


class Sender:
    """A daemon whose transport answers as a file says, and keeps what went out."""

    def __init__(self, make_daemon, folder, more=""):
        self.log, self.answers = folder / "log", folder / "answers"
        self.answers.write_text(ANSWERS)
        self.config = (f'from = "Home server <box@example.com>";\n{more}transports = ( {{ name = "t"; type = "fake"; '
                       f'answers = "{self.answers}"; log = "{self.log}"; expires = "4d"; }} );\n')
        self.daemon = make_daemon(self.config).start()

    def submit(self, *to, mail=MAIL, **more):
        fd = nuncio.sealed_memfd(mail)
        return self.daemon.call("Submit", {"to": list(to), "descriptor": 0, **more}, [fd])["id"]

    def count(self):
        return max((d["message"] for d in self.daemon.call("List", {"limit": 500})["deliveries"]), default=0)

    def next(self, identity):
        """The message with this number, once it is there."""
        with self.daemon.connect() as v:
            v.start("Watch", {}, more=True)
            while self.count() < identity:
                v.answer()
        return self.daemon.show(identity)


@pytest.fixture
def sender(make_daemon, folder):
    return Sender(make_daemon, folder)


def outbox_notice(make_daemon, folder, to, **more):
    """One mail that fails by one transport, and its notice, which goes into a Maildir."""
    answers = folder / "answers"
    answers.write_text(ANSWERS)
    config = (f'from = "Home server <box@example.com>";\n'
              f'transports = ( {{ name = "local"; type = "maildir"; path = "{folder / "outbox"}"; }},\n'
              f'  {{ name = "t"; type = "fake"; answers = "{answers}"; }} );\n')
    daemon = make_daemon(config).start()
    fd = nuncio.sealed_memfd(more.pop("mail", MAIL))
    daemon.call("Submit", {"to": to, "descriptor": 0, "by": "t", **more}, [fd])
    with daemon.connect() as v:
        v.start("Watch", {}, more=True)
        while not nuncio.maildir(folder / "outbox"):
            v.answer()
    [notice] = nuncio.maildir(folder / "outbox")
    return daemon, notice


def test_a_failure_comes_back(make_daemon, folder):
    daemon, notice = outbox_notice(make_daemon, folder, ["no@example.org", "ok@example.org", "bad@example.org"],
                                   **{"from": "box@example.com", "envid": "E-17"})
    assert notice["To"] == "box@example.com" and notice["Auto-Submitted"] == "auto-replied"
    assert notice.get_content_type() == "multipart/report"
    assert notice.get_param("report-type") == "delivery-status"
    assert notice["X-Nuncio-Id"] and not notice.defects
    text, status, original = notice.iter_parts()
    assert "Größe" in text.get_content() and "550 5.1.1 no such user" in text.get_content().replace("\r", "")
    assert status.get_content_type() == "message/delivery-status"
    about, *recipients = status.get_payload()
    assert about["Original-Envelope-Id"] == "E-17" and about["Reporting-MTA"].startswith("dns; ")
    found = {r["Final-Recipient"]: (r["Action"], r["Status"], r["Diagnostic-Code"]) for r in recipients}
    assert found.keys() == {"rfc822; no@example.org", "rfc822; bad@example.org"}
    assert found["rfc822; no@example.org"] == ("failed", "5.1.1", "smtp; 550 5.1.1 no such user")
    assert found["rfc822; bad@example.org"][:2] == ("failed", "5.0.0")
    assert original.get_content_type() == "text/rfc822-headers" and "X-Mine: 1" in original.get_content()
    assert "the body" not in original.get_content()
    shown = daemon.show(2)
    assert shown["sender"] == "" and shown["uid"] == daemon.show(1)["uid"]


def test_the_whole_comes_back(make_daemon, folder):
    _, notice = outbox_notice(make_daemon, folder, ["no@example.org"], ret="full")
    original = list(notice.iter_parts())[2]
    assert original.get_content_type() == "message/rfc822"
    assert original.get_content().get_content().strip() == "the body"


def test_of_these_nobody_hears(sender):
    """The null sender, -N never, Send, and a notice that fails itself."""
    first = sender.submit("no@example.org", **{"from": ""})
    second = sender.submit("no@example.org", notify="never")
    third = sender.submit("no@example.org", notify="delay,success")
    fourth = sender.daemon.call("Send", {"to": ["no@example.org"], "text": "x"})["id"]
    for identity in (first, second, third, fourth):
        assert sender.daemon.wait_final(identity) == {"no@example.org": "failed"}
    told = sender.submit("no@example.org", **{"from": "no@example.com"})
    assert sender.daemon.wait_final(told) == {"no@example.org": "failed"}
    notice = sender.next(told + 1)
    assert [d["recipient"] for d in notice["deliveries"]] == ["no@example.com"]
    assert sender.daemon.wait_final(told + 1) == {"no@example.com": "failed"}
    last = sender.submit("no@example.org")
    assert sender.next(last + 1)["sender"] == "" and sender.count() == last + 1


def test_wrong_wishes(sender):
    for name, value in (("notify", "sometimes"), ("notify", ""), ("ret", "half"), ("envid", ""), ("envid", "a b"),
                        ("envid", 101 * "x")):
        fd = nuncio.sealed_memfd(MAIL)
        error = sender.daemon.error("Submit", {"to": ["a@example.org"], "descriptor": 0, name: value}, [fd])
        assert (error.name, error.parameters["field"]) == ("io.nuncio.BadMessage", name)


def test_many_in_one_notice(sender):
    identity = sender.submit(*[f"no@h{i}.example.org" for i in range(300)], "ok@example.org")
    sender.daemon.wait_final(identity)
    sender.next(identity + 1)
    last = sender.submit("no@example.org")
    sender.next(last + 1)
    assert sender.count() - identity < 8  # a few, not 300


def test_a_retry_that_fails_is_told_again(sender):
    identity = sender.submit("no@example.org")
    sender.next(identity + 1)
    sender.daemon.call("Retry", {"select": {"message": identity}})
    sender.daemon.wait_final(identity)
    assert sender.next(identity + 2)["sender"] == ""


def test_delay_is_told_once(make_daemon, folder):
    sender = Sender(make_daemon, folder, 'delay_notice = "1s";\n')
    identity = sender.submit("later@example.org")
    held = sender.submit("ok@example.org", at="1h")
    notice = sender.next(held + 1)
    assert notice["subject"] == "Mail is delayed"
    failing = sender.submit("no@example.org")
    sender.next(failing + 1)
    assert sender.count() == failing + 1
    assert sender.daemon.states(identity) == {"later@example.org": "queued"}
