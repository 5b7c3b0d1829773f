"""Rules whose ground moves: two that are meant by one mail, a configuration that changes while a
program runs or names what is not there, a disk that is full."""
import os
import subprocess
import time

import pytest

import nuncio
import servers
from rules_rig import SECRET, SESAME, key, rig
from test_faults import as_root, fill, small_disk  # noqa: F401, a fixture

COUNT = SESAME.replace('"secret"', '"none"')


def rule(name, then="", do="", base=COUNT):
    """base under another name, which its program is told, too."""
    text = base.replace('name = "count"', f'name = "{name}"').replace('"{what}"', f'"{name}", "{{what}}"')
    text = text.replace("do = {", f"do = ( {{ {do} }}, {{").replace('"]; };', '"]; } );') if do else text
    return text.removesuffix("}") + f"then = {{ {then} }}; }}" if then else text


# ---- two rules, one mail ----

def test_the_first_of_two_rules_is_the_only_one(make_daemon, folder):
    with rig(make_daemon, folder, rule("first") + ",\n" + rule("second")) as r:
        name = r.command("count sheep")
        r.wait_report("Re: count sheep")
        r.wait_gone(name)
        assert r.ran() == ["first sheep"] and len(r.mails("Re: count")) == 1


def test_two_rules_that_both_run_it(make_daemon, folder):
    """Each runs once and answers once; the first deletes the mail, and the second moves it: it is gone."""
    two = rule("first", "continue = true; mail = \"delete\"") + ",\n" + rule("second", 'mail = "move .Done"')
    with rig(make_daemon, folder, two) as r:
        name = r.command("count sheep")
        r.wait_mail(lambda m: m["Subject"] == "Re: count sheep", 2)
        r.wait_gone(name)
        r.settle()
        assert sorted(r.ran()) == ["first sheep", "second sheep"] and len(r.mails("Re: count")) == 2
        r.stop_daemon()
        r.start_daemon()
        r.settle()
        assert len(r.ran()) == 2


def test_two_rules_with_one_proof(make_daemon, folder):
    """It was given for this mail: both may take it, and no other mail."""
    two = rule("first", "continue = true", base=SESAME) + ",\n" + rule("second", base=SESAME)
    with rig(make_daemon, folder, two) as r:
        mail = r.mail("count sheep", key(SECRET))
        r.drop(mail)
        r.wait_mail(lambda m: m["Subject"] == "Re: count sheep", 2)
        r.drop(mail, at=time.time() - 5)
        r.settle()
        assert sorted(r.ran()) == ["first sheep", "second sheep"]
        assert [m for m in r.mails("Re: count") if "used before" in m.get_content()]


def test_the_second_rule_is_not_tried_where_the_first_refuses(make_daemon, folder):
    two = rule("first", "continue = true", base=SESAME) + ",\n" + rule("second")
    with rig(make_daemon, folder, two) as r:
        r.command("count sheep", key(SECRET + "x"))
        assert "the proof is wrong" in r.wait_report("Re: count sheep").get_content()
        r.settle()
        assert r.ran() == []


# ---- a configuration that changes ----

WAITS = COUNT.replace("@program@", "@folder@/waits")


def begin_to_wait(r, folder):
    os.mkfifo(folder / "gate")
    os.mkfifo(folder / "begun")
    r.script("waits", f'echo begun >{folder}/begun; read x <{folder}/gate; echo "$* $x" >>{r.counts}; echo "did $* $x"')
    name = r.command("count sheep")
    with open(folder / "begun", encoding="ascii") as begun:
        assert begun.read() == "begun\n"
    return name


def let_go(folder):
    with open(folder / "gate", "w", encoding="ascii") as gate:
        gate.write("on\n")


@pytest.mark.parametrize("change", [
    lambda rules: rules.replace("^count", "^number"),
    lambda rules: rules.replace('name = "count"', 'name = "number"'),
    lambda rules: rules.replace("waits", "other").replace("do = {", 'then = { mail = "keep"; report = { to = "nobody"; }; }; do = {'),
    lambda rules: COUNT.replace('"count"', '"other"'),
], ids=["pattern", "name", "program, mail and report", "gone"])
def test_a_rule_that_changes_while_its_program_runs(make_daemon, folder, change):
    """What was begun ends as it was begun: told, and its mail deleted; what comes later goes by the new rule."""
    with rig(make_daemon, folder, WAITS) as r:
        name = begin_to_wait(r, folder)
        r.script("other", "echo other")
        r.rules = change(WAITS)
        r.daemon.reload(r.config())
        r.settle()
        assert [run["state"] for run in r.runs(rule="count")] == ["started"]
        let_go(folder)
        assert "did sheep on" in r.wait_report("Re: count sheep").get_content()
        r.wait_gone(name)
        assert r.ran() == ["sheep on"]


def test_a_mailbox_that_goes_while_a_program_runs_and_comes_back(make_daemon, folder):
    """Its report is sent, and the mail is deleted when the mailbox is there again."""
    with rig(make_daemon, folder, WAITS) as r:
        name = begin_to_wait(r, folder)
        whole = r.config()
        start, end = whole.index("mailboxes = ("), whole.index("transports = (")
        rules = whole.index("rules = (")
        r.daemon.reload(whole[:start] + whole[end:rules])
        assert r.daemon.call("Status")["mailboxes"] == []
        let_go(folder)
        assert "did sheep on" in r.wait_report("Re: count sheep").get_content()
        assert r.exists(name)
        r.daemon.reload(whole)
        end = time.monotonic() + nuncio.PATIENCE
        while r.exists(name):
            assert time.monotonic() < end, r.daemon.log_text()[-2000:]
            servers.select_a_moment()
        r.settle()
        assert r.ran() == ["sheep on"]


ABSENT = {
    "a mailbox": ('on = { mail = "nowhere"; }', "nowhere"),
    "a way of texts": ('on = { sms = "nowhere"; }', "nowhere"),
    "a sender": ('from = ["no-contact"]', "no-contact"),
    "a reader": ('do = { forward = { to = ["no-contact"]; }; }', "no-contact"),
    "a recipient": ('do = { send = { to = ["no-contact"]; text = "x"; }; }', "no-contact"),
    "a transport": ('do = { send = { to = ["me"]; by = "no-way"; text = "x"; }; }', "no-way"),
    "who is told": ('then = { report = { to = ["no-contact"]; }; }', "no-contact"),
    "a capture": ('do = { run = ["@program@", "{nothing}"]; }', "nothing"),
}


@pytest.mark.parametrize("what", ABSENT)
def test_a_rule_that_names_what_is_not_there(make_daemon, folder, what):
    """Said before anything starts, with file and line."""
    setting, named = ABSENT[what]
    settings = {"on": 'on = { mail = "inbox"; }', "from": 'from = ["me"]', "do": 'do = { run = ["@program@"]; }',
                "then": 'then = { mail = "keep"; }'} | {setting.split(" = ")[0]: setting}
    row = (f'  {{ name = "count"; {settings["on"]}; when = {{ {settings["from"]}; command = "^count$"; proof = "none"; }};'
           f' {settings["do"]}; {settings["then"]}; }}')
    with rig(make_daemon, folder, row, start=False) as r:
        checked = subprocess.run([nuncio.BUILD / "daemon" / "nunciod", "--check", "-f", r.daemon.file],
                                 capture_output=True, text=True, check=False, timeout=nuncio.PATIENCE)
        line = next(n for n, text in enumerate(r.daemon.file.read_text().splitlines(), 1) if named in text)
        assert checked.returncode == 78, checked.stderr
        [said] = [text for text in checked.stderr.splitlines() if named in text]
        assert f"nuncio.conf:{line}: rules.count." in said


def test_a_user_who_is_not_there(make_daemon, folder):
    """Who runs the program is the runner's to know: it says so when it matters, and the sender hears of it."""
    with rig(make_daemon, folder, COUNT.replace("do = {", 'do = { user = "no-such-user";')) as r:
        r.command("count sheep")
        text = r.wait_report("Re: count sheep").get_content()
        assert "It was not run: " in text and "no-such-user" in text and r.ran() == []


# ---- a disk that is full ----

@as_root
def test_a_disk_that_is_full_when_a_command_comes(small_disk, make_daemon, folder):  # noqa: F811
    """It waits or it runs, but it runs once; it is answered, and its mail is gone, when there is room."""
    with rig(make_daemon, folder, SESAME) as r:
        r.settle()
        held = []
        ballast = fill(small_disk)
        while True:
            try:
                held.append(r.daemon.call("Send", {"to": ["a@example.org"], "text": "x" * 3000, "hold": True})["id"])
            except nuncio.VarlinkError as error:
                assert "the disk is full" in str(error)
                break
        names = [r.command(f"count {n}", key(SECRET)) for n in range(30)]
        end = time.monotonic() + nuncio.PATIENCE
        while "a mail waits" not in r.daemon.log_text() and len(r.ran()) < len(names):
            assert time.monotonic() < end
            servers.select_a_moment()
        ran = r.ran()
        assert len(ran) == len(set(ran))
        ballast.unlink()
        r.wait_mail(lambda m: m["Subject"].startswith("Re: count "), len(names))
        for name in names:
            r.wait_gone(name)
        assert sorted(r.ran(), key=int) == [str(n) for n in range(len(names))]
        assert len(r.mails("Re: count ")) == len(names)
        assert {run["state"] for run in r.runs(rule="count")} == {"done"}
