const DURATION_UNITS_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Converts a duration in Go's notation (`"720h"`, `"1m30s"`, `"1.5h"`, `"0"`) to milliseconds; undefined for other
 * text.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const part = /(\d+(?:\.\d+)?)(ms|s|m|h)/y
  let totalMs = 0
  for (let match = part.exec(text); match; match = part.exec(text)) {
    totalMs += Number(match[1]) * (DURATION_UNITS_MS[match[2] ?? ''] ?? 0)
    if (part.lastIndex === text.length) return Math.round(totalMs)
  }
  return undefined
}
