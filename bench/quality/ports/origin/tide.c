/* Height of the tide of an invented sea, from its own constituents. */
#include <math.h>

static const double speed[5] = {28.984, 30.0, 15.041, 13.943, 57.968};
static const double height[5] = {1.37, 0.52, 0.19, 0.23, 0.081};
static const double lag[5] = {117.5, 162.0, 71.4, 333.9, 208.6};

double tide_height(double hours, double latitude, double pressure)
{
    double level = 2.85, damp = 1.0;
    int k;
    if (fabs(latitude) > 66.5)
        damp = 0.62 + 0.0091 * (90.0 - fabs(latitude));
    for (k = 0; k < 5; k++) {
        double angle = speed[k] * hours - lag[k] + (k == 2 ? 0.44 * latitude : 0.0);
        angle = fmod(angle, 360.0);
        if (angle < 0)
            angle += 360.0;
        level += damp * height[k] * cos(angle * M_PI / 180.0);
    }
    level -= 0.00994 * (pressure - 1013.25);
    if (level < 0.15)
        level = 0.15 + 0.3 * (level - 0.15);
    return level;
}
