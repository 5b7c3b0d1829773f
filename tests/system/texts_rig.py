"""texts_rig.py - a daemon that takes texts in from a fake Twilio, a runner beside it, and a program
that counts what was run."""
import contextlib
import datetime
import sqlite3

import nuncio
import rules_rig
import twilio
from rules_rig import TOTP_KEY

DOCUMENT = nuncio.ORACLES / "twilio" / "messages.openapi.json"
NUMBER = "+15017122661"  # ours
ME = "+15559998888"
BO = "+15557776666"
STRANGER = "+15550001111"

COUNT = '''  { name = "count"; on = { sms = "sms"; };
    when = { from = ["me"]; command = "^count (?<what>.+)$"; proof = "totp"; };
    do = { run = ["@program@", "{what}"]; }; }'''


class Rig(rules_rig.Rig):
    """rules: rows of `rules`; way: further settings of the transport, which is called sms."""

    def __init__(self, make_daemon, folder, rules, fake, way="", **kw):
        self.fake, self.way = fake, way
        super().__init__(make_daemon, folder, rules, **kw)

    def config(self):
        d = self.folder / "d"
        rules = self.rules.replace("@program@", str(self.program)).replace("@folder@", str(self.folder))
        return f'''from = "Home server <box@example.com>";
contacts = ( {{ name = "me"; mail = ["me@example.com"]; sms = "{ME}"; totp = "{TOTP_KEY}"; hmac = "an hmac key"; }},
  {{ name = "bo"; mail = ["bo@example.org"]; sms = "{BO}"; }}{self.settings["contacts"]} );
operator = ["bo"];
runner = {{ socket = "{d}/runner.sock"; state = "{d}/runs"; }};
transports = ( {{ name = "sms"; type = "twilio"; account_sid = "{self.fake.account}"; auth_token = "{self.fake.token}";
    api = "{self.fake.url}"; from = "{NUMBER}"; inbound = true; poll = "1s";
    throttle = "none"; {self.way} }},
  {{ name = "outbox"; type = "maildir"; path = "{self.outbox}"; }} );
rules = (
{rules} );
{self.settings["settings"]}
'''

    def watches(self):
        return all(m["state"] == ("polling" if m["type"] == "twilio" else "watching")
                   for m in self.daemon.call("Status")["mailboxes"])

    def look_back(self, seconds=600):
        """As if it had been started for the first time so much earlier."""
        self.wait_rounds()
        self.stop_daemon()
        with contextlib.closing(sqlite3.connect(next(self.daemon.state.glob("*.db")))) as database, database:
            database.execute("UPDATE cursors SET cursor = '1 ' || (substr(cursor, 3) - ?)", (seconds * 1000,))
        self.start_daemon()

    def receive(self, body, number=ME, ago=None, **kw):
        """A text comes in; ago: so many seconds earlier."""
        when = self.fake.now() - datetime.timedelta(seconds=ago) if ago else None
        return self.fake.receive(number, NUMBER, body, when=when, **kw)

    def answers(self, to=ME):
        return [m["body"] for m in self.fake.sent(to=to)]

    def wait_answer(self, part, to=ME, count=1):
        """Until so many texts that say so were sent."""
        assert self.fake.wait(lambda f: sum(part in m["body"] for m in f.sent(to=to)) >= count, nuncio.PATIENCE), \
            (self.answers(to), self.daemon.log_text()[-3000:])
        return [body for body in self.answers(to) if part in body]

    def wait_rounds(self, count=2):
        """The whole list was asked for so often again, and what was new in it dealt with."""
        def lists(fake):
            return sum(1 for r in fake.calls if r.lists and "DateSent>" in r.query and "PageToken" not in r.query)
        wanted = lists(self.fake) + count
        assert self.fake.wait(lambda f: lists(f) >= wanted, nuncio.PATIENCE), self.daemon.log_text()[-3000:]


@contextlib.contextmanager
def rig(make_daemon, folder, rules, start=True, **kw):
    with twilio.Twilio(DOCUMENT if DOCUMENT.exists() else None) as fake:
        made = Rig(make_daemon, folder, rules, fake, **kw)
        try:
            yield made.start() if start else made
        finally:
            made.end()
