"""The daemon and servers that break the rules, or break off, at any point: nothing is lost,
nothing goes twice but what was lost behind its dot, nothing is tried hotly."""
import itertools
import math
import os
import re
import signal
import socket
import threading
import time

import pytest

import hostile
import nuncio
import servers
from test_smtp import row, send, transport, transports

LONG = os.environ.get("NUNCIO_LONG") == "yes"
TO = "x@example.test"


def plain(server, name="mail", host="127.0.0.1", **more):
    return transport(f"smtp://{host}:{server.port}", name=name, **{"tls": '"none"', "idle": '"0s"', **more})


def starttls(server, name="mail", **more):
    return transport(f"smtp://localhost:{server.port}", name=name, ca=server.certificate / "ca.pem", **more)


def start(make_daemon, *rows, name="d"):
    return make_daemon(transports(*rows), name=name).start()


def one(make_daemon, server, **more):
    return start(make_daemon, plain(server, **more))


def changes(daemon, identity):
    return [(e["from"], e["to"]) for e in daemon.show(identity)["events"] if e.get("from")]


def afresh(d):
    """What rests is tried again at once."""
    d.stop()
    d.start()
    d.call("Retry", {"select": {"all": True}})


@pytest.fixture(scope="module")
def certificate(session_folder):
    folder = session_folder / "hostile-tls"
    servers.make_certificates(folder, "DNS:localhost,IP:127.0.0.1,IP:::1")
    return folder


def test_every_reply_byte_by_byte(make_server, make_daemon):
    server = make_server(drip=True)
    d = one(make_daemon, server)
    sent = d.call("Send", {"to": [TO, "y@example.test"], "subject": "slow", "text": ".\n"})
    assert set(d.wait_final(sent["id"]).values()) == {"sent"}
    [mail] = server.mails
    assert mail.message_id == sent["message_id"] and mail.recipients == [TO, "y@example.test"]
    assert mail.parsed.get_content() == ".\n"
    assert [mail.parsed[h] for h in ("Subject", "From", "To")] == [
        "slow", "Home server <box@example.com>", f"{TO}, y@example.test"]


# ---- broken off at any byte ----

def positions(make_daemon, make_server):
    """How many bytes a whole conversation has, both ways."""
    server = make_server()
    d = start(make_daemon, plain(server), name="whole")
    d.wait_final(send(d, TO))
    server.wait(lambda s: s.sessions[0].over)
    d.stop()
    return server.sessions[0].said, server.sessions[0].heard


def check_cut(d, server, identity):
    first = server.sessions[0]
    tried = [m for m in server.mails if m.session is first]
    whole = first.said >= server.said_to_dot if server.cut[0] == "said" else False
    assert d.states(identity) == {TO: "sent"}, (server.cut, d.states(identity))
    assert len({m.message_id for m in server.mails}) == 1
    if len(server.mails) > 1:  # twice: only when its dot was out and its answer was not heard
        assert len(server.mails) == 2 and tried and not whole, server.cut
    history = changes(d, identity)
    assert history.count(("queued", "sending")) <= 2 and len(server.sessions) <= 3, (server.cut, history)
    attempts = row(d, identity, TO)["attempts"]
    assert attempts == 1 or (attempts == 2 and b"DATA" in first.lines), (server.cut, attempts)
    if len(server.mails) == 2:
        assert attempts == 2, server.cut


@pytest.mark.parametrize("how", [hostile.close, hostile.reset], ids=["fin", "rst"])
@pytest.mark.parametrize("direction", ["said", "heard"])
def test_broken_off_at_every_byte(make_server, make_daemon, direction, how):
    said, heard = positions(make_daemon, make_server)
    count = said if direction == "said" else heard
    step = 1 if LONG else 5
    for begin in range(0, count, 120 * step):
        batch = range(begin, min(begin + 120 * step, count), step)
        cut = [make_server(cut=(direction, n, how)) for n in batch]
        d = start(make_daemon, *(plain(s, name=f"t{i}", retry='{ first = "1s"; }') for i, s in enumerate(cut)),
                  name=f"d{batch[0]}")
        sent = [send(d, TO, by=f"t{i}") for i in range(len(cut))]
        for server, identity in zip(cut, sent):
            server.said_to_dot = said - len(hostile.DUE["QUIT"])
            d.wait_final(identity)
            check_cut(d, server, identity)
        d.stop()


# ---- wrong answers ----

SENT, FAILED, LATER, DOWN, UNSURE = "sent", "failed", "queued 1", "queued 0, down", "queued 1, down"
CODES = [99, 100, 120, 199, 200, 211, 220, 221, 235, 250, 251, 252, 299, 300, 334, 354, 399, 400, 421, 432, 450, 451,
         452, 454, 499, 500, 501, 502, 503, 521, 530, 534, 535, 538, 541, 550, 551, 552, 553, 554, 555, 599, 600, 999]
LOGIN = (530, 534, 535, 538)


def due_outcome(step, code):
    """What must come of an answer, by the first digit and by what FACTS excepts."""
    first = code // 100
    if step == "QUIT":
        return SENT
    if step in ("greeting", "EHLO"):
        if step == "EHLO" and first == 5:
            return SENT  # by HELO
        return SENT if code == (220 if step == "greeting" else 250) else DOWN
    if step == "dot" and first not in (2, 4, 5):
        return UNSURE
    if step == "DATA":
        if code == 354:
            return SENT
    elif first == 2:
        return SENT
    if first not in (4, 5) or code == 421 or (code in LOGIN and step != "dot"):
        return DOWN
    if code == 503 and step in ("MAIL", "RCPT"):
        return DOWN
    return LATER if first == 4 else FAILED


def rests_long(step, code):
    """It is the operator's turn, or nobody's: a second try within seconds were one too many."""
    due = due_outcome(step, code)
    return not due.endswith("down") or code in LOGIN and step in ("MAIL", "RCPT", "DATA")


def has_fallen(d, name):
    return re.search(rf" smtp {name}: circuit \S+ -> down$", d.log_text(), re.MULTILINE) is not None


def wait_fallen(d, name):
    """It may be up again by now."""
    with d.connect() as watcher:
        watcher.start("Watch", {}, more=True)
        while not has_fallen(d, name):
            watcher.answer()


def seen_outcome(d, identity, name):
    """What came of the first try, whatever came after it: by what was written down of it."""
    first = next((e for e in d.show(identity)["events"] if e.get("from") == "sending"), {"to": "queued", "attempt": 0})
    if first["to"] != "queued":
        assert first["attempt"] == 1, first
        return first["to"]
    return f"queued {first['attempt']}" + (", down" if has_fallen(d, name) else "")


@pytest.mark.parametrize("step", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot", "QUIT"])
def test_every_code_at_every_step(make_server, make_daemon, step):
    codes = CODES * 2  # with PIPELINING, and without
    many = [make_server({step: b"%03d so it is\r\n" % code}, capabilities=hostile.CAPABILITIES[i // len(CODES):])
            for i, code in enumerate(codes)]
    begun = time.monotonic()
    d = start(make_daemon, *(plain(s, name=f"t{i}") for i, s in enumerate(many)))
    sent = [send(d, TO, by=f"t{i}") for i in range(len(many))]
    wrong = {}
    for i, (code, server, identity) in enumerate(zip(codes, many, sent)):
        server.wait(lambda s: s.sessions and s.sessions[0].over)
        due = due_outcome(step, code)
        if "down" in due:
            wait_fallen(d, f"t{i}")
        if due != DOWN or step not in ("greeting", "EHLO"):
            d.wait_events(identity, lambda e: e.get("from") == "sending")
        if (seen := seen_outcome(d, identity, f"t{i}")) != due:
            wrong[code] = (seen, due)
    assert not wrong
    # Until all that are down for a while were tried again: nobody was tried hotly
    for code, server in zip(codes, many):
        if due_outcome(step, code).endswith("down") and not rests_long(step, code):
            server.wait(lambda s: len(s.sessions) >= 2)
    # a connection more may have been opened while the first one's mail was under way, and have had nothing to do
    asked = "EHLO" if step in ("greeting", "EHLO") else "MAIL"
    tries = {i: sum(s.number == 1 or any(line.startswith(asked.encode()) for line in s.lines) for s in server.sessions)
             for i, server in enumerate(many)}
    # as many as rests that double, from half a second on, leave room for
    most = 1 + max(1, int(math.log2((time.monotonic() - begun) / 0.5 + 1)))
    assert {codes[i]: n for i, n in tries.items() if n > (1 if rests_long(step, codes[i]) else most)} == {}


# ---- answers that are not, or never come ----

def test_answers_before_they_are_due_are_not_believed(make_server, make_daemon):
    lies = [b"220 hi\r\n", b"250-hostile\r\n250 PIPELINING\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n",
            b"250 kept\r\n", b"250 kept\r\n"]
    many = [make_server({"greeting": hostile.then(b"".join(lies), hostile.silence)}),
            make_server({"EHLO": hostile.then(b"".join(lies[1:]), hostile.silence)}),
            make_server({"DATA": hostile.then(b"".join(lies[4:]), hostile.silence)}),
            make_server({"MAIL": hostile.then(b"".join(lies[2:]), hostile.silence)}, capabilities=()),
            make_server({"DATA": hostile.then(b"354 go\r\n250 k", hostile.close)})]
    d = start(make_daemon, *(plain(s, name=f"t{i}", timeout='"1s"') for i, s in enumerate(many)))
    for i, identity in enumerate([send(d, TO, by=f"t{i}") for i in range(len(many))]):
        assert "nothing" in d.wait_transport(f"t{i}", "down")["reason"] or i == 4
        if i > 1:
            d.wait_events(identity, lambda e: (e.get("from"), e["to"]) == ("sending", "queued"))
        assert d.states(identity) == {TO: "queued"}, i


@pytest.mark.parametrize("what", [b"220-a\r\n", b"250-a\r\n", b"354-a\r\n", b"x" * 100])
def test_replies_without_an_end(make_server, make_daemon, what):
    steps = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"]
    many = [make_server({step: hostile.endless(what)}) for step in steps]
    d = start(make_daemon, *(plain(s, name=f"t{i}") for i, s in enumerate(many)))
    for i, identity in enumerate([send(d, TO, by=f"t{i}") for i in range(len(many))]):
        assert "reply" in d.wait_transport(f"t{i}", "down")["reason"] or what[:1] == b"x"
        if steps[i] not in ("greeting", "EHLO"):
            d.wait_events(identity, lambda e: (e.get("from"), e["to"]) == ("sending", "queued"))
        assert row(d, identity, TO)["attempts"] == (steps[i] == "dot")


@pytest.mark.parametrize("step", ["connect", "greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_silence_beyond_the_timeout(make_server, make_daemon, step):
    server = make_server({step: hostile.in_turn(hostile.silence)})
    d = one(make_daemon, server, timeout='"1s"', retry='{ first = "1s"; }')
    identity = send(d, TO)
    if step != "connect":
        assert "did not answer" in d.wait_transport("mail", "down")["reason"]
        afresh(d)
    assert d.wait_final(identity) == {TO: "sent"}
    assert len(server.mails) == 1 and row(d, identity, TO)["attempts"] == 1


def test_a_server_that_never_reads(make_server, make_daemon):
    server = make_server({"DATA": hostile.in_turn(hostile.then(b"354 go\r\n", hostile.deafness))}, receive_buffer=4096)
    d = one(make_daemon, server, timeout='"1s"')
    fd = nuncio.sealed_memfd(os.urandom(8_000_000))
    identity = d.call("Send", {"to": [TO], "attachments": [{"name": "a", "descriptor": 0}]}, [fd])["id"]
    os.close(fd)
    assert "stopped taking" in d.wait_transport("mail", "down")["reason"]
    afresh(d)
    assert d.wait_final(identity) == {TO: "sent"}
    assert row(d, identity, TO)["attempts"] == 1 and len(server.mails) == 1
    assert len(server.mails[0].parsed.get_payload()[-1].get_payload(decode=True)) == 8_000_000


# ---- TLS ----

@pytest.mark.parametrize("after", [b"", b"\x15\x03\x01\x00\x02\x02\x28", b"\x16\x03\x03", b"220 lie\r\n",
                                   bytes(range(64))])
@pytest.mark.parametrize("how", [hostile.close, hostile.reset])
def test_tls_that_fails_in_its_handshake(make_server, make_daemon, certificate, after, how):
    fail = hostile.then(b"220 go\r\n", lambda s, _: s.read() and after, how)
    server = make_server({"STARTTLS": hostile.in_turn(fail)}, certificate=certificate, capabilities=("STARTTLS",))
    d = start(make_daemon, starttls(server, connect_timeout='"2s"'))
    identity = send(d, TO)
    assert "TLS" in d.wait_transport("mail", "down")["reason"]
    assert row(d, identity, TO)["attempts"] == 0
    afresh(d)
    assert d.wait_final(identity) == {TO: "sent"}
    [mail] = server.mails
    assert isinstance(mail.session.socket, hostile.ssl.SSLSocket)


def test_a_tls_handshake_that_never_ends(make_server, make_daemon, certificate):
    server = make_server({"STARTTLS": hostile.in_turn(hostile.then(b"220 go\r\n", hostile.silence))},
                         certificate=certificate, capabilities=("STARTTLS",))
    d = start(make_daemon, starttls(server, connect_timeout='"1s"'))
    identity = send(d, TO)
    assert "within 1 s" in d.wait_transport("mail", "down")["reason"]
    afresh(d)
    assert d.wait_final(identity) == {TO: "sent"}


@pytest.mark.parametrize("injected", [b"250 lie\r\n", b"2", b"\r\n", b"250-hostile\r\n250 AUTH PLAIN\r\n"])
def test_plain_text_behind_starttls_is_an_attack(make_server, make_daemon, certificate, injected):
    server = make_server({"STARTTLS": b"220 go\r\n" + injected}, certificate=certificate, capabilities=("STARTTLS",))
    d = start(make_daemon, starttls(server))
    identity = send(d, TO)
    assert "plain text" in d.wait_transport("mail", "down")["reason"]
    assert d.states(identity) == {TO: "queued"} and not server.mails and len(server.sessions) == 1


def test_starttls_that_was_taken_out(make_server, make_daemon, certificate):
    for plan in ({}, {"EHLO": b"500 what\r\n"}, {"STARTTLS": b"454 no\r\n"}, {"STARTTLS": b"250 ok\r\n"},
                 {"STARTTLS": b"502 no\r\n"}):
        capabilities = ("STARTTLS",) if "STARTTLS" in plan else ()
        server = make_server(plan, certificate=certificate, capabilities=capabilities)
        d = start(make_daemon, starttls(server), name=f"d{server.port}")
        identity = send(d, TO)
        d.wait_transport("mail", "down")
        assert d.states(identity) == {TO: "queued"}
        assert not [line for line in server.sessions[0].lines if line[:4] in (b"MAIL", b"AUTH", b"HELO")]
        d.stop()


# ---- what a server can take ----

def submit(d, data, to=(TO,), **more):
    fd = nuncio.sealed_memfd(data)
    try:
        return d.call("Submit", {"from": "box@example.com", "to": list(to), "descriptor": 0, **more}, [fd])["id"]
    finally:
        os.close(fd)


def test_sizes_that_are_offered(make_server, make_daemon):
    offers = ("SIZE", "SIZE 0", "SIZE 3000", "SIZE 99999999999999999999", "SIZE x")
    many = [make_server(capabilities=(offer,)) for offer in offers]
    d = start(make_daemon, *(plain(s, name=f"t{i}") for i, s in enumerate(many)))
    for i, server in enumerate(many):
        small, large = send(d, TO, by=f"t{i}"), send(d, TO, by=f"t{i}", text="x" * 60 + "\n" + "y" * 5000)
        assert d.wait_final(small) == {TO: "sent"}
        assert d.wait_final(large) == {TO: "failed" if server.capabilities == ("SIZE 3000",) else "sent"}
        for mail in server.mails:
            assert int(mail.sender.split(b"SIZE=")[1].split()[0]) >= len(mail.data)
    assert row(d, d.call("List", {"states": ["failed"]})["deliveries"][0]["message"], TO)["code"] == 552


def test_a_size_that_is_only_an_estimate_refuses_nothing(make_server, make_daemon):
    def judge(_session, line):
        return b"552 5.3.4 too big\r\n" if int(line.split(b"SIZE=")[1].split()[0]) > 1_000_000 else None

    server = make_server({"MAIL": judge}, capabilities=("SIZE 1000000",))
    d = one(make_daemon, server)
    assert d.wait_final(send(d, TO, text="log line\n" * 85_000)) == {TO: "sent"}  # it might have become base64
    assert 850_000 < len(server.mails[0].data) < 1_000_000


def test_step_by_step_where_nothing_is_pipelined(make_server, make_daemon):
    server = make_server(capabilities=())
    d = one(make_daemon, server)
    identities = [send(d, *(f"r{j}@example.test" for j in range(5))) for _ in range(5)]
    for identity in identities:
        assert set(d.wait_final(identity).values()) == {"sent"}
    assert len(server.mails) == 5 and not [s.unasked for s in server.sessions if s.unasked]
    assert all(b"SIZE" not in m.sender and b"BODY" not in m.sender for m in server.mails)


def test_eight_bits_where_seven_pass(make_server, make_daemon):
    text = "Grüße\r\n.\r\n" + "ü" * 1200 + "\r\n" + ".end" * 20 + "\r\n"
    data = ("From: box@example.com\r\nSubject: =?utf-8?q?h=C3=A9?=\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text).encode()
    for capabilities in ((), ("8BITMIME",)):
        server = make_server(capabilities=capabilities)
        d = start(make_daemon, plain(server), name=f"d{len(capabilities)}")
        assert d.wait_final(submit(d, data)) == {TO: "sent"}
        [mail] = server.mails
        assert b"BODY" not in mail.sender and mail.data.isascii()  # a line is too long: encoded anew for both
        assert mail.parsed.get_content().splitlines() == text.splitlines() and mail.parsed["Subject"] == "hé"
        short = data.replace(b"\xc3\xbc" * 1200, b"\xc3\xbc" * 400)
        assert d.wait_final(submit(d, short)) == {TO: "sent"}
        mail = server.mails[1]
        assert (b"BODY=8BITMIME" in mail.sender) == bool(capabilities) != mail.data.isascii()
        assert mail.parsed.get_content().splitlines() == text.replace("ü" * 1200, "ü" * 400).splitlines()
        d.stop()


def test_utf8_addresses_where_they_are_not_taken(make_server, make_daemon):
    for capabilities in (("8BITMIME",), ("8BITMIME", "SMTPUTF8")):
        server = make_server(capabilities=capabilities)
        d = start(make_daemon, plain(server), name=f"d{len(capabilities)}")
        identity = d.call("Send", {"to": [TO], "bcc": ["grün@example.test", "y@grün.test"], "text": "x"})["id"]
        fine = "SMTPUTF8" in capabilities
        assert d.wait_final(identity) == {TO: "sent", "grün@example.test": "sent" if fine else "failed",
                                          "y@xn--grn-ioa.test": "sent"}
        [mail] = server.mails
        assert (b"SMTPUTF8" in mail.sender) == fine and b"gr" not in mail.data.split(b"\r\n\r\n")[0].lower()
        d.stop()


def test_dots_at_every_place_of_a_chunk(make_server, make_daemon):
    server = make_server()
    d = one(make_daemon, server)
    header = b"From: box@example.com\r\nTo: x@example.test\r\nSubject: dots\r\n\r\n"
    bodies = []
    for around in (65536, 131072):
        for n in range(-12, 13):
            fill = around + n - len(header)
            bodies.append(b"".join(b"%060d\r\n" % i for i in range(fill // 62)) + b"z" * (fill % 62) +
                          b"\r\n.\r\n..\r\n.\r\n.x\r\nend\r\n.")
    identities = [submit(d, header + body) for body in bodies]
    for identity in identities:
        assert d.wait_final(identity) == {TO: "sent"}
    got = {m.message_id: m.data.partition(b"\r\n\r\n")[2] for m in server.mails}
    for identity, body in zip(identities, bodies):
        assert got[d.show(identity)["message_id"]] == body + b"\r\n"


def test_a_hundred_recipients_of_mixed_fortune(make_server, make_daemon):
    def judge(_session, line):
        n = int(line.split(b"<r")[1].split(b"@")[0])
        return [None, b"550 5.1.1 gone\r\n", b"451 4.7.1 grey\r\n", b"452 4.5.3 too many\r\n"][n % 4]
    server = make_server({"RCPT": judge})
    d = one(make_daemon, server)
    identity = send(d, *(f"r{i}@example.test" for i in range(100)))
    d.wait_events(identity, lambda e: e.get("recipient") == "r3@example.test" and e.get("from") == "sending")
    wanted = {0: ("sent", 1), 1: ("failed", 1), 2: ("queued", 1), 3: ("queued", 1)}
    with d.connect() as v:
        for _ in v.watch(identity):
            rows = d.show(identity)["deliveries"]
            if all(r["state"] not in ("queued", "sending") or r["attempts"] for r in rows):
                break
    found = {int(r["recipient"][1:].split("@")[0]): (r["state"], r["attempts"]) for r in rows}
    assert found == {i: wanted[i % 4] for i in range(100)}
    assert sorted(itertools.chain(*(m.recipients for m in server.mails))) == sorted(
        f"r{i}@example.test" for i in range(0, 100, 4))


# ---- reloads, ends, families ----

@pytest.mark.parametrize("change", ["same", "other", "gone"])
@pytest.mark.parametrize("step", ["EHLO", "RCPT", "dot"])
def test_a_reload_in_the_middle_of_a_session(make_server, make_daemon, step, change):
    reached, go_on = threading.Event(), threading.Event()

    def pause(_session, _line):
        reached.set()
        assert go_on.wait(nuncio.PATIENCE)

    server, second = make_server({step: hostile.in_turn(pause)}), make_server()
    d = one(make_daemon, server)
    identity = send(d, TO)
    assert reached.wait(nuncio.PATIENCE)
    if change == "gone":
        d.reload(transports(plain(second, name="new")))
    else:
        d.reload(transports(plain(second if change == "other" else server, timeout='"50s"')))
    go_on.set()
    assert d.wait_final(identity) == {TO: "sent"}
    assert len(server.mails) + len(second.mails) == 1 and row(d, identity, TO)["attempts"] == 1
    assert step == "EHLO" or server.mails
    assert d.wait_final(send(d, TO)) == {TO: "sent"}
    assert len(second.mails) == (0 if change == "same" else 1 if step != "EHLO" else 2)


def test_told_to_end_while_the_dot_is_out(make_server, make_daemon):
    reached, go_on = threading.Event(), threading.Event()

    def pause(_session, _line):
        reached.set()
        assert go_on.wait(nuncio.PATIENCE)

    server = make_server({"dot": hostile.in_turn(pause)})
    d = one(make_daemon, server)
    identity = send(d, TO)
    assert reached.wait(nuncio.PATIENCE)
    d.process.send_signal(signal.SIGTERM)
    go_on.set()
    assert d.ended() == 0
    d.start()
    assert d.wait_final(identity) == {TO: "sent"}
    assert len(server.mails) == 1 and row(d, identity, TO)["attempts"] == 1  # what is on its way is finished


@pytest.mark.parametrize("listens", ["::1", "127.0.0.1"])
@pytest.mark.parametrize("named", ["localhost", "literal"])
def test_both_families(make_server, make_daemon, certificate, listens, named):
    if named == "localhost" and not [a for a in socket.getaddrinfo("localhost", 25) if a[4][0] == listens]:
        pytest.skip(f"localhost is not {listens} here")
    server = make_server(host=listens, certificate=certificate, capabilities=("STARTTLS",))
    host = "localhost" if named == "localhost" else f"[{listens}]" if ":" in listens else listens
    d = start(make_daemon, transport(f"smtp://{host}:{server.port}", ca=certificate / "ca.pem"))
    assert d.wait_final(send(d, TO)) == {TO: "sent"}
    assert f"connected to {'[::1]' if ':' in listens else listens}:{server.port}" in d.log_text()


@pytest.mark.parametrize("how", [hostile.close, lambda s, _: b"421 too many messages in this connection\r\n"])
def test_a_server_that_takes_one_mail_a_connection(make_server, make_daemon, how):
    def only_one(session, line):
        return how(session, line) if [b"DATA"] == session.lines[3:4] else None

    server = make_server({"MAIL": only_one})
    d = one(make_daemon, server, idle='"10s"')
    d.call("Pause", {"transport": "mail"})
    identities = [send(d, TO) for _ in range(20)]
    d.call("Resume", {"transport": "mail"})
    for identity in identities:
        assert d.wait_final(identity) == {TO: "sent"}
    assert len(server.mails) == 20 and len(server.sessions) == 20
    last = max(d.show(i)["deliveries"][0]["changed"] for i in identities)
    assert last - d.show(identities[0])["deliveries"][0]["changed"] < 4000  # nobody waited for others
