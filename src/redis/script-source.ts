import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'

/** An include: a line of a Lua script that stands for the text of another file. */
const INCLUDE = /^--- @include ([a-z0-9-]+)$/gm

/**
 * Reads a Lua script and its includes. A line `--- @include name` is replaced by the file `name.lua` in the script's
 * folder, which may have includes too. Each file is included only once, where it is first mentioned: its functions are
 * available below that line.
 * @param file the URL of the script (`file:`)
 * @throws Error that names the script and the include if a file does not exist
 */
export function loadScriptSource(file: URL): string {
  if (!existsSync(file)) throw new Error(`redis: the script ${nameOf(file)} does not exist`)
  return resolveIncludes(file, nameOf(file), new Set([file.href]))
}

function resolveIncludes(file: URL, script: string, included: Set<string>): string {
  return readFileSync(file, 'utf8').replace(INCLUDE, (_line, name: string) => {
    const include = new URL(`${name}.lua`, file)
    if (included.has(include.href)) return ''
    included.add(include.href)
    if (!existsSync(include)) {
      const by = nameOf(file) === script ? '' : ` (by ${nameOf(file)})`
      throw new Error(`redis: ${script} includes ${name}${by}, but ${nameOf(include)} does not exist beside it`)
    }
    return resolveIncludes(include, script, included).trimEnd()
  })
}

function nameOf(file: URL): string {
  return basename(file.pathname)
}
