"""Texts by mail to carriers' gateways: the daemon, an SMTP server that stands for the provider's,
and the commands a person types."""
import json
import subprocess
import threading

import hostile
import nuncio
import servers

FROM = 'from = "Home server <box@example.com>";\n'
PEOPLE = """contacts = (
  { name = "me"; mail = ["me@example.com"]; sms = "(212) 555-0123"; carrier = "verizon"; },
  { name = "bo"; sms = "212 555 0124"; carrier = "boost"; },
  { name = "al"; sms = "212 555 0125"; carrier = "att"; },
  { name = "cy"; sms = "212 555 0126"; } );
region = "US";
"""


def config(port, **more):
    settings = "".join(f"{k} = {v}; " for k, v in more.items())
    return FROM + PEOPLE + f"""carriers = "{nuncio.SOURCE}/conf/carriers.conf";
transports = (
  {{ name = "mail"; type = "smtp"; url = "smtp://127.0.0.1:{port}"; tls = "none"; }},
  {{ name = "cell"; type = "carrier"; via = "mail"; {settings}}} );
"""


def sent(daemon, *arguments):
    done = daemon.client("send", "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["id"]


def mails(postfix, message_id):
    found = []
    for _ in range(600):
        found = postfix.mails(message_id)
        if found:
            break
        servers.select_a_moment()
    return found


def test_a_text_arrives_as_plain_mail_at_the_gateway(make_daemon, make_server):
    server = make_server()
    d = make_daemon(config(server.port)).start()
    identity = sent(d, "--by", "sms", "--subject", "Disk", "me", "It’s full")
    assert d.wait_final(identity) == {"+12125550123": "sent"}
    [taken] = server.mails
    mail = taken.parsed
    assert taken.recipients == ["2125550123@vtext.com"]
    assert mail["To"] == "2125550123@vtext.com" and mail["Subject"] is None
    assert mail.get_content_type() == "text/plain" and mail.get_content().strip() == "Disk\nIt's full"
    assert mail["X-Nuncio-Id"]
    assert set(mail.keys()) == {"Date", "From", "To", "Message-ID", "X-Nuncio-Id", "Auto-Submitted",
                                "MIME-Version", "Content-Type", "Content-Transfer-Encoding"}


def test_it_says_that_nobody_will_confirm_it(make_daemon, make_server):
    server = make_server()
    d = make_daemon(config(server.port)).start()
    identity = sent(d, "--by", "cell", "bo", "hello")
    assert d.wait_final(identity) == {"+12125550124": "sent"}
    shown = d.client("show", str(identity)).stdout
    assert "sent" in shown and "unconfirmable: no carrier tells what became of it" in shown
    assert "delivered" not in shown
    assert "unconfirmable" in d.client("why", str(identity)).stdout
    done = d.client("send", "--by", "cell", "--wait", "bo", "again")
    assert done.returncode == 0, done.stderr


def test_long_texts_and_attachments_go_to_the_other_gateway(make_daemon, make_server, folder):
    server = make_server()
    d = make_daemon(config(server.port)).start()
    picture = folder / "plot.png"
    picture.write_bytes(bytes(range(256)) * 20)
    for arguments in (["me", "x" * 161], ["--attach", picture, "bo", "See"]):
        assert set(d.wait_final(sent(d, "--by", "sms", *arguments)).values()) == {"sent"}
    long, attached = server.mails
    assert long.recipients == ["2125550123@vzwpix.com"] and long.parsed.get_content().strip() == "x" * 161
    assert attached.recipients == ["2125550124@myboostmobile.com"]
    [part] = attached.parsed.iter_attachments()
    assert (part.get_filename(), part.get_content()) == ("plot.png", picture.read_bytes())
    assert attached.parsed.get_body().get_content().strip() == "See" and attached.parsed["Subject"] is None


def test_gateways_that_end_are_told_of_at_load_and_in_the_result(make_daemon, make_server):
    server = make_server()
    d = make_daemon(config(server.port))
    done = subprocess.run([nuncio.BUILD / "daemon" / "nunciod", "--check", "-f", d.file], capture_output=True, text=True)
    assert done.returncode == 0
    assert "contacts.al.carrier: AT&T's mail gateway has ended: 2025-06-17" in done.stderr
    assert "contacts.me.carrier: Verizon's mail gateway " in done.stderr and "2027-03-31" in done.stderr
    assert "Boost" not in done.stderr
    d.start()
    assert "AT&T's mail gateway has ended" in d.log_text()
    identity = sent(d, "--by", "cell", "al", "hello")
    assert d.wait_final(identity) == {"+12125550125": "sent"}
    assert "AT&T's mail gateway has ended: 2025-06-17" in d.client("show", str(identity)).stdout


def test_whose_carrier_is_not_known_is_refused_until_the_transport_says_one(make_daemon, make_server):
    server = make_server()
    d = make_daemon(config(server.port)).start()
    identity = sent(d, "--by", "sms", "cy", "hello")
    assert d.wait_final(identity) == {"+12125550126": "failed"}
    assert "carrier is missing" in d.client("show", str(identity)).stdout and not server.mails
    d.reload(config(server.port, carrier='"us-cellular"'))
    d.client("retry", str(identity))
    assert d.wait_final(identity) == {"+12125550126": "sent"}
    assert server.mails[0].recipients == ["2125550126@email.uscc.net"]


def test_failures_have_the_classes_of_mail(make_daemon, make_server):
    turn = hostile.in_turn(b"450 4.2.0 later\r\n", None, b"550 5.1.1 nobody\r\n")
    server = make_server({"RCPT": turn})
    d = make_daemon(config(server.port, retry='{ first = "1s"; max = "1s"; }')).start()
    identity = sent(d, "--by", "sms", "bo", "once more")
    assert d.wait_events(identity, lambda e: e["to"] == "queued" and e["code"] == 450)
    assert d.wait_final(identity) == {"+12125550124": "sent"}
    assert d.wait_final(sent(d, "--by", "sms", "bo", "nobody")) == {"+12125550124": "failed"}


def test_an_outage_is_the_transports_and_touches_no_text(make_daemon, make_server):
    server = make_server()
    server.stop()
    d = make_daemon(config(server.port)).start()
    identities = [sent(d, "--by", "sms", "bo", str(i)) for i in range(5)]
    assert d.wait_transport("cell", "down")["failures"] >= 1
    for identity in identities:
        [delivery] = d.show(identity)["deliveries"]
        assert (delivery["state"], delivery["attempts"]) == ("queued", 0)


def test_many_texts_share_a_session_and_each_is_sent_once(make_daemon, make_server):
    server = make_server()
    d = make_daemon(config(server.port, concurrency=3, throttle='"none"')).start()
    identities = [sent(d, "--by", "sms", "bo", f"text {i} " + "y" * (i % 200)) for i in range(40)]
    for identity in identities:
        assert d.wait_final(identity) == {"+12125550124": "sent"}
    words = sorted(m.parsed.get_content().split()[1] for m in server.mails)
    assert words == sorted(str(i) for i in range(40))


def test_what_a_crash_interrupts_goes_out_again(make_daemon, make_server):
    """Like the mail that it is: nobody could be asked what became of it."""
    there = threading.Event()

    def silence(session, _line):
        there.set()
        hostile.silence(session)
    server = make_server({"dot": hostile.in_turn(silence)})
    d = make_daemon(config(server.port, throttle='"none"')).start()
    identities = [sent(d, "--by", "sms", "bo", f"text {i}") for i in range(4)]
    for identity in identities:
        d.wait_events(identity, lambda e: e["to"] == "sending")
    assert there.wait(nuncio.PATIENCE)  # else it would be silent to the next life
    d.kill()
    d.start()
    for identity in identities:
        assert d.wait_final(identity) == {"+12125550124": "sent"}
    came = {(m.message_id, m.parsed.get_content().split()[1]) for m in server.mails}
    assert sorted(number for _, number in came) == list("0123")  # a twin has the same Message-ID


def test_large_content_goes_through_whole(make_daemon, make_server, folder):
    """More than is kept in memory with the message: it is read from the store piece by piece."""
    server = make_server()
    d = make_daemon(config(server.port)).start()
    picture = folder / "big.bin"
    picture.write_bytes(bytes(range(251)) * 3000)
    assert set(d.wait_final(sent(d, "--by", "sms", "--attach", picture, "bo", "big")).values()) == {"sent"}
    [part] = server.mails[0].parsed.iter_attachments()
    assert part.get_content() == picture.read_bytes()
    picture.write_bytes(bytes(1 << 21))
    identity = sent(d, "--by", "sms", "--attach", picture, "bo", "too big")
    assert d.wait_final(identity) == {"+12125550124": "failed"}


def test_it_goes_through_postfix(make_daemon, postfix):
    url = f'url = "smtp://localhost:{postfix.submission}"; ca_file = "{postfix.ca}"; user = "{postfix.user}"; ' \
          f'password = "{postfix.password}"; hello = "client.example.test"'
    text = config(0).replace('url = "smtp://127.0.0.1:0"; tls = "none"', url)
    d = make_daemon(text).start()
    identity = sent(d, "--by", "sms", "me", "through a real server")
    assert d.wait_final(identity) == {"+12125550123": "sent"}
    [mail] = mails(postfix, d.show(identity)["message_id"])
    assert mail.get_content().strip() == "through a real server" and mail["To"] == "2125550123@vtext.com"


def test_what_its_gateway_does_not_take_goes_by_mail_besides(make_daemon, make_server, folder):
    server = make_server()
    d = make_daemon(config(server.port, too_long='"attach to mail"', mms="false")).start()
    identity = sent(d, "--by", "cell", "me", "x" * 300)
    assert d.wait_final(identity) == {"+12125550123": "sent", "me@example.com": "sent"}
    by = {m.recipients[0]: m.parsed.get_content().strip() for m in server.mails}
    assert by == {"2125550123@vtext.com": "x" * 137 + "... (all of it by mail)", "me@example.com": "x" * 300}
    assert "all of it goes by mail" in d.client("show", str(identity)).stdout
    assert d.wait_final(sent(d, "--by", "cell", "bo", "y" * 300)) == {"+12125550124": "sent"}
    assert server.mails[-1].parsed.get_content().strip() == "y" * 157 + "..."
    picture = folder / "plot.png"
    picture.write_bytes(bytes(5000))
    attached = sent(d, "--by", "cell", "--attach", picture, "me", "See")
    assert d.wait_final(attached) == {"+12125550123": "sent", "me@example.com": "sent"}
