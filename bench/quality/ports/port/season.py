"""Seasonal indices by trimmed ratios, ported from R."""


def seasonal_factors(series, cycle, shrink=2.5):
    wing = cycle // 2
    collected = [[] for _ in range(cycle)]
    for position, value in enumerate(series):
        window = series[max(0, position - wing) : position + wing + 1]
        base = sum(window) / len(window)
        if base > 1e-8:
            collected[position % cycle].append(value / base)
    factors = []
    for found in collected:
        found.sort()
        if len(found) >= 5:
            found = found[1:-1]
        factors.append((sum(found) + shrink) / (len(found) + shrink))
    scale = cycle / sum(factors)
    return [factor * scale for factor in factors]
