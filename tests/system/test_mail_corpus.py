"""What `nuncio mail parse` reads in mails: our own cases, each beside what must come of it;
the oracles' corpus; and random mails made by Python's email, beside what went in."""
import concurrent.futures
import email.header
import email.headerregistry
import email.message
import json
import os
import random
import subprocess

import pytest

import nuncio

CASES = nuncio.SOURCE / "tests" / "cases" / "parse"
CORPUS = nuncio.ORACLES / "mime"
SEED = int(os.environ.get("NUNCIO_SEED", random.randrange(1 << 32)))
RANDOM_MAILS = 150

# mail: {field: why it is read otherwise}
OTHERWISE = {
    "dovecot-testmsgs/thirdparty-000.eml": {
        "text": "a NUL in a text is a blank here: no C string may end at it"},
    "flanker/mailformed-headers.eml": {
        "subject": "octets that are not UTF-8 are read as windows-1252, not lost"},
    "flanker/spam_broken-headers.eml": {
        "subject": "the same"},
    "mikel-mail/error_invalid_subject_characters.eml": {
        "subject": "the same"},
    "mikel-mail/attachment_attachment_with_unquoted_name.eml": dict.fromkeys(
        ("parts", "attachments"), "blanks in a name that is not quoted: the whole is what was meant"),
    "mikel-mail/mime_raw_email_with_binary_encoded.eml": dict.fromkeys(
        ("parts.shape", "attachments.shape"), "a boundary with '=' that is not quoted: readable, so the parts are read"),
    "mikel-mail/mime_raw_email_with_illegal_boundary.eml": dict.fromkeys(
        ("text", "html", "parts.shape", "attachments.shape"), "the same"),
    "mikel-mail/plain_raw_email_bad_time.eml": dict.fromkeys(
        ("text", "html", "parts.shape", "attachments.shape"), "the same"),
    "mikel-mail/plain_raw_email_multiple_from.eml": dict.fromkeys(
        ("from.address", "to.address", "reply_to.address"),
        "two addresses without a comma are two: From is then in doubt, which is safer than the first alone"),
    "mikel-mail/rfc2822_example13.eml": {
        "from": "obsolete syntax with comments and blanks in the domain is read; nobody vouches for a blank before a colon"},
    "mime4j/obsolete.eml": {
        "subject": "a blank before a colon is read, and marked"},
}


def parse(mail):
    """Of a path, or of octets."""
    path, data = (("-", mail) if isinstance(mail, bytes) else (mail, None))
    done = subprocess.run([nuncio.BUILD / "client" / "nuncio", "mail", "parse", "--json", path], input=data,
                          capture_output=True, timeout=nuncio.PATIENCE, check=False)
    assert done.returncode == 0, (mail, done.stderr[-3000:])
    return json.loads(done.stdout)


def several(work, items):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(work, items))


# ---- our own cases ----

def difference(path):
    got, want = parse(path), json.loads(path.with_suffix(".json").read_text("utf-8"))
    got["safe_names"] = [p["safe_name"] for p in got["parts"]]
    differs = {k: (got[k], v) for k, v in want.items() if k != "safe_names" and got[k] != v}
    for name, wanted in zip(got["safe_names"], want.get("safe_names", [])):
        if wanted not in (None, name):
            differs["safe_names"] = (got["safe_names"], want["safe_names"])
    return path.name, differs


def test_cases():
    paths = sorted(CASES.glob("*.eml"))
    assert len(paths) >= 30
    assert [d for d in several(difference, paths) if d[1]] == []


# ---- the oracles' corpus ----

def words(text):
    return None if text is None else " ".join(text.split())


def addresses(found, names=True):
    return [((words(a["name"]) or "") if names else "", a["address"].lower()) for a in found]


def body(text):
    return None if text is None else text.replace("\r\n", "\n").rstrip("\n")


def parts(found, shape=False):
    return [(p["type"], p["filename"]) if shape else
            (p["type"], p["filename"], p["text_sha256"] if p["type"].startswith("text/") else p["sha256"]) for p in found]


def identifier(text):
    return None if text is None else text.strip().strip("<>")


def view(mail, field):
    """What of a mail's reading is compared under that name."""
    name, _, part = field.partition(".")
    if name == "subject":
        return words(mail[name])
    if name == "message_id":
        return identifier(mail[name])
    if name in ("from", "to", "cc", "reply_to"):
        return addresses(mail[name], part != "address")
    if name in ("text", "html"):
        return mail["has_" + name], body(mail[name]) if mail["has_" + name] else None
    if name in ("parts", "attachments"):
        return parts(mail[name], part == "shape")
    return mail[field]


def compare(entry):
    got, want = parse(CORPUS / entry["message"]), json.loads((CORPUS / entry["expected"]).read_text("utf-8"))
    fields = [f for f in want["strict"] if not (f in ("text", "html") and want[f] is None and want["has_" + f])]
    return entry["message"].partition("/")[2], sorted(f for f in fields if view(got, f) != view(want, f))


def test_corpus():
    if not CORPUS.is_dir():
        pytest.skip("no oracles beside this clone")
    index = json.loads((CORPUS / "index.json").read_text("utf-8"))
    found = {name: fields for name, fields in several(compare, index) if fields}
    assert len(index) >= 300
    assert found == {name: sorted(fields) for name, fields in OTHERWISE.items()}


# ---- random mails ----

LETTERS = "abcdefghij ABC.,;:!?=_-()<>@\"'\\/éüßžшю日本👍"


def line(r, longest):
    return "".join(r.choices(LETTERS, k=r.randrange(longest))).strip()


def random_mail(r):
    message = email.message.EmailMessage()
    name = " ".join(line(r, 30).split())
    message["From"] = email.headerregistry.Address(name, "ana", "example.com")
    message["Subject"] = " ".join(line(r, r.choice([10, 200])).split())
    message["Date"] = "Wed, 25 Nov 2026 10:%02d:00 +0100" % r.randrange(60)
    text = "\n".join(line(r, r.choice([20, 300])) for _ in range(r.randrange(1, 8))) + "\n"
    message.set_content(text, cte=r.choice(["quoted-printable", "base64", "8bit"]))
    if r.random() < 0.4:
        message.add_alternative("<p>%s</p>" % r.random(), subtype="html")
    files = [("f%d-%s.bin" % (i, r.choice(["a", "ж", "日本", "x y"])), r.randbytes(r.choice([0, 1, 57, 3000])))
             for i in range(r.choice([0, 0, 1, 3]))]
    for filename, data in files:
        message.add_attachment(data, maintype="application", subtype="octet-stream", filename=filename)
    return message, name, text, files


def expect_read(made):
    message, name, text, files = made
    octets = bytes(message)
    got = parse(octets)
    # As Python itself reads what it wrote: it loses some blanks in folding.
    again = email.message_from_bytes(octets)
    subject = str(email.header.make_header(email.header.decode_header(again["Subject"].replace("\n", ""))))
    assert got["from"] == [{"name": name or None, "address": "ana@example.com"}], SEED
    assert words(got["subject"]) == words(subject), SEED
    assert got["date"] == int(message["Date"].datetime.timestamp()), SEED
    assert body(got["text"]) == body(text) and got["flaws"] == [], SEED
    assert [(a["filename"], a["size"]) for a in got["attachments"]] == [(n, len(d)) for n, d in files], SEED


def test_random_mails():
    print("NUNCIO_SEED=%d" % SEED)
    r = random.Random(SEED)
    several(expect_read, [random_mail(r) for _ in range(RANDOM_MAILS)])
