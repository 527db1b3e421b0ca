// One broadcast over the API, measured from the API's answer until the end of its send, when every answer of the push
// service has been read and acknowledged.
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { ProviderName } from '../../src/config/provider-names.ts'
import { readCpuMs, readResidentBytes, readTreeCpuMs } from '../harness/process-times.ts'
import type { PushService } from './push-service.ts'
import type { WatchedQueue } from './queue-watch.ts'
import { type BenchServer, callApi } from './server.ts'

const END_POLL_MS = 10
const MEMORY_INTERVAL_MS = 200

/** A server, its queue and its push service. */
export interface Rig {
  provider: ProviderName
  server: BenchServer
  watched: WatchedQueue
  service: PushService
  /** The database's main process. */
  databasePid: number
}

/** The microseconds of CPU of a push, by process. */
export interface CpuShares {
  api: number
  workers: number
  database: number
  redis: number
  sink: number
}

/** The figures of a broadcast. */
export interface Broadcast {
  devices: number
  seconds: number
  perSecond: number
  cpuMicros: CpuShares
  /** The most resident bytes of each worker process in the first and in the last quarter. */
  memory: { first: number; last: number }[]
}

const TEXT = 'The goal that decides the match came in the last minute of extra time. Watch it.'
const NOTIFICATIONS: Record<ProviderName, object> = {
  fcm: { fcm: { message: { notification: { title: 'Breaking', body: TEXT } } } },
  hms: {
    hms: { message: { android: { notification: { title: 'Breaking', body: TEXT, click_action: { type: 3 } } } } },
  },
  apns: { apns: { payload: { aps: { alert: { title: 'Breaking', body: TEXT } } } } },
  webpush: { webpush: { payload: { title: 'Breaking', body: TEXT } } },
}

/** The parameters of a send to `recipient`. */
export function makeSendRequest(provider: ProviderName, recipient: object) {
  return { uid: randomUUID(), recipient, notification: NOTIFICATIONS[provider] }
}

/**
 * Sends to all `devices` of a topic. @throws Error unless each of them got exactly one push, by the server's metrics
 * and by the counting sink
 */
export async function runBroadcast(rig: Rig, topic: string, devices: number): Promise<Broadcast> {
  const { server, watched, service, provider } = rig
  const sentBefore = await server.readSent()
  const countBefore = await service.counting?.count()
  const request = makeSendRequest(provider, { filter: { topics: [topic] } })
  const stopMemory = sampleMemory(server.workerPids)
  const cpuBefore = await readCpu(rig)
  await callApi(server.url, 'send_push_notification', request)
  const startMs = performance.now()
  while ((await watched.queue.loadSend(request.uid)) !== undefined) await delay(END_POLL_MS)
  const seconds = (performance.now() - startMs) / 1000
  const cpuAfter = await readCpu(rig)
  const memory = stopMemory()
  const sent = await server.readSent()
  const requests = ((await service.counting?.count())?.requests ?? 0) - (countBefore?.requests ?? 0)
  const counted = { sent: sent.sent - sentBefore.sent, other: sent.other - sentBefore.other }
  if (counted.sent !== devices || counted.other !== 0) {
    throw new Error(`of ${devices} pushes ${counted.sent} were sent and ${counted.other} were not`)
  }
  if (service.counting && provider !== 'hms' && requests !== devices) {
    throw new Error(`the push service accepted ${requests} requests for ${devices} pushes`)
  }
  const microsOf = (name: keyof CpuShares) => ((cpuAfter[name] - cpuBefore[name]) * 1000) / devices
  return {
    devices,
    seconds,
    perSecond: devices / seconds,
    cpuMicros: {
      api: microsOf('api'),
      workers: microsOf('workers'),
      database: microsOf('database'),
      redis: microsOf('redis'),
      sink: microsOf('sink'),
    },
    memory,
  }
}

/** The CPU time of each process in ms. */
async function readCpu({ server, watched, service, databasePid }: Rig): Promise<CpuShares> {
  const isAlone = server.workerPids.includes(server.pid)
  const workers = await Promise.all(server.workerPids.map(readCpuMs))
  return {
    api: isAlone ? 0 : await readCpuMs(server.pid),
    workers: workers.reduce((sum, ms) => sum + ms, 0),
    database: await readTreeCpuMs(databasePid),
    redis: watched.pid === undefined ? 0 : await readCpuMs(watched.pid),
    sink: await readCpuMs(service.sink.pid),
  }
}

/** Samples memory until the returned function is called. */
function sampleMemory(pids: readonly number[]): () => Broadcast['memory'] {
  const samples = pids.map(() => [] as number[])
  const timer = setInterval(() => {
    pids.forEach((pid, index) => void readResidentBytes(pid).then((bytes) => samples[index]?.push(bytes)))
  }, MEMORY_INTERVAL_MS)
  return () => {
    clearInterval(timer)
    return samples.map((bytes) => {
      const quarter = Math.ceil(bytes.length / 4)
      return { first: Math.max(0, ...bytes.slice(0, quarter)), last: Math.max(0, ...bytes.slice(-quarter)) }
    })
  }
}
