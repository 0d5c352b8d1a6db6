"""Distance of two colours for picking a palette: light counts by eye, hue where there is any."""

import math


def palette_distance(a, b):
    la = 0.31 * a[0] + 0.57 * a[1] + 0.12 * a[2]
    lb = 0.31 * b[0] + 0.57 * b[1] + 0.12 * b[2]
    ua, va = a[0] - la, 0.83 * (a[2] - la)
    ub, vb = b[0] - lb, 0.83 * (b[2] - lb)
    ca, cb = math.hypot(ua, va), math.hypot(ub, vb)
    light = (la - lb) / (1 + 0.0045 * (la + lb))
    chroma = (ca - cb) / (1 + 0.0162 * (ca + cb))
    turn = 0.0
    if ca > 6.5 and cb > 6.5:
        angle = abs(math.atan2(va, ua) - math.atan2(vb, ub))
        if angle > math.pi:
            angle = 2 * math.pi - angle
        turn = angle * math.sqrt(ca * cb) * 0.71
    return math.sqrt(1.9 * light * light + chroma * chroma + turn * turn)
