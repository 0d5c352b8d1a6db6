/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "ringbuffer.h"

size_t ring_write(struct ring *ring, const unsigned char *bytes, size_t count)
{
    size_t used = (ring->head - ring->tail) & ring->mask;
    size_t room = ring->mask - used;
    if (count > room) {
        ring->dropped += count - room;
        count = room;
    }
    size_t first = ring->mask + 1 - (ring->head & ring->mask);
    if (first > count)
        first = count;
    memcpy(ring->storage + (ring->head & ring->mask), bytes, first);
    memcpy(ring->storage, bytes + first, count - first);
    ring->head += count;
    if (ring->watermark < used + count)
        ring->watermark = used + count;
    return count;
}
