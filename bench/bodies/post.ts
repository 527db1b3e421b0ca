import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Input } from './inputs.ts'

/** Posts a body on a new connection; resolves to the status, and the code of an error in the answer. */
export async function post(url: string, key: string, { path, body }: Input): Promise<string> {
  const headers = { 'x-api-key': key, 'content-length': body.length }
  const outgoing = request(`${url}/api${path}`, { method: 'POST', headers, agent: false })
  const answered = once(outgoing, 'response')
  // A server that refuses a body closes the connection while it is sent.
  outgoing.on('error', () => undefined)
  outgoing.end(body)
  const [incoming]: IncomingMessage[] = await answered
  if (!incoming) throw new Error('no answer')
  const answer = await text(incoming)
  outgoing.destroy()
  const code = /"code":(\d+)/.exec(answer)?.[1]
  const retryAfter = incoming.headers['retry-after']
  return `${incoming.statusCode}${code ? ` error ${code}` : ''}${retryAfter ? ' Retry-After' : ''}`
}
