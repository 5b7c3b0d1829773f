#!/usr/bin/env python3
"""check.py ROOT - reads every source below ROOT against the house style: who may
include whom (rooms.txt), sizes (sizes.txt), guards and opening comments, the
form of clang-format, and words and paths that have no place here. Prints each
offence as file:line: text, and exits 1 when there is any."""
import os
import re
import shutil
import statistics
import subprocess
import sys

import cfile

LIMITS = {"function": 60, "nesting": 3, ".c": 500, ".h": 120, "test": 800, "median": 20}
TEXTS = (".c", ".h", ".py", ".sh", ".build", ".md", ".txt", ".conf", ".service", ".scd", ".varlink", ".go", ".in")
NOT_OURS = re.compile(r"^(\..*|build.*|__pycache__|subprojects)$")
NOTES = re.compile(r"\b(TO[D]O|FIX[M]E|X[X]X)\b")
OUR_MACHINE = re.compile(r"/wor[k]/|/roo[t]/")
ANY_TMP = re.compile(r"/tm[p]/")
SLEEPS = re.compile(r"sle[e]p\s*\(")


class Tree:
    """The files below root, and the offences found in them."""

    def __init__(self, root):
        self.root = root
        self.offences = []
        self.texts = dict(self.read_files())
        self.sources = {p: t for p, t in self.texts.items() if p.endswith((".c", ".h"))}

    def read_files(self):
        for folder, names, files in os.walk(self.root):
            here = os.path.relpath(folder, self.root)
            names[:] = sorted(n for n in names if not NOT_OURS.match(n) and (here, n) != ("tests", "cases"))
            for name in sorted(files):
                path = os.path.normpath(os.path.join(here, name))
                full = os.path.join(folder, name)
                if os.path.islink(full) or not (name.endswith(TEXTS) or os.access(full, os.X_OK)):
                    continue
                with open(full, encoding="utf-8", errors="replace") as file:
                    yield path, file.read()

    def offend(self, path, line, text):
        self.offences.append(f"{path}:{line}: {text}")

    def read_list(self, name):
        """(line number, text) of a file of ours, comments and blank lines left out."""
        path = f"tests/lint/{name}"
        for number, line in enumerate(self.texts.get(path, "").split("\n"), 1):
            line = line.split("#")[0].strip()
            if line:
                yield number, line


def is_test(path):
    return path.startswith("tests/")


def room_of(path):
    parts = path.split("/")
    if parts[0] == "daemon":
        return parts[1] if len(parts) > 2 else "daemon"
    return parts[0]


# Rooms


def read_law(tree):
    """The lines "room: ...", "library NAME: ..." and "written NAME: ..."."""
    law = {"room": {}, "library": {}, "written": {}}
    for number, line in tree.read_list("rooms.txt"):
        name, _, allowed = line.partition(":")
        kind, _, rest = name.partition(" ")
        law[kind if rest else "room"][rest or name] = set(allowed.split())
    for number, line in tree.read_list("rooms.txt"):
        for room in set(line.partition(":")[2].split()) - set(law["room"]):
            tree.offend("tests/lint/rooms.txt", number, f"no room is called '{room}'")
    return law


def find_included(tree, path, name):
    """The file that the compiler would take, as a path in the tree."""
    for folder in (os.path.dirname(path), "", "common", "daemon"):
        candidate = os.path.normpath(os.path.join(folder, name))
        if candidate in tree.sources:
            return candidate
    return None


def check_include(tree, law, path, line, name):
    rooms = law["room"]
    target = find_included(tree, path, name)
    if room_of(path) in law["written"].get(name, ()):
        return
    if target is None:
        tree.offend(path, line, f'"{name}" is not in the tree')
        return
    room, of = room_of(path), room_of(target)
    if target.endswith(".c"):
        tree.offend(path, line, f'"{name}": only headers are included')
    if is_test(path):
        return
    if room not in rooms:
        tree.offend(path, line, f"tests/lint/rooms.txt knows no room '{room}'")
    elif of != room and of not in rooms[room]:
        tree.offend(path, line, f"'{room}' may not include '{of}' (\"{name}\")")
    if path.startswith("daemon/") and "/" not in name and of not in ("common", "daemon"):
        tree.offend(path, line, f'write "{of}/{name}"')


def check_library(tree, law, path, line, name):
    for library, allowed in law["library"].items():
        if name.startswith(library) and not is_test(path) and room_of(path) not in allowed:
            tree.offend(path, line, f"'{room_of(path)}' may not know <{name}>")


def check_own_header(tree, path, found):
    own = path[:-2] + ".h"
    if not path.endswith(".c") or own not in tree.sources:
        return
    first = next(((line, find_included(tree, path, name)) for line, quoted, name in found), (1, None))
    if first[1] != own:
        tree.offend(path, first[0], f"its own header {own} comes first")


def check_rooms(tree):
    law = read_law(tree)
    for path, text in tree.sources.items():
        found = list(cfile.includes(text))
        check_own_header(tree, path, found)
        for line, quoted, name in found:
            if quoted:
                check_include(tree, law, path, line, name)
            else:
                check_library(tree, law, path, line, name)


# Sizes


def measure(tree):
    """(what, line, number, limit) of everything that has a limit."""
    lengths = []
    for path, text in tree.sources.items():
        limit = LIMITS["test"] if is_test(path) and path.endswith(".c") else LIMITS[path[-2:]]
        yield f"{path} lines", 1, text.count("\n"), limit
        for function in cfile.functions(text) if not is_test(path) else ():
            lengths.append(function.length)
            yield f"{path}:{function.name} length", function.line, function.length, LIMITS["function"]
            yield f"{path}:{function.name} nesting", function.line, function.nesting, LIMITS["nesting"]
    if len(lengths) > 20 and statistics.median(lengths) >= LIMITS["median"]:
        tree.offend("tests/lint/check.py", 1, f"half of the functions must be under {LIMITS['median']} lines")


def check_sizes(tree):
    excepted = {}
    for number, line in tree.read_list("sizes.txt"):
        what, _, allowed = line.rpartition(" ")
        excepted[what] = (number, int(allowed))
    for what, line, size, limit in measure(tree):
        path = re.split("[: ]", what)[0]
        number, allowed = excepted.pop(what, (0, limit))
        if size > allowed:
            tree.offend(path, line, f"{what}: {size}, at most {allowed}")
        elif number and size < allowed:
            good = f"lower it to {size}" if size > limit else "take it out"
            tree.offend("tests/lint/sizes.txt", number, f"{what} is {size} now: {good}")
    for what, (number, _) in excepted.items():
        tree.offend("tests/lint/sizes.txt", number, f"nothing is called '{what}'")


# Openings, words, form


def guard_of(path):
    parts = path.removeprefix("daemon/").split("/")
    if is_test(path):
        parts = ["tests", parts[-1]]
    return "NUNCIO_" + re.sub(r"\W", "_", "_".join(parts)).upper()


def check_openings(tree):
    for path, text in tree.sources.items():
        if not text.startswith("/*"):
            tree.offend(path, 1, "a file begins with a comment: what it decides, what it leaves to others")
        guard = guard_of(path)
        if path.endswith(".h") and not re.search(rf"^#ifndef {guard}\n#define {guard}\n", text, re.M):
            tree.offend(path, 1, f"has no guard {guard}")


def check_words(tree):
    for path, text in tree.texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            if NOTES.search(line):
                tree.offend(path, number, f"'{NOTES.search(line).group()}' is not for a finished tree")
            examples = path.startswith(("tests/", "conf/", "doc/"))
            if OUR_MACHINE.search(line) or (ANY_TMP.search(line) and not examples):
                tree.offend(path, number, "a path of one machine")
            if is_test(path) and SLEEPS.search(line):
                tree.offend(path, number, "a test never sleeps")


def check_form(tree):
    program = shutil.which("clang-format")
    if not program:
        print("clang-format is not installed: the form is not checked", file=sys.stderr)
        return
    paths = sorted(tree.sources)
    for start in range(0, len(paths), 40):
        result = subprocess.run(
            [program, "--dry-run", "-Werror", "--ferror-limit=1", *paths[start : start + 40]],
            cwd=tree.root, capture_output=True, text=True, check=False,
        )
        for match in re.finditer(r"^([^\s:]+):(\d+):\d+: error: ", result.stderr, re.M):
            tree.offend(match.group(1), match.group(2), "not as clang-format would write it")


def check(root):
    tree = Tree(root)
    for rule in (check_rooms, check_sizes, check_openings, check_words, check_form):
        rule(tree)
    return tree.offences


if __name__ == "__main__":
    found = check(sys.argv[1])
    print(*found, sep="\n")
    sys.exit(1 if found else 0)
