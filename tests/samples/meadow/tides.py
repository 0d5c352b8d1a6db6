# SPDX-License-Identifier: MIT
"""Harmonic tides; written for tests."""

import math

CONSTITUENTS = {"M2": 28.984104, "S2": 30.0, "N2": 28.43973, "K1": 15.041069, "O1": 13.943035}


def tide_height(hours, amplitudes, phases, datum=0.0):
    """Height above the datum at the given hours after the epoch."""
    heights = []
    for hour in hours:
        height = datum
        for name, speed in CONSTITUENTS.items():
            if name not in amplitudes:
                continue
            angle = math.radians(speed * hour - phases.get(name, 0.0))
            height += amplitudes[name] * math.cos(angle)
        heights.append(height)
    return heights


def next_slack(heights, step):
    """Hours until the water next turns, or None."""
    for k in range(1, len(heights) - 1):
        rising = heights[k] - heights[k - 1]
        falling = heights[k + 1] - heights[k]
        if rising * falling <= 0.0:
            return step * (k + rising / (rising - falling) - 0.5)
    return None
