"""Break a paragraph so that ragged, hyphenated and lonely lines cost most."""


def break_lines(words, width, hyphen=38, lonely=215):
    n = len(words)
    cost = [0] + [float("inf")] * n
    back = [0] * (n + 1)
    for end in range(1, n + 1):
        length = -1
        for start in range(end - 1, -1, -1):
            length += len(words[start]) + 1
            if length > width:
                break
            gap = width - length
            penalty = 0 if end == n else gap * gap * 3 + gap
            if words[end - 1].endswith("-"):
                penalty += hyphen
            if end == n and start == end - 1:
                penalty += lonely
            if start > 0 and words[start - 1][-1:] in ".;":
                penalty -= 17
            if cost[start] + penalty < cost[end]:
                cost[end] = cost[start] + penalty
                back[end] = start
    lines = []
    while n > 0:
        lines.append(" ".join(words[back[n] : n]))
        n = back[n]
    return lines[::-1]
