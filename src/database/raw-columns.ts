// Reads rows of statements with `.raw()`: arrays of columns in their order, each as the bytes of its text, or null.
// They are used for rows with long texts: as strings, each would be a separate allocation in V8's heap.
import * as v from 'valibot'

/** A column as the bytes that PostgreSQL sent. */
export const bytes = v.instance(Buffer)

/** A column of any type as text, for example of an enumeration. */
export const text = v.pipe(
  bytes,
  v.transform((column) => column.toString()),
)

/** A column of an integer or float type as a number. A bigint beyond 2^53 would lose digits. */
export const number = v.pipe(text, v.transform(Number))

/** A `boolean` column, which PostgreSQL writes as `t` or `f`. */
export const boolean = v.pipe(
  text,
  v.picklist(['t', 'f']),
  v.transform((column) => column === 't'),
)

/** A `bytea` column, which PostgreSQL writes as `\x` and hexadecimal digits. */
export const bytea = v.pipe(
  bytes,
  v.transform((column) => Buffer.from(column.toString('latin1', 2), 'hex')),
)

/** Converts rows of a statement with `.raw()` to objects, by the names of the columns. */
export function nameColumns(
  rows: Iterable<readonly (Buffer | null)[]> & { columns: readonly { name: string }[] },
): Record<string, Buffer | null>[] {
  const names = rows.columns.map(({ name }) => name)
  return Array.from(rows, (row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])))
}
