"""A text from its command to its receipt, as a person reads it; and what goes out for it held against
Twilio's published document, by Prism, a mock server made of that document by others."""
import base64
import email.utils
import fcntl
import json
import pathlib
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.parse
import urllib.request

import pytest

import nuncio
import twilio
from test_twilio import DOCUMENT, ME, NUMBER, PICTURES, config, fake, picture, start, text  # noqa: F401

FIRST = "SM" + "a" * 32  # of the document's examples
SERVICE = "MG" + "2" * 32


@pytest.fixture(scope="module")
def prism(tmp_path_factory):
    """Where it listens. It is fetched by npm the first time."""
    mock = DOCUMENT.parent / "mock"
    if not mock.exists() or not shutil.which("npm"):
        pytest.skip("no oracles beside this clone, or no npm")
    folder = tmp_path_factory.mktemp("prism")
    with open(pathlib.Path(tempfile.gettempdir()) / "nuncio-prism.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one installation at a time
        started = subprocess.run([mock, "start", folder], capture_output=True, text=True, timeout=600)
    if started.returncode:
        pytest.skip(f"Prism can't be had here: {started.stderr[-300:]}")
    said = dict(line.split("=") for line in started.stdout.split())
    yield f"http://{said['HOST']}:{said['HTTP_PORT']}"
    subprocess.run([mock, "stop", folder], timeout=60, check=True)


def times(event):
    """When it was sent, as the history says it: "sent 2026-11-22T20:30:00Z"."""
    return event["text"].split("sent ", 1)[1].split(",")[0]


def test_a_text_from_its_command_to_its_receipt(start, fake):  # noqa: F811
    d = start()
    identity = text(d, "Just text me")
    d.wait_events(identity, lambda e: e["to"] == "accepted" and e["text"] == "queued")
    [m] = fake.sent()
    sid = m["sid"]
    assert (m["to"], m["from"], m["body"], m["date_sent"]) == (ME, NUMBER, "Just text me", None) and m["date_created"]
    assert "accepted" in d.client("queue", "--all").stdout
    fake.set_status(sid, "sent")
    sent = d.wait_events(identity, lambda e: e["to"] == "sent")
    when = email.utils.parsedate_to_datetime(m["date_sent"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert times(sent) == when
    shown = d.client("show", identity).stdout
    assert all(part in shown for part in (ME, sid, "sent", when))
    fake.set_status(sid, "delivered")
    d.wait_events(identity, lambda e: e["to"] == "delivered")
    [delivery] = json.loads(d.client("show", "--json", identity).stdout)["deliveries"]
    assert (delivery["recipient"], delivery["state"], delivery["remote_id"]) == (ME, "delivered", sid)
    assert when in delivery["text"] and "-0.00790 USD" in delivery["text"]
    # the first answer was not the last word: it was asked for again, by that sid
    assert [r for r in fake.calls if r.method == "GET" and r.path.endswith(f"/Messages/{sid}.json")]
    assert [e["to"] for e in d.call("Log", {"message": identity})["events"]] == [
        "queued", "sending", "accepted", "sent", "delivered"]


@pytest.mark.parametrize("settings", [
    {"from": f'"{NUMBER}"'},
    {"service": f'"{SERVICE}"', "smart_encoded": "true", "risk_check": '"disable"',
     "status_callback": '"https://example.com/told"'}])
def test_what_goes_out_is_what_the_document_asks_for(make_daemon, prism, settings):
    rows = "".join(f"{name} = {value}; " for name, value in settings.items())
    d = make_daemon(f'''contacts = ( {{ name = "me"; sms = "{ME}"; }} );
transports = ( {{ name = "sms"; type = "twilio"; account_sid = "{twilio.ACCOUNT}"; auth_token = "token"; api = "{prism}"; {rows}}} );
''').start()
    identity = text(d, "h\u00e9llo & =+%")
    d.wait_events(identity, lambda e: e["to"] == "accepted" and e["text"] == "queued")
    [delivery] = d.show(identity)["deliveries"]
    assert delivery["remote_id"] == FIRST
    assert d.call("Status")["transports"][0]["state"] == "up"


def post(url, form, login=f"{twilio.ACCOUNT}:token", kind="application/x-www-form-urlencoded"):
    """Status and answer of a request like the daemon's."""
    request = urllib.request.Request(url, form.encode(), {"Content-Type": kind})
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def test_the_same_request_is_refused_when_it_is_malformed(start, fake, prism):  # noqa: F811
    """What the daemon said to the fake is said to the mock: as it is, and broken."""
    d = start()
    d.wait_events(text(d, "See"), lambda e: e["to"] == "accepted")
    [call] = [r for r in fake.calls if r.creates]
    url, form = prism + call.path, call.form

    def said(**changes):
        changed = {k: v for k, v in {**form, **changes}.items() if v is not None}
        return post(url, urllib.parse.urlencode(changed, doseq=True))[0]
    assert post(url, urllib.parse.urlencode(form, doseq=True))[1]["sid"] == FIRST
    assert said(To=None) == 422
    assert said(From=None, MessagingServiceSid="bad") == 422
    assert said(ValidityPeriod="soon") == 422
    assert post(url.replace(twilio.ACCOUNT, "AC1"), urllib.parse.urlencode(form, doseq=True))[0] == 422
    assert post(url, urllib.parse.urlencode(form, doseq=True), login=None)[0] == 401
    assert post(url, json.dumps(form), kind="application/json")[0] == 415


OFFICIAL = """
import sys
from twilio.rest import Client
client = Client(sys.argv[2], "token")
client.api.base_url = sys.argv[1]
client.messages.create(to=sys.argv[3], from_=sys.argv[4], body="See", media_url=sys.argv[5:])
"""


def test_pictures_are_named_as_twilio_s_own_client_names_them(start, fake):  # noqa: F811
    """The mock knows no repeated field of a form: the judge is their library."""
    if subprocess.run(["/usr/bin/python3", "-I", "-c", "import twilio.rest"], capture_output=True, check=False).returncode:
        pytest.skip("no python3-twilio")
    d = start()
    d.wait_events(picture(d, "See"), lambda e: e["to"] == "accepted")
    subprocess.run(["/usr/bin/python3", "-I", "-c", OFFICIAL, fake.url, twilio.ACCOUNT, ME, NUMBER, *PICTURES], timeout=60, check=True)
    ours, theirs = [r.form for r in fake.calls if r.creates]
    assert int(ours.pop("ValidityPeriod")) > 0
    assert ours == theirs and ours["MediaUrl"] == PICTURES


def test_a_refusal_of_the_mock_is_the_text_s(make_daemon, prism):
    """At an address that the document does not know."""
    d = make_daemon(f'''contacts = ( {{ name = "me"; sms = "{ME}"; }} );
transports = ( {{ name = "sms"; type = "twilio"; account_sid = "{twilio.ACCOUNT}"; auth_token = "token";
  api = "{prism}/elsewhere"; from = "{NUMBER}"; }} );
''').start()
    identity = text(d, "hello")
    assert d.wait_final(identity) == {ME: "failed"}
    assert "404" in d.client("why", identity).stdout
