"""What stands in the mails that rules are given: commands in every form in which programs write
text, mails that go on as they came, and what a program prints however much it is."""
import base64
import email
import email.policy
import os
import quopri
import re
import subprocess

import pytest

import hostile
import nuncio
from rules_rig import SECRET, SESAME, key, rig

LONG = os.environ.get("NUNCIO_LONG")

# ---- commands ----

NONE = SESAME.replace('"secret"', '"none"')
HTML = f"<html><body><div>Please.</div><div>key:&nbsp;{SECRET}&nbsp;</div><p>Sent from my phone</p></body></html>"
BODY = f"count {{}}\r\n\r\nkey: {SECRET}\r\n"


def mime(r, subject, type_, encoding, body):
    return r.mail(subject, body, headers=[("MIME-Version", "1.0"), ("Content-Type", type_),
                                          ("Content-Transfer-Encoding", encoding)])


def b64(data):
    return base64.encodebytes(data).decode()


def qp(data):
    return quopri.encodestring(data).decode()


def alternative(text, html):
    return ("multipart/alternative; boundary=b", "7bit",
            f"--b\nContent-Type: text/plain\n\n{text}\n--b\nContent-Type: text/html\n\n{html}\n--b--\n")


FORMS = {
    "html alone": ("count {}", "text/html; charset=utf-8", "7bit", HTML),
    "html alone in base64": ("count {}", "text/html; charset=utf-8", "base64", b64(HTML.encode())),
    "base64": ("count {}", "text/plain; charset=utf-8", "base64", b64(key(SECRET).encode())),
    "quoted-printable": ("count {}", "text/plain; charset=utf-8", "quoted-printable",
                         f"Gr=C3=BC=C3=9Fe\nkey: {SECRET[:7]}=\n{SECRET[7:]}\n"),
    "utf-16": ("count {}", "text/plain; charset=utf-16", "base64", b64(key(SECRET).encode("utf-16"))),
    "utf-16le without a mark": ("count {}", "text/plain; charset=utf-16le", "base64", b64(key(SECRET).encode("utf-16le"))),
    "utf-16le with one": ("count {}", "text/plain; charset=utf-16le", "base64",
                          b64(("\ufeff" + key(SECRET)).encode("utf-16le"))),
    "utf-8 with a mark": ("count {}", "text/plain; charset=utf-8", "8bit", f"\ufeffkey: {SECRET}\n"),
    "latin 1": ("count {}", "text/plain; charset=iso-8859-1", "base64", b64(f"Grüße\nkey: {SECRET}\n".encode("latin-1"))),
    "a text and html": ("count {}", *alternative(key(SECRET), "<p>key: something else</p>")),
    "a subject of encoded words": ("=?utf-8?B?Y291bnQg?= =?utf-8?Q?{}?=", "text/plain", "7bit", key(SECRET)),
    "a body": ("", "text/plain", "7bit", BODY),
    "a body below a blank subject": ("   ", "text/plain", "7bit", "\r\n \r\n" + BODY),
    "a body in quoted-printable": ("", "text/plain; charset=utf-8", "quoted-printable", "{}"),
    "a body in html": ("", "text/html", "7bit", f"<p>count {{}}</p><p>key: {SECRET}</p>"),
    "a body of utf-8 with a mark": ("", "text/plain; charset=utf-8", "8bit", "\ufeff" + BODY),
}


def test_a_command_in_every_form_of_text(make_daemon, folder):
    with rig(make_daemon, folder, SESAME) as r:
        for n, (subject, type_, encoding, body) in enumerate(FORMS.values()):
            if body == "{}":
                body = qp(BODY.replace("{}", str(n)).encode())
            r.drop(mime(r, subject.replace("{}", str(n)), type_, encoding, body.replace("{}", str(n))))
        r.settle()
        for n, name in enumerate(FORMS):
            r.wait_mail(lambda m, n=n: m["To"] == "me@example.com" and f"count {n}\n" in whole_text(m))
            assert str(n) in r.ran(), name
        assert sorted(r.ran(), key=int) == [str(n) for n in range(len(FORMS))]


def whole_text(mail):
    return mail.get_body().get_content()


def test_the_subject_counts_where_there_is_one(make_daemon, folder):
    with rig(make_daemon, folder, SESAME) as r:
        r.command("hello", f"count sheep\n\nkey: {SECRET}\n")
        r.command("count goats", f"count sheep\n\nkey: {SECRET}\n")
        r.wait_report("Re: count goats")
        r.settle()
        assert r.ran() == ["goats"] and not r.mails("hello")


def test_a_mail_without_a_text(make_daemon, folder):
    with rig(make_daemon, folder, NONE) as r:
        r.command("count sheep")
        r.drop(r.mail("count goats")[:-1])  # the header's end is the mail's
        r.drop(r.mail("count cows").rstrip())
        r.command("", "")
        r.settle()
        for what in ("sheep", "goats", "cows"):
            r.wait_report(f"Re: count {what}")
        assert sorted(r.ran()) == ["cows", "goats", "sheep"]


@pytest.mark.parametrize("sender", [
    "me@example.com, bo@example.org", "Me <me@example.com>, bo@example.org", "<bo@example.org> <me@example.com>",
    "bo@example.org <me@example.com>", "us: me@example.com, bo@example.org;", "us: me@example.com;", '"a, b" <bo@x>, me@example.com',
    "me@example.com bo@example.org", "me@example.com\n , bo@example.org", "<@bo.example,@x:me@example.com>", "",
])
def test_a_sender_who_is_not_one_address(make_daemon, folder, sender):
    with rig(make_daemon, folder, SESAME) as r:
        r.command("count sheep", key(SECRET), sender=sender)
        r.command("count goats", key(SECRET))
        r.wait_report("Re: count goats")
        r.settle()
        assert r.ran() == ["goats"] and not r.mails("sheep")


QUOTES = ["<blockquote type='cite'><div>{}</div></blockquote>",
          "<div class='gmail_quote'>On Monday a box wrote:<blockquote class='gmail_quote'>Send<br>{}<br>x</blockquote></div>",
          "<blockquote><pre>Send\n\n{}\n</pre></blockquote>"]


def test_an_answer_that_quotes_the_question_confirms_nothing(make_daemon, folder):
    with rig(make_daemon, folder, SESAME.replace('"secret"', '"confirm"')) as r:
        r.command("count sheep")
        question = r.wait_report("Is this command yours?").get_content()
        [line] = re.findall(r"(?m)^key: \d+$", question)
        for quote in QUOTES:
            r.drop(mime(r, "Re: Is this command yours?", "text/html", "7bit", f"<p>No!</p>{quote.format(line)}"))
        # and as some write, in a text too, without any mark
        r.command("Re: Is this command yours?", f"No!\n\n-----Original Message-----\nFrom: box\n\n{question}")
        below = "<br>".join(question.splitlines())
        r.drop(mime(r, "Re: Is this command yours?", "text/html", "7bit", f"<p>No!</p><hr><div><p>From: box</p>{below}</div>"))
        r.settle()
        assert r.ran() == []
        r.drop(mime(r, "Re: Is this command yours?", "text/html", "7bit", f"<p>{line}</p>{QUOTES[0].format(line)}"))
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"]


# ---- mails that go on ----

FORWARD = '''  { name = "pass"; on = { mail = "inbox"; }; when = { subject = "^ALERT"; };
    do = { forward = { to = "bo"; by = "mail"; }; }; then = { mail = "delete"; }; }'''
HEAD = b"From: m@example.net\nSubject: ALERT disk\nMIME-Version: 1.0\n"
NESTED = (b'Content-Type: multipart/mixed; boundary="=_b.1"\n\n--=_b.1\nContent-Type: message/rfc822\n\nFrom: x@example.net\n'
          b"Subject: inside\n\n.\n..dots\nFrom here\n--=_b.1\nContent-Type: text/plain\n\nx \t\n--=_b.1--\nepilogue\n")
MAILS = {
    "plain": HEAD + b"\nsda1 is full\n",
    "long fields": HEAD + b"X-Long: " + b"word " * 180 + b"\nReferences:" + b"\n <a@example.net>" * 50 + b"\n\nx\n",
    "folded and odd": HEAD + b"X-Odd:no blank\nX-Folded: a\n\t b\n  c\nx-lower: =?utf-8?q?=C3=BC?=\n\n\n\nlines before\n",
    "without an end": HEAD + b"\nno line end",
    "without a body": HEAD + b"\n",
    "a header alone": HEAD,
    "nested": HEAD + NESTED,
    "998 octets": HEAD + b"\n" + b"x" * 998 + b"\n",
    "999 octets": HEAD + b"\n" + b"x" * 999 + b"\n",
    "8 bit": HEAD + b"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGr\xc3\xbc\xc3\x9fe\n",
    "8 bit in its header": HEAD + b"X-Name: Gr\xc3\xbc\xc3\x9fe\n\nx\n",
    "NUL": HEAD + b"\na\0b\n",
    "a bare CR": HEAD + b"\na\rb\n",
    "line ends of two kinds": HEAD + b"\na\r\nb\n",
}
AS_FILES = {"999 octets", "8 bit", "8 bit in its header", "NUL", "a bare CR", "line ends of two kinds"}


def part_of(data):
    """The octets of the last part of a multipart, as they stand there."""
    boundary = re.search(rb'boundary="([^"]*)"', data)[1]
    return data.split(b"--" + boundary)[-2].split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")


def forwarded_mail(mail):
    [attached] = mail.iter_attachments()
    assert attached.get_filename() == "forwarded.eml"
    return attached


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("name", MAILS)
def test_a_forwarded_mail_is_whole(make_daemon, make_server, folder, name, ends):
    """As it came, octet by octet: as a mail where it may stand in another (RFC 2046 5.2.1), else as a file."""
    server = make_server(capabilities=[c for c in hostile.CAPABILITIES if c != "8BITMIME"])
    original = MAILS[name] if name == "line ends of two kinds" else MAILS[name].replace(b"\n", ends)
    with rig(make_daemon, folder, FORWARD, start=False) as r:
        smtp = (f'transports = ( {{ name = "mail"; type = "smtp"; tls = "none"; url = "smtp://127.0.0.1:{server.port}"; }} );\n')
        r.daemon.configure(r.config().replace(nuncio.outbox(r.outbox), smtp))
        r.start()
        r.drop(original)
        [taken] = server.wait(lambda s: [m for m in s.mails if b"ALERT" in m.data])
        attached = forwarded_mail(taken.parsed)
        if name in AS_FILES:
            assert attached.get_content_type() == "application/octet-stream"
            assert attached.get_content() == original
            return
        assert attached.get_content_type() == "message/rfc822" and attached["Content-Transfer-Encoding"] == "7bit"
        lines = original.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        assert part_of(taken.data) == lines
        inner = attached.get_payload(0)
        wanted = email.message_from_bytes(MAILS[name], policy=email.policy.default)
        assert inner.items() == wanted.items() and inner["Subject"] == "ALERT disk"
        if not inner.is_multipart():
            assert inner.get_payload().rstrip("\n") == wanted.get_payload().rstrip("\n")


def test_a_forwarded_mail_in_a_maildir(make_daemon, folder):
    with rig(make_daemon, folder, FORWARD) as r:
        r.drop(MAILS["nested"])
        attached = forwarded_mail(r.wait_report("Fwd: ALERT disk"))
        assert attached.get_content_type() == "message/rfc822"
        assert attached.get_content()["Subject"] == "ALERT disk"
        assert MAILS["nested"] in r.wait_report("Fwd: ALERT disk").as_bytes()


def test_what_is_not_here_whole_is_not_forwarded_and_not_lost(make_daemon, folder):
    with rig(make_daemon, folder, FORWARD, box_settings='max_mail = "64K";') as r:
        small = r.drop(HEAD + b"\n" + b"x\n" * 30000)
        large = r.drop(HEAD.replace(b"disk", b"large") + b"\n" + b"x\n" * 40000)
        r.wait_report("Fwd: ALERT disk")
        r.settle()
        r.wait_gone(small)
        assert r.exists(large) and not r.mails("large")
        [refused] = [run for run in r.runs(rule="pass") if run["state"] == "refused"]
        assert "max_mail" in refused["text"]


# ---- what programs print ----

def test_a_program_that_prints_without_end_fills_no_memory(make_daemon, folder):
    size = 1 << (30 if LONG else 26)
    rule = NONE.replace("@program@", "@folder@/prints").replace("do = {", "do = { max_output = \"@max@\"; timeout = \"10m\";")
    with rig(make_daemon, folder, rule.replace("@max@", "1M") + ",\n" + rule.replace("@max@", "8M").replace("count", "more")) as r:
        r.script("prints", f"head -c {size - 5} /dev/zero | tr '\\0' 'x' | fold -w 99; echo; echo last")
        for name in ("count", "more"):
            r.command(f"{name} sheep")
            report = r.wait_report(f"Re: {name} sheep")
            [attached] = report.iter_attachments()
            kept = attached.get_payload(decode=True)
            assert attached.get_filename() == "output.txt" and kept.endswith(b"\nlast\n")
            note = re.search(rb"\n\[\.\.\. (\d+) octets were not kept \.\.\.\]\n", kept)
            assert len(kept) - len(note[0]) + int(note[1]) == size - 5 + -(-(size - 5) // 99) + len("last\n")
            assert len(kept) - len(note[0]) == 1 << 20
            text = report.get_body().get_content()
            assert len(text) < 10_000 and "left out here; all that was kept is attached" in text
        told = subprocess.run(["grep", "-H", "VmHWM", f"/proc/{r.daemon.process.pid}/status",
                               f"/proc/{r.runner.process.pid}/status"], capture_output=True, text=True, check=True)
        print(told.stdout)  # for people
