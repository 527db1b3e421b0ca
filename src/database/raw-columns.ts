// Rows of a statement with `.raw()`: the columns in their order, each as the bytes of its text, or null. It is for rows
// with long texts: as strings, each would be a separate allocation in V8's heap.
import * as v from 'valibot'

/** The bytes as the server sent them. */
export const bytes = v.instance(Buffer)

/** Text of any type, also of enumerations. */
export const text = v.pipe(
  bytes,
  v.transform((column) => column.toString()),
)

/** An integer or a float; a bigint beyond 2^53 would lose digits. */
export const number = v.pipe(text, v.transform(Number))

/** `boolean`, which the server writes as `t` and `f`. */
export const boolean = v.pipe(
  text,
  v.picklist(['t', 'f']),
  v.transform((column) => column === 't'),
)

/** `bytea`, which the server writes as `\x` and hexadecimal digits. */
export const bytea = v.pipe(
  bytes,
  v.transform((column) => Buffer.from(column.toString('latin1', 2), 'hex')),
)

/** The rows of a statement with `.raw()` as objects, by the names of their columns. */
export function nameColumns(
  rows: Iterable<readonly (Buffer | null)[]> & { columns: readonly { name: string }[] },
): Record<string, Buffer | null>[] {
  const names = rows.columns.map(({ name }) => name)
  return Array.from(rows, (row) => Object.fromEntries(names.map((name, index) => [name, row[index] ?? null])))
}
