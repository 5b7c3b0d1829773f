"""nuncio, the client, as people and scripts use it: exit statuses are sysexits'."""
import json
import os
import subprocess

import nuncio

CONTACTS = """
contacts = ( { name = "me"; mail = ["me@example.org"]; },
             { name = "bo"; mail = ["bo@example.org", "bo2@example.org"]; },
             { name = "ops"; members = ["me", "bo"]; } );
"""


def start(make_daemon, folder, more=""):
    d = make_daemon(CONTACTS + nuncio.outbox(folder / "outbox") + more).start()
    d.outbox = folder / "outbox"
    return d


def test_send_and_wait(make_daemon, folder):
    d = start(make_daemon, folder)
    file = folder / "wörld.txt"
    file.write_bytes(b"\xff\x00data")
    done = d.client("send", "-s", "Hé", "-a", file, "--wait=sent", "me", "two", "words")
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    [mail] = nuncio.maildir(d.outbox)
    assert mail["Subject"] == "Hé" and mail["To"] == "me@example.org"
    assert mail.get_body().get_content() == "two words"
    [part] = mail.iter_attachments()
    assert part.get_filename() == "wörld.txt" and part.get_payload(decode=True) == b"\xff\x00data"


def test_text_from_standard_input_in_any_encoding(make_daemon, folder):
    d = start(make_daemon, folder)
    for raw, text in ((b"plain\n", "plain\n"), (b"caf\xe9 \x80\n", "café €\n"), (b"a\x00b\n", "ab\n"),
                      ("smørrebrød\n".encode(), "smørrebrød\n")):
        done = d.client("send", "--wait", "me", input=raw, text=False)
        assert done.returncode == 0, done.stderr
        assert text in [m.get_content().replace("\r\n", "\n") for m in nuncio.maildir(d.outbox)]


def test_a_group_and_a_list(make_daemon, folder):
    d = start(make_daemon, folder)
    done = d.client("--json", "send", "ops,x@example.org", "hello")
    sent = json.loads(done.stdout)
    assert set(d.wait_final(sent["id"])) == {"me@example.org", "bo@example.org", "bo2@example.org", "x@example.org"} \
        or set(d.wait_final(sent["id"])) == {"me@example.org", "bo@example.org", "x@example.org"}


def test_a_list_may_have_blanks(make_daemon, folder):
    d = start(make_daemon, folder)
    done = d.client("send", " me, x@example.org ,", "hello")
    assert done.returncode == 0, done.stderr
    assert set(d.wait_final(1)) == {"me@example.org", "x@example.org"}


def test_queue_show_why_and_deeds(make_daemon, folder):
    d = start(make_daemon, folder)
    assert d.client("queue").stdout == ""
    d.client("send", "--at", "2h", "-s", "later", "me", "x", check=True)
    listed = d.client("queue").stdout
    assert "me@example.org" in listed and "queued" in listed and "later" in listed
    rows = [json.loads(line) for line in d.client("queue", "--json").stdout.splitlines()]
    assert [r["message"] for r in rows] == [1]
    assert "next try in" in d.client("why", "1").stdout
    shown = d.client("show", "1").stdout
    assert "Subject     later" in shown and "queued" in shown
    assert d.client("hold", "1").returncode == 0
    assert "held" in d.client("queue").stdout
    assert d.client("release", "--recipient", "me@*").returncode == 0
    assert "next try in" in d.client("why", "1").stdout
    assert d.client("retry", "--all").returncode == 66
    assert d.client("retry", "1").returncode == 0
    assert d.wait_final(1) == {"me@example.org": "sent"}
    assert d.client("queue").stdout == ""
    assert "sent" in d.client("queue", "--all").stdout
    assert "sent" in d.client("queue", "1").stdout
    done = d.client("queue", "--state", "failed", "1")
    assert (done.returncode, done.stdout) == (0, "")
    assert d.client("cancel", "1").returncode == 66  # nothing to cancel any more
    assert "sent" in d.client("watch", "1").stdout


def test_what_is_too_long_for_a_text_can_go_as_a_file(make_daemon, folder):
    d = start(make_daemon, folder, 'limits = { request = "64K"; };\n')
    long = "x" * 100000
    done = d.client("send", "me", input=long)
    assert done.returncode == 69 and "-a FILE, or -a -" in done.stderr
    assert d.client("send", "-a", "-", "--wait", "me", input=long).returncode == 0
    [part] = nuncio.maildir(d.outbox)[0].iter_attachments()
    assert part.get_payload(decode=True) == long.encode()


def test_an_empty_variable_names_no_socket(make_daemon, folder):
    d = start(make_daemon, folder)
    (folder / "run" / "nuncio").mkdir(parents=True)
    (folder / "run" / "nuncio" / "nuncio.sock").symlink_to(d.socket)
    done = d.client("status", env={"NUNCIO_SOCKET": "", "XDG_RUNTIME_DIR": str(folder / "run")})
    assert done.returncode == 0, done.stderr


def test_a_deed_on_several_messages(make_daemon, folder):
    d = start(make_daemon, folder)
    for _ in range(3):
        d.client("send", "--hold", "me", "x", check=True)
    done = d.client("cancel", "1", "abc")
    assert (done.returncode, done.stdout) == (64, "") and "'abc' is no message's id" in done.stderr
    assert d.states(1) == {"me@example.org": "held"}
    done = d.client("cancel", "1", "9999", "2")
    assert (done.returncode, done.stderr) == (66, "nuncio: 9999 is no message\n")
    assert done.stdout == "cancel: 2 changed, 0 not in a state for it\n"
    assert d.states(2) == {"me@example.org": "canceled"}
    done = d.client("--json", "release", "1", "3")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"changed": 1, "passed_over": 1})


def test_many_pages(make_daemon, folder):
    d = start(make_daemon, folder)
    with d.connect() as v:
        for i in range(1300):
            v.start("Send", {"to": [f"n{i}@example.org"], "text": "x", "at": "1h"})
            if i % 50 == 49:
                for _ in range(50):
                    v.answer()
    rows = [json.loads(line) for line in d.client("queue", "--json").stdout.splitlines()]
    assert [r["message"] for r in rows] == list(range(1, 1301))
    done = d.client("cancel", "--all")
    assert "1300 changed" in done.stdout
    assert d.client("queue").stdout == ""


def test_pause_and_resume(make_daemon, folder):
    d = start(make_daemon, folder)
    assert d.client("pause", "outbox", "moving house").returncode == 0
    d.client("send", "me", "x", check=True)
    assert "moving house" in d.client("status").stdout
    assert "moving house" in d.client("why", "1").stdout
    done = d.client("resume", "outbox")
    assert (done.returncode, done.stdout) == (0, "outbox goes on\noutbox works\n"), done.stderr
    assert d.wait_final(1) == {"me@example.org": "sent"}


def test_json_before_or_after_the_command(make_daemon, folder):
    d = start(make_daemon, folder)
    d.client("send", "--wait", "me", "x", check=True)
    for command in (["pause", "outbox"], ["pause", "outbox", "moving"], ["resume", "outbox"], ["watch", "1"],
                    ["queue", "1"], ["show", "1"], ["why", "1"], ["status"], ["retry", "1"]):
        name, *operands = command
        said = [d.client(*line).stdout.splitlines()
                for line in (["--json", *command], [*command, "--json"], [name, "--json", *operands])]
        for lines in said:
            assert lines and all(isinstance(json.loads(line), dict) for line in lines), (command, said)
    assert "--json" not in d.client("status").stdout


def test_exit_statuses(make_daemon, folder):
    d = start(make_daemon, folder)
    def status(*arguments, **kw):
        return d.client(*arguments, **kw).returncode
    assert status() == 64
    assert status("nonsense") == 64
    assert status("send") == 64
    assert status("send", "nobody", "x") == 67
    assert status("send", "-s", "a\nb", "me", "x") == 65
    assert status("send", "-a", folder / "none", "me", "x") == 66
    assert status("send", "--at", "yesterday-ish", "me", "x") == 65
    assert status("send", "--key", "k", "me", "x") == 0
    assert status("send", "--key", "k", "me", "y") == 65
    for command in ("show", "why", "watch", "log", "queue", "cancel"):
        done = d.client(command, "99")
        assert (done.returncode, done.stdout, done.stderr) == (66, "", "nuncio: 99 is no message\n")
    assert status("log", "--follow", "99") == 66
    assert status("queue", "--recipient", "nobody@*", "1") == 0
    assert status("show", "abc") == 64
    assert status("pause", "nowhere") == 66
    assert status("--socket", folder / "none", "status") == 69
    assert status("status", "--wait=soon") == 64
    assert status("status", "foo") == 64
    assert status("status", "--prometheus", folder / "nuncio.prom") == 64
    assert not (folder / "nuncio.prom").exists()
    assert "one message" in d.client("queue", "1", "2").stderr
    assert "nuncio send" in d.client("send").stderr


def print_to(d, stdout, *arguments, **more):
    return subprocess.run([nuncio.BUILD / "client" / "nuncio", "--socket", d.socket, *arguments], stdout=stdout,
                          stderr=subprocess.PIPE, text=True, timeout=nuncio.PATIENCE, **more)


def test_output_that_cant_be_written_is_a_failure(make_daemon, folder):
    d = start(make_daemon, folder)
    d.client("send", "--wait", "me", "x", check=True)
    with open("/dev/full", "w") as full:
        for command in (["queue", "--all"], ["show", "1"], ["log"], ["why", "1"], ["contacts"], ["status", "--json"],
                        ["status", "--prometheus"], ["rules", "list", "--json"], ["--help"], ["send", "me", "y"]):
            done = print_to(d, full, *command)
            assert done.returncode == 74 and done.stderr.startswith("nuncio: standard output: "), command
        assert print_to(d, full, "show", "99").returncode == 66


def test_a_reader_that_goes_away_had_enough(make_daemon, folder):
    d = start(make_daemon, folder)
    d.client("send", "--wait", "me", "x", check=True)
    for command in (["queue", "--all"], ["log", "--json"]):
        reader, writer = os.pipe()
        os.close(reader)
        done = print_to(d, writer, *command, restore_signals=False)  # SIGPIPE stays ignored
        os.close(writer)
        assert (done.returncode, done.stderr) == (0, ""), command


def test_what_is_not_utf8_is_never_left_out(make_daemon, folder):
    """As JSON it would be nothing: a recipient lost, a file lost, a filter that fits all."""
    d = start(make_daemon, folder)
    bad = os.fsdecode(b"caf\xe9")
    def complaint(*arguments):
        done = d.client(*arguments)
        assert done.returncode == 64
        return done.stderr
    assert "not UTF-8" in complaint("send", "-t", "me", "-b", bad + "@example.org", "x")
    assert "not UTF-8" in complaint("send", bad + "@example.org,me", "x")
    d.client("send", "--hold", "me", "x", check=True)
    for option in ("--recipient", "--state", "--route"):
        assert "not UTF-8" in complaint("cancel", "--all", option, bad)
        assert "not UTF-8" in complaint("queue", "--all", option, bad)
    assert "not UTF-8" in complaint("pause", "outbox", bad)
    assert d.states(1) == {"me@example.org": "held"}
    file = folder / (bad + ".txt")
    file.write_text("in it\n")
    assert d.client("send", "-a", file, "--wait", "me", "x").returncode == 0
    [mail] = nuncio.maildir(d.outbox)
    [part] = mail.iter_attachments()
    assert part.get_filename() == "café.txt" and part.get_content() == "in it\n"


def test_a_failure_is_the_exit_status_of_wait(make_daemon, folder):
    answers = folder / "answers"
    answers.write_text("gone@* 550 5.1.1 no such user\n")
    d = make_daemon(f'transports = ( {{ name = "t"; type = "fake"; answers = "{answers}"; }} );\n').start()
    done = d.client("send", "--wait", "gone@example.org,ok@example.org", "x")
    assert done.returncode == 69
    assert "no such user" in done.stderr and "ok@" not in done.stderr
    answers.write_text("*@* 451 4.7.1 later\n")
    done = d.client("send", "--wait", "--timeout", "1s", "late@example.org", "x")
    assert done.returncode == 75
    answers.write_text("*@* 250 2.0.0 ok\n")
    done = d.client("send", "--wait", "--timeout", "30d", "--at", "1s", "ok@example.org", "x")
    assert done.returncode == 0, done.stderr


def test_wait_knows_more_recipients_than_it_is_told_events_of(make_daemon):
    d = make_daemon('transports = ( { name = "t"; type = "fake"; } );\n').start()
    many = ",".join(f"u{i}@example.org" for i in range(600))
    for _ in range(2):
        done = d.client("send", "--key", "many", "--wait", many, "x")
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_wait_tells_of_failures_older_than_what_it_is_told(make_daemon, folder):
    answers = folder / "answers"
    answers.write_text("u0@* 550 5.1.1 no such user\n")
    d = make_daemon(f'transports = ( {{ name = "t"; type = "fake"; answers = "{answers}"; }} );\n').start()
    many = ",".join(f"u{i}@example.org" for i in range(600))
    for _ in range(2):
        done = d.client("send", "--key", "many", "--wait", many, "x")
        assert done.returncode == 69
        assert done.stderr == "nuncio: u0@example.org: failed: 550 5.1.1 no such user\n"


def waiting(d, *arguments):
    return subprocess.Popen([nuncio.BUILD / "client" / "nuncio", "--socket", d.socket, "send", "--wait",
                             "--timeout", f"{int(nuncio.PATIENCE)}s", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_wait_says_what_was_canceled(make_daemon, folder):
    d = start(make_daemon, folder)
    with waiting(d, "--at", "2h", "me", "x") as client:
        assert client.stdout.readline() == "1\n"
        d.client("cancel", "1", check=True)
        _, said = client.communicate(timeout=nuncio.PATIENCE)
    assert (client.returncode, said) == (69, "nuncio: me@example.org: canceled\n")


def test_wait_says_that_its_transport_does_not_carry_it(make_daemon, folder):
    """Before it was sent, or from then on; not when it is another's."""
    one = '{ name = "one"; type = "maildir"; path = "%s"; }, ' % (folder / "one")
    two = '{ name = "two"; type = "maildir"; path = "%s"; }' % (folder / "two")
    d = make_daemon(f"transports = ( {one}{two} );\n").start()
    d.client("pause", "two", check=True)
    done = d.client("send", "--wait", "me@example.org", "x")
    assert (done.returncode, done.stderr) == (0, "")
    d.client("pause", "one", "moving house", check=True)
    with waiting(d, "me@example.org", "x") as client:
        assert client.stderr.readline() == "nuncio: it is queued, but transport one is paused: moving house\n"
        d.client("resume", "one", check=True)
        client.communicate(timeout=nuncio.PATIENCE)
    assert client.returncode == 0
    away = 'transports = ( { name = "away"; type = "smtp"; url = "smtp://127.0.0.1:9"; tls = "none"; } );\n'
    d.reload(away)
    with waiting(d, "me@example.org", "x") as client:
        assert "nuncio: it is queued, but transport away is down: " in client.stderr.readline()
        d.client("cancel", "--all", check=True)
        client.communicate(timeout=nuncio.PATIENCE)


def test_status_waits_for_a_daemon_that_starts(make_daemon, folder):
    d = make_daemon(nuncio.outbox(folder / "outbox"))
    waiting = subprocess.Popen([nuncio.BUILD / "client" / "nuncio", "--socket", d.socket, "status", "--wait=60s"],
                               stdout=subprocess.PIPE)
    d.start()
    out, _ = waiting.communicate(timeout=nuncio.PATIENCE)
    assert waiting.returncode == 0 and b"nunciod" in out


def test_control_characters_never_reach_the_terminal(make_daemon, folder):
    answers = folder / "answers"
    answers.write_text("*@* 550 5.1.1 \x1b[2Jno\n")
    d = make_daemon(f'transports = ( {{ name = "t"; type = "fake"; answers = "{answers}"; }} );\n').start()
    d.client("send", "--wait", "a@example.org", "x")
    for command in (["queue", "--all"], ["show", "1"], ["why", "1"], ["watch", "1"]):
        assert "\x1b" not in d.client(*command).stdout
