// Mistakes with range batches.
import { setTimeout as delay } from 'node:timers/promises'
import { RangeReader, type RangeTargets } from '../../src/delivery/range-reader.ts'
import { PageReader } from '../../src/push/page-reader.ts'
import type { BatchClaim, ClaimKey } from '../../src/queue/batch.ts'
import { alterQueues } from './alter-queue.ts'
import { acknowledgeUnsent, makeSendKeeper } from './send-keeper.ts'
import { findStoreMistakes } from './store-mistakes.ts'

/** The time from an early acknowledgement to the read of its range. Kills fall into it. */
const IN_MEMORY_MS = 50

/** The alterations by their names, for alterations.ts. */
export const RANGE_ALTERATIONS: Record<string, () => void> = {
  /** Other batches are acknowledged as they should be. */
  'range-acknowledged-before-reading': () => {
    const keeper = makeSendKeeper()
    const acknowledged = new Set<string>()
    const isOpen = ({ id }: ClaimKey) => !acknowledged.has(id)
    alterQueues({
      ...keeper.alterations,
      claimBatches: (own) => async (lane, providers, limit) => {
        const claims = await own.claimBatches(lane, providers, limit)
        const ranges = claims.filter(isRange)
        await acknowledgeUnsent(own, ranges, keeper.keep)
        for (const { id } of ranges) acknowledged.add(id)
        if (ranges.length > 0) await delay(IN_MEMORY_MS)
        return claims
      },
      acknowledge: (own) => async (claim, remainder) => {
        return isOpen(claim) ? own.acknowledge(claim, remainder) : 'acknowledged'
      },
      confirm: (own) => async (claims, extendAfterMs) => {
        const states = await own.confirm(claims.filter(isOpen), extendAfterMs)
        return claims.map((claim) => (isOpen(claim) ? (states.shift() ?? 'lost') : 'valid'))
      },
    })
  },
  /** A range is claimed once. Its later claims are kept in memory and never delivered. */
  'abandoned-ranges-forgotten': () => {
    alterQueues({
      claimBatches: (own) => async (lane, providers, limit) => {
        const claims = await own.claimBatches(lane, providers, limit)
        return claims.filter((claim) => !isRange(claim) || claim.attempt === 1)
      },
    })
  },
  'held-ranges-taken-for-abandoned': () => findStoreMistakes().endRangeLeases(),
  'no-grace-after-restart': () => findStoreMistakes().omitRestartGrace(),
  'rest-of-range-forgotten': () => {
    const own = RangeReader.prototype.read
    RangeReader.prototype.read = function read(batches) {
      return new Map([...own.call(this, batches)].map(([id, targets]) => [id, targets.then(withoutRest)]))
    }
  },
  /** The progress of a reliable send names targets by their positions, which change with the devices of a range. */
  'ranges-of-reliable-sends': () => {
    const own = PageReader.prototype.read
    PageReader.prototype.read = function read({ recipient, content }, cursor) {
      return own.call(this, { recipient, content: { ...content, isReliable: false } }, cursor)
    }
  },
}

function isRange({ targets }: BatchClaim): boolean {
  return targets.kind === 'range'
}

function withoutRest({ lines }: RangeTargets): RangeTargets {
  return { lines, rest: undefined, skipped: [] }
}
