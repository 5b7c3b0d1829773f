"""Commands by text: a fake Twilio that remembers (twilio.py), a daemon that takes texts in, a runner."""
import json
import time

import pytest

import nuncio
import twilio
from rules_rig import totp
from texts_rig import BO, COUNT, ME, NUMBER, STRANGER, rig


def test_a_text_runs_a_rule_and_is_answered_by_text(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        sid = r.receive(f"count seven #{totp()}")
        [answer] = r.wait_answer("ended well")
        assert "count seven" in answer and totp() not in answer
        assert r.ran() == ["seven"]
        [run] = r.runs()
        assert (run["state"], run["origin"], run["contact"], run["command"]) == ("done", "sms", "me", "count seven")
        assert sid in r.fake.messages
        [row] = r.daemon.call("Status")["mailboxes"]
        assert (row["name"], row["type"], row["state"], row["mails"]) == ("sms", "twilio", "polling", 1)
        assert r.mails() == []


def test_what_came_before_the_first_start_is_left_alone(make_daemon, folder):
    with rig(make_daemon, folder, COUNT, start=False) as r:
        r.receive(f"count old #{totp()}", ago=5)
        r.start()
        r.wait_rounds()
        r.receive(f"count new #{totp()}")
        r.wait_answer("ended well")
        assert r.ran() == ["new"]


def test_pages_that_repeat_shift_and_come_in_any_order_run_each_text_once(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace('"totp"', '"none"')) as r:
        r.look_back()
        r.fake.page_max = 3
        r.fake.order = lambda rows: sorted(rows, key=lambda m: hash((m["sid"], len(r.fake.calls) // 7)))
        r.fake.spoil = lambda page: page[::-1] + page[:2]
        late = []

        def shift(request):  # something new stands before the next page
            if request.lists and "PageToken" in request.query and len(late) < 5:
                late.append(r.receive(f"count late{len(late)}"))
        r.fake.fault = shift
        for i in range(10):
            r.receive(f"count {i}", ago=20 - i)
        r.wait_answer("ended well", count=15)
        r.wait_rounds()
        assert sorted(r.ran()) == sorted([str(i) for i in range(10)] + [f"late{i}" for i in range(5)])
        assert len(r.answers()) == 15
        assert r.daemon.call("Status")["mailboxes"][0]["mails"] == 15


def test_texts_run_in_the_order_they_came(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace('"totp"', '"none"')) as r:
        r.look_back()
        r.fake.order = lambda rows: sorted(rows, key=lambda m: m["body"])
        with r.fake.lock:
            for i, ago in enumerate((3, 9, 6)):
                r.receive(f"count {i}", ago=ago)
        r.wait_answer("ended well", count=3)
        assert [run["command"] for run in reversed(r.runs())] == ["count 1", "count 2", "count 0"]


def test_a_text_that_is_listed_late_is_not_missed(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace('"totp"', '"none"')) as r:
        hidden = r.receive("count late", ago=30)
        r.fake.order = lambda rows: [m for m in rows if m["sid"] != hidden]
        r.receive("count newer")
        r.wait_answer("newer")
        r.wait_rounds()
        r.fake.order = lambda rows: rows
        # what came before the first start is not ours; this one did, so it is left
        r.wait_rounds()
        assert r.ran() == ["newer"]
        hidden = r.receive("count late", ago=1)
        r.fake.order = lambda rows: [m for m in rows if m["sid"] != hidden]
        r.receive("count newest")
        r.wait_answer("newest")
        r.fake.order = lambda rows: rows
        r.wait_answer("late")
        assert r.ran() == ["newer", "newest", "late"]


def test_after_a_restart_nothing_runs_again_and_nothing_is_missed(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace('"totp"', '"none"')) as r:
        r.receive("count one")
        r.receive("nothing for a rule")
        r.receive("count stranger", number=STRANGER)
        r.wait_answer("one")
        r.wait_rounds()
        refused = len(r.runs())
        for what in ("stop", "kill"):
            r.watcher.close()
            r.daemon.stop() if what == "stop" else r.daemon.kill()
            r.receive(f"count {what}")
            r.start_daemon()
            r.wait_answer(f"count {what}")
            r.wait_rounds()
        assert r.ran() == ["one", "stop", "kill"]
        assert len(r.runs()) == refused + 2
        assert len(r.answers()) == 3


@pytest.mark.parametrize("body", ["\ud83d", "a\0b"], ids=["half", "nul"])
def test_a_text_with_an_odd_character_stops_no_other(make_daemon, folder, body):
    with rig(make_daemon, folder, COUNT) as r:
        r.receive(body, number=STRANGER)
        r.wait_rounds()
        r.receive(f"count seven #{totp()}")
        r.wait_answer("ended well")
        assert r.ran() == ["seven"]


def test_a_code_is_good_for_one_text(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        code = totp()
        r.receive(f"count one #{code}")
        r.wait_answer("ended well")
        r.receive(f"count two #{code}")
        r.wait_answer("used before")
        r.receive("count three")
        r.wait_answer("no proof")
        assert r.ran() == ["one"]


def test_a_refusal_says_why_whatever_the_command_says(make_daemon, folder):
    """Where the command is cut in the answer stands a letter of two octets."""
    with rig(make_daemon, folder, COUNT) as r:
        r.receive("count " + "x" * 53 + "\N{LATIN SMALL LETTER E WITH ACUTE}" * 9)
        [answer] = r.wait_answer("no proof")
        assert answer.startswith("count xxx") and "\N{REPLACEMENT CHARACTER}" not in answer


def test_a_stranger_is_refused_and_told_nothing(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.receive(f"count one #{totp()}", number=STRANGER)
        r.receive(f"count two #{totp()}", number=BO)
        r.wait_rounds()
        r.receive(f"count three #{totp()}")
        r.wait_answer("ended well")
        assert r.ran() == ["three"]
        assert {run["text"] for run in r.runs(states=["refused"])} == {"the sender is no contact",
                                                                       "bo may not use this rule"}
        assert {m["to"] for m in r.fake.sent()} == {ME}


def test_wrong_codes_lock_the_number_out_and_not_the_mail(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        for i in range(5):
            r.receive(f"count {i} #00000{i}")
        [mail] = r.wait_mail(lambda m: "locked out" in m["Subject"])
        assert "by sms" in mail.get_content()
        r.receive(f"count late #{totp()}")
        r.wait_rounds()
        assert r.ran() == []
        assert r.runs()[0]["text"].startswith("too many proofs")


def test_an_old_command_is_told_and_not_run(make_daemon, folder):
    rules = COUNT.replace('proof = "totp";', 'proof = "none"; max_age = "1m";')
    with rig(make_daemon, folder, rules) as r:
        r.look_back()
        sid = r.receive("count one", ago=300)
        r.wait_answer("not obeyed")
        assert r.ran() == [] and sid in r.fake.messages


STOP_WORDS = ["STOP", "stopall", "Unsubscribe", " cancel ", "END", "QUIT"]


@pytest.mark.parametrize("stop, start", zip(STOP_WORDS, ["START", "YES", "unstop", "START", "yes", "Start"]))
def test_stop_is_heard_and_start_takes_it_back(make_daemon, folder, stop, start):
    everything = '''{ name = "all"; on = { sms = "sms"; }; do = { send = { to = "bo"; text = "heard it"; }; }; }'''
    with rig(make_daemon, folder, everything) as r:
        r.receive("hello")
        r.wait_mail(lambda m: "heard it" in m.get_content())
        r.receive(stop)
        r.wait_rounds()
        d = r.daemon
        identity = json.loads(d.client("text", "--json", "one").stdout)["id"]
        assert d.wait_final(identity) == {ME: "suppressed"}
        [me] = [c for c in d.call("Contacts")["contacts"] if c["name"] == "me"]
        assert me["suppressed"]["why"] == "a text from there said STOP"
        assert "said STOP" in d.client("contacts").stdout
        r.receive("HELP")
        r.receive(start)
        r.wait_rounds()
        d.client("text", "two")
        r.wait_answer("two")
        assert [c["suppressed"] for c in d.call("Contacts")["contacts"]] == [None, None]
        assert r.answers() == ["two"]
        assert len([m for m in r.mails() if "heard it" in m.get_content()]) == 1


def test_stop_of_nobody_we_know_is_shown_too(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        r.receive("STOP", number=STRANGER)
        r.wait_rounds()
        [row] = r.daemon.call("Contacts")["others"]
        assert row["number"] == STRANGER and row["since"] > 0
        shown = json.loads(r.daemon.client("contacts", "--json").stdout)
        assert [o["number"] for o in shown["others"]] == [STRANGER]


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
SAVE = '''{ name = "save"; on = { sms = "sms"; }; when = { from = "me"; command = "^save$"; proof = "totp"; };
    do = { run = ["/bin/sh", "-c", "cd $NUNCIO_ATTACHMENTS; for f in *; do echo $f; cp $f @folder@/; done"];
           environment = ["PATH"]; }; }'''


@pytest.mark.parametrize("elsewhere", [False, True])
def test_pictures_are_saved_for_the_program(make_daemon, folder, elsewhere):
    with rig(make_daemon, folder, SAVE) as r:
        r.fake.elsewhere = elsewhere
        r.receive(f"save #{totp()}", media=[("image/png", PICTURE), ("text/x-unheard-of", b"odd")])
        [answer] = r.wait_answer("ended well")
        assert "1.png" in answer and "2.bin" in answer
        assert (folder / "1.png").read_bytes() == PICTURE
        assert (folder / "2.bin").read_bytes() == b"odd"


@pytest.mark.parametrize("way, media", [
    ('max_media = "5K";', [("image/png", PICTURE)]),
    ('max_media = "6K";', [("image/png", PICTURE), ("image/png", PICTURE)]),
    ("", [("image/png", b"x")] * 11),
])
def test_more_than_the_ceiling_is_not_obeyed(make_daemon, folder, way, media):
    with rig(make_daemon, folder, SAVE, way=way) as r:
        r.receive(f"save #{totp()}", media=media)
        r.wait_answer("not all that came with the text")
        assert not (folder / "1.png").exists()


def test_a_text_goes_on_by_mail_with_its_pictures(make_daemon, folder):
    rules = '''{ name = "on"; on = { sms = "sms"; }; when = { has_attachment = true; };
        do = { forward = { to = "bo"; by = "mail"; }; }; }'''
    with rig(make_daemon, folder, rules) as r:
        r.receive("no picture")
        r.receive("look at this", media=[("image/png", PICTURE)])
        [mail] = r.wait_mail(lambda m: m["Subject"] == f"Text from me ({ME})")
        assert mail.get_body().get_content().strip() == "look at this"
        [part] = mail.iter_attachments()
        assert (part.get_content_type(), part.get_content()) == ("image/png", PICTURE)


def test_a_mail_goes_on_by_text_without_what_proves_it(make_daemon, folder):
    rules = '''{ name = "on"; on = { mail = "inbox"; }; when = { subject = "^ALERT"; };
        do = { forward = { to = "bo"; by = "sms"; }; }; }'''
    box = f'mailboxes = ( {{ name = "inbox"; type = "maildir"; path = "{folder}/box"; authserv = "none"; }} );'
    with rig(make_daemon, folder, rules, settings=box) as r:
        r.command("ALERT sesame", "it is full\nkey: sesame\n", sender="m@example.net")
        assert r.wait_answer("ALERT", to=BO) == ["Fwd: ALERT ***\nm@example.net: it is full key: ***"]


def test_a_command_is_confirmed_by_the_other_channel(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace('"totp"', '"confirm"')) as r:
        r.receive("count one")
        [mail] = r.wait_mail(lambda m: m["Subject"] == "Is this command yours?")
        assert "count one" in mail.get_content() and "#" in mail.get_content()
        code = mail.get_content().split("#")[1].split()[0]
        r.receive(f"#{code}" if int(code) % 2 else code)
        r.wait_answer("ended well")
        r.receive(f"#{code}")
        r.wait_rounds()
        assert r.ran() == ["one"]


def test_a_text_is_deleted_where_that_is_said(make_daemon, folder):
    delete = COUNT.replace("what}\"]; };", 'what}"]; }; then = { mail = "delete"; };')
    with rig(make_daemon, folder, delete) as r:
        sid = r.receive(f"count one #{totp()}")
        r.wait_answer("ended well")
        assert r.fake.wait(lambda f: sid not in f.messages)
        r.wait_rounds()
        assert r.ran() == ["one"]


def test_a_server_that_has_enough_is_left_alone_for_as_long_as_it_says(make_daemon, folder):
    with rig(make_daemon, folder, COUNT) as r:
        at = []

        def busy(request):
            if request.lists and "DateSent>" in request.query:
                at.append(time.monotonic())
                if len(at) == 1:
                    return twilio.Refuse(429, 20429, "Too Many Requests", {"Retry-After": "3"})
            return None
        r.fake.fault = busy
        assert r.fake.wait(lambda f: len(at) >= 2, nuncio.PATIENCE)
        assert at[1] - at[0] >= 2.9


def test_a_login_that_is_refused_is_shown_and_told(make_daemon, folder):
    with rig(make_daemon, folder, COUNT, way='max_down = "2s";') as r:
        r.fake.fault = lambda request: twilio.Refuse(401, 20003, "Authenticate") if request.lists else None
        [mail] = r.wait_mail(lambda m: "mailbox sms is down" in m["Subject"])
        assert "Commands by text wait" in mail.get_content()
        [row] = r.daemon.call("Status")["mailboxes"]
        assert row["state"] == "down" and "20003" in row["reason"]
        assert "20003" in r.daemon.client("status").stdout
        r.fake.fault = lambda request: None


def test_each_number_of_a_service_is_listened_to(make_daemon, folder):
    with rig(make_daemon, folder, COUNT.replace('"totp"', '"none"'),
             way=f'numbers = ["+1 501 712 2661", "{STRANGER}"];') as r:
        r.receive("count one")
        r.fake.receive(ME, STRANGER, "count two")
        r.fake.receive(ME, BO, "count three")
        r.wait_answer("ended well", count=2)
        r.wait_rounds()
        assert sorted(r.ran()) == ["one", "two"]
