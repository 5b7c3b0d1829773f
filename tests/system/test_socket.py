"""The socket as its users meet it: a line from a shell, JSON ended by NUL, a
Varlink library of another language, errors by name."""
import base64
import json
import os
import random
import shutil
import subprocess

import pytest

import nuncio


@pytest.mark.parametrize("size", [1_600_000, 2_500_000, 20_000_000])
def test_a_large_mail_reaches_a_maildir(daemon, size):
    data = random.Random(size).randbytes(size)
    descriptor = nuncio.sealed_memfd(data)
    sent = daemon.call("Send", {"to": ["a@example.org"], "text": "See there.",
                                "attachments": [{"name": "a", "descriptor": 0}]}, [descriptor])
    os.close(descriptor)
    descriptor = nuncio.sealed_memfd(b"Subject: raw\r\n\r\n" + base64.encodebytes(data))
    raw = daemon.call("Submit", {"to": ["b@example.org"], "descriptor": 0}, [descriptor])
    os.close(descriptor)
    assert set(daemon.wait_final(sent["id"]).values()) == set(daemon.wait_final(raw["id"]).values()) == {"sent"}
    mails = {m["Delivered-To"]: m for m in nuncio.maildir(daemon.outbox)}
    attachment, = mails["a@example.org"].iter_attachments()
    assert attachment.get_payload(decode=True) == data
    assert base64.decodebytes(mails["b@example.org"].get_payload().encode()) == data


def netcat(daemon, text):
    done = subprocess.run(["nc", "-NU", daemon.socket], input=text.encode(), capture_output=True,
                          timeout=nuncio.PATIENCE, check=True)
    return done.stdout


def test_one_line_from_a_shell(daemon):
    line = '{"method":"io.nuncio.Send","parameters":{"to":["me@example.org"],"subject":"Hi","text":"done"}}\n'
    answer = netcat(daemon, line)
    assert answer.endswith(b"\n") and b"\0" not in answer
    identity = json.loads(answer)["parameters"]["id"]
    assert daemon.wait_final(identity) == {"me@example.org": "sent"}
    [mail] = nuncio.maildir(daemon.outbox)
    assert mail["To"] == "me@example.org" and mail["Subject"] == "Hi"
    assert mail["From"] == "Home server <box@example.com>"
    assert mail.get_content() == "done\n"


def test_a_line_without_its_newline(daemon):
    answer = netcat(daemon, '{"method":"io.nuncio.Send","parameters":{"to":["me@example.org"],"text":"x"}}')
    assert json.loads(answer)["parameters"]["id"] == 1


def test_pretty_printed_json_ended_by_nul(daemon):
    call = {"method": "io.nuncio.Send", "parameters": {"to": ["me@example.org"], "text": "a\nb {\"} \\"}}
    with daemon.connect() as v:
        v.send_raw(json.dumps(call, indent=8).encode() + b"\0")
        identity = v.answer()["parameters"]["id"]
    daemon.wait_final(identity)
    [mail] = nuncio.maildir(daemon.outbox)
    assert mail.get_content() == 'a\nb {"} \\\n'


def test_answers_come_in_order_and_a_half_close_loses_none(daemon):
    lines = "".join(
        json.dumps({"method": "io.nuncio.Send",
                    "parameters": {"to": [f"n{i}@example.org"], "text": "x", "key": f"k{i}"}}) + "\n"
        + '{"method":"io.nuncio.Status"}\n{"method":"io.nuncio.Nothing"}\n' for i in range(100))
    answers = [json.loads(line) for line in netcat(daemon, lines).splitlines()]
    assert len(answers) == 300
    assert [a["parameters"]["id"] for a in answers[0::3]] == list(range(1, 101))
    assert all("version" in a["parameters"] for a in answers[1::3])
    assert all(a["error"] == "org.varlink.service.MethodNotFound" for a in answers[2::3])


def test_the_service_describes_itself(daemon):
    with daemon.connect() as v:
        info = v.call("org.varlink.service.GetInfo")
        assert sorted(info["interfaces"]) == ["io.nuncio", "org.varlink.service"]
        for interface in info["interfaces"]:
            text = v.call("org.varlink.service.GetInterfaceDescription", {"interface": interface})["description"]
            assert f"interface {interface}\n" in text
        served = v.call("org.varlink.service.GetInterfaceDescription", {"interface": "io.nuncio"})["description"]
    assert served == (nuncio.SOURCE / "common" / "io.nuncio.varlink").read_text()


@pytest.mark.parametrize("method,parameters,name,mention", [
    ("Send", {"to": ["nobody"]}, "io.nuncio.BadRecipient", "nobody"),
    ("Send", {"to": ["a@b@c"]}, "io.nuncio.BadRecipient", "to[0]"),
    ("Send", {"to": []}, "io.nuncio.BadRecipient", "to"),
    ("Send", {"to": ["a@example.org", "x y@example.org"]}, "io.nuncio.BadRecipient", "to[1]"),
    ("Send", {"to": ["+15551234567"], "text": "x"}, "io.nuncio.NoTransport", "sms"),
    ("Send", {"to": ["a@example.org"], "subject": "a\r\nBcc: b@example.org"}, "io.nuncio.BadMessage", "subject"),
    ("Send", {"to": ["a@example.org"], "text": "x", "at": "tomorrow"}, "io.nuncio.BadMessage", "at"),
    ("Send", {"to": ["a@example.org"], "text": "x", "priority": "very"}, "io.nuncio.BadMessage", "priority"),
    ("Send", {"to": ["a@example.org"], "text": "x", "by": "pigeon"}, "io.nuncio.NoTransport", "pigeon"),
    ("Send", {"to": ["a@example.org"], "texxt": "x"}, "org.varlink.service.InvalidParameter", "texxt"),
    ("Send", {"to": "a@example.org"}, "org.varlink.service.InvalidParameter", "to"),
    ("Send", {}, "org.varlink.service.InvalidParameter", "to"),
    ("Send", {"to": ["a@example.org"], "attachments": [{"name": "x", "content": "%%%"}]}, "io.nuncio.BadMessage",
     "attachments[0]"),
    ("Send", {"to": ["a@example.org"], "attachments": [{"name": "x"}]}, "io.nuncio.BadMessage", "attachments[0]"),
    ("Submit", {"to": ["a@example.org"]}, "io.nuncio.BadMessage", "content"),
    ("Show", {"id": 77}, "io.nuncio.NoSuchMessage", "77"),
    ("Cancel", {"select": {}}, "org.varlink.service.InvalidParameter", "select"),
    ("List", {"states": ["waiting"]}, "org.varlink.service.InvalidParameter", "uncertain, standby."),
    ("Pause", {"transport": "nowhere"}, "io.nuncio.NoSuchTransport", "outbox"),
    ("Watch", {}, "org.varlink.service.ExpectedMore", ""),
])
def test_each_mistake_has_its_name(daemon, method, parameters, name, mention):
    error = daemon.error(method, parameters)
    assert error.name == name, error
    assert mention in json.dumps(error.parameters), error
    assert daemon.call("Status")["counts"].get("queued", 0) == 0


def test_a_page_after_the_last_id_there_can_be_is_empty(daemon):
    identity = daemon.call("Send", {"to": ["a@example.org"], "text": "x"})["id"]
    daemon.wait_final(identity)
    assert daemon.call("List", {"after": 2**63 - 1}) == {"deliveries": [], "after": None}
    assert daemon.error("Cancel", {"select": {"delivery": -7}}).parameters == {"id": -7}


def test_limits_are_named(make_daemon, folder):
    d = make_daemon('limits = { message = "64K"; recipients = 3; };\n' + nuncio.outbox(folder / "outbox")).start()
    error = d.error("Send", {"to": [f"n{i}@example.org" for i in range(4)], "text": "x"})
    assert error.name == "io.nuncio.OverLimit" and error.parameters["limit"] == 3
    error = d.error("Send", {"to": ["a@example.org"], "text": "x" * 70000})
    assert error.name == "io.nuncio.OverLimit" and error.parameters["limit"] == 65536
    fd = nuncio.sealed_memfd(b"x" * 70000)
    error = d.error("Send", {"to": ["a@example.org"], "attachments": [{"name": "big", "descriptor": 0}]}, [fd])
    os.close(fd)
    assert error.name == "io.nuncio.OverLimit"


def test_a_key_makes_a_repeated_request_harmless(daemon):
    asked = {"to": ["a@example.org"], "text": "once", "key": "backup-2026-11-22"}
    first = daemon.call("Send", asked)
    again = daemon.call("Send", asked)
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert first["id"] == again["id"]
    error = daemon.error("Send", {**asked, "text": "other"})
    assert error.name == "io.nuncio.KeyConflict" and error.parameters["id"] == first["id"]
    daemon.wait_final(first["id"])
    assert len(nuncio.maildir(daemon.outbox)) == 1


def test_a_dedup_key_counts_instead_of_sending(daemon):
    asked = {"to": ["a@example.org"], "text": "disk full", "dedup": "disk"}
    first = daemon.call("Send", asked)
    again = [daemon.call("Send", {**asked, "text": f"disk full {i}"}) for i in range(3)]
    assert all(a["repeated"] and a["id"] == first["id"] for a in again)
    daemon.wait_final(first["id"])
    assert daemon.show(first["id"])["repeats"] == 3
    assert len(nuncio.maildir(daemon.outbox)) == 1


def test_at_hold_release_cancel(daemon):
    later = daemon.call("Send", {"to": ["later@example.org"], "text": "x", "at": "1h"})["id"]
    held = daemon.call("Send", {"to": ["held@example.org"], "text": "x", "hold": True})["id"]
    assert daemon.states(later) == {"later@example.org": "queued"}
    assert daemon.states(held) == {"held@example.org": "held"}
    assert daemon.call("Release", {"select": {"message": held}}) == {"changed": 1, "passed_over": 0}
    assert daemon.wait_final(held) == {"held@example.org": "sent"}
    assert daemon.call("Cancel", {"select": {"message": later}})["changed"] == 1
    assert daemon.wait_final(later) == {"later@example.org": "canceled"}
    assert daemon.call("Cancel", {"select": {"message": held}}) == {"changed": 0, "passed_over": 1}
    other = daemon.call("Send", {"to": ["other@example.org"], "text": "x", "at": "1h"})["id"]
    assert daemon.call("Retry", {"select": {"recipient": "other@*"}})["changed"] == 1
    assert daemon.wait_final(other) == {"other@example.org": "sent"}
    assert len(nuncio.maildir(daemon.outbox)) == 2


def test_pause_is_kept_over_a_restart(daemon):
    daemon.call("Pause", {"transport": "outbox", "reason": "moving"})
    identity = daemon.call("Send", {"to": ["a@example.org"], "text": "x"})["id"]
    daemon.stop()
    daemon.start()
    row = daemon.wait_transport("outbox", "paused")
    assert row["reason"] == "moving"
    assert daemon.states(identity) == {"a@example.org": "queued"}
    daemon.call("Resume", {"transport": "outbox"})
    assert daemon.wait_final(identity) == {"a@example.org": "sent"}


def test_watch_tells_the_whole_story(daemon):
    """One event for the message that was put, then each recipient's own."""
    with daemon.connect() as v:
        v.start("Watch", {}, more=True)
        identity = daemon.call("Send", {"to": ["a@example.org", "b@example.org"], "text": "x"})["id"]
        story = {None: [], "a@example.org": [], "b@example.org": []}
        while any("sent" not in s for who, s in story.items() if who):
            event = v.answer()["parameters"]["event"]
            if event.get("message") == identity:
                story[event["recipient"]].append(event["to"])
    assert story == {None: ["queued"], "a@example.org": ["sending", "sent"], "b@example.org": ["sending", "sent"]}
    with daemon.connect() as v:
        late = [(e["recipient"], e["to"]) for e in v.watch(identity)]
    assert sorted(late, key=str) == sorted(((k, s) for k, states in story.items() for s in states), key=str)


def test_a_watch_of_a_message_tells_of_transports(make_daemon):
    d = make_daemon('transports = ( { name = "away"; type = "smtp"; url = "smtp://127.0.0.1:9"; tls = "none"; } );\n')
    d.start()
    held = d.call("Send", {"to": ["a@example.org"], "text": "x", "hold": True})["id"]
    with d.connect() as v:
        story = v.watch(held)
        assert next(story)["to"] == "held"
        d.call("Send", {"to": ["a@example.org"], "text": "x"})
        event = next(story)
    assert (event["message"], event["transport"], event["to"]) == (None, "away", "down")


def test_a_watch_ends_however_it_meets_the_delivery(make_daemon, folder):
    d = make_daemon(nuncio.outbox(folder / "outbox", concurrency=8)).start()
    for n in range(400):
        identity = d.call("Send", {"to": [f"r{i}@example.org" for i in range(1 + n % 4)], "text": "x"})["id"]
        assert set(d.wait_final(identity).values()) == {"sent"}


def test_raw_mail_arrives_as_it_was(daemon):
    body = b"caf\xe9 \xff\r\n.\r\n..two\r\n" + b"x" * 900 + b"\r\n"
    raw = (b"From: Some One <one@example.com>\r\nTo: two@example.org\r\nBcc: secret@example.org\r\n"
           b"Subject: =?utf-8?q?sm=C3=B8rrebr=C3=B8d?=\r\nMIME-Version: 1.0\r\n"
           b"Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + body)
    identity = daemon.call("Submit", {"to": ["two@example.org", "secret@example.org"],
                                      "content": base64.b64encode(raw).decode()})["id"]
    assert daemon.show(identity)["subject"] == "smørrebrød"
    daemon.wait_final(identity)
    mails = nuncio.maildir(daemon.outbox)
    assert len(mails) == 2
    for mail in mails:
        assert mail["Bcc"] is None and mail["Subject"] == "smørrebrød" and mail["Message-ID"]
        assert mail.get_payload(decode=True).replace(b"\r\n", b"\n") == body.replace(b"\r\n", b"\n")
        assert b"secret" not in mail.as_bytes().replace(b"Delivered-To: secret@example.org", b"")


def test_a_varlink_library_of_another_language(daemon, folder):
    package = folder / "go" / "src" / "ionuncio"
    package.mkdir(parents=True)
    shutil.copy(nuncio.SOURCE / "common" / "io.nuncio.varlink", package)
    subprocess.run(["varlink-go-interface-generator", package / "io.nuncio.varlink"], check=True)
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{folder}/go:/usr/share/gocode",
                   "GOCACHE": str(folder / "gocache"), "GOFLAGS": ""}
    done = subprocess.run(["go", "run", nuncio.SOURCE / "tests" / "system" / "varlink_go" / "main.go",
                           f"unix:{daemon.socket}"], env=environment, capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    methods = (package / "io.nuncio.varlink").read_text().count("\nmethod ")
    assert done.stdout.splitlines() == [
        "sent as 1", "state sent", "refused: to[0] nobody", f"methods: {methods}"]
    [mail] = nuncio.maildir(daemon.outbox)
    assert mail["Subject"] == "from Go"
