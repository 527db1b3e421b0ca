// Keeps sealed batches as files, until ClickHouse has accepted them. A killed process loses only the rows that it was
// still collecting. Files are not synchronised with the disk: a crash of the machine may lose or damage the newest.
//
//   DATA_DIR/DIRECTORY/PID-STARTTIME-RANDOM/TOKEN.ROWS.CHECKSUM    one directory for each table and process
//
// A running process takes over the files of ended processes. The token of a batch is in its name: if the ended process
// had inserted it already, ClickHouse detects the repetition. The same is true if a running process of another
// container is taken for an ended one.
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { makeDataDir } from '../../config/data-dir.ts'
import { describeProcess, hasCode, isAlive } from '../../database/data-dir-lock.ts'

/** Rows contain ids of users, so only the user of this process may read them. */
const FILE_MODE = 0o600

const OWNER_NAME = /^(?<pid>\d+)-(?<startTime>\d*)-[0-9a-f]+$/
const BATCH_NAME = /^(?<token>[0-9a-f-]{36})\.(?<rows>\d{1,9})\.(?<checksum>[0-9a-f]{1,8})$/

/** A batch in the spool. */
export interface SpooledBatch {
  token: string
  rows: number
  /** The name of its file in the directory of this process. */
  file: string
}

/** The file of a batch can't be read, or has other bytes than were written. */
export class DamagedBatchError extends Error {
  override readonly name = 'DamagedBatchError'
}

/** The batches of one table and process. */
export class Spool {
  readonly #root: string
  readonly #owner: string

  private constructor(root: string, owner: string) {
    this.#root = root
    this.#owner = owner
  }

  /** The spool of this process in a directory of `dataDir`. The first batch makes the directories. */
  static async open(dataDir: string, directory: string): Promise<Spool> {
    const [pid, startTime = ''] = (await describeProcess(process.pid)).trim().split(' ')
    return new Spool(join(dataDir, directory), `${pid}-${startTime}-${randomBytes(4).toString('hex')}`)
  }

  /**
   * Stores a batch.
   * @param token a UUID
   * @throws errors of the file system, or ConfigError if the directory can't be made; then nothing is stored
   */
  async write(token: string, rows: number, body: Buffer): Promise<SpooledBatch> {
    const file = `${token}.${rows}.${checksumOf(body)}`
    makeDataDir(join(this.#root, this.#owner))
    const unfinished = this.#path(`${file}.unfinished`)
    try {
      await writeFile(unfinished, body, { mode: FILE_MODE })
      await rename(unfinished, this.#path(file))
    } catch (error) {
      // A partial file would occupy a full disk. If it can't be deleted now, it is deleted when this process has ended.
      await rm(unfinished, { force: true }).catch(() => undefined)
      throw error
    }
    return { token, rows, file }
  }

  /**
   * Reads a batch. Undefined if its file is gone, because another process has taken it over.
   * @throws DamagedBatchError, or errors of the file system that may end
   */
  async read({ file }: SpooledBatch): Promise<Buffer | undefined> {
    const body = await readFile(this.#path(file)).catch((error: unknown) => {
      if (hasCode(error, 'EIO')) throw new DamagedBatchError(`the file ${file} can't be read`, { cause: error })
      return ignoreMissing(error)
    })
    if (body && checksumOf(body) !== BATCH_NAME.exec(file)?.groups?.checksum) {
      throw new DamagedBatchError(`the file ${file} has other bytes than were written`)
    }
    return body
  }

  /** Deletes a batch. */
  async remove({ file }: SpooledBatch): Promise<void> {
    await rm(this.#path(file), { force: true })
  }

  /** Takes over batches of ended processes, until they have `maxRows` together or there are no more. */
  async adopt(maxRows: number): Promise<SpooledBatch[]> {
    const adopted: SpooledBatch[] = []
    let rows = 0
    for (const owner of await list(this.#root)) {
      if (owner === this.#owner || (await isRunning(owner))) continue
      for (const name of await list(join(this.#root, owner))) {
        if (rows >= maxRows) return adopted
        const batch = await this.#take(join(this.#root, owner, name), name)
        if (batch) adopted.push(batch)
        rows += batch?.rows ?? 0
      }
      await removeEmpty(join(this.#root, owner))
    }
    return adopted
  }

  /** Removes the directory of this process if it is empty. */
  async close(): Promise<void> {
    await removeEmpty(join(this.#root, this.#owner))
  }

  /** Moves a file to this process. Of several processes that try it, one succeeds. Other files are deleted. */
  async #take(path: string, name: string): Promise<SpooledBatch | undefined> {
    const { token, rows } = BATCH_NAME.exec(name)?.groups ?? {}
    if (token === undefined) {
      await rm(path, { force: true })
      return undefined
    }
    makeDataDir(join(this.#root, this.#owner))
    const isTaken = await rename(path, this.#path(name)).then(() => true, ignoreMissing)
    return isTaken ? { token, rows: Number(rows), file: name } : undefined
  }

  #path(file: string): string {
    return join(this.#root, this.#owner, file)
  }
}

function checksumOf(body: Buffer): string {
  return crc32(body).toString(16)
}

/** Whether the process of a directory is running. An unknown name is left alone. */
async function isRunning(owner: string): Promise<boolean> {
  const { pid = '', startTime } = OWNER_NAME.exec(owner)?.groups ?? {}
  if (startTime === undefined) return true
  // The random part differs from that of this process, so an equal pid is that of an earlier one.
  if (Number(pid) === process.pid || !isAlive(Number(pid))) return false
  return (await describeProcess(Number(pid))) === `${pid} ${startTime}\n`
}

async function list(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(ignoreMissing)) ?? []
}

/** Removes a directory without files. Others are kept, and one that can't be removed costs nothing. */
async function removeEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch(() => undefined)
}

function ignoreMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
}
