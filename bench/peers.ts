// The providers compared with common libraries: npm run bench:peers -- [--quick] [--keep] [--json FILE]
//
// All clients send the same pushes to the same sink, in turn, each in one process with one event loop: firebase-admin's
// `sendEach` for FCM and @parse/node-apn for APNs. There is no queue and no database; bench/pipeline.ts measures those.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeLogger } from '../src/observability/log.ts'
import { ApnsProvider } from '../src/providers/apns/apns.ts'
import { parseSigningKey } from '../src/providers/apns/signing-key.ts'
import { FcmProvider } from '../src/providers/fcm/fcm.ts'
import { readServiceAccount } from '../src/providers/fcm/service-account.ts'
import { FcmSimulator } from '../src/simulators/fcm/fcm-simulator.ts'
import { LocalCredentialCache } from '../tests/support/local-credential-cache.ts'
import { median, withSurroundings } from './harness/measure.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'
import { limitTime, using } from './harness/teardown.ts'
import { runProvider } from './peers/batches.ts'
import { runFirebaseAdmin } from './peers/firebase-admin.ts'
import type { Rate } from './peers/load.ts'
import { type ApnsAccount, runNodeApn } from './peers/node-apn.ts'
import { CountingSink } from './sinks/counting-sink.ts'

const TIMEOUT_MS = 5 * 60_000
const MIN_TIMES = 5
const ALERT = { title: 'Breaking', body: 'y'.repeat(80) }

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    ...RESULT_OPTIONS,
  },
})
const rounds = values.quick ? 3 : 5
const pushes = values.quick ? 60_000 : 150_000
/** The libraries are slower by an order of magnitude. */
const peerPushes = pushes / 10
const logger = makeLogger({ level: 'error', file: '' })
const report = new Report()

/** Runs both in turn and compares their medians. */
async function compare(name: string, peer: string, runOurs: () => Promise<Rate>, runPeer: () => Promise<Rate>) {
  const { ours, theirs, ...surroundings } = await withSurroundings(async () => {
    const rates = { ours: [] as Rate[], theirs: [] as Rate[] }
    for (let round = 0; round < rounds; round++) {
      rates.ours.push(await runOurs())
      rates.theirs.push(await runPeer())
    }
    return rates
  })
  const rateOf = (rates: Rate[]) => median(rates.map(({ perSecond }) => perSecond))
  const cpuOf = (rates: Rate[]) => median(rates.map(({ cpuMicrosPerRequest = Number.NaN }) => cpuMicrosPerRequest))
  const times = rateOf(ours) / rateOf(theirs)
  report.add({
    name: `${name} beside ${peer}`,
    value:
      `${times.toFixed(1)} times (${Math.round(rateOf(ours))} and ${Math.round(rateOf(theirs))}/s; ` +
      `${cpuOf(ours).toFixed(1)} and ${cpuOf(theirs).toFixed(1)} µs of CPU a push)`,
    target: `≥ ${MIN_TIMES} times`,
    isMet: times >= MIN_TIMES,
    ratio: { key: `${name} to ${peer}`, value: times, better: 'higher' },
    ...surroundings,
  })
}

async function startFcmSimulator() {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-fcm-'))
  const simulator = await FcmSimulator.start({ directory })
  const stop = async () => {
    await simulator.stop()
    await rm(directory, { recursive: true })
  }
  return { simulator, stop }
}

async function compareFcm(): Promise<void> {
  await using(startFcmSimulator(), async ({ simulator }) => {
    const { project, files, origin } = simulator
    const answer = `{\n  "name": "projects/${project}/messages/0:1767225600000000%1f2e3d4c5b6a7980"\n}\n`
    // nghttpd resets firebase-admin's streams with PROTOCOL_ERROR.
    await using(CountingSink.start({ answer }), async (sink) => {
      const provider = new FcmProvider({
        account: readServiceAccount(JSON.parse(await readFile(files.credentials, 'utf8'))),
        pushEndpoint: sink.origin,
        authEndpoint: origin,
        ca: `${sink.ca}\n${await readFile(files.ca, 'utf8')}`,
        logger,
      })
      const tokenOf = (index: number) => String(index).padStart(163, 't')
      const message = { notification: ALERT }
      await compare(
        'fcm',
        'firebase-admin',
        () => runProvider(provider, JSON.stringify(message), pushes, tokenOf),
        () => runFirebaseAdmin(sink, project, message, peerPushes, tokenOf),
      )
      await provider.close()
    })
  })
}

async function compareApns(): Promise<void> {
  const headers = { 'apns-id': '5c1cb0e5-0000-4000-8000-6a7980f1e2d3' }
  await using(CountingSink.start({ headers }), async (sink) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const account: ApnsAccount = { keyPem, keyId: 'KEY0000001', teamId: 'TEAM000001', bundleId: 'com.example.app' }
    const provider = new ApnsProvider({
      endpoint: sink.origin,
      bundleId: account.bundleId,
      auth: {
        kind: 'token',
        key: parseSigningKey(keyPem, account.keyId, account.teamId),
        cache: new LocalCredentialCache(),
      },
      ca: sink.ca,
      logger,
    })
    const tokenOf = (index: number) => index.toString(16).padStart(64, 'a')
    const payload = { aps: { alert: ALERT } }
    await compare(
      'apns',
      '@parse/node-apn',
      () => runProvider(provider, JSON.stringify(payload), pushes, tokenOf),
      () => runNodeApn(sink, account, payload, peerPushes, tokenOf),
    )
    await provider.close()
  })
}

limitTime(TIMEOUT_MS)
await compareFcm()
await compareApns()
await writeReport(findResultFile('peers', values), report.checks)
