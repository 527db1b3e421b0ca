// The load of every client, and the measurement of its rate.

/** The requests of a client. */
export interface Load {
  connections: number
  /** The streams of each connection. */
  streams: number
  requests: number
  path: string
  headers: Record<string, string>
  /** The body of a request; every request has a different one. */
  bodyOf(index: number): string
}

/** The rate of a client. */
export interface Rate {
  perSecond: number
  /** The CPU time of the client; undefined for a client in its own process. */
  cpuMicrosPerRequest?: number
}

/** Measures a client in this process. */
export async function measureRate(requests: number, work: () => Promise<void>): Promise<Rate> {
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  return { perSecond: requests / seconds, cpuMicrosPerRequest: (cpu.user + cpu.system) / requests }
}

/** Requests like FCM's: a bearer header of 210 bytes, and a body of 320 bytes with its own token. */
export function makeFcmLoad(path: string, connections: number, streams: number, requests: number): Load {
  const text = 'y'.repeat(88)
  return {
    connections,
    streams,
    requests,
    path,
    headers: { authorization: `Bearer ${'x'.repeat(203)}`, 'content-type': 'application/json' },
    bodyOf: (index) =>
      `{"message":{"token":"${String(index).padStart(163, 't')}",` +
      `"notification":{"title":"Breaking","body":"${text}"}}}`,
  }
}
