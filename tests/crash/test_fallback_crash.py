"""kill -9 at every step of another way: from a text that is refused, not delivered or never heard of to
mail, and from mail that is refused or does not leave to a text. There is exactly one other way for each
that needs one, none for those that do not, and none is lost."""
import collections
import contextlib
import os
import random

import nuncio
import twilio
from test_twilio_crash import live_and_die, pass_time

LONG = os.environ.get("NUNCIO_LONG") == "yes"
KILLS = 100 if LONG else 8  # of each direction, half of them when the time has come
PEOPLE = 400 if LONG else 40
PACE = 25  # seconds: so long after the one before each may go, so that each life has work
LATER = 20 * 60  # minutes until the other way goes at the latest, and one more for each that was sent before
NUMBER = "+15017122661"
BOTH = ["dispatch.claimed", "store.batch", "dispatch.settle", "store.commit", "standby.look", "store.committed"]
TEXT_POINTS = ["twilio.post", "twilio.answered", "tracker.settle", *BOTH]
MAIL_POINTS = ["maildir.written", "maildir.linked", *BOTH]
FAKE_POINTS = ["fake.written", *BOTH]


def number(i):
    return f"+1555{i:07d}"


def address(i):
    return f"c{i}@example.org"


def config(fake, mail):
    people = ", ".join(f'{{ name = "c{i}"; mail = ["{address(i)}"]; sms = "{number(i)}"; }}' for i in range(PEOPLE))
    return f'''contacts = ( {people} );
transports = ( {{ name = "sms"; type = "twilio"; account_sid = "{fake.account}"; concurrency = 4; auth_token = "{fake.token}";
    api = "{fake.url}"; from = "{NUMBER}"; timeout = "1s"; throttle = "none"; }},
  {{ name = "mail"; concurrency = 4; {mail} }} );\n'''


class Fates:
    """What becomes of the first way of each, by number; and now and then an answer is lost."""

    def __init__(self, fake, chance, kinds):
        self.fake, self.chance, self.kinds = fake, chance, kinds
        self.trouble = False
        self.passed = 0  # seconds, in all
        fake.fault = self

    def of(self, i):
        return self.kinds[i % len(self.kinds)]

    def those(self, *kinds):
        return [i for i in range(PEOPLE) if self.of(i) in kinds]

    def __call__(self, request):
        if not request.creates:
            return None
        if self.of(int(request.form["To"][5:])) == "refused":
            return twilio.Refuse(400, 21614, "no mobile")
        if self.trouble and self.chance.random() < 0.15:
            return self.chance.choice([twilio.LOSE, twilio.DROP])
        return None

    def pass_time(self, daemon, seconds):
        pass_time(daemon, self.fake, seconds)
        self.passed += seconds

    def befall(self):
        """The texts that are there come to their ends."""
        for m in self.fake.sent(status="queued"):
            status, code = {"lost": ("undelivered", 30005), "silent": ("sent", None)}.get(
                self.of(int(m["to"][5:])), ("delivered", None))
            self.fake.set_status(m["sid"], status, code)


def deliveries(daemon, *states):
    found, after = [], None
    with daemon.connect() as v:
        while True:
            page = v.call("List", {"states": list(states), **({"after": after} if after else {})})
            found += page["deliveries"]
            after = page.get("after")
            if not after or not page["deliveries"]:
                return found


def send_all(daemon, by, other):
    daemon.start()
    with daemon.connect() as v:
        for i in range(PEOPLE):
            v.call("Send", {"to": [f"c{i}"], "text": f"text {i}", "expires": "10d", "by": by, "at": f"{PACE * (i + 1)}s",
                            "fallback": f"{other} after {LATER + i}m"})
    daemon.kill()


def lives(daemon, fates, points, chance, seconds):
    """So long passes from one life to the next, or longer."""
    died = collections.Counter()
    fates.trouble = True
    for kill in range(KILLS // 2):
        name = points[kill % len(points)]
        times = chance.randrange(1, 7) if name.startswith("store.") else 1
        point = f"{name}:{times}" if kill % 5 != 4 else None
        at_point = live_and_die(daemon, fates.fake, point, chance, timeout=2, calls=[10**6] if point else [1, 3, 10])
        died[point.split(":")[0] if at_point else "by hand"] += 1
        fates.befall()
        fates.pass_time(daemon, chance.choice(seconds))
    return died


def finish(daemon, fates, is_open):
    """Lives in which nothing goes wrong: until no delivery is open; the last goes on."""
    daemon.environment = {}
    fates.trouble = False
    for _ in range(30):
        daemon.start()
        with contextlib.suppress(TimeoutError), daemon.connect(timeout=3) as watcher:
            watcher.start("Watch", {}, more=True)
            while True:
                left = [d for d in deliveries(daemon, "queued", "sending", "uncertain", "accepted", "sent", "standby")
                        if is_open(d)]
                if not left:
                    return
                watcher.answer()
        daemon.stop()
        fates.befall()
        fates.pass_time(daemon, 650)
    raise AssertionError(f"{left[:5]}\n{daemon.log_text()[-4000:]}")


def is_text(delivery):
    return delivery["recipient"].startswith("+")


def once(people):
    return {i: 1 for i in people}


def start_story(chance_of=random.Random):
    seed = random.SystemRandom().randrange(10**6) if LONG else 1
    print("seed", seed)
    return chance_of(seed)


def test_from_a_text_to_mail(make_daemon, folder):
    chance = start_story()
    with twilio.Twilio() as fake:
        fates = Fates(fake, chance, ["well", "refused", "lost", "silent"])
        daemon = make_daemon(config(fake, f'type = "maildir"; path = "{folder}/box";'))
        send_all(daemon, "sms", "mail")
        died = lives(daemon, fates, TEXT_POINTS, chance, [20, 20, 650])
        # a text whose end is known comes to it, and what waits for a receipt goes on waiting
        finish(daemon, fates, lambda d: is_text(d) and (d["state"] not in ("accepted", "sent")
                                                        or fates.of(int(d["recipient"][5:])) in ("well", "lost")))
        daemon.kill()
        mails = nuncio.maildir(folder / "box")
        assert not {m["To"] for m in mails} & {address(i) for i in fates.those("silent")}
        fates.pass_time(daemon, max(0, LATER * 60 - fates.passed))
        died += lives(daemon, fates, ["standby.look", *MAIL_POINTS], chance, [60 * PEOPLE // (KILLS // 2)])
        finish(daemon, fates, lambda d: not is_text(d) and d["state"] != "sent")
        states = collections.Counter(("text" if is_text(d) else "mail", d["state"]) for d in deliveries(
            daemon, "delivered", "undelivered", "failed", "accepted", "sent", "canceled"))
        mailed = collections.Counter(int(m["To"][1:].split("@")[0]) for m in nuncio.maildir(folder / "box"))
        texted = collections.Counter(int(m["to"][5:]) for m in fake.sent())
        print(f"{sum(died.values())} kills {dict(died)}, {len([r for r in fake.calls if r.creates])} requests for "
              f"{len(texted)} texts, {len(mailed)} mails of {PEOPLE}; in the end {dict(states)}")
        assert mailed == once(fates.those("refused", "lost", "silent"))
        assert texted == once(fates.those("well", "lost", "silent"))


def test_from_mail_to_a_text(make_daemon, folder):
    chance = start_story()
    with twilio.Twilio() as fake:
        fates = Fates(fake, chance, ["sent", "no", "later"])
        answers, log = folder / "answers", folder / "log"
        answers.write_text("".join(f"{address(i)} {'550 5.1.1 nobody' if fates.of(i) == 'no' else '451 4.2.0 later'}\n"
                                   for i in fates.those("no", "later")))
        daemon = make_daemon(config(fake, f'type = "fake"; answers = "{answers}"; log = "{log}";'))
        send_all(daemon, "mail", "sms")
        died = lives(daemon, fates, FAKE_POINTS + TEXT_POINTS, chance, [20, 20, 650])
        # what was refused went the other way at once, and nothing else did
        finish(daemon, fates, lambda d: is_text(d) and d["state"] in ("queued", "sending", "uncertain", "accepted")
               or not is_text(d) and fates.of(int(d["recipient"][1:].split("@")[0])) == "no")
        daemon.kill()
        assert {int(m["to"][5:]) for m in fake.sent()} == set(fates.those("no"))
        fates.pass_time(daemon, max(0, LATER * 60 - fates.passed))
        died += lives(daemon, fates, ["standby.look", *TEXT_POINTS], chance, [60 * PEOPLE // (KILLS // 2)])
        finish(daemon, fates, is_text)
        states = collections.Counter(("text" if is_text(d) else "mail", d["state"]) for d in deliveries(
            daemon, "delivered", "failed", "sent", "canceled"))
        texted = collections.Counter(int(m["to"][5:]) for m in fake.sent())
        print(f"{sum(died.values())} kills {dict(died)}, {len([r for r in fake.calls if r.creates])} requests for "
              f"{len(texted)} texts of {PEOPLE}; in the end {dict(states)}")
        assert texted == once(fates.those("no", "later"))
        assert {("mail", "sent"): len(fates.those("sent")), ("mail", "failed"): len(fates.those("no")),
                ("text", "canceled"): len(fates.those("sent")), ("text", "delivered"): len(fates.those("no", "later"))} == states
        assert len([d for d in deliveries(daemon, "queued", "sending") if not is_text(d)]) == len(fates.those("later"))
