"""Delivery through real smarthosts: our own Postfix always, and by the outside
recipes Postfix, Exim and Dovecot's submission service where they are."""
import base64
import concurrent.futures
import hashlib
import itertools
import json
import os
import random

import pytest

import nuncio
import servers

FROM = 'from = "Home server <box@example.com>";\n'


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def transport(url, user=None, password=None, ca=None, name="mail", **more):
    settings = [f'name = "{name}"', 'type = "smtp"', f"url = {quoted(url)}", 'hello = "client.example.test"']
    if user:
        settings += [f"user = {quoted(user)}"]
    if password:
        settings += [f"password = {quoted(password)}"]
    if ca:
        settings += [f"ca_file = {quoted(str(ca))}"]
    settings += [f"{k} = {v}" for k, v in more.items()]
    return "{ " + "; ".join(settings) + "; }"


def transports(*rows):
    return FROM + "transports = ( " + ",\n".join(rows) + " );\n"


def send(daemon, *to, **more):
    return daemon.call("Send", {"to": list(to), "subject": "test", "text": "hello\n", **more})["id"]


def row(daemon, identity, recipient):
    return next(d for d in daemon.show(identity)["deliveries"] if d["recipient"] == recipient)


class Relay:
    """What tests need to know of a smarthost, whoever started it."""

    def __init__(self, server):
        if isinstance(server, servers.Postfix):
            self.kind, self.ca = "postfix", server.ca
            self.submission, self.smtps, self.plain = server.submission, server.smtps, server.smtp
            self.users = [(server.user, server.password)]
        else:
            env = server.env
            self.kind, self.ca = server.recipe.parent.name, env["CA_FILE"]
            self.submission, self.smtps, self.plain = env["SUBMISSION_PORT"], env["SMTPS_PORT"], env["SMTP_PORT"]
            self.users = [(env["USER1"], env["PASS1"]), (env["USER2"], env["PASS2"])]
        self.server = server

    def starttls(self, n=0, **more):
        return transport(f"smtp://localhost:{self.submission}", *self.users[n], self.ca, **more)

    def implicit(self, n=0, **more):
        return transport(f"smtps://127.0.0.1:{self.smtps}", *self.users[n], self.ca, **more)

    def arrived(self, message_id, count=1):
        """The copies in its Maildir: it accepts first and files in a moment."""
        mails = []
        for _ in range(600):
            mails = self.server.mails(message_id)
            if len(mails) >= count:
                break
            servers.select_a_moment()
        return mails


@pytest.fixture(params=["own", "postfix", "exim"])
def relay(request):
    if request.param == "own":
        return Relay(request.getfixturevalue("postfix"))
    return Relay(request.getfixturevalue("oracle")(request.param))


def test_starttls_and_implicit_tls_with_every_password(relay, make_daemon):
    for n in range(len(relay.users)):
        for way in ("starttls", "implicit"):
            d = make_daemon(transports(getattr(relay, way)(n)), name=f"{way}{n}").start()
            sent = d.call("Send", {"to": ["x@example.test"], "subject": "hé", "text": "line\n.\n..dots\n"})
            assert d.wait_final(sent["id"]) == {"x@example.test": "sent"}, d.log_text()
            [mail] = relay.arrived(sent["message_id"])
            assert mail["Subject"] == "hé" and mail.get_content() == "line\n.\n..dots\n"
            assert mail["X-Nuncio-Id"].startswith(d.call("Status")["instance"])
            d.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "SCRAM-SHA-256"])
def test_each_mechanism(postfix, make_daemon, mechanism):
    d = make_daemon(transports(Relay(postfix).starttls(auth=f'["{mechanism}"]'))).start()
    assert d.wait_final(send(d, "x@example.test")) == {"x@example.test": "sent"}, d.log_text()
    assert mechanism in d.log_text()


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_tokens_at_dovecot(oracle, postfix, make_daemon, mechanism):
    env = oracle("dovecot", RELAY_PORT=str(postfix.smtp)).env
    def config(token):
        return transports(transport(f"smtp://localhost:{env['SUBMISSION_PORT']}", env["USER1"], None, env["CA_FILE"],
                                    token=quoted(env[token]), auth=f'["{mechanism}"]'))
    d = make_daemon(config("OAUTH_TOKEN1_EXPIRED")).start()
    identity = send(d, "x@example.test")
    down = d.wait_transport("mail", "down")
    assert "login" in down["reason"], down
    assert env["OAUTH_TOKEN1_EXPIRED"] not in d.log_text()
    d.reload(config("OAUTH_TOKEN1"))
    assert d.wait_final(identity) == {"x@example.test": "sent"}, d.log_text()


LATER, FAILED = "queued", "failed"
ANSWERS = {
    "postfix": {"defer": (LATER, 451, "4.7.1"), "greylist": (LATER, 450, "4.2.0"), "full": (LATER, 452, "4.2.2"),
                "gone": (FAILED, 550, "5.1.1"), "policy": (FAILED, 554, "5.7.1")},
    "exim": {"defer": (LATER, 451, None), "greylist": (LATER, 450, "4.2.0"), "full": (LATER, 452, "4.2.2"),
             "gone": (FAILED, 550, None), "policy": (FAILED, 554, "5.7.1")},
    "own": {"defer": (LATER, 451, "4.7.1"), "gone": (FAILED, 550, "5.1.1"), "policy": (FAILED, 554, "5.7.1")},
}


def test_every_answer_leads_to_its_state(relay, make_daemon, request):
    own = isinstance(relay.server, servers.Postfix)
    d = make_daemon(transports(relay.starttls())).start()
    for name, (state, code, enhanced) in ANSWERS["own" if own else relay.kind].items():
        address = f"{name}@example.test"
        identity = send(d, address)
        d.wait_events(identity, lambda e: e.get("code"))
        found = row(d, identity, address)
        assert (found["state"], found["code"], found.get("enhanced") or None) == (state, code, enhanced), found
        assert found["text"], found
        assert found["attempts"] == 1
        if state == LATER:
            assert 45_000 <= found["next"] - found["changed"] <= 75_000  # 60 s and 20 % of jitter


def test_five_recipients_two_refused(relay, make_daemon):
    d = make_daemon(transports(relay.starttls())).start()
    to = ["a@example.test", "gone@example.test", "b@example.test", "policy@example.test", "c@example.test"]
    sent = d.call("Send", {"to": to, "subject": "five", "text": "x"})
    states = d.wait_final(sent["id"])
    assert states == {t: "failed" if t[0] in "gp" else "sent" for t in to}
    mails = relay.arrived(sent["message_id"], 3)
    assert len(mails) == 3
    if relay.kind == "postfix":  # one transaction: one queue id, one Received line
        assert len({m["Received"].split("id ")[1].split()[0].rstrip(";") for m in mails}) == 1


def test_more_are_refused_than_the_server_bears_in_a_session(postfix, make_daemon):
    d = make_daemon(transports(Relay(postfix).starttls())).start()
    cases = itertools.product(*[(c, c.upper()) for c in "policy"])
    bad = ["".join(case) + "@example.test" for case in itertools.islice(cases, 24)]
    states = d.wait_final(send(d, *bad, "good@example.test"))
    assert states == {**dict.fromkeys(bad, "failed"), "good@example.test": "sent"}
    assert d.call("Status")["transports"][0]["failures"] == 0


def test_shutdown_pauses_the_transport_and_touches_no_row(relay, make_daemon):
    d = make_daemon(transports(relay.starttls())).start()
    identity = send(d, "shutdown@example.test")
    down = d.wait_transport("mail", "down")
    assert "421" in down["reason"], down
    d.wait_events(identity, lambda e: (e["from"], e["to"]) == ("sending", "queued"))
    found = row(d, identity, "shutdown@example.test")
    assert found["state"] == "queued" and found["attempts"] == 0, found


def test_an_address_that_breaks_sessions_holds_nobody_up(postfix, make_daemon):
    d = make_daemon(transports(Relay(postfix).starttls())).start()
    d.call("Pause", {"transport": "mail"})
    poison = send(d, "shutdown@example.test")
    others = [send(d, f"behind{i}@example.test") for i in range(40)]
    d.call("Resume", {"transport": "mail"})
    for identity in others:
        assert set(d.wait_final(identity).values()) == {"sent"}
    found = row(d, poison, "shutdown@example.test")
    assert found["state"] in ("queued", "sending") and found["attempts"] <= 1, found


def test_a_wrong_password_pauses_the_transport_and_touches_no_row(relay, make_daemon):
    user = relay.users[0][0]
    bad = transport(f"smtp://localhost:{relay.submission}", user, "wr0ng-passw0rd", relay.ca)
    d = make_daemon(transports(bad)).start()
    identities = [send(d, f"n{i}@example.test") for i in range(20)]
    down = d.wait_transport("mail", "down")
    assert "login" in down["reason"] and "535" in down["reason"], down
    for identity in identities:
        [found] = d.show(identity)["deliveries"]
        assert (found["state"], found["attempts"], found.get("code")) == ("queued", 0, None), found
    error = d.error("Probe", {"transport": "mail"})
    assert error.name == "io.nuncio.LoginRefused" and "535" in error.parameters["reason"]
    assert "wr0ng-passw0rd" not in d.log_text() + json.dumps(error.parameters)
    assert d.log_text().count("535") < 20  # told, not repeated for each row
    d.reload(transports(relay.starttls()))
    for identity in identities:
        [state] = d.wait_final(identity).values()
        assert state == "sent"


@pytest.mark.parametrize("variant,said", [("expired", "expired"), ("wronghost", "host"), ("otherca", "certificate")])
@pytest.mark.parametrize("kind", ["postfix", "exim"])
def test_certificates_that_must_be_refused(oracle, make_daemon, kind, variant, said):
    relay = Relay(oracle(kind, TLS_VARIANT=variant))
    for way in ("starttls", "implicit"):
        d = make_daemon(transports(getattr(relay, way)()), name=way).start()
        identity = send(d, "x@example.test")
        down = d.wait_transport("mail", "down")
        assert said in down["reason"], down
        assert d.states(identity) == {"x@example.test": "queued"}
        assert d.error("Probe", {"transport": "mail"}).name == "io.nuncio.TransportSetup"
        d.stop()


def test_refused_by_sender_and_after_data(oracle, make_daemon):
    for kind in ("postfix", "exim"):
        relay = Relay(oracle(kind))
        config = (transports(relay.starttls()) +
                  'access = ( { users = ["*"]; may = ["send", "submit"]; from = ["*@example.test"]; } );\n')
        d = make_daemon(config, name=kind).start()
        identity = send(d, "x@example.test", **{"from": "badsender@example.test"})
        assert d.wait_final(identity) == {"x@example.test": "failed"}
        assert row(d, identity, "x@example.test")["code"] in (550, 553)
        if kind == "exim":
            identity = send(d, "x@example.test", subject="refuse me after data")
            assert d.wait_final(identity) == {"x@example.test": "failed"}
            assert row(d, identity, "x@example.test")["code"] == 550
            identity = send(d, "x@example.test", subject="defer me after data")
            d.wait_events(identity, lambda e: e.get("code") == 451)
            assert d.states(identity) == {"x@example.test": "queued"}
        identity = send(d, "x@example.test", text="x" * 1500000)
        assert d.wait_final(identity) == {"x@example.test": "failed"}
        assert "size" in row(d, identity, "x@example.test")["text"].lower() or \
            row(d, identity, "x@example.test")["code"] == 552
        d.stop()


def test_more_recipients_than_the_server_takes_at_once(oracle, make_daemon):
    for kind in ("postfix", "exim"):
        relay = Relay(oracle(kind))
        d = make_daemon(transports(relay.starttls()), name=kind).start()
        sent = d.call("Send", {"to": [f"r{i}@example.test" for i in range(120)], "subject": "many", "text": "x"})
        assert set(d.wait_final(sent["id"]).values()) == {"sent"}
        assert len(relay.arrived(sent["message_id"], 120)) == 120
        assert all(r["attempts"] == 1 for r in d.show(sent["id"])["deliveries"])
        d.stop()


def test_twenty_megabytes_with_a_name_and_html(relay, make_daemon, folder):
    big = relay.kind == "postfix" and isinstance(relay.server, servers.Postfix)
    data = random.Random(7).randbytes(20_000_000 if big else 600_000)  # outside relays take 1 MiB
    file = folder / "Größe – 写真.bin"
    file.write_bytes(data)
    d = make_daemon(transports(relay.starttls())).start()
    html = "<p>Grüße, <b>см. вложение</b></p>"
    fd = nuncio.sealed_memfd(data)
    sent = d.call("Send", {"to": ["x@example.test"], "cc": ["y@example.test"], "bcc": ["z@example.test"],
                           "subject": "Ein großes Bild " + "ü" * 100, "text": "Siehe Anhang.\n", "html": html,
                           "attachments": [{"name": file.name, "descriptor": 0},
                                           {"name": "a.txt", "content": base64.b64encode(b"\x00\xff").decode()}]},
                  [fd])
    os.close(fd)
    assert set(d.wait_final(sent["id"]).values()) == {"sent"}
    mails = relay.arrived(sent["message_id"], 3)
    assert len(mails) == 3
    for mail in mails:
        assert mail["Subject"] == "Ein großes Bild " + "ü" * 100
        assert mail["Bcc"] is None and "z@example.test" not in str(mail["To"]) + str(mail["Cc"])
        assert mail.get_body(("plain",)).get_content() == "Siehe Anhang.\n"
        assert mail.get_body(("html",)).get_content().rstrip("\n") == html
        first, second = mail.iter_attachments()
        assert first.get_filename() == file.name
        assert hashlib.sha256(first.get_payload(decode=True)).digest() == hashlib.sha256(data).digest()
        assert second.get_payload(decode=True) == b"\x00\xff" and second.get_filename() == "a.txt"
        assert max(map(len, mail.as_bytes().splitlines())) <= 998


def test_one_session_carries_many_mails(postfix, make_daemon):
    relay = Relay(postfix)
    log = postfix.folder / "mail.log"
    before = log.read_text().count("connect from")
    d = make_daemon(transports(relay.starttls())).start()
    with d.connect() as v:
        for i in range(150):
            v.start("Send", {"to": [f"s{i}@example.test"], "text": "x"})
        identities = [v.answer()["parameters"]["id"] for _ in range(150)]
    for identity in identities:
        assert set(d.wait_final(identity).values()) == {"sent"}
    connections = (log.read_text().count("connect from") - before + 1) // 2
    assert 2 <= connections <= 4  # a hundred mails a session


def test_failover_in_order_and_back(postfix, make_daemon, folder):
    relay = Relay(postfix)
    dead = servers.free_port()
    config = transports(
        transport(f"smtp://127.0.0.1:{dead}", name="first", failover='["second", "third"]', connect_timeout='"5s"'),
        transport(f"smtp://127.0.0.1:{dead}", name="second", connect_timeout='"5s"'),
        relay.implicit(name="third"))
    d = make_daemon(config).start()
    identity = send(d, "x@example.test")
    assert d.wait_final(identity) == {"x@example.test": "sent"}
    assert row(d, identity, "x@example.test")["transport"] == "third"
    identity = send(d, "gone@example.test")
    assert d.wait_final(identity) == {"gone@example.test": "failed"}  # a recipient's 5xx is no reason to move on


def test_a_config_fix_frees_what_waits(postfix, make_daemon):
    dead = servers.free_port()
    d = make_daemon(transports(transport(f"smtp://127.0.0.1:{dead}"))).start()
    identity = send(d, "x@example.test")
    d.wait_transport("mail", "down")
    d.reload(transports(Relay(postfix).starttls()))
    assert d.wait_final(identity) == {"x@example.test": "sent"}


def test_unspelled_plain_text_is_refused(postfix, make_daemon):
    """A server without STARTTLS gets neither password nor mail unless tls = "none" is spelled out."""
    with_tls = transport(f"smtp://127.0.0.1:{postfix.smtp}", ca=postfix.ca)
    without = transport(f"smtp://127.0.0.1:{postfix.smtp}", tls='"none"')
    for name, config in (("tls", with_tls), ("none", without)):
        d = make_daemon(transports(config), name=name).start()
        assert d.wait_final(send(d, "x@example.test")) == {"x@example.test": "sent"}
        d.stop()


def test_a_pin_is_checked_besides_all_else(postfix, make_daemon):
    relay = Relay(postfix)
    d = make_daemon(transports(relay.implicit(pin=quoted("ab" * 32)))).start()
    identity = send(d, "x@example.test")
    assert "pin" in d.wait_transport("mail", "down")["reason"]
    assert d.states(identity) == {"x@example.test": "queued"}


def test_many_at_once_through_four_connections(postfix, make_daemon):
    relay = Relay(postfix)
    d = make_daemon(transports(relay.starttls(concurrency="4"))).start()

    def one_client(n):
        with d.connect() as v:
            for i in range(25):
                v.start("Send", {"to": [f"c{n}-{i}@example.test"], "text": "x"})
            return [v.answer()["parameters"] for _ in range(25)]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        sent = [s for batch in pool.map(one_client, range(8)) for s in batch]
    for s in sent:
        assert set(d.wait_final(s["id"]).values()) == {"sent"}
    relay.arrived(sent[-1]["message_id"])
    ids = [m["Message-ID"].strip("<>") for m in relay.server.mails()]
    for s in sent:
        assert ids.count(s["message_id"]) == 1
