# SPDX-License-Identifier: GPL-3.0-or-later
function kalman_smooth(observed, drift, noise; inflation = 1.0375)
    count = length(observed)
    estimate, variance = zeros(count), zeros(count)
    state, spread = observed[1], 4.0 * noise
    for k in 1:count
        spread = inflation * spread + drift
        gain = spread / (spread + noise)
        state += gain * (observed[k] - state)
        spread *= 1.0 - gain
        estimate[k], variance[k] = state, spread
    end
    for k in count-1:-1:1
        back = variance[k] / (inflation * variance[k] + drift)
        estimate[k] += back * (estimate[k+1] - estimate[k])
    end
    return estimate, variance
end
