// docs/realtime.md: a node, and a client with a connection JWT.

import { signToken } from '../../realtime/realtime-rig.ts'
import { answerWith, startNode } from '../../support/edge.ts'
import { noteSecrets } from '../../support/run-log.ts'
import type { RunningParts } from './parts.ts'
import { type PreparedServer, prepareServer } from './server.ts'

const SECRET = 'the-secret-of-the-connection-tokens'
const PUBLISHED = '{"replies":[{"publish":{"offset":12,"epoch":"xqZ1"}}]}'

export async function prepareRealtime(running: RunningParts): Promise<PreparedServer> {
  const node = await running.add(
    startNode((_, outgoing) => answerWith(outgoing, PUBLISHED)),
    (started) => started.stop(),
  )
  const token = await signToken({ sub: '43' }, SECRET)
  noteSecrets([SECRET, token])
  const options = {
    upstream: { address: node.address, api_key: 'key-of-the-node' },
    client_push: { http_enabled: true },
    client: { token: { hmac_secret_key: SECRET } },
  }
  return await prepareServer(running, options, { env: { TOKEN: token } })
}
