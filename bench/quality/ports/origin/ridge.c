/* How much each cell of a terrain is a ridge: falls on both sides of the best of four directions. */
void ridge_score(const float *z, int rows, int cols, float step, float *out)
{
    static const int dr[4] = {0, 1, 1, 1}, dc[4] = {1, 0, 1, -1};
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++) {
            float best = 0.0f;
            for (int d = 0; d < 4; d++) {
                int r1 = r + dr[d], c1 = c + dc[d], r2 = r - dr[d], c2 = c - dc[d];
                if (r1 < 0 || r2 < 0 || r1 >= rows || r2 >= rows)
                    continue;
                if (c1 < 0 || c2 < 0 || c1 >= cols || c2 >= cols)
                    continue;
                float reach = step * (d < 2 ? 1.0f : 1.41421356f);
                float left = (z[r * cols + c] - z[r1 * cols + c1]) / reach;
                float right = (z[r * cols + c] - z[r2 * cols + c2]) / reach;
                float lower = left < right ? left : right;
                float score = lower > 0 ? 0.75f * lower + 0.25f * (left + right) / 2 : 0.0f;
                if (score > best)
                    best = score;
            }
            out[r * cols + c] = best;
        }
    }
}
