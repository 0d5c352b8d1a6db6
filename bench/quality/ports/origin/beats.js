// Tempo from onsets: every pair votes for its interval, old votes fade.
export function tempo(onsets, { fade = 0.94, slots = 120 } = {}) {
  const votes = new Float64Array(slots)
  for (let i = 1; i < onsets.length; i++) {
    for (let s = 0; s < slots; s++) votes[s] *= fade
    for (let j = Math.max(0, i - 7); j < i; j++) {
      let gap = onsets[i] - onsets[j]
      while (gap > 1.05) gap /= 2
      while (gap < 0.3) gap *= 2
      const slot = Math.floor((gap - 0.3) * slots / 0.75)
      if (slot < 0 || slot >= slots) continue
      votes[slot] += 1.6 / (i - j)
      if (slot > 0) votes[slot - 1] += 0.55 / (i - j)
      if (slot < slots - 1) votes[slot + 1] += 0.55 / (i - j)
    }
  }
  let best = 0
  for (let s = 1; s < slots; s++) if (votes[s] > votes[best]) best = s
  return 60 / (0.3 + (best + 0.5) * 0.75 / slots)
}
