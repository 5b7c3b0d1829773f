"""What goes to whom, how often, and which way else: throttle and bundles, caps of a day, fallback."""
import contextlib
import sqlite3
import time

import pytest

import nuncio
import twilio
from test_twilio import ME, NUMBER, config, fake, start, state, text  # noqa: F401

OTHER = "+15550001111"


def database(d):
    return contextlib.closing(sqlite3.connect(next(d.state.glob("*.db")), timeout=30))


def later(d, seconds):
    """A restart, as if so much time had passed since."""
    d.stop()
    with database(d) as db, db:
        db.execute("UPDATE texts SET at_ms = at_ms - ?1", (seconds * 1000,))
        db.execute("UPDATE tracked SET since_ms = since_ms - ?1, next_ms = max(next_ms - ?1, 1) WHERE next_ms > 0",
                   (seconds * 1000,))
        db.execute("UPDATE deliveries SET next_ms = next_ms - ?1 WHERE state IN (2, 13)", (seconds * 1000,))
    d.start()


def wait(d, identity, to):
    return d.wait_events(identity, lambda e: e["to"] == to)


def capped(d):
    """The transport's row, once texts of it wait for the next day: no event tells that."""
    end = time.monotonic() + nuncio.PATIENCE
    while time.monotonic() < end:
        [row] = [t for t in d.call("Status")["transports"] if t["name"] == "sms"]
        if row["state"] == "capped":
            return row
    raise AssertionError(d.log_text()[-3000:])


def queued(d, bodies, *options):
    """All of them at once: nothing goes out before the last is there."""
    assert d.client("pause", "sms").returncode == 0
    identities = [text(d, body, *options) for body in bodies]
    assert d.client("resume", "sms").stdout.startswith("sms goes on\n")  # and perhaps it is away already
    return identities


def test_what_is_above_the_throttle_goes_together(start, fake):
    d = start(throttle='"3/1m"')
    identities = queued(d, [f"text {i}" for i in range(6)])
    for identity in identities:
        wait(d, identity, "accepted")
    assert [m["body"] for m in fake.sent()] == ["text 0", "text 1", "4 messages:\n- text 2\n- text 5\n- text 4\n- text 3"]
    bundle = fake.sent()[-1]["sid"]
    for identity in identities[2:]:
        [delivery] = d.show(identity)["deliveries"]
        assert (delivery["remote_id"], delivery["bundled"]) == (bundle, 3)
        assert f"in one text with 3 others, {bundle}" in d.client("show", identity).stdout
    fake.set_status(bundle, "delivered")
    for identity in identities[2:]:
        assert d.wait_final(identity) == {ME: "delivered"}
    assert state(d, identities[0]) == "accepted"


def test_what_has_had_enough_waits_and_goes_together_then(start, fake):
    d = start(throttle='"1/1m"')
    first = text(d, "one")
    wait(d, first, "accepted")
    rest = [text(d, body) for body in ("two", "three")]
    elsewhere = text(d, "four", "--to", OTHER)
    wait(d, elsewhere, "accepted")
    assert {state(d, i) for i in rest} == {"queued"}
    assert "throttled" in d.client("why", rest[0]).stdout and "throttled" in d.client("queue").stdout
    later(d, 50)
    assert {state(d, i) for i in rest} == {"queued"} and len(fake.sent(to=ME)) == 1
    later(d, 15)
    for identity in rest:
        wait(d, identity, "accepted")
    assert [m["body"] for m in fake.sent(to=ME)] == ["one", "2 messages:\n- two\n- three"]


def test_urgent_texts_obey_the_longest_time_alone(start, fake):
    d = start(throttle='"1/1m 3/1h"')
    wait(d, text(d, "one"), "accepted")
    def urgent(body):
        return d.call("Send", {"to": [ME], "by": "sms", "text": body, "priority": "urgent"})["id"]
    wait(d, urgent("urgent 0"), "accepted")
    wait(d, urgent("urgent 1"), "accepted")
    third = urgent("urgent 2")
    wait(d, text(d, "later than all", "--to", OTHER), "accepted")
    assert state(d, third) == "queued" and "throttled" in d.client("why", third).stdout
    assert [m["body"] for m in fake.sent(to=ME)] == ["one", "urgent 0", "urgent 1"]


def test_a_bundle_has_as_many_segments_as_a_text(start, fake):
    d = start(throttle='"1/1m"', segments=1)
    identities = queued(d, [f"{i} " + "x" * 60 for i in range(9)])
    for identity in identities:
        wait(d, identity, "accepted")
    [m] = fake.sent()
    assert len(m["body"]) <= 160 and m["body"].startswith("9 messages:\n- 0 xxx")
    assert m["body"].endswith("more, see nuncio queue")


def test_a_picture_goes_with_no_other(start, fake):
    d = start(throttle='"1/1m"')
    with_picture, *rest = queued(d, ["See"], "--media", "https://example.com/a.png") + queued(d, ["one", "two"])
    wait(d, with_picture, "accepted")
    later(d, 65)
    for identity in rest:
        wait(d, identity, "accepted")
    assert [(m["body"], m["num_media"]) for m in fake.sent()] == [("See", "1"), ("2 messages:\n- one\n- two", "0")]


@pytest.mark.parametrize("fault", [twilio.LOSE, twilio.DROP])
def test_an_uncertain_bundle_is_one(start, fake, fault):
    d = start(throttle='"1/1m"')
    fake.fault = lambda request: fault if request.creates else None
    identities = queued(d, ["one", "two", "three"])
    for identity in identities:
        wait(d, identity, "uncertain")
    fake.fault = lambda request: None
    if fault == twilio.DROP:
        later(d, 650)
    for identity in identities:
        wait(d, identity, "accepted")
    [m] = fake.sent()
    assert m["body"] == "3 messages:\n- one\n- three\n- two"
    assert {d.show(i)["deliveries"][0]["remote_id"] for i in identities} == {m["sid"]}


def test_one_of_an_uncertain_bundle_is_decided_by_itself(start, fake):
    d = start(throttle='"1/1m"')
    fake.fault = lambda request: twilio.LOSE if request.creates else twilio.BROKEN if "To" in request.query else None
    lead, second, third = queued(d, ["one", "two", "three"])
    for identity in (lead, second, third):
        wait(d, identity, "uncertain")
    for identity in (lead, third):
        assert d.client("cancel", identity).returncode == 0
    assert d.wait_final(lead) == d.wait_final(third) == {ME: "canceled"}
    assert state(d, second) == "uncertain"
    fake.fault = lambda request: None
    later(d, 20)
    wait(d, second, "accepted")
    [m] = fake.sent()
    assert d.show(second)["deliveries"][0]["remote_id"] == m["sid"]


@pytest.mark.parametrize("lost, before, after, says", [
    (False, "accepted", "sent", "unconfirmed: its transport is there no more"),
    (True, "uncertain", "held", "release or cancel it")])
def test_what_a_renamed_transport_had_ends_after_a_day(start, fake, lost, before, after, says):
    d = start()
    if lost:
        fake.fault = lambda request: twilio.LOSE if request.creates else twilio.BROKEN if "To" in request.query else None
    identity = text(d, "one")
    wait(d, identity, before)
    d.configure(config(fake).replace('name = "sms"; type', 'name = "texts"; type'))
    later(d, 23 * 3600)
    assert state(d, identity) == before
    later(d, 3600)
    assert says in wait(d, identity, after)["text"]
    assert len(fake.sent()) == 1


def test_what_was_not_taken_does_not_count(start, fake):
    d = start(throttle='"1/1m"')
    fake.fault = lambda request: twilio.Refuse(400, 21611, "queue full") if request.creates else None
    first = text(d, "one")
    d.wait_events(first, lambda e: e["code"] == 21611)
    fake.fault = lambda request: None
    second = text(d, "two")
    wait(d, second, "accepted")
    assert [m["body"] for m in fake.sent()] == ["two"]


def test_a_bundle_that_failed_is_tried_again_whole(start, fake):
    d = start(throttle='"1/1m"')
    identities = queued(d, ["one", "two"])
    for identity in identities:
        wait(d, identity, "accepted")
    [m] = fake.sent()
    fake.set_status(m["sid"], "failed", 30008)
    for identity in identities:
        d.wait_events(identity, lambda e: e["to"] == "queued" and e["code"] == 30008)
    later(d, 130)
    for identity in identities:
        d.wait_events(identity, lambda e: e["to"] == "accepted" and e["attempt"] == 2)
    assert [x["body"] for x in fake.sent()] == [m["body"]] * 2


MAIL = "me@example.org"


@pytest.fixture
def start_both(make_daemon, fake, folder):  # noqa: F811
    def start(contact="", **settings):
        one = config(fake, **settings).replace(f'sms = "{ME}";', f'sms = "{ME}"; {contact}')
        box = f'}}, {{ name = "box"; type = "maildir"; path = "{folder}/box"; }} );\n'
        return make_daemon(box.join(one.rsplit("} );\n", 1))).start()
    return start


def test_mail_when_the_text_was_not_delivered_in_time(start_both, fake, folder):
    d = start_both()
    identity = text(d, "Backup done", "--fallback", "mail after 10m")
    wait(d, identity, "accepted")
    assert d.states(identity) == {ME: "accepted", MAIL: "standby"}
    assert f"{MAIL}: another way for {ME}" in d.client("show", identity).stdout
    assert "standby" in d.client("queue").stdout and "another way" in d.client("why", identity).stdout
    later(d, 500)
    assert d.states(identity)[MAIL] == "standby"
    later(d, 110)
    d.wait_events(identity, lambda e: (e["recipient"], e["to"]) == (MAIL, "sent"))
    [m] = nuncio.maildir(folder / "box")
    assert m["To"] == MAIL and "Backup done" in m.get_content()
    later(d, 10000)
    assert len(nuncio.maildir(folder / "box")) == 1


@pytest.mark.parametrize("status, code, mails", [("delivered", None, 0), ("undelivered", 30005, 1), ("failed", 30007, 1)])
def test_the_receipt_decides(start_both, fake, folder, status, code, mails):
    d = start_both('fallback = "mail after 10m";')
    identity = text(d, "Backup done")
    wait(d, identity, "accepted")
    fake.set_status(fake.sent()[0]["sid"], status, code)
    states = d.wait_final(identity)
    assert states == {ME: "delivered" if not mails else "undelivered" if status == "undelivered" else "failed",
                      MAIL: "sent" if mails else "canceled"}
    later(d, 1000)
    assert len(nuncio.maildir(folder / "box")) == mails


def test_what_was_refused_goes_the_other_way_at_once_and_that_is_a_success(start_both, fake, folder):
    d = start_both('fallback = "mail";')
    fake.fault = lambda request: twilio.Refuse(400, 21614, "no mobile") if request.creates else None
    done = d.client("text", "--wait", "hello")
    assert done.returncode == 0, done.stderr
    assert len(nuncio.maildir(folder / "box")) == 1


def test_the_other_way_has_pictures_as_lines(start_both, fake, folder):
    d = start_both('fallback = "mail";')
    fake.fault = lambda request: twilio.Refuse(400, 21621, "no pictures from this number") if request.creates else None
    done = d.client("text", "--wait", "--media", "https://example.com/a.png", "See")
    assert done.returncode == 0, done.stderr
    [m] = nuncio.maildir(folder / "box")
    assert m.get_content().splitlines() == ["See", "https://example.com/a.png"]


def test_mail_first_and_a_text_when_it_was_not_sent(start_both, fake):
    d = start_both('fallback = "sms after 1h";')
    assert d.wait_final(d.call("Send", {"to": ["me"], "text": "mail is enough"})["id"]) == {MAIL: "sent", ME: "canceled"}
    assert d.client("pause", "box").returncode == 0
    identity = d.call("Send", {"to": ["me"], "text": "hello", "subject": "Boiler"})["id"]
    later(d, 3700)
    d.wait_events(identity, lambda e: (e["recipient"], e["to"]) == (ME, "accepted"))
    assert [m["body"] for m in fake.sent()] == ["Boiler\nhello"]


def test_canceling_cancels_both(start_both, fake, folder):
    d = start_both('fallback = "mail after 10m";')
    assert d.client("pause", "sms").returncode == 0
    one, other = text(d, "one"), text(d, "other")
    assert d.client("cancel", one).returncode == 0
    primary = next(x["id"] for x in d.show(other)["deliveries"] if x["recipient"] == ME)
    d.call("Cancel", {"select": {"delivery": primary}})
    later(d, 1000)
    assert d.states(one) == d.states(other) == {ME: "canceled", MAIL: "canceled"}
    assert d.call("Retry", {"select": {"message": one}})["changed"] == 1  # the text alone
    assert d.states(one)[MAIL] == "canceled" and not nuncio.maildir(folder / "box")


def test_what_is_held_has_not_begun(start_both, fake, folder):
    d = start_both()
    identity = d.call("Send", {"to": ["me"], "by": "sms", "text": "later", "hold": True, "fallback": "mail after 10m"})["id"]
    later(d, 700)
    later(d, 1)
    assert d.states(identity) == {ME: "held", MAIL: "standby"}
    assert d.client("release", identity).returncode == 0
    wait(d, identity, "accepted")
    later(d, 500)
    assert d.states(identity)[MAIL] == "standby"


def test_a_fallback_that_leads_nowhere_is_refused(start_both):
    d = start_both()
    for fallback, to, by in (("fax", "me", "sms"), ("mail", OTHER, "sms"), ("sms", "me", "sms"), ("mail", "me", "mail")):
        error = d.error("Send", {"to": [to], "by": by, "text": "x", "fallback": fallback})
        assert (error.name, error.parameters["field"]) == ("io.nuncio.BadMessage", "fallback")
    assert d.states(d.call("Send", {"to": ["me"], "by": "sms", "text": "x", "fallback": "none"})["id"]).keys() == {ME}


def test_a_day_has_a_cap_and_the_operator_hears_of_it(start_both, fake, folder):
    d = start_both(daily='{ messages = 4; warn = 50; urgent = true; }')
    d.reload('operator = ["me"];\n' + d.file.read_text().split("\n", 2)[2])
    box = folder / "box"

    def told():
        return [m["Subject"].split(": ", 1)[1] for m in nuncio.maildir(box)]
    first = text(d, "0")
    wait(d, first, "accepted")
    assert not told()
    for i in range(1, 4):
        wait(d, text(d, str(i)), "accepted")
    above = text(d, "too much")
    row = capped(d)
    assert "4 texts today, 4 are allowed" in row["reason"] and "resume sms" in row["reason"]
    assert state(d, above) == "queued" and "4 are allowed" in d.client("why", above).stdout
    assert "4 are allowed" in d.client("queue").stdout
    urgent = d.call("Send", {"to": [ME], "by": "sms", "text": "urgent", "priority": "urgent"})["id"]
    wait(d, urgent, "accepted")
    d.stop()
    d.start()
    capped(d)
    assert told() == ["sms has sent most of what it may in a day", "sms has sent all it may in a day"]
    assert d.client("resume", "sms").returncode == 0
    wait(d, above, "accepted")
    d.stop()
    d.start()
    wait(d, text(d, "lifted for the day, restarts included"), "accepted")
    assert len(told()) == 2


def test_what_waits_for_the_next_day_goes_then(start, fake):
    d = start(daily="{ messages = 1; }")
    wait(d, text(d, "one"), "accepted")
    second = text(d, "two")
    capped(d)
    later(d, 24 * 3600)
    wait(d, second, "accepted")


def test_money_is_what_the_provider_says_it_is(start, fake):
    d = start(daily='{ cost = "0.01"; }')
    first = text(d, "one")
    wait(d, first, "accepted")
    fake.set_status(fake.sent()[0]["sid"], "delivered")  # for 0.0079
    wait(d, first, "delivered")
    second = text(d, "two")
    wait(d, second, "accepted")
    fake.set_status(fake.sent()[1]["sid"], "delivered")
    wait(d, second, "delivered")
    third = text(d, "three")
    assert "0.0158 spent today, 0.01 are allowed" in capped(d)["reason"]
    assert state(d, third) == "queued"


def test_money_is_an_estimate_until_the_provider_has_said(start, fake):
    d = start(daily='{ cost = "0.02"; }', price='"0.0079 USD"')
    for body in ("one", "two"):
        wait(d, text(d, body), "accepted")
    third = text(d, "three")
    assert "0.0158 spent today" in capped(d)["reason"]
    assert state(d, third) == "queued"


@pytest.mark.parametrize("code, status", [(20003, 401), (30002, 400), (20500, 503)])
def test_the_outage_of_texts_is_told_by_mail(start_both, fake, folder, code, status):
    d = start_both(max_down='"1s"')
    d.reload('operator = ["me"];\n' + d.file.read_text().split("\n", 2)[2])
    fake.fault = lambda request: twilio.Refuse(status, code, "no")
    text(d, "hello")
    d.wait_transport("sms", "down")
    end = time.monotonic() + nuncio.PATIENCE
    with d.connect() as watcher:  # what is told is itself queued, which watchers hear
        watcher.start("Watch", {}, more=True)
        while not nuncio.maildir(folder / "box") and time.monotonic() < end:
            watcher.answer()
    [m] = nuncio.maildir(folder / "box")
    assert m["Subject"].endswith("sms is down") and str(code) in m.get_content()
    fake.fault = lambda request: None
    assert d.client("pause", "sms").returncode == 0 and d.client("resume", "sms").returncode == 0
    while len(nuncio.maildir(folder / "box")) < 2 and time.monotonic() < end:
        d.call("Status")
    assert nuncio.maildir(folder / "box")[1]["Subject"].endswith("sms works again")


def next_of(age):
    """When a text is asked for next that is asked for at this age, in ms."""
    return next((m * 1000 for m in (5, 20, 50, 110, 410) if m * 1000 > age), age + 3600 * 1000)


def tracked(d):
    """(since, next) of each text that is asked for, in ms."""
    with database(d) as db:
        return db.execute("SELECT since_ms, next_ms FROM tracked WHERE next_ms > 0").fetchall()


def test_a_thousand_texts_are_asked_for_by_few_calls_and_at_their_times(start, fake):
    number = 1000
    d = start(concurrency=16)
    with d.connect() as v:
        for i in range(number):
            v.call("Send", {"to": [f"+1555{i:07d}"], "by": "sms", "text": f"text {i}", "expires": "3d"})
    assert fake.wait(lambda f: len(f.sent()) == number, timeout=120)
    end = time.monotonic() + nuncio.PATIENCE
    while d.call("Status")["counts"]["accepted"] < number and time.monotonic() < end:
        pass
    for age in (30, 70, 150, 430):
        youngest = time.time() - max(since for since, _ in tracked(d)) / 1000
        before = len(fake.calls)
        later(d, int(age - youngest))  # all are so old, or some seconds older
        begun = time.time() * 1000
        while any(until <= begun for _, until in tracked(d)) and time.monotonic() < end + 60:
            d.call("Status")
        over = time.time() * 1000
        asked = [r for r in fake.calls[before:] if r.method == "GET"]
        assert 1 <= len(asked) <= number // 50, [r.path for r in asked][:50]
        assert len(tracked(d)) == number
        for since, until in tracked(d):
            assert next_of(begun - since) <= until - since <= next_of(over - since), (since, until, begun, over)
        print(f"{number} texts from {age} s old: {len(asked)} calls")
    assert len([r for r in fake.calls if r.creates]) == number
