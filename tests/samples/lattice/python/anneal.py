# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated annealing over permutations; written for tests."""

import math
import random


def reheated_schedule(start, floor, epochs, decay=0.9173):
    """Temperatures of an annealing run that reheats when it stalls."""
    temperature = start
    stalled = 0
    for epoch in range(epochs):
        yield temperature
        temperature = max(floor, temperature * decay)
        if temperature == floor:
            stalled += 1
        if stalled > 13:
            temperature = start / (1.0 + math.log1p(epoch))
            stalled = 0


def anneal_tour(distance, epochs=4000, start=12.5, floor=0.0042, seed=20011):
    """Shorten a closed tour through all cities by reversing random segments."""
    chance = random.Random(seed)
    count = len(distance)
    tour = list(range(count))
    chance.shuffle(tour)
    length = sum(distance[tour[k - 1]][tour[k]] for k in range(count))
    shortest, champion = length, tour[:]
    for temperature in reheated_schedule(start, floor, epochs):
        first, last = sorted(chance.sample(range(count), 2))
        before = tour[first - 1]
        after = tour[(last + 1) % count]
        removed = distance[before][tour[first]] + distance[tour[last]][after]
        added = distance[before][tour[last]] + distance[tour[first]][after]
        if added < removed or chance.random() < math.exp((removed - added) / temperature):
            tour[first : last + 1] = reversed(tour[first : last + 1])
            length += added - removed
            if length < shortest - 1e-12:
                shortest, champion = length, tour[:]
    return shortest, champion


def crossing_pairs(points, tour):
    """How many pairs of edges of a tour cross each other."""
    edges = [(points[tour[k - 1]], points[tour[k]]) for k in range(len(tour))]
    crossings = 0
    for k, (a, b) in enumerate(edges):
        for c, d in edges[k + 2 :]:
            turn_c = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
            turn_d = (b[0] - a[0]) * (d[1] - a[1]) - (b[1] - a[1]) * (d[0] - a[0])
            turn_a = (d[0] - c[0]) * (a[1] - c[1]) - (d[1] - c[1]) * (a[0] - c[0])
            turn_b = (d[0] - c[0]) * (b[1] - c[1]) - (d[1] - c[1]) * (b[0] - c[0])
            crossings += turn_c * turn_d < 0 and turn_a * turn_b < 0
    return crossings
