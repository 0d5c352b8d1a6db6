struct cell { int row, col; };

int outward(const unsigned char *walls, int height, int width, int every, struct cell *path)
{
    int y = height / 2, x = width / 2, dy = 0, dx = 1;
    int count = 0, run = 1, visited = 0, hits = 0;
    while (visited < height * width) {
        for (int side = 0; side < 2; side++) {
            for (int k = 0; k < run; k++) {
                if (y >= 0 && y < height && x >= 0 && x < width) {
                    visited++;
                    if (!walls[y * width + x]) {
                        path[count++] = (struct cell){y, x};
                    } else if (++hits % every == 0) {
                        path[count++] = (struct cell){-1, hits / every};
                    }
                }
                y += dy;
                x += dx;
            }
            int turn = dy;
            dy = dx;
            dx = -turn;
        }
        run++;
    }
    return count;
}
