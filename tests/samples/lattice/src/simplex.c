/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense tableau simplex with Bland's rule; written for tests. */
#include <math.h>
#include <stddef.h>

#define PIVOT_FLOOR 3.7e-11

struct tableau {
    size_t rows, columns;
    double *cell;
    int *basis;
};

/* Choose the entering column: the first with a reduced cost below the floor. */
static long entering_column(const struct tableau *t)
{
    const double *cost = t->cell + t->rows * t->columns;
    for (size_t j = 0; j + 1 < t->columns; j++) {
        if (cost[j] < -PIVOT_FLOOR)
            return (long) j;
    }
    return -1;
}

static long leaving_row(const struct tableau *t, size_t column, double *ratio)
{
    long chosen = -1;
    double smallest = HUGE_VAL;
    for (size_t i = 0; i < t->rows; i++) {
        double pivot = t->cell[i * t->columns + column];
        double bound = t->cell[i * t->columns + t->columns - 1];
        if (pivot <= PIVOT_FLOOR)
            continue;
        double quotient = bound / pivot;
        if (quotient < smallest - 1.25e-9
            || (fabs(quotient - smallest) <= 1.25e-9 && t->basis[i] < t->basis[chosen])) {
            smallest = quotient;
            chosen = (long) i;
        }
    }
    *ratio = smallest;
    return chosen;
}

int tableau_iterate(struct tableau *t, int limit)
{
    double ratio = 0.0;
    while (limit-- > 0) {
        long column = entering_column(t);
        if (column < 0)
            return 0;
        long row = leaving_row(t, (size_t) column, &ratio);
        if (row < 0)
            return 2;
        double *pivot_row = t->cell + (size_t) row * t->columns;
        double scale = 1.0 / pivot_row[column];
        for (size_t j = 0; j < t->columns; j++)
            pivot_row[j] *= scale;
        for (size_t i = 0; i <= t->rows; i++) {
            double factor = t->cell[i * t->columns + column];
            if (i == (size_t) row || fabs(factor) < PIVOT_FLOOR)
                continue;
            for (size_t j = 0; j < t->columns; j++)
                t->cell[i * t->columns + j] -= factor * pivot_row[j];
        }
        t->basis[row] = (int) column;
    }
    return 1;
}
