// The folder in which the blocks of a document run: a checkout, made of links to this one.
import { chmod, mkdir, mkdtemp, realpath, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
const LINKS = ['bin', 'build', 'deploy', 'dist', 'docs', 'examples', 'node_modules', 'package.json', 'schema']

/** Makes the folder; `python` is the interpreter of `python3`, if there is one with the packages of the documents. */
export async function makeCheckout(python: string | undefined): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'centripush-documents-')))
  // For root, the embedded PostgreSQL runs as another user, which needs access to the folder.
  await chmod(folder, 0o755)
  for (const name of LINKS) await symlink(join(ROOT, name), join(folder, name))
  await mkdir(programsOf(folder))
  await writeProgram(folder, 'centripush', `exec node '${ROOT}/bin/centripush.js' "$@"`)
  // `npm ci` would replace the linked modules; tests/package/run.ts runs it.
  await writeProgram(folder, 'npm', `[ "$1" = ci ] || PATH='${process.env.PATH}' exec npm "$@"`)
  if (python !== undefined) await writeProgram(folder, 'python3', `exec '${python}' "$@"`)
  return folder
}

/** The directory of programs that blocks find first. */
export function programsOf(folder: string): string {
  return join(folder, '.programs')
}

async function writeProgram(folder: string, name: string, script: string): Promise<void> {
  await writeFile(join(programsOf(folder), name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}
