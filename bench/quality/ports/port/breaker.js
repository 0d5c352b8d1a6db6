export function wrap(tokens, columns, { dash = 38, widow = 215 } = {}) {
  const best = new Array(tokens.length + 1).fill(Infinity)
  const from = new Array(tokens.length + 1).fill(0)
  best[0] = 0
  for (let last = 1; last <= tokens.length; last++) {
    let used = -1
    for (let first = last - 1; first >= 0; first--) {
      used += tokens[first].length + 1
      if (used > columns) break
      const slack = columns - used
      let price = last === tokens.length ? 0 : 3 * slack * slack + slack
      if (tokens[last - 1].endsWith('-')) price += dash
      if (last === tokens.length && first === last - 1) price += widow
      if (first > 0 && '.;'.includes(tokens[first - 1].slice(-1))) price -= 17
      if (best[first] + price < best[last]) {
        best[last] = best[first] + price
        from[last] = first
      }
    }
  }
  const out = []
  for (let at = tokens.length; at > 0; at = from[at]) out.unshift(tokens.slice(from[at], at).join(' '))
  return out
}
