/** Finds the most similar name; undefined if none is similar. Of equally similar names it takes the first. */
export function findClosestName(word: string, names: Iterable<string>): string | undefined {
  // Longer words may have more mistakes, up to three: a name with more differences would be a guess.
  let nearest = Math.min(Math.max(1, Math.floor(word.length / 3)), 3) + 1
  let closest: string | undefined
  const meant = normalize(word)
  for (const name of names) {
    const known = normalize(name)
    // The distance is at least the difference of the lengths.
    if (Math.abs(meant.length - known.length) >= nearest) continue
    const distance = measureDistance(meant, known)
    if (distance >= nearest) continue
    nearest = distance
    closest = name
  }
  return closest
}

/** `httpServer`, `http-server` and `HTTP_SERVER` are `http_server`. */
function normalize(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase()
}

/**
 * The Damerau-Levenshtein distance with adjacent transpositions: how many letters have to be inserted, removed,
 * replaced or swapped with their neighbour to make `b` of `a`.
 */
function measureDistance(a: string, b: string): number {
  let previous: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i++) {
    const before = previous
    previous = row
    row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isEqual = a[i - 1] === b[j - 1]
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        cell(previous, j) + 1,
        cell(row, j - 1) + 1,
        cell(previous, j - 1) + (isEqual ? 0 : 1),
        isSwap ? cell(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
      )
    }
  }
  return cell(row, b.length)
}

function cell(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
