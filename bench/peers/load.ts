// What every client is given to send, and how its work is counted.

export interface Load {
  connections: number
  /** Of each connection. */
  streams: number
  requests: number
  path: string
  headers: Record<string, string>
  /** The body of a request: another one for each. */
  bodyOf(index: number): string
}

export interface Rate {
  perSecond: number
  /** Of the client; undefined where it is a process of its own. */
  cpuMicrosPerRequest?: number
}

/** Measures a client that lives in this process. */
export async function measureRate(requests: number, work: () => Promise<void>): Promise<Rate> {
  const cpuBefore = process.cpuUsage()
  const start = performance.now()
  await work()
  const seconds = (performance.now() - start) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  return { perSecond: requests / seconds, cpuMicrosPerRequest: (cpu.user + cpu.system) / requests }
}

/** Requests like FCM's: a bearer header of 210 bytes, a body of 320 with a token of its own. */
export function makeFcmLoad(path: string, connections: number, streams: number, requests: number): Load {
  const text = 'y'.repeat(88)
  return {
    connections,
    streams,
    requests,
    path,
    headers: { authorization: `Bearer ${'x'.repeat(203)}`, 'content-type': 'application/json' },
    bodyOf: (index) =>
      `{"message":{"token":"${String(index).padStart(163, 't')}","notification":{"title":"Breaking","body":"${text}"}}}`,
  }
}
