"""The fake Twilio is faithful: to the published document, and to Twilio's own client library."""
import json
import subprocess
import urllib.parse
import urllib.request

import pytest

import nuncio
import twilio

DOCUMENT = nuncio.ORACLES / "twilio" / "messages.openapi.json"


@pytest.fixture
def fake():
    with twilio.Twilio(DOCUMENT if DOCUMENT.exists() else None) as t:
        yield t


def call(fake, what, form=None):
    request = urllib.request.Request(fake.url + what, urllib.parse.urlencode(form).encode() if form else None)
    token = __import__("base64").b64encode(f"{fake.account}:{fake.token}".encode()).decode()
    request.add_header("Authorization", "Basic " + token)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


def test_pages_have_each_message_once(fake):
    messages = f"/2010-04-01/Accounts/{fake.account}/Messages.json"
    for i in range(7):
        call(fake, messages, {"To": "+15558675310", "From": "+15017122661", "Body": str(i)})
    seen, uri = [], messages + "?PageSize=3"
    while uri:
        page = call(fake, uri)
        seen += [m["body"] for m in page["messages"]]
        uri = page["next_page_uri"]
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


def test_what_comes_in_has_its_media(fake):
    sid = fake.receive("+15559998888", "+15017122661", "look", media=[("image/png", b"\x89PNG")])
    media = call(fake, f"/2010-04-01/Accounts/{fake.account}/Messages/{sid}/Media.json")["media_list"]
    assert [m["content_type"] for m in media] == ["image/png"]


@pytest.mark.skipif(not DOCUMENT.exists(), reason="the oracles are not beside this clone")
def test_the_official_client_finds_nothing_wrong(fake):
    client = subprocess.run(["/usr/bin/python3", DOCUMENT.parent / "official_client.py", fake.url, "--stateful"],
                            capture_output=True, text=True, timeout=60)
    assert client.returncode == 0 and "FAILED" not in client.stdout, client.stdout + client.stderr
