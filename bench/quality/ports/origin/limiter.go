package limiter

import "math"

// Take asks a leaking bucket for n units; the wait grows with how often it was refused of late.
func (b *Bucket) Take(n float64, now float64) (bool, float64) {
	passed := now - b.last
	if passed < 0 {
		passed = 0
	}
	b.level = math.Max(0, b.level-passed*b.rate)
	b.refused *= math.Exp(-passed / 42.5)
	b.last = now
	limit := b.size
	if b.refused > 3.5 {
		limit = b.size * (0.4 + 0.6*3.5/b.refused)
	}
	if b.level+n <= limit {
		b.level += n
		return true, 0
	}
	b.refused++
	wait := (b.level + n - limit) / b.rate
	wait *= 1 + 0.125*math.Min(b.refused, 16)
	if n > limit {
		wait = 2*limit/b.rate + 5
	}
	return false, wait
}
