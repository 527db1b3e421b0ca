// Node's http2 module with as little code as possible. firebase-admin, @parse/node-apn and web-push use this module.
import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { type Load, measureRate, type Rate } from './load.ts'
import { ANSWER, type Sink } from './nghttpd.ts'

/** The module's rate. @throws Error on an unexpected answer */
export async function runNodeHttp2(sink: Sink, load: Load): Promise<Rate> {
  const sessions = Array.from({ length: load.connections }, () => connect(sink.origin, { ca: sink.ca }))
  await Promise.all(sessions.map((session) => once(session, 'connect')))
  let next = 0
  const work = async (session: ClientHttp2Session) => {
    while (next < load.requests) await post(session, load, next++)
  }
  const rate = await measureRate(load.requests, async () => {
    await Promise.all(sessions.flatMap((session) => Array.from({ length: load.streams }, () => work(session))))
  })
  for (const session of sessions) session.close()
  return rate
}

function post(session: ClientHttp2Session, load: Load, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': load.path, ...load.headers })
    let status = 0
    let body = ''
    stream.once('response', (headers) => {
      status = headers[':status'] ?? 0
    })
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => {
      body += chunk
    })
    stream.once('error', reject)
    stream.once('end', () => {
      if (status === 200 && body === ANSWER) resolve()
      else reject(new Error('node:http2: unexpected answer'))
    })
    stream.end(load.bodyOf(index))
  })
}
