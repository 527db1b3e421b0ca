/**
 * Replaces the values that differ from run to run (see `Vector.volatile`), for comparison. Bodies without such values
 * stay unchanged, so they are compared byte by byte.
 */
export function maskVolatile(body: Buffer, pointers: readonly string[]): string {
  const lines = body.toString('utf8').split('\n')
  for (const [index, line] of lines.entries()) {
    const own = pointers.flatMap((pointer) => {
      const [, number, path] = /^(?:(\d+):)?(\/.*)$/.exec(pointer) ?? []
      return path !== undefined && Number(number ?? 0) === index ? [path] : []
    })
    if (own.length > 0) lines[index] = maskLine(line, own)
  }
  return lines.join('\n')
}

function maskLine(line: string, paths: readonly string[]): string {
  const root: unknown = JSON.parse(line)
  for (const path of paths) mask(root, path.slice(1).split('/'))
  return JSON.stringify(root)
}

function mask(value: unknown, [name = '', ...rest]: string[]): void {
  if (typeof value !== 'object' || value === null) return
  if (rest.length === 0 && name in value) Reflect.set(value, name, 'volatile')
  else mask(Reflect.get(value, name), rest)
}
