import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDataDir } from '../../config/data-dir.ts'
import { encodeHeader, type SpoolRecord } from './records.ts'

/** Rows contain ids of users, so only the user of this process may read them. */
const FILE_MODE = 0o600

/** The rows of a batch that is still collected. */
export interface CollectedRows {
  /** The number of all rows. */
  readonly rows: number
  /** The rows after those that are written, in the form of the file; undefined if there are none. */
  takeUnwritten(): SpoolRecord | undefined
  /** Notes that the rows of the last `takeUnwritten` are written. */
  onWritten(): void
}

/**
 * The file of a batch that is still collected: rows are appended to it, and at the end it is renamed. Its owner starts
 * a call when the one before has ended.
 */
export class GrowingFile {
  readonly #collected: CollectedRows
  readonly #path: string
  #handle: FileHandle | undefined
  #size = 0

  constructor(path: string, collected: CollectedRows) {
    this.#path = path
    this.#collected = collected
  }

  /**
   * Appends the rows that are not in the file yet. The first call makes the file.
   * @throws errors of the file system, or ConfigError if the directory can't be made. The next call writes the same
   *   rows and later ones over a part of a record
   */
  async append(): Promise<void> {
    const record = this.#collected.takeUnwritten()
    if (!record) return
    this.#handle ??= await this.#open()
    const header = encodeHeader(record)
    const { bytesWritten } = await this.#handle.writev([header, record.bytes], this.#size)
    const size = header.length + record.bytes.length
    if (bytesWritten < size) throw new Error(`${bytesWritten} of ${size} bytes were written, the disk may be full`)
    this.#size += size
    this.#collected.onWritten()
  }

  /**
   * Appends the remaining rows and gives the file its final name.
   * @throws as `append`; ENOENT also if another process has taken the file over
   */
  async seal(path: string): Promise<void> {
    await this.append()
    await this.#handle?.close()
    await rename(this.#path, path)
  }

  /** Deletes the file. @throws errors of the file system */
  async remove(): Promise<void> {
    await this.#handle?.close()
    await rm(this.#path, { force: true })
  }

  async #open(): Promise<FileHandle> {
    makeDataDir(dirname(this.#path))
    return await open(this.#path, 'wx', FILE_MODE)
  }
}
