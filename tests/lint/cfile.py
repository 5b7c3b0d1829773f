"""cfile.py - what the checker needs to know of a C file: its text without comments
and strings, its functions, how long they are and how deep they nest. Decides
nothing about what is allowed."""
import re

BLANKED = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
TOKEN = re.compile(r"[A-Za-z_]\w*|[{}();:=]|[^\s\w]")
CONTROLS = {"if", "for", "while", "switch"}


def blank(text):
    """Comments and literals become blanks; lines stay where they are."""

    def blanks(match):
        whole = match.group()
        keep = whole[0] if whole[0] in "\"'" else " "
        return keep + re.sub(r"[^\n]", " ", whole[1:-1]) + keep

    return BLANKED.sub(blanks, text)


def without_directives(text):
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.M)


class Nesting:
    """Walks the statements of a function's body and keeps the deepest level."""

    def __init__(self, body):
        self.tokens = TOKEN.findall(body)
        self.at = 0
        self.deepest = 0
        while self.at < len(self.tokens):
            self.statement(0)

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self):
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def parentheses(self):
        level = 0
        while self.peek():
            level += {"(": 1, ")": -1}.get(self.take(), 0)
            if level == 0:
                return

    def block(self, depth):
        self.take()
        while self.peek() not in ("}", ""):
            self.statement(depth)
        self.take()

    def inner(self, depth):
        self.deepest = max(self.deepest, depth)
        if self.peek() == "{":
            self.block(depth)
        else:
            self.statement(depth)

    def statement(self, depth):
        word = self.peek()
        if word == "{":
            self.inner(depth + 1)
        elif word in CONTROLS:
            self.control(depth)
        elif word == "do":
            self.take()
            self.inner(depth + 1)
            self.simple(depth)
        elif word in ("case", "default"):
            while self.peek() and self.take() != ":":
                pass
        else:
            self.simple(depth)

    def control(self, depth):
        self.take()
        self.parentheses()
        self.inner(depth + 1)
        if self.peek() == "else":
            self.take()
            if self.peek() == "if":
                self.control(depth)
            else:
                self.inner(depth + 1)

    def simple(self, depth):
        """Up to its ';', over braces of values. name(...) { is a loop by macro."""
        start = self.at
        if re.match(r"\w", self.peek()) and self.tokens[start + 1 : start + 2] == ["("]:
            self.take()
            self.parentheses()
            if self.peek() == "{":
                self.inner(depth + 1)
                return
        level = 0
        while self.peek():
            token = self.take()
            level += {"(": 1, "{": 1, ")": -1, "}": -1}.get(token, 0)
            if token == ";" and level <= 0:
                return


class Function:
    def __init__(self, name, line, body):
        self.name = name
        self.line = line  # of its first line
        self.length = body.count("\n") - 2  # lines between its braces
        self.nesting = Nesting(body[1:-2]).deepest


def name_of(head):
    """The last name before a parenthesis, attributes aside; TEST(x) is x."""
    head = re.sub(r"__attribute__\s*\(\(.*?\)\)", " ", head, flags=re.S)
    match = re.search(r"(\w+)\s*\(\s*(\w*)", head)
    if not match:
        return "?"
    return match.group(2) if match.group(1).isupper() else match.group(1)


def functions(text):
    """The style puts a function's braces, and no others, alone at a line's start."""
    plain = without_directives(blank(text))
    found = []
    for match in re.finditer(r"^\{\n.*?^\}(?=\n)", plain, re.S | re.M):
        head = re.split(r"[;}]|\n[ \t]*\n", plain[: match.start()])[-1]
        start = match.start() - len(head.lstrip())
        found.append(Function(name_of(head), plain.count("\n", 0, start) + 1, match.group() + "\n"))
    return found


def includes(text):
    """(line, quoted, name) of every #include."""
    for number, line in enumerate(text.split("\n"), 1):
        match = re.match(r'\s*#\s*include\s*(?:"([^"]*)"|<([^>]*)>)', line)
        if match:
            yield number, match.group(1) is not None, match.group(1) or match.group(2)
