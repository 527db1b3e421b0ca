// The real ClickHouse of tests. The npm package @chdb/lib-* is ClickHouse as a shared library. It is fetched into an
// ignored cache, because its 570 MB are too much for `npm ci`, and a small launcher is compiled that runs it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'

const VERSION = '26.7.3-stable.1'
const CACHE = resolve(import.meta.dirname, '../../../.cache')
const DIRECTORY = join(CACHE, `clickhouse-${VERSION}`)
const SOURCE = resolve(import.meta.dirname, 'launcher.c')

/** The launcher and the library that it runs. */
export interface ClickhouseProgram {
  launcher: string
  library: string
}

/** The installed program, or the reason why there is none. */
export function findClickhouse(): ClickhouseProgram | { missing: string } {
  const program = pathsIn(DIRECTORY)
  if (existsSync(program.launcher)) return program
  return { missing: reasonAgainst() ?? `it could not be installed in ${DIRECTORY}` }
}

/** Called by vitest before the first test, so that its processes do not install at the same time. */
export function setup(): void {
  if (!('missing' in findClickhouse())) return
  const reason = reasonAgainst() ?? install()
  if (reason !== undefined) console.warn(`tests on ClickHouse are skipped: ${reason}`)
}

function pathsIn(directory: string): ClickhouseProgram {
  const library = join(directory, 'node_modules', '@chdb', `lib-linux-${process.arch}-gnu`, 'libchdb.so')
  return { launcher: join(directory, 'launcher'), library }
}

/** Why the program can't run on this machine; undefined if it can. */
function reasonAgainst(): string | undefined {
  const report: unknown = process.report.getReport()
  const header = typeof report === 'object' && report && 'header' in report ? report.header : undefined
  const isGlibc = typeof header === 'object' && header !== null && 'glibcVersionRuntime' in header
  if (process.platform !== 'linux' || !isGlibc) return 'it is available for Linux with glibc only'
  if (!['x64', 'arm64'].includes(process.arch)) return `it is not available for ${process.arch}`
  return undefined
}

/** Installs the program. @returns the reason if that fails */
function install(): string | undefined {
  console.log('fetching ClickHouse for tests (180 MB, once)')
  mkdirSync(CACHE, { recursive: true })
  const directory = mkdtempSync(join(CACHE, 'clickhouse-new-'))
  try {
    const fetching = ['install', '--no-save', '--no-audit', '--no-fund', '--prefix', directory]
    execFileSync('npm', [...fetching, `@chdb/lib-linux-${process.arch}-gnu@${VERSION}`], { stdio: 'pipe' })
    execFileSync('cc', ['-O1', '-o', pathsIn(directory).launcher, SOURCE, '-ldl'], { stdio: 'pipe' })
    renameSync(directory, DIRECTORY)
    return undefined
  } catch (error) {
    rmSync(directory, { recursive: true, force: true })
    return `it needs npm's registry and a C compiler: ${error instanceof Error ? error.message : 'unknown'}`
  }
}
