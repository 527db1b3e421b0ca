import type { Batch, Personal, Provider, Settle } from '../providers/provider.ts'

/**
 * Sends a personal batch as batches of one target, for a provider that does not support personal batches. Settles and
 * rejects as a single batch does.
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
      confirmation: batch.confirmation,
      isWithdrawn: batch.isWithdrawn && (() => batch.isWithdrawn?.(index) === true),
      ...(batch.keys && { keys: batch.keys.slice(index, index + 1) }),
    }
    return provider.send(single, (_, outcome) => settle(index, outcome), signal)
  })
  // All sends end before the batch does: a later outcome could not be counted.
  const failed = (await Promise.allSettled(sends)).find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

function collectJson(writeJson: ReturnType<Personal['prepareJson']>, index: number): Buffer {
  const pieces: Uint8Array[] = []
  writeJson(index, { bytes: (bytes) => pieces.push(bytes), text: (text) => pieces.push(Buffer.from(text)) })
  return Buffer.concat(pieces)
}
