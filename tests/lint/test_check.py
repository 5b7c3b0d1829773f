#!/usr/bin/env python3
"""The checker checked: a good tree has no offence; with one bad file more, a tree
has exactly the offence that is meant."""
import contextlib
import io
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
import check

HERE = os.path.dirname(os.path.abspath(__file__))
GUARDED = "/* A door. */\n#ifndef {0}\n#define {0}\n{1}#endif\n"
BODY = "/* A file. */\n{0}\nint f(int x)\n{{\n{1}\treturn x;\n}}\n"
GOOD = {
    "tests/lint/rooms.txt": "common:\nbase: common\nnet: common base\ndaemon: common base net\n"
    "library event2/: base\nwritten made.h: daemon\n",
    "common/buf.h": GUARDED.format("NUNCIO_COMMON_BUF_H", ""),
    "common/log.h": GUARDED.format("NUNCIO_COMMON_LOG_H", ""),
    "common/buf.c": BODY.format('#include "buf.h"\n', ""),
    "daemon/base/loop.h": GUARDED.format("NUNCIO_BASE_LOOP_H", '#include "buf.h"\n'),
    "daemon/base/loop.c": BODY.format('#include "base/loop.h"\n\n#include <event2/event.h>\n', ""),
    "daemon/net/line.c": BODY.format('#include "base/loop.h"\n#include "buf.h"\n', ""),
    "daemon/main.c": BODY.format('#include "base/loop.h"\n#include "made.h"\n', ""),
    "tests/unit/test_buf.c": BODY.format('#include "buf.h"\n#include "base/loop.h"\n', "\tx++;\n" * 600),
}
DEEP = "\twhile (x)\n\t\tif (x)\n\t\t\tfor (;;)\n\t\t\t\tif (x)\n\t\t\t\t\tx++;\n"
ELSE = "\tif (x)\n\t\tx++;\n" + "\telse if (x == 1)\n\t\tx--;\n" * 5
EACH = "\teach(x)\n\t{\n\t\tdo {\n\t\t\tif (x) {\n\t\t\t\tx++;\n\t\t\t}\n\t\t} while (x);\n\t}\n"
VALUES = "\tstruct p p = {.a = {{1}}, .b = {(char[]){'{', '}', '\"'}}}; /* { */\n"

# what is written besides the good tree, and what must come of it (None: nothing)
CASES = [
    ("common/a.c", BODY.format("", ELSE), None),
    ("common/a.c", BODY.format("", EACH), None),
    ("common/a.c", BODY.format("", "\tx++;\n" * 59), None),
    ("common/a.c", BODY.format('#include "base/loop.h"\n', ""), "common/a.c:2: 'common' may not include 'base'"),
    ("daemon/base/a.c", BODY.format('#include "tests/unit/t.h"\n', ""), "daemon/base/a.c:2: \"tests/unit/t.h\" is not in"),
    ("daemon/base/a.c", BODY.format('#include "loop.h"\n', ""), 'daemon/base/a.c:2: write "base/loop.h"'),
    ("daemon/base/a.c", BODY.format('#include "made.h"\n', ""), 'daemon/base/a.c:2: "made.h" is not in the tree'),
    ("daemon/base/a.c", BODY.format('#include "base/loop.c"\n', ""), "daemon/base/a.c:2: \"base/loop.c\": only headers"),
    ("daemon/net/a.c", BODY.format("#include <event2/event.h>\n", ""), "daemon/net/a.c:2: 'net' may not know <event2/"),
    ("daemon/new/a.c", BODY.format('#include "buf.h"\n', ""), "daemon/new/a.c:2: tests/lint/rooms.txt knows no room 'new'"),
    ("common/buf.c", BODY.format('#include "log.h"\n#include "buf.h"\n', ""), "common/buf.c:2: its own header common/buf.h"),
    ("common/a.c", BODY.format("", "\tx++;\n" * 60), "common/a.c:3: common/a.c:f length: 61, at most 60"),
    ("common/a.c", BODY.format("", DEEP), "common/a.c:3: common/a.c:f nesting: 4, at most 3"),
    ("common/a.c", BODY.format("", "\tif (x) {\n" + "\t" + EACH.replace("\n\t", "\n\t\t") + "\t}\n"), "common/a.c:f nesting: 4, at most 3"),
    ("common/a.c", BODY.format("int x;\n" * 496, ""), "common/a.c:1: common/a.c lines: 502, at most 500"),
    ("tests/unit/a.c", BODY.format("int x;\n" * 795, ""), "tests/unit/a.c lines: 801, at most 800"),
    ("common/a.h", GUARDED.format("NUNCIO_COMMON_A_H", "int f;\n" * 117), "common/a.h lines: 121, at most 120"),
    ("common/a.h", GUARDED.format("NUNCIO_A_H", ""), "common/a.h:1: has no guard NUNCIO_COMMON_A_H"),
    ("daemon/net/a.h", "/* A door. */\nint a;\n", "daemon/net/a.h:1: has no guard NUNCIO_NET_A_H"),
    ("common/a.c", "int a;\n", "common/a.c:1: a file begins with a comment"),
    ("common/a.c", "/* A file. */\nint a; /* TO" "DO */\n", "common/a.c:2: 'TO" "DO' is not for"),
    ("doc/a.md", "FIX" "ME\n", "doc/a.md:1: 'FIX" "ME' is not for"),
    ("common/a.c", '/* A file. */\nchar *a = "/tm' 'p/a";\n', "common/a.c:2: a path of one machine"),
    ("tests/a.py", '"/wor' 'k/a"\n', "tests/a.py:1: a path of one machine"),
    ("conf/a.conf", 'path = "/tm' 'p/a";\n', None),
    ("tests/a.py", "time.sle" "ep(1)\n", "tests/a.py:1: a test never sleeps"),
    ("common/a.c", "/* A file. */\nint  a;\n", "common/a.c:2: not as clang-format would write it"),
    ("tests/lint/sizes.txt", "common/gone.c lines 501\n", "tests/lint/sizes.txt:1: nothing is called 'common/gone.c lines'"),
    ("tests/lint/sizes.txt", "common/buf.c lines 600\n", "common/buf.c lines is 7 now: take it out"),
]


def check_tree(files):
    with tempfile.TemporaryDirectory() as root:
        shutil.copy(os.path.join(HERE, "..", "..", ".clang-format"), root)
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write(text)
        with contextlib.redirect_stderr(io.StringIO()):
            return check.check(root)


def failures():
    form = shutil.which("clang-format")
    yield from (f"the good tree: {offence}" for offence in check_tree(GOOD))
    for path, text, want in CASES:
        found = check_tree({**GOOD, path: text})
        if want and "clang-format" in want and not form:
            continue
        if want is None and found or want and (len(found) != 1 or want not in found[0]):
            yield f"{path}: want {want}, got {found}"
    exact = {**GOOD, "common/a.c": BODY.format("int x;\n" * 496, ""), "tests/lint/sizes.txt": "common/a.c lines 502\n"}
    yield from (f"an exception: {offence}" for offence in check_tree(exact))
    lower = {**exact, "tests/lint/sizes.txt": "common/a.c lines 600\n"}
    if not any("lower it to 502" in offence for offence in check_tree(lower)):
        yield "an exception that could fall was not seen"
    if check.cfile.functions("int f(void)\n{\n" + VALUES + DEEP + "}\n")[0].nesting != 4:
        yield "braces of values were taken for nesting"


if __name__ == "__main__":
    bad = list(failures())
    print(*bad, f"{len(CASES) + 4} cases, {len(bad)} failed", sep="\n")
    sys.exit(1 if bad else 0)
