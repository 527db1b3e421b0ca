import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

/**
 * The treatment of an insert. `forward`: passes it on. `refuse`: answers 500 without passing it on. `loseAnswer`:
 * passes it on, and closes the connection in place of the answer. `hold`: passes it on, and never answers.
 */
export type Fault = 'forward' | 'refuse' | 'loseAnswer' | 'hold'

/** An HTTP proxy before a ClickHouse. Other requests than inserts are always passed on. */
export interface FaultProxy {
  url: string
  /** Sets the treatment of all further inserts. */
  set(fault: Fault): void
  /** The number of inserts that arrived. */
  inserts: number
  /** Called when a part of the body of an insert has been passed on, with the number of its bytes so far. */
  onForwarded: ((bytes: number) => void) | undefined
  /** Called when ClickHouse has answered an insert, before the answer is passed on. */
  onAnswer: (() => void) | undefined
  stop(): Promise<void>
}

/** Starts a proxy on a free port, before the server at a port of 127.0.0.1. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  let fault: Fault = 'forward'
  const server = createServer((incoming, outgoing) => {
    const isInsert = URL.parse(incoming.url ?? '', 'http://proxy')
      ?.searchParams.get('query')
      ?.startsWith('INSERT')
    if (!isInsert) return forward(incoming, outgoing, 'forward')
    proxy.inserts++
    if (fault === 'refuse') outgoing.writeHead(500).end('out of order')
    else forward(incoming, outgoing, fault)
  })
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse, treatment: Fault) => {
    const { method, url: path, headers } = incoming
    const target = request({ host: '127.0.0.1', port: targetPort, method, path, headers })
    let forwarded = 0
    incoming.on('data', (chunk: Buffer) => {
      target.write(chunk)
      forwarded += chunk.length
      proxy.onForwarded?.(forwarded)
    })
    incoming.once('end', () => target.end())
    target.once('response', (answer) => {
      proxy.onAnswer?.()
      if (treatment === 'loseAnswer') outgoing.destroy()
      if (treatment !== 'forward') return answer.resume()
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      return answer.pipe(outgoing)
    })
    // The server was killed, or refuses connections.
    target.once('error', () => outgoing.destroy())
    outgoing.once('close', () => target.destroy())
  }
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    set(next) {
      fault = next
    },
    inserts: 0,
    onForwarded: undefined,
    onAnswer: undefined,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
  return proxy
}
