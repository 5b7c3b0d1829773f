"""Texts by Twilio's API, against a fake of it that remembers (twilio.py)."""
import concurrent.futures
import contextlib
import json
import os
import sqlite3
import threading

import pytest

import nuncio
import twilio

DOCUMENT = nuncio.ORACLES / "twilio" / "messages.openapi.json"
NUMBER = "+15017122661"
ME = "+15559998888"
CONTACTS = f'contacts = ( {{ name = "me"; mail = ["me@example.org"]; sms = "{ME}"; }} );\n'


@pytest.fixture
def fake():
    with twilio.Twilio(DOCUMENT if DOCUMENT.exists() else None) as t:
        yield t


def config(fake, **settings):
    rows = {"from": f'"{NUMBER}"', "auth_token": f'"{fake.token}"', "throttle": '"none"', **settings}
    return CONTACTS + f'''transports = ( {{ name = "sms"; type = "twilio"; account_sid = "{fake.account}";
        api = "{fake.url}"; {" ".join(f"{k} = {v};" for k, v in rows.items())} }} );\n'''


@pytest.fixture
def start(make_daemon, fake):
    def start(**settings):
        return make_daemon(config(fake, **settings)).start()
    return start


def text(d, body, *options):
    done = d.client("text", "--json", *options, body)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["id"]


def state(d, identity):
    [delivery] = d.show(identity)["deliveries"]
    return delivery["state"]


def test_a_text_is_followed_until_it_is_delivered(start, fake):
    d = start()
    identity = text(d, "Backup done")
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    [m] = fake.sent(to=ME, from_=NUMBER)
    assert m["body"] == "Backup done"
    fake.set_status(m["sid"], "sent")
    d.wait_events(identity, lambda e: e["to"] == "sent")
    fake.set_status(m["sid"], "delivered")
    event = d.wait_events(identity, lambda e: e["to"] == "delivered")
    assert "sent 20" in event["text"] and "1 segment" in event["text"] and "USD" in event["text"]
    [delivery] = d.show(identity)["deliveries"]
    assert (delivery["state"], delivery["remote_id"]) == ("delivered", m["sid"])
    shown = d.client("show", identity).stdout
    assert m["sid"] in shown and "delivered" in shown
    assert d.client("watch", identity).stdout.count(" by sms") >= 4
    assert len(fake.sent()) == 1


def test_waiting_for_delivery_is_waiting_for_the_receipt(start, fake):
    d = start()
    fake.first_status = lambda form: "sent"
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(d.client, "text", "--wait=delivered", "hello")
        assert fake.wait(lambda f: f.sent())
        [m] = fake.sent()
        assert d.client("text", "--wait=sent", "another").returncode == 0
        assert not waiting.done()
        fake.set_status(m["sid"], "undelivered", 30005)
        done = waiting.result()
    assert done.returncode == os.EX_UNAVAILABLE and "30005" in done.stderr


@pytest.mark.parametrize("code, status, state_then", [
    (21211, 400, "failed"), (21614, 400, "failed"), (21612, 400, "failed"), (21408, 403, "failed"),
    (21617, 400, "failed"), (21602, 400, "failed"), (29999, 400, "failed"),
    (21619, 400, "failed"), (21620, 400, "failed"), (21621, 400, "failed"), (21622, 400, "failed"), (21623, 400, "failed"),
    (21610, 400, "suppressed"), (21611, 400, "queued"),
])
def test_refusals_are_the_text_s(start, fake, code, status, state_then):
    d = start()
    fake.fault = lambda request: twilio.Refuse(status, code, "no") if request.creates else None
    identity = text(d, "hello")
    event = d.wait_events(identity, lambda e: e["to"] == state_then and e["code"] == code)
    assert str(code) in event["text"]
    assert len([r for r in fake.calls if r.creates]) == 1


def test_who_has_said_stop_gets_no_more(start, fake):
    d = start()
    fake.fault = lambda request: twilio.Refuse(400, 21610, "unsubscribed") if request.form.get("To") == ME else None
    assert d.wait_final(text(d, "one")) == {ME: "suppressed"}
    second, other = text(d, "two"), text(d, "three", "--to", "+15550001111")
    assert d.wait_final(second) == {ME: "suppressed"}
    d.wait_events(other, lambda e: e["to"] == "accepted")
    assert len([r for r in fake.calls if r.creates and r.form["To"] == ME]) == 1
    assert "STOP" in d.client("why", second).stdout
    waited = d.client("text", "--wait", "four")
    assert waited.returncode == 69 and f"{ME}: suppressed" in waited.stderr


def test_what_to_do_is_said_beside_twilio_s_word(start, fake):
    d = start()
    fake.fault = lambda request: twilio.Refuse(400, 21621, "no MMS") if request.creates else None
    refused = picture(d, "See")
    assert "can send pictures" in d.wait_events(refused, lambda e: e["to"] == "failed")["text"]
    fake.fault = lambda request: None
    lost = picture(d, "See again")
    d.wait_events(lost, lambda e: e["to"] == "accepted")
    fake.set_status(fake.sent()[0]["sid"], "undelivered", 30011)
    assert "gets no pictures" in d.wait_events(lost, lambda e: e["to"] == "undelivered")["text"]


@pytest.mark.parametrize("code, status", [(20003, 401), (20005, 403), (30002, 400), (21608, 400), (21606, 400),
                                          (21603, 400), (21212, 400)])
def test_trouble_of_the_account_rests_the_transport_and_touches_no_text(start, fake, code, status):
    d = start()
    fake.fault = lambda request: twilio.Refuse(status, code, "no")
    first = text(d, "one")
    row = d.wait_transport("sms", "down")
    assert str(code) in row["reason"]
    second = text(d, "two")
    assert {state(d, i) for i in (first, second)} == {"queued"}
    assert {a["attempts"] for i in (first, second) for a in d.show(i)["deliveries"]} == {0}
    assert len([r for r in fake.calls if r.creates]) == 1


@pytest.mark.parametrize("code, status, then", [
    (30004, "undelivered", "undelivered"), (30005, "undelivered", "undelivered"), (30006, "undelivered", "undelivered"),
    (30007, "undelivered", "undelivered"), (30034, "undelivered", "undelivered"), (30450, "failed", "failed"),
    (30001, "failed", "queued"), (30003, "undelivered", "queued"), (30008, "undelivered", "queued"),
    (30009, "undelivered", "queued"), (30500, "failed", "queued"), (39999, "undelivered", "queued"),
    (30036, "failed", "expired"), (21610, "failed", "suppressed"),
    (11200, "failed", "queued"), (11751, "failed", "failed"), (12300, "failed", "failed"),
    (30011, "undelivered", "undelivered"), (30019, "undelivered", "undelivered"),
])
def test_what_a_delivery_s_code_leads_to(start, fake, code, status, then):
    d = start()
    identity = text(d, "hello")
    assert fake.wait(lambda f: f.sent())
    [m] = fake.sent()
    fake.set_status(m["sid"], status, code)
    event = d.wait_events(identity, lambda e: e["to"] == then and e["code"] == code)
    assert event["code"] == code


PICTURES = ["https://example.com/a.png?x=1&y=%20z", "http://example.com/b"]


def picture(d, *words, urls=PICTURES):
    done = d.client("text", "--json", *[part for url in urls for part in ("--media", url)], *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["id"]


def test_pictures_go_along_as_they_were_named(start, fake):
    d = start(segments=1)
    words = "x" * 1600  # segments are of texts
    d.wait_events(picture(d, words), lambda e: e["to"] == "accepted")
    [call] = [r for r in fake.calls if r.creates]
    [m] = fake.sent()
    assert call.form["MediaUrl"] == PICTURES and call.form["Body"] == words
    assert (m["num_media"], m["sid"][:2]) == ("2", "MM")
    assert d.wait_final(picture(d, words + "x")) == {ME: "failed"}
    alone = d.call("Send", {"to": [ME], "by": "sms", "media": PICTURES[:1]})["id"]
    d.wait_events(alone, lambda e: e["to"] == "accepted")
    form = [r for r in fake.calls if r.creates][-1].form
    assert form["MediaUrl"] == PICTURES[:1] and "Body" not in form
    most = [f"https://example.com/{i}" + "/%" * 1000 for i in range(10)]
    d.wait_events(picture(d, "\U0001f600" * 800, urls=most), lambda e: e["to"] == "accepted")
    assert [r for r in fake.calls if r.creates][-1].form["MediaUrl"] == most


def test_pictures_are_kept_over_a_restart(start, fake):
    d = start()
    assert d.client("pause", "sms").returncode == 0
    identity = picture(d, "See")
    d.kill()
    d.start()
    assert d.client("resume", "sms").returncode == 0
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    [m] = fake.sent()
    assert m["num_media"] == "2"


def test_a_wrong_picture_is_refused_where_it_is_named(start, fake):
    d = start()
    done = d.client("text", "--media", "picture.png", "See")
    assert done.returncode == os.EX_USAGE and "https://example.com/picture.png is wanted" in done.stderr
    done = d.client("send", "--by", "sms", "--media", "https://example.com/a", "--media", "ftp://a/b", "me", "See")
    assert done.returncode == os.EX_DATAERR and "media[1]" in done.stderr and "is wanted" in done.stderr
    assert not [r for r in fake.calls if r.creates]


@pytest.mark.parametrize("counts", [True, False])
def test_a_picture_whose_answer_was_lost_is_found_again(start, fake, counts):
    """Beside a text that says the same and one with another number of pictures."""
    d = start()
    fake.counts_media = counts
    fake.fault = lambda request: twilio.LOSE if request.creates else twilio.BROKEN if request.query.get("To") else None
    identity = picture(d, "See")
    uncertain(d, identity)
    [m] = fake.sent()
    with fake.lock:
        fake.create({"To": ME, "From": NUMBER, "Body": "See"})
        fake.create({"To": ME, "From": NUMBER, "Body": "See", "MediaUrl": PICTURES[:1]})["num_media"] = "1"
    fake.fault = lambda request: None
    later(d, 15)
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    [delivery] = d.show(identity)["deliveries"]
    assert delivery["remote_id"] == m["sid"] and len(fake.sent()) == 3


def test_a_picture_without_words_from_a_trial_account_is_found_again(start, fake):
    """Before the words there are Twilio's; here they are all there is."""
    d = start()
    fake.fault = lambda request: twilio.LOSE if request.creates else twilio.BROKEN if request.query.get("To") else None
    identity = d.call("Send", {"to": [ME], "by": "sms", "media": PICTURES})["id"]
    uncertain(d, identity)
    [m] = fake.sent()
    with fake.lock:
        m["body"] = "Sent from your Twilio trial account - "
        fake.create({"To": ME, "From": NUMBER, "Body": m["body"] + "See", "MediaUrl": PICTURES})
    fake.fault = lambda request: None
    later(d, 650)
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    [delivery] = d.show(identity)["deliveries"]
    assert delivery["remote_id"] == m["sid"] and len(fake.sent()) == 2


def test_a_text_is_not_taken_for_a_picture_that_says_the_same(start, fake):
    d = start()
    fake.fault = lambda request: twilio.DROP if request.creates else twilio.BROKEN if request.query.get("To") else None
    identity = text(d, "See")
    uncertain(d, identity)
    with fake.lock:
        fake.create({"To": ME, "From": NUMBER, "Body": "See", "MediaUrl": PICTURES})
    fake.fault = lambda request: None
    later(d, 650)
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert [m["num_media"] for m in fake.sent(body="See")] == ["2", "0"]


def test_pictures_in_mail_are_lines(make_daemon, fake, folder):
    d = whole_by_mail(make_daemon, fake, folder)
    identity = d.call("Send", {"to": ["me"], "by": "mail", "text": "See", "media": PICTURES})["id"]
    assert d.wait_final(identity) == {"me@example.org": "sent"}
    [mail] = nuncio.maildir(d.outbox)
    assert mail.get_content().splitlines() == ["See", *PICTURES]


def uncertain(d, identity):
    return d.wait_events(identity, lambda e: e["to"] == "uncertain")


@pytest.mark.parametrize("fault", [twilio.LOSE, twilio.GARBLE])
def test_an_answer_that_was_lost_is_found_again(start, fake, fault):
    d = start()
    fake.fault = lambda request: fault if request.creates else None
    identity = text(d, "Only once")
    uncertain(d, identity)
    assert "uncertain" in d.client("queue").stdout
    fake.fault = lambda request: None
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    [m] = fake.sent()
    [delivery] = d.show(identity)["deliveries"]
    assert delivery["remote_id"] == m["sid"]


def later(d, seconds):
    """A restart, as if so much time had passed since."""
    d.stop()
    with contextlib.closing(sqlite3.connect(next(d.state.glob("*.db")))) as database, database:
        database.execute("UPDATE tracked SET since_ms = since_ms - ?1, next_ms = max(next_ms - ?1, 0)", (seconds * 1000,))
        database.execute("UPDATE deliveries SET next_ms = next_ms - ?1 WHERE state = 2", (seconds * 1000,))
    d.start()


def drop_first(fake):
    fake.fault = lambda request: twilio.DROP if request.creates and not fake.sent() else None


def test_what_never_arrived_is_sent_again_once(start, fake):
    d = start()
    drop_first(fake)
    identity = text(d, "Only once")
    uncertain(d, identity)
    fake.fault = lambda request: None
    assert fake.wait(lambda f: [r for r in f.calls if r.lists and r.query.get("To")])
    later(d, 500)
    assert state(d, identity) == "uncertain" and not fake.sent()
    later(d, 150)
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert len(fake.sent()) == 1 and len([r for r in fake.calls if r.creates]) == 2


def test_a_lost_answer_is_found_though_from_is_another_by_then(start, fake):
    d = start()
    fake.fault = lambda request: twilio.LOSE if request.creates else twilio.DROP if "To" in request.query else None
    identity = text(d, "Only once")
    uncertain(d, identity)
    fake.fault = lambda request: None
    d.configure(config(fake, **{"from": '"+15017122662"'}))
    later(d, 700)
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert len(fake.sent()) == 1


def test_what_never_arrived_is_held_where_that_is_wanted(start, fake):
    d = start(on_uncertain='"hold"')
    drop_first(fake)
    identity = text(d, "Only once")
    uncertain(d, identity)
    fake.fault = lambda request: None
    later(d, 700)
    d.wait_events(identity, lambda e: e["to"] == "held")
    assert not fake.sent()
    assert "release or cancel" in d.client("why", identity).stdout
    assert d.client("release", identity).returncode == 0
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert len(fake.sent()) == 1


def test_an_operator_decides_what_is_uncertain(start, fake):
    d = start()
    fake.fault = lambda request: twilio.DROP if request.creates else twilio.BROKEN
    first = text(d, "one")
    uncertain(d, first)
    assert d.client("cancel", first).returncode == 0
    assert d.wait_final(first) == {ME: "canceled"}
    fake.fault = lambda request: twilio.DROP if request.creates else None
    second = text(d, "two")
    uncertain(d, second)
    fake.fault = lambda request: None
    assert d.client("retry", second).returncode == 0
    d.wait_events(second, lambda e: e["to"] == "accepted")
    assert [m["body"] for m in fake.sent()] == ["two"]


def test_the_same_text_waits_while_its_twin_is_uncertain(start, fake):
    d = start()
    fake.fault = lambda request: twilio.DROP if request.creates else None
    first = text(d, "disk full")
    uncertain(d, first)
    fake.fault = lambda request: None
    second, other = text(d, "disk full"), text(d, "disk empty")
    d.wait_events(other, lambda e: e["to"] == "accepted")
    assert (state(d, first), state(d, second)) == ("uncertain", "queued")
    assert d.client("cancel", first).returncode == 0
    d.wait_events(second, lambda e: e["to"] == "accepted")
    assert sorted(m["body"] for m in fake.sent()) == ["disk empty", "disk full"]


def test_too_many_requests_slow_it_down_and_lose_nothing(start, fake):
    d = start()
    fake.fault = lambda request: twilio.BUSY if request.creates and request.number % 3 else None
    identities = [text(d, f"text {i}") for i in range(5)]
    for identity in identities:
        d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert sorted(m["body"] for m in fake.sent()) == [f"text {i}" for i in range(5)]


def test_many_are_asked_for_by_one_listing(start, fake):
    d = start(concurrency=8)
    with d.connect() as v:
        identities = [v.call("Send", {"to": [ME], "by": "sms", "text": f"text {i}"})["id"] for i in range(50)]
    assert fake.wait(lambda f: len(f.sent()) == 50)
    for m in fake.sent():
        fake.set_status(m["sid"], "delivered")
    for identity in identities:
        assert d.wait_final(identity) == {ME: "delivered"}
    asked = [r for r in fake.calls if r.method == "GET"]
    rounds = d.log_text().count("asks what became of")
    assert len([r for r in asked if r.lists]) <= rounds <= 6 and len(asked) <= rounds + 1, [r.path for r in asked]


def test_it_logs_in_by_key_and_texts_by_service(make_daemon, fake):
    fake.user, fake.token = "SK" + "1" * 32, "secret"
    d = make_daemon(CONTACTS + f'''transports = ( {{ name = "sms"; type = "twilio"; account_sid = "{fake.account}";
        api_key = "{fake.user}"; api_secret = "secret"; service = "MG{"2" * 32}"; risk_check = "disable";
        smart_encoded = true; api = "{fake.url}/"; }} );\n''').start()
    identity = text(d, "hello", "--to", ME)
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    [form] = [r.form for r in fake.calls if r.creates]
    assert 5 <= int(form.pop("ValidityPeriod")) <= 4 * 3600
    assert form == {"To": ME, "Body": "hello", "MessagingServiceSid": "MG" + "2" * 32, "SmartEncoded": "true",
                    "RiskCheck": "disable"}


def test_a_wrong_token_is_said_and_mended_without_a_restart(start, fake, folder):
    (folder / "token").write_text("wrong")
    (folder / "token").chmod(0o600)
    d = start(auth_token=f'{{ file = "{folder / "token"}"; }}')
    identity = text(d, "hello")
    assert "20003" in d.wait_transport("sms", "down")["reason"]
    (folder / "token").write_text(fake.token)
    assert d.client("pause", "sms").returncode == 0 and d.client("resume", "sms").returncode == 0
    d.wait_events(identity, lambda e: e["to"] == "accepted")


def test_a_text_that_is_too_long(start, fake):
    d = start(segments=1)
    assert d.wait_final(text(d, "x" * 161)) == {ME: "failed"}
    d.reload(config(fake, segments=1, too_long='"cut"'))
    d.wait_events(text(d, "y" * 161), lambda e: e["to"] == "accepted")
    [m] = fake.sent()
    assert len(m["body"]) <= 160


def whole_by_mail(make_daemon, fake, folder, contacts=CONTACTS, **settings):
    rows = {"from": f'"{NUMBER}"', "auth_token": f'"{fake.token}"', "segments": 1, "too_long": '"attach to mail"', **settings}
    d = make_daemon(contacts + f'''transports = (
        {{ name = "outbox"; type = "maildir"; path = "{folder / "outbox"}"; }},
        {{ name = "sms"; type = "twilio"; account_sid = "{fake.account}"; api = "{fake.url}";
           {" ".join(f"{k} = {v};" for k, v in rows.items())} }} );\n''').start()
    d.outbox = folder / "outbox"
    return d


def test_what_is_too_long_goes_by_mail_besides(make_daemon, fake, folder):
    d = whole_by_mail(make_daemon, fake, folder)
    words = " ".join(f"word{i}" for i in range(100))
    identity = text(d, words)
    event = d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert "cut, all of it goes by mail" in event["text"]
    d.wait_events(identity, lambda e: e["recipient"] == "me@example.org" and e["to"] == "sent")
    [m], [mail] = fake.sent(), nuncio.maildir(d.outbox)
    assert len(m["body"]) <= 160 and m["body"].endswith("... (all of it by mail)") and words.startswith(m["body"][:130])
    assert mail.get_content().strip() == words and mail["To"] == "me@example.org"
    # what fits is a text alone
    short = text(d, "short")
    d.wait_events(short, lambda e: e["to"] == "accepted")
    assert set(d.states(short)) == {ME}


def test_attachments_of_a_text_go_by_mail_besides(make_daemon, fake, folder):
    d = whole_by_mail(make_daemon, fake, folder)
    picture = folder / "plot.png"
    picture.write_bytes(bytes(range(256)) * 2000)
    done = d.client("send", "--by", "sms", "--attach", picture, "me", "See")
    identity = int(done.stdout)
    event = d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert "attachments go by mail" in event["text"]
    d.wait_events(identity, lambda e: e["recipient"] == "me@example.org" and e["to"] == "sent")
    [m], [mail] = fake.sent(), nuncio.maildir(d.outbox)
    [part] = mail.iter_attachments()
    assert m["body"] == "See" and part.get_content() == picture.read_bytes()


def test_who_has_no_mail_gets_it_cut_with_a_word_of_it(make_daemon, fake, folder):
    d = whole_by_mail(make_daemon, fake, folder, f'contacts = ( {{ name = "me"; sms = "{ME}"; }} );\n')
    identity = text(d, "y" * 100000)
    assert "cut, it was too long" in d.wait_events(identity, lambda e: e["to"] == "accepted")["text"]
    [m] = fake.sent()
    assert m["body"] == "y" * 157 + "..." and set(d.states(identity)) == {ME}


def test_a_long_text_without_an_answer_is_found_again(make_daemon, fake, folder):
    """Its content is larger than what stands with the message: it is known by its beginning."""
    d = whole_by_mail(make_daemon, fake, folder)
    fake.fault = lambda request: twilio.LOSE if request.creates else None
    identity = text(d, "z" * 20000)
    d.wait_events(identity, lambda e: e["recipient"] == ME and e["to"] == "accepted")
    [m] = fake.sent()
    assert m["body"] == "z" * 137 + "... (all of it by mail)"
    assert next(r for r in d.show(identity)["deliveries"] if r["recipient"] == ME)["remote_id"] == m["sid"]


def test_a_list_seen_while_another_text_to_the_number_is_under_way_denies_nothing(start, fake):
    d = start()
    fake.fault = lambda request: twilio.LOSE if request.creates else twilio.DROP
    first = text(d, "Only once")
    uncertain(d, first)
    listed, posted, seen = threading.Event(), threading.Event(), threading.Event()

    def hold(mine, other):
        def fault():
            mine.set()
            assert other.wait(30)
        return fault
    fake.fault = lambda request: hold(listed, posted) if request.lists else hold(posted, seen) if request.creates else None
    later(d, 650)
    assert listed.wait(30)
    second = text(d, "another")
    assert posted.wait(30)  # the list is answered while this one has no answer
    assert fake.wait(lambda f: [r for r in f.calls if r.lists][-1].answered)
    for _ in range(3):
        d.call("Status")  # what came in before is seen before
    fake.fault = lambda request: None
    seen.set()
    for identity in (first, second):
        d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert [m["body"] for m in fake.sent()] == ["Only once", "another"]


def test_a_text_that_ends_like_the_one_that_is_looked_for_is_another(start, fake):
    d = start(concurrency=4)
    fake.fault = lambda request: (twilio.LOSE if request.form.get("Body") == "not ok" else
                                  twilio.DROP if request.creates else twilio.BROKEN)
    first, second = text(d, "ok"), text(d, "not ok")
    uncertain(d, first)
    fake.fault = lambda request: twilio.LOSE if request.creates else twilio.BROKEN if "To" in request.query else None
    later(d, 20)
    uncertain(d, second)
    fake.fault = lambda request: None
    later(d, 650)
    for identity in (first, second):
        d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert sorted(m["body"] for m in fake.sent()) == ["not ok", "ok"]


def test_a_kept_connection_that_closes_on_a_post_counts_one(start, fake):
    d = start()
    assert d.client("pause", "sms").returncode == 0 and d.client("resume", "sms").returncode == 0
    assert [r.method for r in fake.calls] == ["GET"]  # its connection is kept
    fake.fault = lambda request: twilio.LOSE if request.creates else None
    identity = text(d, "Only once")
    uncertain(d, identity)
    d.wait_events(identity, lambda e: e["to"] == "accepted")
    assert len([r for r in fake.calls if r.creates]) == len(fake.sent()) == 1
