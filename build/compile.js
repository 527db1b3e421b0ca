// Compiles src/ to JavaScript in dist/, file by file: dist/ mirrors src/, so paths to files outside of them are the same
// in both. `npm ci` compiles (the script `prepare`), and so does each start from a checkout whose sources have changed.
import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const SOURCES = join(ROOT, 'src')
const OUTPUT = join(ROOT, 'dist')
/** Identifies the sources that dist/ was compiled from. It is written last. */
const STAMP = join(OUTPUT, 'sources.sha256')
/** The ending of files that are being written. */
const TEMPORARY = '.tmp'

/**
 * Brings dist/ up to date. It may run in several processes at once, and while others run the compiled program: each
 * file is replaced as a whole.
 */
export async function compileIfStale() {
  const sources = listSources()
  const stamp = makeStamp(sources)
  if (readStamp() === stamp) return
  const outputs = [
    ...(await transpile(sources.filter(isCode))),
    ...sources.filter((file) => !isCode(file)).map(readAsset),
  ]
  for (const { path, content } of outputs) replaceFile(path, content)
  const current = new Set(outputs.map(({ path }) => path))
  for (const file of listFiles(OUTPUT)) {
    if (!current.has(file) && file !== STAMP && !file.endsWith(TEMPORARY)) rmSync(file, { force: true })
  }
  replaceFile(STAMP, stamp)
}

function listSources() {
  return listFiles(SOURCES).filter((file) => !/\.test\.tsx?$/.test(file))
}

function listFiles(directory) {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

function isCode(file) {
  return /\.tsx?$/.test(file)
}

function makeStamp(sources) {
  // This file is one of the sources of dist/.
  const states = [...sources.sort(), fileURLToPath(import.meta.url)].map((file) => {
    const { size, mtimeMs } = statSync(file)
    return `${relative(ROOT, file)} ${size} ${mtimeMs}\n`
  })
  return createHash('sha256').update(states.join('')).digest('hex')
}

function readStamp() {
  try {
    return readFileSync(STAMP, 'utf8')
  } catch {
    return undefined
  }
}

/** The paths and contents of the JavaScript files and their source maps. */
async function transpile(files) {
  const { build } = await import('esbuild').catch((error) => {
    throw new Error(
      'the sources are not compiled, and esbuild is missing: run "npm ci" with its development packages',
      {
        cause: error,
      },
    )
  })
  const { outputFiles } = await build({
    entryPoints: files,
    outbase: SOURCES,
    outdir: OUTPUT,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    sourcemap: true,
    sourcesContent: false,
    // With `bundle`, esbuild resolves imports. All of them stay imports; those of this program get the ending `.js`.
    bundle: true,
    plugins: [{ name: 'keep-imports', setup: keepImports }],
  })
  return outputFiles.map(({ path, contents }) => ({ path, content: contents }))
}

function keepImports({ onResolve }) {
  onResolve({ filter: /./ }, ({ kind, path }) => {
    if (kind === 'entry-point') return undefined
    return { path: path.startsWith('.') ? path.replace(/\.tsx?$/, '.js') : path, external: true }
  })
}

/** Files that the program reads when it runs, such as scripts for Redis. */
function readAsset(file) {
  return { path: join(OUTPUT, relative(SOURCES, file)), content: readFileSync(file) }
}

function replaceFile(path, content) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${randomUUID()}${TEMPORARY}`
  writeFileSync(temporary, content)
  renameSync(temporary, path)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await compileIfStale()
