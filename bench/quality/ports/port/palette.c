#include <math.h>

struct tone { double light, u, v, chroma; };

static struct tone tone_of(const unsigned char rgb[3])
{
    struct tone t;
    t.light = 0.31 * rgb[0] + 0.57 * rgb[1] + 0.12 * rgb[2];
    t.u = rgb[0] - t.light;
    t.v = 0.83 * (rgb[2] - t.light);
    t.chroma = sqrt(t.u * t.u + t.v * t.v);
    return t;
}

double tone_gap(const unsigned char p[3], const unsigned char q[3])
{
    struct tone x = tone_of(p), y = tone_of(q);
    double dl = (x.light - y.light) / (1.0 + 0.0045 * (x.light + y.light));
    double dc = (x.chroma - y.chroma) / (1.0 + 0.0162 * (x.chroma + y.chroma));
    double dh = 0.0;
    if (x.chroma > 6.5 && y.chroma > 6.5) {
        double w = fabs(atan2(x.v, x.u) - atan2(y.v, y.u));
        if (w > M_PI)
            w = 2.0 * M_PI - w;
        dh = 0.71 * w * sqrt(x.chroma * y.chroma);
    }
    return sqrt(1.9 * dl * dl + dc * dc + dh * dh);
}
