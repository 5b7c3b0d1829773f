"""twilio.py - a fake of Twilio's Messages resource that remembers, on loopback: create, list
(paged), fetch, update, delete, media. Every answer is held to the published OpenAPI document where
that is at hand. What goes wrong is the test's to say, request by request (Twilio.fault).

    with Twilio() as fake:
        fake.fault = lambda request: LOSE if request.creates else None
        fake.url, fake.account, fake.token
"""
import base64
import collections
import datetime
import email.utils
import http.server
import json
import os
import re
import select
import socket
import sys
import threading
import urllib.parse

ACCOUNT = "AC0123456789abcdef0123456789abcdef"
TOKEN = "token"
PATH = "/2010-04-01/Accounts/"
PAGE_SIZE = 50

LOSE = "lose"    # acts, then closes without an answer
DROP = "drop"    # closes without having acted
GARBLE = "garble"  # acts, and answers what is no JSON


class Refuse(Exception):
    """An answer with an error, in Twilio's form."""

    def __init__(self, status, code, message, headers=None):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}


BUSY = Refuse(429, 20429, "Too Many Requests")
BROKEN = Refuse(500, 20500, "Internal Server Error")
UNAVAILABLE = Refuse(503, 20503, "Service Unavailable")


class Request:
    answered = False  # all of the answer is written

    def __init__(self, method, path, query, form, number, login=None):
        self.method, self.path, self.query, self.form, self.number = method, path, query, form, number
        self.login = login

    @property
    def creates(self):
        return self.method == "POST" and self.path.endswith("/Messages.json")

    @property
    def lists(self):
        return self.method == "GET" and self.path.endswith("/Messages.json")


def rfc2822(when):
    return email.utils.format_datetime(when) if when else None


class Schema:
    """The part of a document that says what an answer looks like; a reader of JSON schema as far as
    that document goes."""

    def __init__(self, document):
        self.all = json.loads(document.read_text())["components"]["schemas"]

    def check(self, value, name):
        self._check(value, self.all[name], name)

    def _check(self, value, schema, at):
        if "$ref" in schema:
            schema = self.all[schema["$ref"].rsplit("/", 1)[1]]
        if value is None:
            assert schema.get("nullable") or "enum" not in schema and not schema.get("type"), f"{at} is null"
            return
        kinds = {"string": str, "integer": int, "object": dict, "array": list, "boolean": bool}
        kind = schema.get("type")
        assert not kind or isinstance(value, kinds[kind]), f"{at}: {value!r} is no {kind}"
        if "enum" in schema:
            assert value in schema["enum"], f"{at}: {value!r} is none of {schema['enum']}"
        if "pattern" in schema:
            assert re.search(schema["pattern"], value), f"{at}: {value!r}"
        if schema.get("format") == "date-time-rfc-2822":
            assert email.utils.parsedate_to_datetime(value).tzinfo, f"{at}: {value!r}"
        known = schema.get("properties")
        if kind == "object" and known:
            assert set(value) == set(known), f"{at}: {set(value) ^ set(known)}"
            for member, its in known.items():
                self._check(value[member], its, f"{at}.{member}")


class Twilio:
    """Thread-safe; .calls has every request, .messages every message by sid, in the order made."""

    def __init__(self, document=None, account=ACCOUNT, token=TOKEN):
        self.account, self.user, self.token = account, account, token
        self.schema = Schema(document) if document else None
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.calls = []
        self.messages = collections.OrderedDict()
        self.media = {}
        self.problems = []
        self.fault = lambda request: None
        self.first_status = lambda form: "queued"
        self.skew = datetime.timedelta(0)
        self.order = lambda rows: rows  # of a list, which is the newest first else
        self.spoil = lambda page: page  # a page of it, before it goes out
        self.page_max = 1000
        self.counts_media = True  # when a message is made; else they are not yet known then
        self.elsewhere = False  # media are redirected to, as Twilio does
        self.made = 0
        fake = self

        class Handler(_Handler):
            twilio = fake

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.fake = self
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
        assert not self.problems, self.problems

    # ---- what a test does ----

    def now(self):
        return (datetime.datetime.now(datetime.timezone.utc) + self.skew).replace(microsecond=0)

    def wait(self, condition, timeout=30):
        """Until condition(self), asked again after each request and each change."""
        with self.changed:
            return self.changed.wait_for(lambda: condition(self), timeout)

    def wait_or_end(self, process, condition, timeout=30):
        """The same, or until the process (subprocess.Popen, not waited for) has ended."""
        def tell_end(fd):
            select.select([fd], [], [])
            os.close(fd)
            with self.changed:
                self.changed.notify_all()

        threading.Thread(target=tell_end, args=(os.pidfd_open(process.pid),), daemon=True).start()
        return self.wait(lambda fake: process.poll() is not None or condition(fake), timeout)

    def finish(self):
        """Until all that was asked for by a program that is gone has been done: connections are taken in the
        order they came."""
        with socket.create_connection(self.server.server_address) as last:
            last.shutdown(socket.SHUT_WR)
            assert last.recv(1) == b""
        assert self.wait(lambda fake: fake.server.open == 0)

    def set_status(self, sid, status, error=None):
        with self.changed:
            m = self.messages[sid]
            m["status"], m["error_code"] = status, error
            m["error_message"] = f"error {error}" if error else None
            m["date_updated"] = rfc2822(self.now())
            if status in ("sent", "delivered", "undelivered") and not m["date_sent"]:
                m["date_sent"] = rfc2822(self.now())
                m["price"] = "-0.00790"
            self.changed.notify_all()

    def receive(self, number, to, body, media=(), when=None):
        """A text comes in. media: (type, bytes) each. Returns its sid."""
        with self.changed:
            m = self._make({"To": to, "From": number, "Body": body, "MediaUrl": media}, "inbound", "received", when)
            m["date_sent"] = m["date_created"]
            m["num_media"] = str(len(media))
            self.media[m["sid"]] = [(f"ME{m['sid'][2:-2]}{i:02x}", *part) for i, part in enumerate(media)]
            self.changed.notify_all()
            return m["sid"]

    def sent(self, **fields):
        """Messages that programs made, with these fields (from_: from)."""
        with self.lock:
            return [m for m in self.messages.values() if m["direction"] == "outbound-api"
                    and all(m[k.rstrip("_")] == v for k, v in fields.items())]

    # ---- what Twilio does ----

    def _make(self, form, direction, status, when=None):
        self.made += 1
        sid = ("MM" if form.get("MediaUrl") else "SM") + f"{self.made:032x}"
        now = rfc2822(when or self.now())
        service = form.get("MessagingServiceSid")
        path = f"{PATH}{self.account}/Messages/{sid}"
        m = {"body": form.get("Body", ""), "num_segments": "0" if service else "1", "direction": direction,
             "from": form.get("From"), "to": form["To"], "date_updated": now, "price": None, "error_message": None,
             "uri": path + ".json", "account_sid": self.account, "num_media": "0", "status": status,
             "messaging_service_sid": service, "sid": sid, "date_sent": None, "date_created": now, "error_code": None,
             "price_unit": "USD", "api_version": "2010-04-01",
             "subresource_uris": {"media": path + "/Media.json", "feedback": path + "/Feedback.json"}}
        self.messages[sid] = m
        return m

    def create(self, form):
        if not form.get("To"):
            raise Refuse(400, 21604, "A 'To' phone number is required.")
        if not re.fullmatch(r"\+[1-9]\d{6,14}", form["To"]):
            raise Refuse(400, 21211, f"Invalid 'To' Phone Number: {form['To']}")
        if not form.get("From") and not form.get("MessagingServiceSid"):
            raise Refuse(400, 21603, "A 'From' phone number is required.")
        if not form.get("Body") and not form.get("MediaUrl"):
            raise Refuse(400, 21602, "Message body is required.")
        media = form.get("MediaUrl", [])
        if len(media) > 10:
            raise Refuse(400, 21623, "Number of media files exceeds allowed limit")
        if not all(re.match(r"https?://[^/?#]", url) for url in media):
            raise Refuse(400, 21620, "Invalid media URL(s)")
        if len(form.get("Body", "")) > 1600:
            raise Refuse(400, 21617, "The concatenated message body exceeds the 1600 character limit")
        if not 1 <= int(form.get("ValidityPeriod", 36000)) <= 36000:
            raise Refuse(400, 21617, "ValidityPeriod is out of range")
        m = self._make(form, "outbound-api", self.first_status(form))
        m["num_media"] = str(len(media)) if self.counts_media else "0"
        return m

    def list(self, query, path):
        rows = self.order([m for m in reversed(self.messages.values())
                           if query.get("To", m["to"]) == m["to"] and query.get("From", m["from"]) == m["from"]
                           and self._by_date(m, query)])
        size = min(int(query.get("PageSize", PAGE_SIZE)), self.page_max)
        start = 0
        if "PageToken" in query:
            sids = [m["sid"] for m in rows]
            start = sids.index(query["PageToken"][2:]) + 1
        page = rows[start:start + size]
        number = int(query.get("Page", 0))
        base = {k: v for k, v in query.items() if k not in ("Page", "PageToken")} | {"PageSize": size}

        def uri(page, token=None):
            return path + "?" + urllib.parse.urlencode(base | {"Page": page} | ({"PageToken": token} if token else {}))
        more = start + size < len(rows)
        return {"messages": self.spoil(page), "page": number, "page_size": size, "start": start, "end": start + len(page) - 1,
                "uri": uri(number), "first_page_uri": uri(0), "previous_page_uri": None,
                "next_page_uri": uri(number + 1, "PA" + page[-1]["sid"]) if more else None}

    @staticmethod
    def _by_date(m, query):
        for key, keeps in (("DateSent", "=="), ("DateSent<", "<="), ("DateSent>", ">=")):
            if key in query:
                if not m["date_sent"]:
                    return False
                day = email.utils.parsedate_to_datetime(m["date_sent"]).date().isoformat()
                asked = query[key][:10]
                if not {"==": day == asked, "<=": day <= asked, ">=": day >= asked}[keeps]:
                    return False
        return True

    def stored(self, request):
        """What lies elsewhere, where the login is nobody's business."""
        assert not request.login, "the login was shown to another place"
        for parts in self.media.values():
            for name, kind, content in parts:
                if request.path == "/elsewhere/" + name:
                    return 200, (kind, content)
        raise Refuse(403, 0, "no such thing here")

    def act(self, request):
        """(status, answer). Called with the lock held."""
        rest = request.path[len(PATH):]
        account, _, what = rest.partition("/")
        if account != self.account:
            raise Refuse(401, 20003, "Authenticate")
        if what == "Messages.json":
            if request.method == "POST":
                return 201, self._checked(self.create(request.form))
            answer = self.list(request.query, request.path)
            for m in answer["messages"]:
                self._checked(m)
            return 200, answer
        found = re.fullmatch(r"Messages/((?:SM|MM)[0-9a-f]{32})(/Media)?(?:/(ME[0-9a-f]{32}))?(\.json)?", what)
        if not found or found[1] not in self.messages:
            raise Refuse(404, 20404, f"The requested resource {request.path} was not found")
        return self._one(request, *found.groups())

    def _one(self, request, sid, media, part, dotted):
        if media and part:
            for name, kind, content in self.media.get(sid, ()):
                if name == part and self.elsewhere:
                    raise Refuse(307, 0, "elsewhere", {"Location": f"{self.url}/elsewhere/{name}"})
                if name == part:
                    return 200, (kind, content)
            raise Refuse(404, 20404, "no such media")
        if media:
            rows = [{"sid": name, "account_sid": self.account, "parent_sid": sid, "content_type": kind,
                     "date_created": self.messages[sid]["date_created"],
                     "date_updated": self.messages[sid]["date_created"],
                     "uri": f"{PATH}{self.account}/Messages/{sid}/Media/{name}.json"}
                    for name, kind, content in self.media.get(sid, ())]
            for row in rows:
                if self.schema:
                    self.schema.check(row, "api.v2010.account.message.media")
            return 200, {"media_list": rows, "next_page_uri": None, "page": 0, "page_size": 50}
        if request.method == "DELETE":
            del self.messages[sid]
            self.media.pop(sid, None)
            return 204, None
        m = self.messages[sid]
        if request.method == "POST" and request.form.get("Status") == "canceled":
            if m["status"] != "scheduled":
                raise Refuse(400, 30409, "Message is not in a cancelable state.")
            m["status"] = "canceled"
        elif request.method == "POST" and request.form.get("Body") == "":
            m["body"] = ""
        return 200, self._checked(m)

    def _checked(self, m):
        if self.schema:
            self.schema.check(m, "api.v2010.account.message")
        return m


class _Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    open = 0  # connections

    def process_request(self, request, client_address):
        with self.fake.changed:
            self.open += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.fake.changed:
            self.open -= 1
            self.fake.changed.notify_all()

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # daemons are killed, that is no fault
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    twilio = None

    def log_message(self, *what):
        pass

    def _answer(self, status, answer, headers=None):
        kind, body = "application/json", b""
        if isinstance(answer, tuple):
            kind, body = answer
        elif answer is not None:
            body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        return email.utils.format_datetime(self.twilio.now(), usegmt=True)

    def _authorised(self):
        given = self.headers.get("Authorization", "")
        wanted = base64.b64encode(f"{self.twilio.user}:{self.twilio.token}".encode()).decode()
        if given != "Basic " + wanted:
            raise Refuse(401, 20003, "Authenticate")

    def _act(self, request, fault):
        if isinstance(fault, Refuse):
            raise fault
        if request.path.startswith("/elsewhere/"):
            return self.twilio.stored(request)
        self._authorised()
        return self.twilio.act(request)

    def _serve(self):
        fake = self.twilio
        url = urllib.parse.urlsplit(self.path)
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        fields = urllib.parse.parse_qs(form, keep_blank_values=True, strict_parsing=bool(form))
        request = Request(self.command, urllib.parse.unquote(url.path), dict(urllib.parse.parse_qsl(url.query)),
                          {k: v if k == "MediaUrl" else v[-1] for k, v in fields.items()}, len(fake.calls),
                          self.headers.get("Authorization"))
        with fake.changed:
            fake.calls.append(request)
            fault = fake.fault(request)
        if callable(fault) and not isinstance(fault, Refuse):
            fault = fault()  # may wait: outside of the lock
        try:
            with fake.changed:
                if fault == DROP:
                    self.close_connection = True
                    return
                status, answer = self._act(request, fault)
                answer = json.loads(json.dumps(answer)) if isinstance(answer, dict) else answer
        except Refuse as e:
            status, headers = e.status, e.headers
            self._answer(status, {"code": e.code, "message": e.message, "status": status,
                                  "more_info": f"https://www.twilio.com/docs/errors/{e.code}"}, headers)
            return
        except AssertionError as e:
            fake.problems.append(str(e))
            raise
        finally:
            with fake.changed:
                fake.changed.notify_all()
        if fault == LOSE:
            self.close_connection = True
        elif fault == GARBLE:
            self._answer(status, ("text/html", b"<html>gateway"))
        else:
            self._answer(status, answer)
        with fake.changed:
            request.answered = True
            fake.changed.notify_all()

    do_GET = do_POST = do_DELETE = _serve
