// An outage of FCM in the middle of a send to raw tokens, on real server processes: FCM's address leads to a server
// that does not work, and later to the simulator again.
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type CentripushProcess, startCentripush } from '../../support/centripush-process.ts'
import { startFcmSimulator, type TestFcmSimulator } from '../../support/fcm-simulator.ts'
import { PAYLOAD_MARK } from '../../support/run-log.ts'
import type { Settings } from '../backend.ts'
import type { Rig } from '../rig.ts'
import { API_KEY } from '../settings.ts'
import { waitUntil } from '../wait.ts'
import { type Breakage, BrokenServer } from './broken-server.ts'
import { ProviderSwitch } from './provider-switch.ts'

/** Worker processes for all sends. One more serves small sends only. */
const PROCESSES = 2
/** Pushes before the outage begins. */
const SENT_BEFORE = 2000

/** The record of an outage. */
export interface OutageRecord {
  /** Pushes that the provider accepted, or may have accepted, by token. */
  accepted: ReadonlyMap<string, number>
  /** The tokens of the pushes that the simulator accepted. */
  delivered: ReadonlySet<string>
  /** Unix times in ms of the requests during the outage. */
  requestsAtMs: readonly number[]
  /** Ms from the end of the outage to the end of the sends. */
  deliveredAfterMs: number
  deadLetters: number
  /** The body of `/health` during the outage and after it. */
  health: { during: string; after: string }
  /** The log of the server. */
  log: string
  processes: number
}

/** Sends to `tokens` and breaks the provider for `outageMs`. */
export async function runOutage(
  rig: Rig,
  breakage: Breakage | 'refused',
  { tokens, outageMs }: { tokens: readonly string[]; outageMs: number },
): Promise<OutageRecord> {
  const fcm = await startFcmSimulator()
  const broken = await BrokenServer.start(breakage === 'refused' ? 'silence' : breakage)
  const wellPort = Number(new URL(fcm.simulator.origin).port)
  const address = await ProviderSwitch.start(wellPort)
  const directory = await mkdtemp(join(tmpdir(), 'centripush-outage-'))
  const ca = join(directory, 'ca.pem')
  await writeFile(ca, `${await readFile(fcm.simulator.files.ca, 'utf8')}\n${broken.peer.ca}`)
  const server = await startCentripush(makeSettings(rig, fcm, ca, address.port))
  try {
    const uids = [await send(server, tokens.slice(1))]
    await fcm.simulator.waitForAccepted(SENT_BEFORE)
    if (breakage === 'silence') address.swallowAndPointTo(broken.port)
    else if (breakage === 'refused') await address.refuse()
    else await address.pointTo(broken.port)
    // Work that arrives during the outage waits as well.
    uids.push(await send(server, tokens.slice(0, 1)))
    await delay(outageMs)
    const during = await readHealth(server)
    await address.pointTo(wellPort)
    const wellAtMs = Date.now()
    for (const uid of uids) await waitUntil('end of the send', async () => !(await rig.queue.loadSend(uid)))
    const deliveredAfterMs = Date.now() - wellAtMs
    const { deadLetters } = await rig.queue.stats()
    await waitUntil('outage that ended in /health', async () => !(await readHealth(server)).includes('"providers"'))
    const accepted = new Map<string, number>()
    // A refusal is certain. All other requests to the broken server may have been accepted.
    const ambiguous = breakage === 'unavailable' ? [] : broken.requests.map(({ token }) => token)
    const delivered = fcm.simulator.accepted.map(({ target }) => target)
    for (const token of [...delivered, ...ambiguous]) accepted.set(token, (accepted.get(token) ?? 0) + 1)
    return {
      accepted,
      delivered: new Set(delivered),
      requestsAtMs: broken.requests.map(({ atMs }) => atMs),
      deliveredAfterMs,
      deadLetters,
      health: { during, after: await readHealth(server) },
      log: server.output.stdout,
      processes: PROCESSES + 1,
    }
  } finally {
    await server.kill()
    await address.refuse()
    await broken.stop()
    await fcm.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

function makeSettings(
  { backend, scale }: Rig,
  { simulator: { origin, files } }: TestFcmSimulator,
  ca: string,
  port: number,
): Settings {
  return {
    http_api: { key: API_KEY },
    database: { postgresql: { dsn: backend.dsn } },
    push_notifications: {
      enabled_providers: ['fcm'],
      queue: backend.queueSettings,
      fcm: {
        credentials_file: files.credentials,
        ca_file: ca,
        push_endpoint: `https://127.0.0.1:${port}`,
        auth_endpoint: origin,
      },
    },
    worker: { processes: PROCESSES, retry_scale: scale.retryScale },
  }
}

async function send({ url }: CentripushProcess, tokens: readonly string[]): Promise<string> {
  const uid = randomUUID()
  const notification = { fcm: { message: { data: { text: PAYLOAD_MARK } } } }
  const answer = await fetch(`${url}/api/send_push_notification`, {
    method: 'POST',
    headers: { 'x-api-key': API_KEY },
    body: JSON.stringify({ uid, recipient: { fcm_tokens: tokens }, notification }),
  })
  const text = await answer.text()
  if (!text.startsWith('{"result"')) throw new Error(`the send was refused: ${text}`)
  return uid
}

async function readHealth({ url }: CentripushProcess): Promise<string> {
  return await (await fetch(`${url}/health`)).text()
}
