"""Smoothing by neighbours that agree, ported from Octave."""

import numpy as np


def steady(signal, radius, tolerance):
    signal = np.asarray(signal, float)
    mad = np.median(np.abs(signal - np.median(signal))) / 0.6745
    result = np.empty_like(signal)
    for i, value in enumerate(signal):
        window = np.arange(max(0, i - radius), min(len(signal), i + radius + 1))
        distance = np.abs(signal[window] - value) / (tolerance * mad + 1e-9)
        near = distance < 2.25
        kernel = (1 - (distance[near] / 2.25) ** 2) ** 2
        kernel *= np.exp(-0.5 * ((window[near] - i) / (0.4 * radius)) ** 2)
        mean = np.sum(kernel * signal[window][near]) / np.sum(kernel)
        result[i] = 0.08 * value + 0.92 * mean
    return result
