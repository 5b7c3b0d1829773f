"""Mail composed and passed on by the message room, read back by Python's email:
the same parts, byte for byte."""
import email
import email.header
import email.policy
import email.utils
import json
import os
import random
import subprocess

import pytest

import nuncio

TOOL = nuncio.BUILD / "tests" / "unit" / "compose_tool"
DATE_MS = 1795379400000
SEED = int(os.environ.get("NUNCIO_SEED", random.randrange(1 << 32)))
MESSAGES = 300
LETTERS = "abcdefghijklmnopqrstuvwxyz ABC.,;:!?=_-()<>@\"'\\/éüßñčžжшюя日本語👍\t"


def address(spec, name=None):
    return {"mailbox": spec, **({"name": name} if name else {})}


class Letter:
    """What is asked for: the spec and the content behind it."""

    def __init__(self, text=None, html=None, files=(), **fields):
        self.text, self.html, self.files = text, html, list(files)
        self.spec = {
            "from": address("box@example.com", "Home server"),
            "to": [address("me@example.com")],
            "message_id": "20261122T203000.0123456789abcdef@example.com",
            "boundary": "=_0123456789abcdef01234567",
            "marker": "cafe0123",
            "date": DATE_MS,
            **fields,
        }
        if text is not None:
            self.spec["text"] = len(text)
        if html is not None:
            self.spec["html"] = len(html)
        if files:
            self.spec["attachments"] = [
                {"size": len(data), **({"name": n} if n else {}), **({"type": t} if t else {})}
                for n, t, data in files
            ]

    def content(self):
        return (self.text or b"") + (self.html or b"") + b"".join(f[2] for f in self.files)


def run(arguments, data):
    done = subprocess.run([TOOL, *arguments], input=data, capture_output=True, timeout=120)
    assert done.returncode == 0, (done.stderr[-3000:], SEED)
    return done.stdout, json.loads(done.stderr.decode().splitlines()[0])


def compose(folder, letter, piece=65536):
    path = folder / "spec"
    path.write_text(json.dumps(letter.spec))
    out, told = run(["-c", str(piece), str(path)], letter.content())
    expect_sound(out)
    assert out.isascii() and not told["eight_bit"] and not told["smtputf8"]
    return out, told


def expect_sound(out):
    """CRLF and nothing but CRLF, lines within 998, no NUL, an end of line at the end."""
    assert out.endswith(b"\r\n")
    rest = out.replace(b"\r\n", b"")
    assert b"\r" not in rest and b"\n" not in rest and b"\0" not in rest
    assert max(len(line) for line in out.split(b"\r\n")) <= 998


def read(out):
    return email.message_from_bytes(out, policy=email.policy.default)


def canonical(text):
    """Text as it is read after a journey: all line ends are LF."""
    return text.replace(b"\r\n", b"\n")


def payload(part):
    return canonical(part.get_payload(decode=True))


def expect_same(letter, message):
    """Every part that was asked for is there, in order, and no other."""
    assert not [d for part in message.walk() for d in part.defects], (SEED, letter.spec)
    leaves = [p for p in message.walk() if not p.is_multipart()]
    alone = len(leaves) == 1
    for given, kind in ((letter.text, "text/plain"), (letter.html, "text/html")):
        if given is None and not (kind == "text/plain" and (letter.html is not None or not letter.files)):
            continue
        part = leaves.pop(0)
        assert part.get_content_type() == kind
        if given is not None:
            got, want = payload(part), canonical(given)
            assert got == want or (alone and got == want + b"\n"), (SEED, got[-100:], want[-100:])
            assert part.get_content_charset() == "utf-8"
    assert len(leaves) == len(letter.files)
    for part, (name, kind, data) in zip(leaves, letter.files):
        assert part.get_payload(decode=True) == data, SEED
        assert part.get_filename() == (name or None), SEED
        assert part.get_content_type() == (kind or "application/octet-stream")
        assert part.get_content_disposition() == "attachment"


def expect_journey(folder, letter, piece=65536):
    out, told = compose(folder, letter, piece)
    message = read(out)
    expect_same(letter, message)
    if letter.spec.get("subject") is not None:
        assert message["Subject"] == letter.spec["subject"], SEED
    return out, message, told


def test_a_mail_with_everything(tmp_path):
    files = [("größe.png", "image/png", bytes(range(256)) * 40), ("plain.txt", "text/plain", b"a\r\nb\0c")]
    letter = Letter(b"Gr\xc3\xbc\xc3\x9fe\n", b"<p>Gr\xc3\xbc\xc3\x9fe</p>", files, subject="Grüße aus =?x?=  Köln",
                    cc=[address("you@example.com", "Zoë, \"the\" one")])
    out, message, _ = expect_journey(tmp_path, letter)
    assert message["From"] == "Home server <box@example.com>"
    assert message["Cc"].addresses[0].display_name == "Zoë, \"the\" one"
    assert message["Message-ID"] == "<20261122T203000.0123456789abcdef@example.com>"
    assert message["Date"].datetime.timestamp() == DATE_MS / 1000
    assert message["X-Nuncio-Id"] == "cafe0123"
    assert message["Auto-Submitted"] == "auto-generated"
    assert [p.get_content_type() for p in message.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "text/html", "image/png", "text/plain"]
    order = [line.split(b":")[0].decode() for line in out.split(b"\r\n\r\n")[0].split(b"\r\n") if line[:1] != b" "]
    assert order == ["Date", "From", "To", "Cc", "Subject", "Message-ID", "X-Nuncio-Id", "Auto-Submitted",
                     "MIME-Version", "Content-Type"]


def test_twenty_megabytes(tmp_path):
    letter = Letter(b"See there.", b"<b>See</b> there.", [("фото.bin", None, random.Random(SEED).randbytes(20 << 20))])
    out, _, told = expect_journey(tmp_path, letter)
    assert len(out) <= told["size"] < len(out) + 1000


@pytest.mark.parametrize("text", [
    b"", b"\n", b"x", b"x\n", b"no end", b"\r\n\r\n", b".\n..\n", b"trailing \t\nspace ", b"=20=\n=", b"-- \nbox\n",
    b"a" * 998, b"a" * 999, b"a" * 100000, b"word " * 20000, "é".encode() * 50000, b"\n" * 5000, b"bare\rreturn\r",
    b"nul\0inside", b"From here\n", "日本語\n".encode() * 3000, b"\xff\xfe\x80", b"x\n" * 200000 + b"\xc3\xa9",
], ids=lambda t: "%d:%r" % (len(t), t[:9]))
def test_texts(tmp_path, text):
    expect_journey(tmp_path, Letter(text))
    expect_journey(tmp_path, Letter(text, text, [("a", None, text)]), piece=1009)
    if b"\0" not in text:
        expect_journey(tmp_path, Letter(None, text))


@pytest.mark.parametrize("name", [
    "a", "a b.txt", "a\"b\\c.txt", "50% 'off'.txt", "ж.txt", "ж" * 127, "x" * 255, "a;b=c.txt", "=?utf-8?q?x?=.txt",
    "日本語の名前.pdf", "👍" * 60, "(c).txt", "a  b.txt", "a*b'c", "utf-8''x", "%41.txt", None,
], ids=str)
def test_names_of_attachments(tmp_path, name):
    expect_journey(tmp_path, Letter(b"x", None, [(name, None, b"1"), (name, "image/png", b"")]))


@pytest.mark.parametrize("subject", [
    "", "x", "x" * 2000, "word " * 399 + "end", " leading", "trailing ", "a  b", "é", "é" * 1000, "=?utf-8?q?=0D=0AX:_y?=",
    "日本語" * 200, "a\tb", "?=", "\"quoted\"", "x" * 200 + " " + "y" * 201, "é x é  y", "👍" * 400,
], ids=lambda s: "%d:%s" % (len(s), s[:9]))
def test_subjects(tmp_path, subject):
    expect_journey(tmp_path, Letter(b"x", subject=subject))


def names(out):
    """Display names by the older reader: the newer one puts blanks between encoded words."""
    field = email.message_from_bytes(out)["To"].replace("\r\n", "")
    return [str(email.header.make_header(email.header.decode_header(n))) for n, _ in email.utils.getaddresses([field])]


@pytest.mark.parametrize("name", [
    "Ana", "Ana Maria", "J. Doe", "a \"b\" \\ c", "Zoë", "Zoë" * 60, "x" * 300, "a, b <c@d>", "=?utf-8?q?x?=", "(x)",
    "日本 語", "a  b", "@", ";", "o'Neil",
], ids=lambda n: n[:12])
def test_display_names(tmp_path, name):
    people = [address("a@example.com", name), address("b@example.com"), address("\"a b\"@example.com", name)]
    out, message, _ = expect_journey(tmp_path, Letter(b"x", to=people))
    assert [a.addr_spec for a in message["To"].addresses] == [p["mailbox"] for p in people]
    assert names(out) == [name, "", name]


def random_text(r, longest):
    kind = r.randrange(4)
    alphabet = [LETTERS[:26] + " ", LETTERS, "жшюя ", "a"][kind]
    lines = []
    for _ in range(r.randrange(12)):
        lines.append("".join(r.choices(alphabet, k=r.randrange(longest))))
    return r.choice(["\n", "\r\n"]).join(lines).encode()


def random_line(r, longest, more=""):
    return "".join(r.choices((LETTERS + more).replace("\t", ""), k=r.randrange(longest)))


def random_letter(r):
    files = []
    for _ in range(r.choice([0, 0, 1, 1, 2, 5])):
        name = random_line(r, r.choice([10, 80])).translate({ord("/"): "_", ord("\\"): "_"})
        files.append((name.strip(' ."<>') or None, r.choice([None, "image/png", "text/plain"]),
                      r.randbytes(r.choice([0, 1, 2, 56, 57, 58, 3000, 45600, 45601, 100000]))))
    text = random_text(r, r.choice([30, 100, 2500])) if r.random() < 0.8 else None
    html = b"<p>" + random_text(r, 200) + b"</p>" if r.random() < 0.4 else None
    return Letter(text, html, files, subject=random_line(r, r.choice([20, 300])))


def test_random_letters(tmp_path):
    print("NUNCIO_SEED=%d" % SEED)
    r = random.Random(SEED)
    for _ in range(MESSAGES):
        expect_journey(tmp_path, random_letter(r), piece=r.choice([1, 57, 4096, 65536, 1 << 20]) if r.random() < 0.3
                       else r.randrange(100, 70000))


def test_only_hidden_recipients(tmp_path):
    letter = Letter(b"x")
    del letter.spec["to"]
    out, message, _ = expect_journey(tmp_path, letter)
    assert b"\r\nTo: undisclosed-recipients:;\r\n" in out and not message["To"].addresses


def test_html_alone_gets_a_text(tmp_path):
    html = '<p>Gr\u00fc\u00dfe, <a href="https://example.com/x">here</a></p>'.encode()
    _, message, _ = expect_journey(tmp_path, Letter(None, html))
    assert payload(message.get_body(("plain",))).decode() == "Grüße, here [1]\n\n[1] https://example.com/x\n"


def test_html_too_long_for_a_whole_text(tmp_path):
    html = b"<p>" + b"word " * 500000 + b"</p>"
    _, message, _ = expect_journey(tmp_path, Letter(None, html))
    assert payload(message.get_body(("plain",))).endswith(b"\n[...]\n")


# ---- raw mail ----

HEAD = b"From: a@example.com\r\nTo: b@example.com\r\nDate: Thu, 1 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"


def pass_on(message, *flags):
    out, told = run([*flags, "-r", "box@example.com"], message)
    expect_sound(out)
    if not told["eight_bit"]:
        assert out.isascii()
    return read(out), out


def leaves(message):
    return [(p.get_content_type(), p.get_filename(), payload(p)) for p in message.walk() if not p.is_multipart()]


RAW_BODIES = {
    "plain": b"Content-Type: text/plain; charset=utf-8\r\n\r\nplain\r\n",
    "eight": b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xc3\xa9\r\n",
    "latin": b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xe9\r\n",
    "long": b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + b"x" * 3000 + b"\r\n",
    "nul": b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: binary\r\n\r\na\0b\r\n",
    "base64 in one line": b"Content-Type: image/png; name=x.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                          + b"QUJD" * 1000 + b"\r\n",
    "quoted in one line": b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
                          b"\r\n" + b"=C3=A9x" * 1000 + b"\r\n",
    "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n"
             b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ncaf\xc3\xa9\r\n--b\r\n"
             b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>" + b"y" * 2000 + b"</p>\r\n--b\r\n"
             b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD\r\n--b--\r\n",
}


@pytest.mark.parametrize("name", RAW_BODIES)
@pytest.mark.parametrize("flags", [(), ("-8",), ("-c", "7")], ids=str)
def test_raw_mail_keeps_its_parts(name, flags):
    message = HEAD + RAW_BODIES[name]
    got, _ = pass_on(message, *flags)
    assert leaves(got) == leaves(read(message))


@pytest.mark.parametrize("text,charset", [("café", "utf-8"), ("café".encode("latin-1"), "windows-1252")], ids=str)
def test_raw_mail_without_mime_is_named_when_it_is_encoded(text, charset):
    text = text if isinstance(text, bytes) else text.encode()
    got, _ = pass_on(b"From: a@example.com\nSubject: x\n\n" + text + b"\n")
    assert payload(got).decode(charset) == "café\n" and got.get_content_charset() == charset and got["MIME-Version"] == "1.0"


def test_raw_mail_with_eight_bit_text_in_its_header():
    got, out = pass_on("From: Zoë <a@example.com>\nSubject: Grüße\nTo: Ä <b@example.com>\n\nx\n".encode(), "-8")
    assert out.isascii()
    assert got["Subject"] == "Grüße" and got["From"].addresses[0].display_name == "Zoë"
    assert str(got["To"]) == "Ä <b@example.com>"
