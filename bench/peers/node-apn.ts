// @parse/node-apn, one notification to many devices.
import { Provider as NodeApn, Notification } from '@parse/node-apn'
import { sendInBatches } from './batches.ts'
import { measureRate, type Rate } from './load.ts'

/** A signing key of APNs. */
export interface ApnsAccount {
  keyPem: string
  keyId: string
  teamId: string
  bundleId: string
}

/** The library's rate. @throws Error when a push was not accepted */
export async function runNodeApn(
  sink: { origin: string; ca: string },
  { keyPem: key, keyId, teamId, bundleId }: ApnsAccount,
  payload: object,
  count: number,
  tokenOf: (index: number) => string,
): Promise<Rate> {
  const { host, port } = new URL(sink.origin)
  const provider = new NodeApn({
    // The library connects to `port` and sends `address` as authority.
    address: host,
    port: Number(port),
    ca: [sink.ca],
    token: { key, keyId, teamId },
    production: true,
  })
  const notification = new Notification({ topic: bundleId, payload: {}, pushType: 'alert' })
  notification.rawPayload = payload
  const send = async (tokens: string[]) => {
    const { failed } = await provider.send(notification, tokens)
    if (failed.length > 0) throw new Error(`@parse/node-apn: ${failed.length} pushes were not accepted`)
  }
  try {
    await sendInBatches(count / 10, tokenOf, send)
    return await measureRate(count, () => sendInBatches(count, tokenOf, send))
  } finally {
    await provider.shutdown()
  }
}
