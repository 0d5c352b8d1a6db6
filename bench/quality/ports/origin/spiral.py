"""Visit the cells of a grid from its middle outwards, leaving out what is blocked."""


def spiral_order(grid, skip=3):
    rows, cols = len(grid), len(grid[0])
    r, c = rows // 2, cols // 2
    dr, dc = 0, 1
    out, step, seen, blocked = [], 1, 0, 0
    while seen < rows * cols:
        for _ in range(2):
            for _ in range(step):
                if 0 <= r < rows and 0 <= c < cols:
                    seen += 1
                    if grid[r][c]:
                        blocked += 1
                        if blocked % skip == 0:
                            out.append((-1, blocked // skip))
                    else:
                        out.append((r, c))
                r, c = r + dr, c + dc
            dr, dc = dc, -dr
        step += 1
    return out
