export function stamp(bytes, key = 0) {
  let x = (key ^ 0x5bd1f00d) >>> 0
  let y = (0x1d872b41 + bytes.length) >>> 0
  let z = ~key >>> 0
  bytes.forEach((byte, position) => {
    x = Math.imul(x + byte, 0x2545f491) >>> 0
    x = ((x << 11) | (x >>> 21)) >>> 0
    y = (y ^ (x + (y << 6) + (y >>> 3))) >>> 0
    if (position % 8 === 5) {
      z = (Math.imul(z, 0x85ebca77) + (x ^ y)) >>> 0
    } else {
      z = (z + ((y >>> 9) ^ Math.imul(position, 0x61c88647))) >>> 0
    }
  })
  x ^= z >>> 15
  y = Math.imul(y ^ x, 0x846ca68b) >>> 0
  z = (z + (y ^ (y >>> 13))) >>> 0
  return (x ^ Math.imul(z, 0x9e3779b1) ^ (y >>> 16)) >>> 0
}
