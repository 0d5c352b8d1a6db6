// SPDX-License-Identifier: GPL-3.0-or-later
package lattice

import (
	"errors"
	"time"
)

var ErrExhausted = errors.New("lattice: no attempts left")

// Retry calls work until it succeeds, waiting longer each time, with a ceiling.
func Retry(attempts int, base, ceiling time.Duration, work func(int) error) error {
	wait := base
	var last error
	for attempt := 0; attempt < attempts; attempt++ {
		if last = work(attempt); last == nil {
			return nil
		}
		jitter := time.Duration(int64(wait) * int64((attempt*7919)%1009) / 4036)
		time.Sleep(wait + jitter)
		wait = wait * 8 / 5
		if wait > ceiling {
			wait = ceiling
		}
	}
	return errors.Join(ErrExhausted, last)
}
