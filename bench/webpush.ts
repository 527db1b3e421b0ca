// Web Push's encryption compared with its cryptographic minimum: npm run bench:webpush -- [--keep] [--json FILE]
//
// RFC 8291 needs a new key pair and one key agreement with the browser's key for each message; everything else is
// overhead. Both run in turn on one core.
import { createECDH, randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { encryptPayload } from '../src/providers/webpush/encrypt-payload.ts'
import { median, withSurroundings } from './harness/measure.ts'
import { Report, writeReport } from './harness/report.ts'
import { findResultFile, RESULT_OPTIONS } from './harness/results.ts'

const MAX_RATIO = 1.6
const ROUNDS = 7
const MESSAGES = 1500
const PAYLOAD = Buffer.from(JSON.stringify({ title: 'Breaking', body: 'y'.repeat(200) }))

const { values } = parseArgs({ options: RESULT_OPTIONS })
const browsers = Array.from({ length: 256 }, () => ({
  p256dh: createECDH('prime256v1').generateKeys(),
  auth: randomBytes(16),
}))

/** The microseconds of CPU of a message. */
function measure(work: (browser: (typeof browsers)[number]) => void): number {
  const before = process.cpuUsage()
  for (let message = 0; message < MESSAGES; message++) {
    const browser = browsers[message % browsers.length]
    if (browser) work(browser)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / MESSAGES
}

function agree({ p256dh }: (typeof browsers)[number]): void {
  const ecdh = createECDH('prime256v1')
  ecdh.generateKeys()
  ecdh.computeSecret(p256dh)
}

const { floors, encryptions, ...surroundings } = await withSurroundings(async () => {
  const micros = { floors: [] as number[], encryptions: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    micros.floors.push(measure(agree))
    micros.encryptions.push(measure((browser) => void encryptPayload(PAYLOAD, browser)))
  }
  return micros
})
const [floor, encryption] = [median(floors), median(encryptions)]
const ratio = encryption / floor
const report = new Report()
report.add({
  name: 'webpush: encryption of a message beside key generation and ECDH alone',
  value: `${ratio.toFixed(2)} times (${encryption.toFixed(0)} and ${floor.toFixed(0)} µs)`,
  target: `≤ ${MAX_RATIO} times`,
  isMet: ratio <= MAX_RATIO,
  ratio: { key: 'webpush encryption to ECDH', value: ratio, better: 'lower' },
  ...surroundings,
})
await writeReport(findResultFile('webpush', values), report.checks)
