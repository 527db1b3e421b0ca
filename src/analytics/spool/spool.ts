// Keeps rows as files until their store has them, so that a killed process loses none that it has appended. Files are
// not synchronised with the disk: a crash of the machine may lose or damage the newest.
//
//   DATA_DIR/DIRECTORY/OWNER/TOKEN.open    a batch that is still collected, see growing-file.ts
//   DATA_DIR/DIRECTORY/OWNER/TOKEN.ROWS    a sealed batch
//
// A running process takes over the files of ended processes. The store gets the rows of a sealed batch with its token,
// so it detects a batch that the ended process had stored already. An open batch was never passed to the store. It is
// sealed under a new token: should its process be running nevertheless, in another container, its rows may be stored
// twice, but none is lost.
import { randomUUID } from 'node:crypto'
import { readdir, readFile, rename, rm, rmdir, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { makeDataDir } from '../../config/data-dir.ts'
import { hasCode } from '../../database/data-dir-lock.ts'
import { type CollectedRows, GrowingFile } from './growing-file.ts'
import { isRunning, nameOwner } from './owner.ts'
import { decodeRecords, type SpoolRecord } from './records.ts'

const FILE_NAME = /^(?<token>[0-9a-f-]{36})\.(?<rows>\d{1,9}|open)$/

/** A sealed batch in the spool. */
export interface SpooledBatch {
  /** Names its rows for the store. */
  token: string
  rows: number
}

/** The file of a batch can't be read, or has other bytes than were written. */
export class DamagedBatchError extends Error {
  override readonly name = 'DamagedBatchError'
}

/** The batches of one process. */
export class Spool {
  readonly #root: string
  readonly #directory: string
  readonly #owner: string

  private constructor(root: string, owner: string) {
    this.#root = root
    this.#owner = owner
    this.#directory = join(root, owner)
  }

  /** The spool of this process in a directory of `dataDir`. The first batch makes the directories. */
  static async open(dataDir: string, directory: string): Promise<Spool> {
    return new Spool(join(dataDir, directory), await nameOwner())
  }

  /** A file for a batch that is collected from now on. @param token a UUID */
  begin(token: string, collected: CollectedRows): GrowingFile {
    return new GrowingFile(join(this.#directory, `${token}.open`), collected)
  }

  /** The path of a sealed batch. */
  pathOf({ token, rows }: SpooledBatch): string {
    return join(this.#directory, `${token}.${rows}`)
  }

  /**
   * Reads a batch. Undefined if its file is gone, because another process has taken it over.
   * @throws DamagedBatchError, or errors of the file system that may end
   */
  async read(batch: SpooledBatch): Promise<SpoolRecord[] | undefined> {
    const file = await readFile(this.pathOf(batch)).catch((error: unknown) => {
      if (!hasCode(error, 'EIO')) return ignoreMissing(error)
      throw new DamagedBatchError(`the file of the batch ${batch.token} can't be read`, { cause: error })
    })
    if (!file) return undefined
    const { records } = decodeRecords(file)
    if (countRows(records) !== batch.rows) {
      throw new DamagedBatchError(`the file of the batch ${batch.token} has other bytes than were written`)
    }
    return records
  }

  /** Deletes a batch. @throws errors of the file system */
  async remove(batch: SpooledBatch): Promise<void> {
    await rm(this.pathOf(batch), { force: true })
  }

  /**
   * Takes over batches of ended processes, until they have `maxRows` together or there are no more. It also tells
   * processes of other places that this one is running.
   * @throws errors of the file system; the batches that were passed to `onBatch` before are taken over
   */
  async adopt(maxRows: number, onBatch: (batch: SpooledBatch) => void): Promise<void> {
    const now = new Date()
    await utimes(this.#directory, now, now).catch(ignoreMissing)
    let rows = 0
    for (const owner of await list(this.#root)) {
      if (owner === this.#owner || (await isRunning(this.#root, owner))) continue
      for (const name of await list(join(this.#root, owner))) {
        if (rows >= maxRows) return
        const batch = await this.#take(join(this.#root, owner, name), name)
        if (!batch) continue
        onBatch(batch)
        rows += batch.rows
      }
      await removeEmpty(join(this.#root, owner))
    }
  }

  /** Removes the directory of this process if it is empty. */
  async close(): Promise<void> {
    await removeEmpty(this.#directory)
  }

  /** Moves a file to this process. Of several processes that try it, one succeeds. Unknown files are left alone. */
  async #take(path: string, name: string): Promise<SpooledBatch | undefined> {
    const { token = '', rows } = FILE_NAME.exec(name)?.groups ?? {}
    if (rows === undefined) return undefined
    const ownPath = join(this.#directory, name)
    makeDataDir(this.#directory)
    const isTaken = await rename(path, ownPath).then(() => true, ignoreMissing)
    if (!isTaken) return undefined
    return rows === 'open' ? await this.#sealTaken(ownPath) : { token, rows: Number(rows) }
  }

  /** Seals a batch that an ended process was collecting. A part of a record at its end is ignored. */
  async #sealTaken(path: string): Promise<SpooledBatch | undefined> {
    const { records } = decodeRecords(await readFile(path))
    if (records.length === 0) {
      await rm(path, { force: true })
      return undefined
    }
    const batch = { token: randomUUID(), rows: countRows(records) }
    await rename(path, this.pathOf(batch))
    return batch
  }
}

function countRows(records: readonly SpoolRecord[]): number {
  return records.reduce((sum, { rows }) => sum + rows, 0)
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
