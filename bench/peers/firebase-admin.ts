// firebase-admin's `sendEach`, 500 messages a call.
import http2, { type ClientSessionOptions, type SecureClientSessionOptions } from 'node:http2'
import { deleteApp, initializeApp } from 'firebase-admin/app'
import { getMessaging } from 'firebase-admin/messaging'
import { sendInBatches } from './batches.ts'
import { measureRate, type Rate } from './load.ts'

type Options = ClientSessionOptions | SecureClientSessionOptions | ((...session: never[]) => void)

/** The library always connects to Google's host, so its connections are redirected to the sink. */
function leadToSink({ origin, ca }: { origin: string; ca: string }): () => void {
  const { connect } = http2
  http2.connect = (_: string | URL, options?: Options) =>
    connect(origin, { ...(typeof options === 'object' && options), ca })
  return () => {
    http2.connect = connect
  }
}

/** The library's rate. @throws Error when a message was not accepted */
export async function runFirebaseAdmin(
  sink: { origin: string; ca: string },
  projectId: string,
  message: { notification: { title: string; body: string } },
  count: number,
  tokenOf: (index: number) => string,
): Promise<Rate> {
  const restore = leadToSink(sink)
  const credential = { getAccessToken: async () => ({ access_token: 'x'.repeat(203), expires_in: 3600 }) }
  const app = initializeApp({ credential, projectId })
  try {
    const messaging = getMessaging(app)
    const send = async (tokens: string[]) => {
      const { failureCount, responses } = await messaging.sendEach(tokens.map((token) => ({ ...message, token })))
      const cause = responses.find(({ success }) => !success)?.error
      if (failureCount > 0) throw new Error(`firebase-admin: ${failureCount} messages were not accepted`, { cause })
    }
    await sendInBatches(count / 10, tokenOf, send)
    return await measureRate(count, () => sendInBatches(count, tokenOf, send))
  } finally {
    restore()
    await deleteApp(app)
  }
}
