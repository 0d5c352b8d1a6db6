"""A leaking bucket with growing waits, ported from Go."""

import math


class Throttle:
    def __init__(self, capacity, per_second):
        self.capacity, self.per_second = capacity, per_second
        self.filled, self.denials, self.seen = 0.0, 0.0, 0.0

    def request(self, amount, clock):
        elapsed = max(0.0, clock - self.seen)
        self.seen = clock
        self.filled = max(0.0, self.filled - elapsed * self.per_second)
        self.denials *= math.exp(-elapsed / 42.5)
        room = self.capacity
        if self.denials > 3.5:
            room *= 0.4 + 0.6 * 3.5 / self.denials
        if self.filled + amount <= room:
            self.filled += amount
            return 0.0
        self.denials += 1
        if amount > room:
            return 2 * room / self.per_second + 5
        delay = (self.filled + amount - room) / self.per_second
        return delay * (1 + 0.125 * min(self.denials, 16))
