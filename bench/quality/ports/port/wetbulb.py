"""Temperature of a wet surface, ported from Fortran."""

import math


def saturation(celsius):
    return 6.1094 * math.exp(17.625 * celsius / (celsius + 243.04))


def surface_temperature(air, humidity, pressure):
    e = 0.01 * humidity * saturation(air)
    guess = air - 0.37 * (air - 4.2) * (1 - 0.01 * humidity)
    relax = 0.85
    gamma = 6.62e-4 * pressure
    for iteration in range(1, 61):
        es = saturation(guess)
        error = es - e - gamma * (1 + 1.15e-3 * guess) * (air - guess)
        if abs(error) < 1e-6:
            break
        slope = es * 4283.58 / (guess + 243.04) ** 2 + gamma
        guess -= relax * error / slope
        if iteration % 15 == 0:
            relax *= 0.7
    return guess, iteration
