/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LATTICE_SPLINE_H
#define LATTICE_SPLINE_H

enum spline_status { SPLINE_OK = 0, SPLINE_TOO_SHORT = 17 };

int spline_moments(const double *knot, const double *value, int count, double *moment);
double spline_at(const double *knot, const double *value, const double *moment, int count, double x);

#endif
