"""Commands by mail: the built daemon and its runner on a Maildir; what is obeyed, what is
not, and who hears of it."""
import contextlib
import email.message
import json
import os
import signal
import sqlite3
import subprocess
import time

import pytest

import nuncio
from rules_rig import AUTHSERV, COUNT, SECRET, SESAME, TOTP_KEY, key, rig, totp


def test_a_command_runs_is_answered_and_its_mail_is_gone(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        code = totp()
        name = r.command("count sheep", key(code), message_id="<first@example.com>",
                         headers=[("References", "<older@example.com>")])
        report = r.wait_report("Re: count sheep")

        assert r.ran() == ["sheep"]
        r.wait_gone(name)
        assert report["To"] == "me@example.com"
        assert report["In-Reply-To"] == "<first@example.com>"
        assert report["References"].split() == ["<older@example.com>", "<first@example.com>"]
        assert report["Auto-Submitted"] == "auto-replied" and report["X-Nuncio-Id"]
        text = report.get_content()
        assert "did sheep" in text and "ended well" in text
        [run] = r.runs(rule="count")
        assert (run["state"], run["contact"], run["command"]) == ("done", "me", "count sheep")
        # the proof is nowhere
        r.stop_daemon()
        kept = b"".join(f.read_bytes() for f in r.daemon.state.rglob("*") if f.is_file())
        for where in (kept, r.daemon.log_text().encode(), report.as_bytes(), r.runner.log.read_bytes()):
            assert f"key: {code}".encode() not in where and TOTP_KEY.encode() not in where


def test_a_secret_is_never_shown(make_daemon, folder):
    with rig(make_daemon, folder, SESAME) as r:
        r.command("count one", key(SECRET))
        r.command("count two", key(SECRET + "x"))
        r.wait_report("Re: count one")
        r.wait_report("Re: count two")
        r.settle()
        r.stop_daemon()
        kept = b"".join(f.read_bytes() for f in r.daemon.state.rglob("*") if f.is_file())
        kept += r.daemon.log_text().encode() + r.runner.log.read_bytes()
        kept += b"".join(m.as_bytes() for m in r.mails())
        assert SECRET.encode() not in kept


def test_a_stranger_is_refused_and_hears_nothing(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        name = r.command("count sheep", key(totp()), sender="stranger@example.net")
        r.settle()

        assert r.ran() == [] and r.exists(name)
        [run] = r.runs(rule="count")
        assert run["state"] == "refused" and run["contact"] is None
        assert not [m for m in r.mails() if "pong" not in m["Subject"]]
        assert "refused \"count sheep\" from stranger@example.net" in r.daemon.log_text()


@pytest.mark.parametrize("headers", [
    [],
    [("Authentication-Results", "mx.evil.example; dmarc=pass header.from=example.com")],
    [("Authentication-Results", f"{AUTHSERV}; dmarc=fail header.from=example.com")],
    [("Authentication-Results", f"{AUTHSERV}; dmarc=pass header.from=example.net")],
    [("Received", "from a by other.example.net; Mon, 1 Jan 2024 00:00:00 +0000"),
     ("Authentication-Results", f"{AUTHSERV}; dmarc=pass header.from=example.com")],
], ids=["none", "another's", "fail", "another-domain", "below-the-trace"])
def test_a_forged_sender_runs_nothing_and_hears_nothing(make_daemon, folder, headers):
    with rig(make_daemon, folder, COUNT, authserv=AUTHSERV, box_settings=f'received_by = ["{AUTHSERV}"];') as r:
        r.command("count sheep", key(totp()), headers=headers)
        r.settle()
        assert r.ran() == []
        [run] = r.runs(rule="count")
        assert run["state"] == "refused" and "vouch" in run["text"]
        assert not r.mails("count")
        # and the owner's own goes through
        r.vouched("count goats", key(totp()))
        r.wait_report("Re: count goats")
        assert r.ran() == ["goats"]


@pytest.mark.parametrize("twice", [("From", "Me <me@example.com>"), ("Subject", "count wolves"),
                                   ("Date", "Mon, 1 Jan 2024 00:00:00 +0000")])
def test_a_field_that_stands_twice_runs_nothing(make_daemon, folder, twice):
    with rig(make_daemon, folder, COUNT) as r:
        r.command("count sheep", key(totp()), headers=[twice])
        r.settle()
        assert r.ran() == []
        assert not r.mails("count")


def test_two_addresses_in_from_run_nothing(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.command("count sheep", key(totp()), sender="me@example.com, bo@example.org")
        r.settle()
        assert r.ran() == []


def test_a_replayed_mail_and_a_replayed_code_run_nothing(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        code = totp()
        mail = r.mail("count sheep", key(code))
        now = time.time()
        r.drop(mail, at=now)
        r.wait_report("Re: count sheep")
        r.drop(mail, at=now)      # the very same
        r.drop(mail, at=now + 1)  # as it would come if somebody sent it again
        r.command("count goats", key(code))
        refused = r.wait_report("Re: count goats")
        r.settle()
        assert r.ran() == ["sheep"]
        assert "used before" in refused.get_content()
        assert sorted(run["state"] for run in r.runs(rule="count")) == ["done", "refused", "refused"]


def test_a_strangers_mail_with_the_owners_message_id_shadows_nothing(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.command("count wolves", key("000000"), sender="stranger@example.net", message_id="<x@example.com>")
        r.command("count sheep", key(totp()), message_id="<x@example.com>")
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"]


def test_wrong_proofs_lock_out_and_the_owner_is_told_once(make_daemon, folder):
    with rig(make_daemon, folder, SESAME) as r:
        for n in range(7):
            r.command(f"count {n}", key(f"wrong-{n}"))
        r.settle()
        r.command("count sheep", key(SECRET))
        r.settle()
        assert r.ran() == []
        assert len(r.mails("is locked out")) == 1
        assert r.mails("is locked out")[0]["To"] == "me@example.com"
        assert len(r.mails("Re: count")) == 4  # the first four were told why
        assert [run["state"] for run in r.runs(rule="count")] == ["refused"] * 8
        # also after a restart
        r.stop_daemon()
        r.start_daemon()
        r.command("count goats", key(SECRET))
        r.settle()
        assert r.ran() == [] and len(r.mails("is locked out")) == 1


def test_a_forger_locks_nobody_out(make_daemon, folder):
    with rig(make_daemon, folder, SESAME, authserv=AUTHSERV) as r:
        for n in range(8):
            r.command(f"count {n}", key(f"wrong-{n}"))
        r.vouched("count sheep", key(SECRET))
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"] and not r.mails("locked out")


def test_an_old_command_is_reported_not_run(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        at = time.time() - 3 * 24 * 3600
        r.command("count sheep", key(totp(at)), at=at)
        report = r.wait_report("Re: count sheep")
        assert "3d old" in report.get_content()
        assert r.ran() == []


def test_missing_and_doubled_proofs_run_nothing(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.command("count none", "Please.\n")
        r.command("count quoted", f"> key: {totp()}\n")
        r.command("count double", key(totp()) + key(totp()))
        for part in ("none", "quoted", "double"):
            assert "not obeyed" in r.wait_report(f"Re: count {part}").get_content()
        assert r.ran() == []


def test_a_command_of_a_megabyte(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.command("count " + "x" * 1024 * 1024, key(totp()))
        r.settle()
        assert all(len(line) < 200_000 for line in r.ran())
        r.command("count sheep", key(totp(time.time() - 60)))
        r.wait_report("Re: count sheep")
        assert r.ran()[-1:] == ["sheep"]


@pytest.mark.parametrize("header", [("Auto-Submitted", "auto-replied"), ("Precedence", "bulk"),
                                    ("List-Id", "<l.example.com>"), ("Return-Path", "<>")])
def test_automatic_mail_is_passed_over(make_daemon, folder, header):
    with rig(make_daemon, folder, COUNT) as r:
        r.command("count sheep", key(totp()), headers=[header])
        r.settle()
        assert r.ran() == [] and r.runs(rule="count") == [] and not r.mails("count")


SORT_ALONE = '''  { name = "alert"; on = { mail = "inbox"; }; when = { subject = "^ALERT"; };
    do = ( { forward = { to = "bo"; }; }, { flag = "flagged"; } ); },
  { name = "thanks"; on = { mail = "inbox"; }; when = { subject = "^ALERT"; };
    do = { send = { to = "bo"; subject = "thanks"; text = "thanks"; }; }; }'''


def alerts(r):
    return [m for m in r.mails() if "ALERT" in m["Subject"]]


def test_mail_of_programs_is_forwarded_and_answered_by_nobody(make_daemon, folder):
    """A rule that only sorts is for it, too; one that writes to people is not."""
    with rig(make_daemon, folder, SORT_ALONE) as r:
        name = r.command("ALERT disk full", "sda1", headers=[("Auto-Submitted", "auto-generated")])
        [forwarded] = r.wait_mail(lambda m: "ALERT" in m["Subject"])
        assert forwarded["To"] == "bo@example.org" and forwarded["X-Nuncio-Id"]
        r.settle()
        assert r.exists(name) and [run["rule"] for run in r.runs() if run["rule"] != "ping"] == ["alert"]
        # the forwarded mail comes back
        again = forwarded.as_bytes().replace(b"From: ", b"X-Was: ", 1)
        r.drop(b"From: bo@example.org\nX-Again: 1\n" + again.replace(b"Subject: ", b"Subject: ALERT ", 1))
        # and what became of it
        for header in (("Return-Path", "<>"), ("X-Failed-Recipients", "bo@example.org"),
                       ("Content-Type", "multipart/report; report-type=delivery-status")):
            r.command("ALERT undelivered", headers=[header])
        r.settle()
        assert len(alerts(r)) == 1 and not r.mails("thanks")


def test_a_program_gets_the_folder_of_attachments_and_braces_as_they_are(make_daemon, folder):
    rule = COUNT.replace('"{what}"', '"{what}", "{attachments}", "{ print $1 }", "{}"')
    with rig(make_daemon, folder, rule) as r:
        r.command("count sheep", key(totp()))
        r.wait_report("Re: count sheep")
        [line] = r.ran()
        assert line.startswith("sheep /") and line.endswith("/attachments { print $1 } {}")


def test_it_does_not_answer_itself(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.command("count sheep", key(totp()))
        report = r.wait_report("Re: count sheep")
        # its own report comes back from the owner's address, as a forwarder would have it
        del report["Auto-Submitted"]
        del report["From"]
        del report["Subject"]
        report["From"] = "me@example.com"
        report["Subject"] = "count goats"
        r.drop(report.as_bytes() + key(totp(time.time() - 60)).encode())
        r.settle()
        assert r.ran() == ["sheep"] and len(r.mails("count")) == 1


def test_an_autoresponder_that_says_nothing_of_itself_is_told_a_few_times(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        for n in range(30):
            r.command(f"count {n}", "I am on holidays.\n")
        r.settle()
        assert r.ran() == [] and len(r.mails("Re: count")) == 20


def test_long_output_is_cut_and_goes_along_whole(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace("@program@", "@folder@/long")) as r:
        r.script("long", 'i=0; while [ $i -lt 4000 ]; do echo "line $i"; i=$((i+1)); done')
        r.command("count sheep", key(totp()))
        report = r.wait_report("Re: count sheep")
        text = report.get_body().get_content()
        [attached] = report.iter_attachments()
        assert "line 0\n" in text and "line 3999\n" in text and "line 2000\n" not in text
        assert len(text) < 10_000
        assert attached.get_filename() == "output.txt"
        whole = attached.get_payload(decode=True).decode()
        assert whole.splitlines() == [f"line {i}" for i in range(4000)]


SAVE = """{ name = "save"; on = { mail = "inbox"; };
  when = { from = "me"; command = "^save (?<where>[a-z]+)$"; proof = "totp"; };
  do = { run = ["@folder@/copy", "{attachments}/.", "@folder@/{where}"]; }; }"""


def test_attachments_are_saved(make_daemon, folder):
    with rig(make_daemon, folder, SAVE) as r:
        r.script("copy", 'exec cp -r "$@"')
        (folder / "photos").mkdir()
        mail = email.message.EmailMessage()
        for name, value in email.message_from_bytes(r.mail("save photos")).items():
            mail[name] = value
        mail.set_content(key(totp()))
        mail.add_attachment(b"\x89PNG\r\n\x1a\n\0", maintype="image", subtype="png", filename="../a cat.png")
        answer = r.daemon.call("RulesTest", {"rule": "save", "descriptor": 0},
                               descriptors=[nuncio.sealed_memfd(mail.as_bytes())])
        assert answer["argv"] == [str(folder / "copy"), "{attachments}/.", str(folder / "photos")]
        r.drop(mail.as_bytes())
        r.wait_report("Re: save photos")
        [saved] = (folder / "photos").iterdir()
        assert saved.read_bytes() == b"\x89PNG\r\n\x1a\n\0" and saved.name.endswith("cat.png")


def test_failure_is_told(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace("@program@", "@folder@/fails")) as r:
        r.script("fails", "echo so sorry; exit 3")
        r.command("count sheep", key(totp()))
        text = r.wait_report("Re: count sheep").get_content()
        assert "status 3" in text and "so sorry" in text
        [run] = r.runs(rule="count")
        assert (run["state"], run["code"]) == ("failed", 3)


# ---- confirmation ----

CONFIRM = COUNT.replace('"totp"', '"confirm"')


def asked_code(mail):
    [line] = [line for line in mail.get_content().splitlines() if line.startswith("key: ")]
    return line[5:].strip()


def test_a_confirmed_command_runs_once(make_daemon, folder):
    with rig(make_daemon, folder, CONFIRM) as r:
        name = r.command("count sheep")
        code = asked_code(r.wait_report("Is this command yours?"))
        assert r.ran() == [] and [run["state"] for run in r.runs(rule="count")] == ["asked"]
        answer = r.command("Re: Is this command yours?", key(code))
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"]
        r.wait_gone(name)
        r.wait_gone(answer)
        r.command("Re: Is this command yours?", key(code))
        r.settle()
        assert r.ran() == ["sheep"]
        assert code.encode() not in b"".join(f.read_bytes() for f in r.daemon.folder.glob("*.log"))


def test_a_confirmation_by_another_or_a_wrong_code_runs_nothing(make_daemon, folder):
    with rig(make_daemon, folder, CONFIRM) as r:
        r.command("count sheep")
        code = asked_code(r.wait_report("Is this command yours?"))
        r.command("Re: Is this command yours?", key(code), sender="bo@example.org")
        r.command("Re: Is this command yours?", key("00000000" if code != "00000000" else "11111111"))
        r.settle()
        assert r.ran() == []
        r.stop_daemon()
        r.start_daemon()
        r.command("Re: Is this command yours?", key(code))
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"]


SORTS = CONFIRM + ''',  { name = "sorts"; on = { mail = "inbox"; }; when = { from = ["me"]; subject = "^Re: "; };
    do = { flag = "flagged"; }; }'''


@pytest.mark.parametrize("rules, subject", [(CONFIRM, "Re: yes"), (CONFIRM, "count wolves"), (SORTS, "Re: yes")],
                         ids=["alone", "with_a_command", "sorted"])
def test_guessed_codes_lock_out_whatever_stands_beside_them(make_daemon, folder, rules, subject):
    with rig(make_daemon, folder, rules) as r:
        r.command("count sheep")
        code = asked_code(r.wait_report("Is this command yours?"))
        for i in range(1, 6):
            r.command(subject, key(f"{(int(code) + i) % 10 ** 8:08}"))
        r.wait_mail(lambda m: "locked out" in m["Subject"])
        r.command("Re: yes", key(code))
        r.settle()
        assert r.ran() == [] and [run["state"] for run in r.runs() if run["rule"] == "count"] == ["asked"]
        assert any(run["text"].startswith("too many proofs") for run in r.runs())


def test_a_secret_of_eight_digits_is_no_guess_at_a_code(make_daemon, folder):
    tally = SESAME.replace('"count"', '"tally"').replace("^count", "^tally")
    contacts = ', { name = "ana"; mail = ["ana@example.com"]; secret = "31415926"; }'
    with rig(make_daemon, folder, f"{CONFIRM},\n{tally}".replace('["me"]', '["ana"]'), contacts=contacts) as r:
        r.command("count sheep", sender="ana@example.com")
        code = asked_code(r.wait_report("Is this command yours?"))
        for i in range(6):
            r.command(f"tally {i}", key("31415926"), sender="ana@example.com")
            r.wait_report(f"Re: tally {i}")
        r.command("Re: yes", key(code), sender="ana@example.com")
        r.wait_report("Re: count sheep")
        assert sorted(r.ran()) == ["0", "1", "2", "3", "4", "5", "sheep"]


def test_a_confirmation_waits_until_the_ledger_can_be_read(make_daemon, folder):
    def rename(old, new):
        with contextlib.closing(sqlite3.connect(next(r.daemon.state.glob("*.db")))) as database, database:
            database.execute(f"ALTER TABLE {old} RENAME TO {new}")

    with rig(make_daemon, folder, CONFIRM) as r:
        r.command("count sheep")
        code = asked_code(r.wait_report("Is this command yours?"))
        r.command("Re: Is this command yours?", key("00000000" if code != "00000000" else "11111111"))
        r.settle()
        rename("strikes", "away")
        r.command("Re: Is this command yours?", key(code))
        end = time.monotonic() + nuncio.PATIENCE
        while "a mail waits" not in r.daemon.log_text():
            assert time.monotonic() < end, r.daemon.log_text()[-3000:]
            r.daemon.call("Status")
        rename("away", "strikes")
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"]


# ---- restarts ----

def test_a_run_outlives_the_daemon_and_is_reported(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace("@program@", "@folder@/waits")) as r:
        r.script("waits", f'echo begun >{folder}/begun; read x <{folder}/gate; echo "went on: $x"; echo 1 >>{r.counts}')
        os.mkfifo(folder / "gate")
        os.mkfifo(folder / "begun")
        name = r.command("count sheep", key(totp()))
        with open(folder / "begun", encoding="ascii") as begun:
            assert begun.read() == "begun\n"
        r.daemon.kill()
        r.watcher.close()
        r.start_daemon()
        assert [run["state"] for run in r.runs(rule="count")] == ["started"]
        with open(folder / "gate", "w", encoding="ascii") as gate:
            gate.write("now\n")
        report = r.wait_report("Re: count sheep")
        assert "went on: now" in report.get_content() and r.ran() == ["1"]
        r.wait_gone(name)


def test_the_runner_ends_while_it_is_needed_and_comes_back(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.runner.end()
        r.command("count sheep", key(totp()))
        r.settle()
        assert r.ran() == []
        r.runner.start()
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"]


def test_mails_that_came_while_it_was_away_are_seen_once(make_daemon, folder):
    with rig(make_daemon, folder, SESAME) as r:
        r.settle()
        r.stop_daemon()
        for n in range(20):
            r.command(f"count {n}", key(SECRET))
        r.start_daemon()
        r.wait_mail(lambda m: "Re: count" in m["Subject"], 20)
        assert sorted(r.ran(), key=int) == [str(n) for n in range(20)]


# ---- rules that run nothing ----

SORT = '''  { name = "alerts"; on = { mail = "inbox"; }; when = { subject = "^ALERT (?<what>.*)$"; };
    do = ( { send = { to = ["bo"]; subject = "seen: {what}"; text = "an alert"; }; }, { forward = { to = ["me"]; }; } );
    then = { mail = "delete"; continue = true; }; },
  { name = "second"; on = { mail = "inbox"; }; when = { subject = "^ALERT"; };
    do = { send = { to = ["bo"]; subject = "second"; text = "x"; }; }; }'''


def test_rules_sort_and_go_on(make_daemon, folder):
    with rig(make_daemon, folder, SORT) as r:
        mail = r.mail("ALERT disk", "it is full\n", sender="monitor@example.net")
        name = r.drop(mail)
        seen = r.wait_report("seen: disk")
        forwarded = r.wait_report("Fwd: ALERT disk")
        r.wait_report("second")
        r.settle()
        assert seen["To"] == "bo@example.org" and forwarded["To"] == "me@example.com"
        [attached] = forwarded.iter_attachments()
        assert "it is full" in attached.get_content().get_content()
        r.wait_gone(name)
        assert len(r.mails("seen: disk")) == len(r.mails("second")) == 1


# ---- by hand ----

def test_by_hand(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace('do = {', 'then = { report = { to = ["bo"]; }; }; do = {')) as r:
        assert "run 1 started" in r.daemon.client("rules", "run", "count", "count sheep", check=True).stdout
        report = r.wait_mail(lambda m: m["To"] == "bo@example.org")[0]
        assert "did sheep" in report.get_content() and r.ran() == ["sheep"]
        [run] = r.runs(rule="count")
        assert run["state"] == "done" and run["origin"] is None
        error = r.daemon.error("RulesRun", {"rule": "nothing"})
        assert error.name == "io.nuncio.NoSuchRule" and error.parameters["known"] == ["count", "ping"]
        assert r.daemon.error("RulesRun", {"rule": "ping"}).name == "io.nuncio.NotRun"
        assert r.daemon.error("RulesRun", {"rule": "count", "command": "x"}).name == "io.nuncio.NotRun"
        assert r.daemon.error("RulesKill", {"id": 1}).name == "io.nuncio.NoSuchRun"
        assert "sheep" in r.daemon.client("rules", "log", check=True).stdout
        assert "count" in r.daemon.client("rules", "list", check=True).stdout


def test_all_runs_are_shown_or_so_many(make_daemon, folder):
    columns = "rule, origin, ref, contact, command, plan, state, started_ms, ended_ms, expires_ms, changed_ms, code, text"
    with rig(make_daemon, folder, COUNT.replace('do = {', 'then = { report = { to = ["bo"]; }; }; do = {')) as r:
        r.daemon.client("rules", "run", "count", "count sheep", check=True)
        r.wait_mail(lambda m: m["To"] == "bo@example.org")
        with contextlib.closing(sqlite3.connect(r.daemon.state / "queue.db")) as database, database:
            database.executemany(f"INSERT INTO runs (token, {columns}) SELECT ?, {columns} FROM runs WHERE id = 1",
                                 [(f"copy{i}",) for i in range(259)])
        def shown(*options):
            lines = r.daemon.client("rules", "log", *options, check=True).stdout.splitlines()
            return [int(line.split()[0]) for line in lines[1:]]
        assert shown() == list(range(260, 0, -1))
        assert shown("--limit", "150") == list(range(260, 110, -1))
        assert shown("--limit", "1", "--rule", "count") == [260]
        lines = r.daemon.client("rules", "log", "--json", check=True).stdout.splitlines()
        assert [run["id"] for line in lines for run in json.loads(line)["runs"]] == list(range(260, 0, -1))
        assert r.daemon.client("rules", "log", "--limit", "none").returncode == 64


def test_a_run_is_ended_by_hand(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace("@program@", "@folder@/waits")) as r:
        os.mkfifo(folder / "begun")
        r.script("waits", f"echo begun >{folder}/begun; sleep 1000")
        r.command("count sheep", key(totp()))
        with open(folder / "begun", encoding="ascii") as begun:
            begun.read()
        [run] = r.runs(rule="count")
        r.daemon.client("rules", "kill", run["id"], check=True)
        assert "by hand" in r.wait_report("Re: count sheep").get_content()


def test_a_rule_is_tried_and_nothing_is_used_up(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        mail = r.mail("count sheep", key(totp()))
        for _ in range(2):
            answer = r.daemon.call("RulesTest", {"rule": "count", "descriptor": 0},
                                   descriptors=[nuncio.sealed_memfd(mail)])
            assert (answer["verdict"], answer["proof"], answer["contact"]) == ("acts", "holds", "me")
            assert answer["argv"] == [str(r.program), "sheep"]
        wrong = r.mail("count sheep", key("123"), sender="x@example.net")
        said = r.daemon.client("rules", "test", "count", "-", input=wrong.decode(), check=True).stdout
        assert "refuses: the sender is no contact" in said
        assert r.daemon.client("rules", "test", "count", folder / "none").returncode == 66
        r.drop(mail)
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"]


def test_status_shows_mailboxes(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.settle()
        [box] = r.daemon.call("Status")["mailboxes"]
        assert (box["name"], box["type"], box["state"]) == ("inbox", "maildir", "watching")
        assert box["mails"] == 2
        assert "inbox" in r.daemon.client("status", check=True).stdout
        assert 'nuncio_mailbox_up{mailbox="inbox",type="maildir"} 1' in \
            r.daemon.client("status", "--prometheus", check=True).stdout


def test_a_reload_keeps_what_is_at_hand(make_daemon, folder):
    with rig(make_daemon, folder, SESAME) as r:
        r.settle()
        r.rules = SESAME.replace("^count", "^(?:count|number)")
        r.daemon.reload(r.config())
        r.runner.end()
        r.runner.start()
        r.command("number sheep", key(SECRET))
        r.wait_report("Re: number sheep")
        assert r.ran() == ["sheep"]


def test_the_owner_hears_of_a_mailbox_that_stays_down_and_that_it_is_back(make_daemon, folder):
    with rig(make_daemon, folder, SESAME, box_settings='max_down = "1s";') as r:
        r.settle()
        r.box.rename(folder / "away")
        r.box.write_text("no folder")
        (folder / "away" / "new" / "1.x.test").write_bytes(r.mail("something comes"))
        down = r.wait_report("mailbox inbox is down")
        assert down["To"] == "bo@example.org" and "box" in down.get_content()
        assert [m["state"] for m in r.daemon.call("Status")["mailboxes"]] == ["down"]
        r.box.unlink()
        (folder / "away").rename(r.box)
        r.wait_report("mailbox inbox works again")
        r.command("count sheep", key(SECRET))
        r.wait_report("Re: count sheep")
        assert r.ran() == ["sheep"] and len(r.mails("is down")) == 1


# ---- without a service manager ----

def children(pid):
    """Of a process: program name -> pid."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as listed:
        pids = listed.read().split()
    found = {}
    for child in pids:
        with open(f"/proc/{child}/comm", encoding="ascii") as comm:
            found[comm.read().strip()] = int(child)
    return found


def test_a_parent_starts_the_runner_and_starts_it_again(make_daemon, folder):
    with rig(make_daemon, folder, SESAME, start=False) as r:
        managed = ("NOTIFY_SOCKET", "LISTEN_FDS", "JOURNAL_STREAM", "WATCHDOG_USEC")
        with open(r.daemon.log, "ab") as log:
            parent = subprocess.Popen([r.daemon.build / "daemon" / "nunciod", "-v", "-f", r.daemon.file],
                                      stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                      env={k: v for k, v in os.environ.items() if k not in managed})
        try:
            r.daemon.client("status", "--wait=30s", check=True)
            r.watch()
            r.command("count sheep", key(SECRET))
            r.wait_report("Re: count sheep")
            os.kill(children(parent.pid)["nuncio-runner"], signal.SIGKILL)
            r.command("count goats", key(SECRET))
            r.wait_report("Re: count goats")
            assert r.ran() == ["sheep", "goats"]
            left = children(parent.pid)
            assert set(left) == {"nunciod", "nuncio-runner"}
        finally:
            parent.terminate()
            status = parent.wait(timeout=nuncio.PATIENCE)
        assert status == 0
        assert not [pid for pid in left.values() if os.path.exists(f"/proc/{pid}")]
