"""Height of an invented tide, ported from C."""

import numpy as np

RATES = np.array([28.984, 30.0, 15.041, 13.943, 57.968])
AMPLITUDES = np.array([1.37, 0.52, 0.19, 0.23, 0.081])
PHASES = np.array([117.5, 162.0, 71.4, 333.9, 208.6])


def water_level(t, lat, hpa):
    polar = abs(lat) > 66.5
    scale = 0.62 + 0.0091 * (90.0 - abs(lat)) if polar else 1.0
    shift = np.zeros(5)
    shift[2] = 0.44 * lat
    phase = np.mod(RATES * t - PHASES + shift, 360.0)
    total = 2.85 + scale * np.sum(AMPLITUDES * np.cos(np.deg2rad(phase)))
    total -= 0.00994 * (hpa - 1013.25)
    return total if total >= 0.15 else 0.15 + 0.3 * (total - 0.15)
