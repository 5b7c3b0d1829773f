"""plot.py - the results as a picture: how many times Postfix's figure each is, on a
logarithmic scale, with a mark where the goal is."""
import html
import math

WIDTH, ROW, LEFT, TOP, RIGHT = 900, 26, 380, 40, 90
LEAST, MOST = 0.5, 64


def across(ratio):
    part = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def text(x, y, words, anchor="start", color="#222"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}">{html.escape(words)}</text>'


def grid(bottom):
    ratio = LEAST
    while ratio <= MOST:
        x = across(ratio)
        color = "#888" if ratio == 1 else "#ddd"
        yield f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{bottom}" stroke="{color}"/>'
        yield text(x, TOP - 14, f"{ratio:g}×", "middle", "#666")
        ratio *= 2


def bar(result, y):
    ratio = result.ratio()
    x, one = across(ratio), across(1)
    color = "#2a7f62" if ratio >= 1 else "#b5523b"
    yield text(LEFT - 10, y + 15, result.name, "end")
    yield (f'<rect x="{min(x, one):.1f}" y="{y + 4}" width="{max(abs(x - one), 1):.1f}" height="{ROW - 9}" '
           f'fill="{color}"/>')
    if isinstance(result.goal, (int, float)):
        goal = across(result.goal)
        yield (f'<line x1="{goal:.1f}" y1="{y + 1}" x2="{goal:.1f}" y2="{y + ROW - 2}" stroke="#d08700" '
               'stroke-width="3"/>')
    yield text(max(x, one) + 6, y + 15, f"{ratio:.1f}×")


def svg(results):
    shown = [r for r in results if r.ratio()]
    bottom = TOP + ROW * len(shown)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 34}" '
             'font-family="sans-serif" font-size="12">', '<rect width="100%" height="100%" fill="white"/>',
             *grid(bottom)]
    for i, result in enumerate(shown):
        lines += bar(result, TOP + ROW * i)
    lines.append(text(LEFT, bottom + 22, "times the other side\'s figure in the same run; the mark is the goal",
                      color="#666"))
    return "\n".join([*lines, "</svg>", ""])
