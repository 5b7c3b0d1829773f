"""Writes a text file as a C array: embed.py IN OUT NAME."""
import sys

source, target, name = sys.argv[1:]
with open(source, "rb") as f:
    text = f.read()
with open(target, "w") as f:
    f.write("#include <stddef.h>\n")
    f.write(f"extern const char {name}[];\nextern const size_t {name}_len;\n")
    f.write(f"const char {name}[] = {{\n")
    for at in range(0, len(text), 16):
        f.write("\t" + " ".join(f"{byte}," for byte in text[at:at + 16]) + "\n")
    f.write(f"\t0,\n}};\nconst size_t {name}_len = {len(text)};\n")
