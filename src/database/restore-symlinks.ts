import { readFile, symlink } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import * as v from 'valibot'
import { hasCode } from './data-dir-lock.ts'

const Symlinks = v.array(v.object({ source: v.string(), target: v.string() }))

/**
 * Makes the symbolic links of PostgreSQL's libraries, which npm packages can not contain. The install script of the
 * package makes them too, but npm runs it only when the root project allows it: not for `npx`.
 * @param program the path of a program of the package
 */
export async function restoreSymlinks(program: string): Promise<void> {
  const root = resolve(dirname(program), '../..')
  const file = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch((error: unknown) => {
    // On some platforms there are none.
    if (!hasCode(error, 'ENOENT')) throw error
    return '[]'
  })
  for (const { source, target } of v.parse(Symlinks, JSON.parse(file))) {
    await symlink(relative(dirname(target), source), join(root, target)).catch((error: unknown) => {
      if (!hasCode(error, 'EEXIST')) throw error
    })
  }
}
