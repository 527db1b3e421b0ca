import type { Batch, Personal, Provider, Settle } from '../providers/provider.ts'

/**
 * Sends a batch in which each target gets its own to a provider that knows nothing of that: as batches of one target.
 * Settles and rejects as one batch does.
 */
export async function sendOneByOne(
  provider: Provider,
  batch: Batch,
  personal: Personal,
  settle: Settle,
  signal: AbortSignal,
): Promise<void> {
  const writeJson = personal.prepareJson(batch.notification.json)
  const sends = batch.targets.map((target, index) => {
    const single: Batch = {
      uid: batch.uid,
      notification: { json: collectJson(writeJson, index), headers: personal.headersOf(index) },
      targetKind: batch.targetKind,
      targets: [target],
      isWithdrawn: batch.isWithdrawn && (() => batch.isWithdrawn?.(index) === true),
      ...(batch.keys && { keys: batch.keys.slice(index, index + 1) }),
    }
    return provider.send(single, (_, outcome) => settle(index, outcome), signal)
  })
  // All of them end before the batch does, or an outcome would come too late to count.
  const failed = (await Promise.allSettled(sends)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

function collectJson(writeJson: ReturnType<Personal['prepareJson']>, index: number): Buffer {
  const pieces: Uint8Array[] = []
  writeJson(index, { bytes: (bytes) => pieces.push(bytes), text: (text) => pieces.push(Buffer.from(text)) })
  return Buffer.concat(pieces)
}
