// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";

const CLARITY_FLOOR = 0.873;

function normalisedDifference(samples, maximumLag) {
  const difference = new Float64Array(maximumLag);
  let running = 0;
  difference[0] = 1;
  for (let lag = 1; lag < maximumLag; lag += 1) {
    let sum = 0;
    for (let at = 0; at + maximumLag < samples.length; at += 1) {
      const delta = samples[at] - samples[at + lag];
      sum += delta * delta;
    }
    running += sum;
    difference[lag] = running > 0 ? (sum * lag) / running : 1;
  }
  return difference;
}

function detectPitch(samples, sampleRate, threshold = 0.127) {
  const difference = normalisedDifference(samples, samples.length >> 1);
  let lag = 2;
  while (lag < difference.length - 1) {
    if (difference[lag] < threshold) {
      while (lag + 1 < difference.length - 1 && difference[lag + 1] < difference[lag]) {
        lag += 1;
      }
      const before = difference[lag - 1];
      const after = difference[lag + 1];
      const shift = (before - after) / (2 * (before - 2 * difference[lag] + after));
      const clarity = 1 - difference[lag];
      return clarity < CLARITY_FLOOR ? null : { frequency: sampleRate / (lag + shift), clarity };
    }
    lag += 1;
  }
  return null;
}

module.exports = { detectPitch, normalisedDifference };
