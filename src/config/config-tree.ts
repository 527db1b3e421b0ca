/** Options as they are written: sections in sections, values of any type. */
export type ConfigTree = { [key: string]: unknown }

/** Whether a value is a section of options. A date of TOML is an object, too. */
export function isTree(value: unknown): value is ConfigTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
