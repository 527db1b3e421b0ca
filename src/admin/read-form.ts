import type { AdminContext } from './admin-environment.ts'

/** The fields of a submitted form. */
export interface Form {
  /** The value of a field without spaces around it; empty if the field is absent. */
  text(name: string): string
  /** The value of a field, with spaces around it; empty if the field is absent. */
  raw(name: string): string
  /** The values of a field with one value on each line or between commas. */
  list(name: string): string[]
}

/** Reads a submitted form. Files are ignored. */
export async function readForm(context: AdminContext): Promise<Form> {
  const fields: Readonly<Record<string, unknown>> = await context.req.parseBody().catch(() => ({}))
  const raw = (name: string) => {
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined
    return typeof value === 'string' ? value : ''
  }
  return { raw, text: (name) => raw(name).trim(), list: (name) => splitList(raw(name)) }
}

/** Splits values at commas and line ends. */
export function splitList(text: string): string[] {
  return text
    .split(/[\n,]/)
    .map((value) => value.trim())
    .filter((value) => value !== '')
}
