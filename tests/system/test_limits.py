"""What `access` and `limits` allow other users: whom, as whom, how much; as another
uid sees it over the real socket."""
import base64
import json
import subprocess
import time

import pytest

import nuncio

NOBODY = 65534
CALLER = r'''
import json, os, sys
sys.path.insert(0, sys.argv[1])
os.setgroups([]); os.setgid(65534); os.setuid(65534)
import time

import nuncio
answers = []
held = []
for method, parameters in json.load(sys.stdin):
    v = nuncio.Varlink(sys.argv[2])
    held.append(v)
    try:
        answers.append(["ok", v.call(method, parameters)])
    except nuncio.VarlinkError as error:
        answers.append([error.name.split(".")[-1], error.parameters])
    if not (parameters or {}).get("hold"):
        v.close()
print(json.dumps(answers))
'''


def as_nobody(daemon, *calls):
    """Each call over a connection of its own; connections of calls with hold stay open."""
    daemon.folder.chmod(0o755)
    done = subprocess.run(["/usr/bin/python3", "-c", CALLER, nuncio.SOURCE / "tests" / "system", daemon.socket],
                          input=json.dumps(calls), capture_output=True, text=True, timeout=nuncio.PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def raw(header, to="a@example.org", **more):
    mail = (header + "\nSubject: x\n\nx\n").encode()
    return ["Submit", {"to": [to], "content": base64.b64encode(mail).decode(), **more}]


def send(to="a@example.org", **more):
    return ["Send", {"to": [to], "text": "x", "at": "1h", **more}]


@pytest.fixture
def make(make_daemon, folder):
    def start(settings):
        return make_daemon('from = "box@example.com";\n'
                           'contacts = ( { name = "me"; mail = ["me@example.com"]; } );\n'
                           + nuncio.outbox(folder / "outbox") + settings).start()
    return start


def test_nobody_writes_as_another_not_even_in_a_raw_header(make):
    """The owner's inbox is watched for the owner's commands: no other user can write one."""
    d = make('access = ( { users = ["*"]; may = ["send", "submit"]; from = ["*@nobody.example"]; } );')
    mine = "From: x@nobody.example"
    refused = [
        send("me", **{"from": "me@example.com"}),
        raw("From: me@example.com"),
        raw("From: The owner <ME@EXAMPLE.COM>"),
        raw(mine, **{"from": "me@example.com"}),
        raw(mine + "\nSender: me@example.com"),
        raw(mine + "\nResent-From: me@example.com"),
        raw(mine + "\nresent-sender : x@nobody.example, me@example.com"),
        raw("From: me@example.com\nResent-From: x@nobody.example"),
        raw("From: =?utf-8?q?a?= <me@example.com>"),
    ]
    for call, (name, parameters) in zip(refused, as_nobody(d, *refused)):
        assert name == "NotPermitted", call
        assert "me@example.com" in parameters["reason"].lower() and "access" in parameters["reason"]
    assert as_nobody(d, raw("From: me@example.com\nFrom: x@nobody.example"))[0][0] == "BadMessage"
    allowed = [
        send("me", **{"from": "x@nobody.example"}), send("me"),
        raw(mine), raw("From: box@example.com"), raw("From: nobody"),
        raw("To: x@example.org", **{"from": ""}), raw(mine + "\nSender: root\nReply-To: me@example.com"),
        raw("From: me@example.com <x@nobody.example>"),
    ]
    answers = as_nobody(d, *allowed)
    assert [name for name, _ in answers] == ["ok"] * len(allowed), answers
    d.wait_final(answers[-1][1]["id"])
    [odd] = [m for m in nuncio.maildir(d.folder.parent / "outbox") if answers[-1][1]["message_id"] in m["Message-ID"]]
    assert odd["From"] == '"me@example.com" <x@nobody.example>'
    assert not [m for m in nuncio.maildir(d.folder.parent / "outbox") if not m["X-Nuncio-Id"]]


def test_whom_a_user_may_write_to(make):
    d = make('access = ( { users = ["*"]; may = ["send"]; to = ["me", "*@ok.example"]; },\n'
             '  { users = ["65534"]; may = ["submit"]; to = ["raw@example.org"]; from = ["*"]; } );')
    names = [name for name, _ in as_nobody(
        d, send("me"), send("me@example.com"), send("x@ok.example"), send("x@other.example"),
        send("me", bcc=["x@other.example"]), send("raw@example.org"), raw("From: a@b.example", "raw@example.org"),
        raw("From: a@b.example", "me"))]
    assert names == ["ok", "ok", "ok", "NotPermitted", "NotPermitted", "NotPermitted", "ok", "NotPermitted"]


def test_an_hours_messages_and_bytes_and_a_restart_resets_nothing(make):
    d = make('access = ( { users = ["*"]; may = ["send"]; messages = "3/h"; bytes = "8K"; } );')
    answers = as_nobody(d, send(), send(text="y" * 6000), send(key="k"), send())
    assert [name for name, _ in answers] == ["ok", "ok", "ok", "OverLimit"]
    error = answers[3][1]
    now = int(subprocess.check_output(["date", "+%s%3N"]))
    assert error["field"] == "messages" and error["limit"] == 3
    assert now < error["free"] < now + 3_600_000
    assert "3 messages in an hour" in error["reason"] and "room again in" in error["reason"]
    d.stop()
    d.start()
    assert as_nobody(d, send())[0][0] == "OverLimit"
    d.kill()
    d.start()
    [(name, error), (_, status)] = as_nobody(d, send(), ["Status", None])
    assert name == "OverLimit" and error["field"] == "messages"
    assert status["usage"] == [{"uid": NOBODY, "messages": 3, "messages_limit": 3, "bytes": 6002, "bytes_limit": 8192,
                                "connections": 1, "connections_limit": None}]
    # root is not limited, sees everyone's, and the client says it
    d.call("Send", {"to": ["a@example.org"], "text": "x"})
    assert {u["uid"]: u["messages"] for u in d.call("Status")["usage"]} == {0: 0, NOBODY: 3}
    assert "uid 65534, 3 of 3 messages in the last hour, 6002 of 8192 bytes" in d.client("status").stdout
    # another configuration, the same count
    d.reload(d.file.read_text().split("\n", 2)[2].replace('"3/h"', '"10/h"'))
    answers = as_nobody(d, send(), send(text="z" * 6000), send(text="z" * 9000), send())
    assert [name for name, _ in answers] == ["ok", "OverLimit", "OverLimit", "ok"]
    assert answers[1][1]["field"] == "bytes" and answers[1][1]["free"]
    assert answers[2][1].get("free") is None and "larger than that" in answers[2][1]["reason"]


def test_what_is_not_taken_does_not_count(make):
    d = make('access = ( { users = ["*"]; may = ["send", "submit"]; messages = "2/h"; } );')
    answers = as_nobody(d, raw("From: someone@else.example"), raw("no header"), send(key="k"), send(key="k"), send(key="k"),
                        send(dedup="d"), send())
    assert [name for name, _ in answers] == ["NotPermitted", "BadMessage", "ok", "ok", "ok", "ok", "OverLimit"]


def test_connections_of_a_user(make):
    d = make('access = ( { users = ["*"]; may = ["send"]; connections = 3; } );')
    answers = as_nobody(d, send(hold=True), send(hold=True), send(), send(), send(hold=True), send(), ["Status", None])
    assert [name for name, _ in answers] == ["ok"] * 5 + ["OverLimit"] * 2
    assert answers[5][1]["field"] == "connections" and answers[5][1]["limit"] == 3
    assert as_nobody(d, ["Status", None])[0][1]["usage"][0]["connections"] == 1


def test_a_queue_that_is_full(make):
    d = make('limits = { queue = 3; };')
    d.call("Send", {"to": ["a@example.org", "b@example.org"], "text": "x", "at": "1h"})
    error = d.error("Send", {"to": ["a@example.org", "b@example.org"], "text": "x"})
    assert error.name == "io.nuncio.OverLimit" and error.parameters["field"] == "queue"
    assert "limits.queue" in error.parameters["reason"]
    last = d.call("Send", {"to": ["a@example.org"], "text": "x"})["id"]
    d.wait_final(last)
    d.call("Send", {"to": ["a@example.org"], "text": "x", "hold": True})
    assert d.error("Send", {"to": ["a@example.org"], "text": "x"}).parameters["limit"] == 3
    assert d.call("Status")["limits"] == {"queue": 3, "queue_bytes": 0}
    d.call("Cancel", {"select": {"all": True}})
    d.call("Send", {"to": ["a@example.org"], "text": "x"})


def test_a_queue_that_takes_too_much_disk(make):
    d = make('limits = { queue_bytes = "1M"; };')
    big = {"to": ["a@example.org"], "text": "x" * 300_000, "hold": True}
    for _ in range(2):
        d.call("Send", big)
    for _ in range(3):
        with d.connect() as v:
            try:
                v.call("Send", big)
            except nuncio.VarlinkError as error:
                assert error.parameters["field"] == "queue_bytes" and "limits.queue_bytes" in error.parameters["reason"]
                break
    else:
        raise AssertionError("1.5 MB were taken")
    assert "at most 1M on disk" in d.client("status").stdout


def test_the_largest_requests_hold_nobody_up_for_long(make_daemon, folder):
    """Very many recipients, and a call of the size that is allowed full of tiny values."""
    daemon = make_daemon("limits = { recipients = 20000; };\n" + nuncio.outbox(folder / "outbox")).start()
    with daemon.connect() as large, daemon.connect() as other:
        large.start("Send", {"to": [f"n{n}@example.org" for n in range(20_000)], "text": "x", "hold": True})
        begun = time.monotonic()
        other.call("Status")
        assert time.monotonic() - begun < 20
        assert large.answer()["parameters"]["id"]
    assert daemon.call("Status")["counts"]["held"] == 20_000
    with daemon.connect() as large:
        large.send_raw(b'{"method":"io.nuncio.Send","parameters":{"to":[' + b"{}," * 1_300_000 + b"{}]}}\0")
        refused = large.read_raw()
        assert refused["error"] == "io.nuncio.BadMessage" and "at most 131072 values" in refused["parameters"]["reason"]


def test_who_may_look_changes_nothing_of_others(make):
    d = make('access = ( { users = ["*"]; may = ["send"]; }, { users = ["65534"]; may = ["look"]; } );')
    mine = d.call("Send", {"to": ["a@example.org"], "text": "x", "at": "1h"})["id"]
    answers = as_nobody(d, send("theirs@example.org"), ["Show", {"id": mine}],
                        *[[deed, {"select": select}] for deed in ("Hold", "Retry", "Release", "Cancel")
                          for select in ({"message": mine}, {"recipient": "a@*"})],
                        ["Cancel", {"select": {"all": True}}])
    assert answers[1][0] == "ok" and answers[1][1]["message"]["id"] == mine
    assert all(a[0] == "NotPermitted" and "uid 65534 may not operate" in a[1]["reason"] for a in answers[2:10:2]), answers
    assert all(a == ["ok", {"changed": 0, "passed_over": 0}] for a in answers[3:10:2]), answers
    assert answers[10] == ["ok", {"changed": 1, "passed_over": 0}]
    assert d.states(mine) == {"a@example.org": "queued"}
    assert d.states(answers[0][1]["id"]) == {"theirs@example.org": "canceled"}
