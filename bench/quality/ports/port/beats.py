"""Tempo from the times of onsets, ported from JavaScript."""

import numpy as np


def beats_per_minute(times, decay=0.94, bins=120):
    histogram = np.zeros(bins)
    for k, now in enumerate(times):
        if k == 0:
            continue
        histogram *= decay
        for back in range(1, min(7, k) + 1):
            interval = now - times[k - back]
            while interval > 1.05:
                interval /= 2
            while interval < 0.3:
                interval *= 2
            index = int((interval - 0.3) * bins / 0.75)
            if not 0 <= index < bins:
                continue
            histogram[index] += 1.6 / back
            for side in (index - 1, index + 1):
                if 0 <= side < bins:
                    histogram[side] += 0.55 / back
    centre = 0.3 + (np.argmax(histogram) + 0.5) * 0.75 / bins
    return 60 / centre
