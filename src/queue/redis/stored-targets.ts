// The target lines of broadcasts: one key for each batch, written and read without a script. Lua hashes every byte of
// its strings; with the target lines as arguments and results of scripts, that took more than half of Redis' time.
import { randomUUID } from 'node:crypto'
import { replyWhenOutOfMemory } from '../../redis/out-of-memory.ts'
import type { NewBatch } from '../queue.ts'
import { KEEP_UNUSED_TARGETS_MS } from './limits.ts'
import type { Scope } from './scope.ts'

/** A batch as an argument of its script. */
export interface PlacedBatch extends Omit<NewBatch, 'lines'> {
  /** The target lines, or the key that holds them. */
  targets: Buffer | string
  isKey: boolean
  /** Resolves when the lines are stored, and when Redis refused them at `maxmemory`: then the script returns FULL. */
  isSent: Promise<unknown>
}

/** Sends the target lines of a broadcast's batch ahead of the script that refers to them, on the same connection. */
export function placeTargets({ client, keys }: Scope, { lines, ...batch }: NewBatch): PlacedBatch {
  if (batch.lane === 'small') return { ...batch, targets: lines, isKey: false, isSent: Promise.resolve() }
  const key = keys.targets(randomUUID())
  const isSent = client.set(key, lines, 'PX', KEEP_UNUSED_TARGETS_MS).catch(replyWhenOutOfMemory('FULL'))
  return { ...batch, targets: key, isKey: true, isSent }
}

/**
 * Deletes target lines that no batch refers to, so that repeated commits of a page at `maxmemory` don't fill the
 * memory.
 */
export function deleteUnusedTargets({ client }: Scope, placed: readonly PlacedBatch[]): void {
  const names = placed.flatMap(({ targets, isKey }) => (isKey ? targets : []))
  if (names.length > 0) client.unlink(names).catch(() => undefined)
}

/** Reads the target lines under each key; null where the key does not exist. */
export async function loadTargets({ client }: Scope, names: readonly string[]): Promise<(Buffer | null)[]> {
  return names.length === 0 ? [] : await client.mgetBuffer([...names])
}
