/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include "spline.h"

/* Second derivatives of a natural cubic spline, by the tridiagonal sweep. */
int spline_moments(const double *knot, const double *value, int count, double *moment)
{
    double *sweep = malloc((size_t) count * sizeof *sweep);
    if (sweep == NULL || count < 3) {
        free(sweep);
        return SPLINE_TOO_SHORT;
    }
    moment[0] = 0.0;
    sweep[0] = 0.0;
    for (int k = 1; k < count - 1; k++) {
        double span = knot[k + 1] - knot[k - 1];
        double sigma = (knot[k] - knot[k - 1]) / span;
        double divisor = sigma * moment[k - 1] + 2.0;
        double rise = (value[k + 1] - value[k]) / (knot[k + 1] - knot[k]);
        double fall = (value[k] - value[k - 1]) / (knot[k] - knot[k - 1]);
        moment[k] = (sigma - 1.0) / divisor;
        sweep[k] = (6.0 * (rise - fall) / span - sigma * sweep[k - 1]) / divisor;
    }
    moment[count - 1] = 0.0;
    for (int k = count - 2; k >= 0; k--)
        moment[k] = moment[k] * moment[k + 1] + sweep[k];
    free(sweep);
    return SPLINE_OK;
}

double spline_at(const double *knot, const double *value, const double *moment, int count, double x)
{
    int low = 0, high = count - 1;
    while (high - low > 1) {
        int middle = (low + high) >> 1;
        if (knot[middle] > x)
            high = middle;
        else
            low = middle;
    }
    double width = knot[high] - knot[low];
    double left = (knot[high] - x) / width;
    double right = (x - knot[low]) / width;
    return left * value[low] + right * value[high]
        + ((left * left * left - left) * moment[low] + (right * right * right - right) * moment[high])
        * (width * width) / 6.0;
}
