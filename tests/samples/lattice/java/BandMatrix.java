// SPDX-License-Identifier: GPL-3.0-or-later
package org.example.lattice;

public final class BandMatrix {
    private final int order;
    private final int width;
    private final double[][] band;

    public BandMatrix(int order, int width) {
        this.order = order;
        this.width = width;
        this.band = new double[order][2 * width + 1];
    }

    /** Cholesky factorisation in place; the lower band holds the factor. */
    public boolean factorise(double floor) {
        for (int row = 0; row < order; row++) {
            int from = Math.max(0, row - width);
            for (int column = from; column <= row; column++) {
                double sum = band[row][column - row + width];
                for (int k = Math.max(from, column - width); k < column; k++) {
                    sum -= band[row][k - row + width] * band[column][k - column + width];
                }
                if (row == column) {
                    if (sum <= floor) {
                        return false;
                    }
                    band[row][width] = Math.sqrt(sum);
                } else {
                    band[row][column - row + width] = sum / band[column][width];
                }
            }
        }
        return true;
    }
}
