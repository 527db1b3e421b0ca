// Where the targets of broadcasts stand: each batch's in a key of its own, written and read past the scripts. Lua hashes
// every byte of every text that it is given or gets; the targets of a broadcast, through two scripts, took Redis more time
// than all the rest.
import { randomUUID } from 'node:crypto'
import type { NewBatch } from '../batch.ts'
import type { Scope } from './scope.ts'
import { refusedAs } from './script.ts'

/** What no batch names goes: that of a page whose commit failed, or whose answer got lost. */
const UNNAMED_MS = 60_000

/** A batch as its script wants it. */
export interface PlacedBatch extends Omit<NewBatch, 'lines'> {
  /** The lines, or the key that has them. */
  targets: Buffer | string
  isKey: boolean
  /** Resolves when they are there, or were refused because Redis is at `maxmemory`: the script that names them finds out. */
  isSent: Promise<unknown>
}

/** Sends the targets of a broadcast's batch ahead of the script that will name them, on the same connection. */
export function placeTargets({ client, keys }: Scope, { lines, ...batch }: NewBatch): PlacedBatch {
  if (batch.lane === 'small') return { ...batch, targets: lines, isKey: false, isSent: Promise.resolve() }
  const key = keys.targets(randomUUID())
  const isSent = client.set(key, lines, 'PX', UNNAMED_MS).catch(refusedAs('FULL'))
  return { ...batch, targets: key, isKey: true, isSent }
}

/** Takes back what no batch names, so that a page which has to wait for memory does not use it up by its attempts. */
export function takeBackTargets({ client }: Scope, placed: readonly PlacedBatch[]): void {
  const names = placed.flatMap(({ targets, isKey }) => (isKey ? targets : []))
  if (names.length > 0) client.unlink(names).catch(() => undefined)
}

/** The targets under each of `names`, null where they are gone. */
export async function loadTargets({ client }: Scope, names: readonly string[]): Promise<(Buffer | null)[]> {
  return names.length === 0 ? [] : await client.mgetBuffer([...names])
}
