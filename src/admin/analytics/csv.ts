/**
 * Makes CSV (RFC 4180). Spreadsheets run a text that begins like a formula, so such a text gets an apostrophe before it
 * (https://owasp.org/www-community/attacks/CSV_Injection).
 */
export function formatCsv(header: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return [header, ...rows].map((row) => `${row.map(formatField).join(',')}\r\n`).join('')
}

function formatField(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const safe = /^[\s]*[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
