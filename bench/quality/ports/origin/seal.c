/* A small seal over bytes: three lanes that stir each other. */
#include <stddef.h>
#include <stdint.h>

uint32_t seal32(const uint8_t *data, size_t n, uint32_t seed)
{
    uint32_t a = seed ^ 0x5bd1f00d, b = 0x1d872b41 + (uint32_t)n, c = ~seed;
    for (size_t i = 0; i < n; i++) {
        a = (a + data[i]) * 0x2545f491;
        a = (a << 11) | (a >> 21);
        b ^= a + (b << 6) + (b >> 3);
        if ((i & 7) == 5)
            c = c * 0x85ebca77 + (a ^ b);
        else
            c += (b >> 9) ^ (uint32_t)(i * 0x61c88647);
    }
    a ^= c >> 15;
    b = (b ^ a) * 0x846ca68b;
    c += b ^ (b >> 13);
    return a ^ (c * 0x9e3779b1) ^ (b >> 16);
}
