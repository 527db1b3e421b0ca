// Runs the table of a provider. A server sends the answer of each row over TLS and HTTP/2. The row states the effects
// on the queue, the devices and the metrics.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Provider } from '../../../src/providers/provider.ts'
import type { Answer } from '../../../src/simulators/answer.ts'
import { makeCertificates } from '../../../src/simulators/certificates.ts'
import type { SimulatedRequest } from '../../../src/simulators/simulated-request.ts'
import { SimulatorServer } from '../../../src/simulators/simulator-server.ts'
import { type Delivered, deliver } from './deliver.ts'
import type { AnswerRow, Effect } from './effects.ts'

/**
 * The target that gets the answer of the row, alone or in a batch of such targets; and targets that get the good one.
 */
const MET = 'target-met'
const ALL_MET = [`${MET}-1`, `${MET}-2`]
const NEIGHBOURS = Array.from({ length: 10 }, (_, index) => `neighbour-${index}`)

/** The address of a device. `keys` are the encryption keys of a Web Push subscription. */
interface DeviceToken {
  token: string
  keys?: string
}

/** How to open a provider and how its server reads requests. */
export interface AnsweredProvider {
  /** Opens a provider that trusts `ca`. */
  open(origin: string, ca: string): Provider
  /** The answer to a token exchange; undefined for all other requests. */
  answerTokenRequest?(request: SimulatedRequest): Answer | undefined
  /** The targets of a request. */
  readTargets(request: SimulatedRequest): readonly string[]
  /** The answer for all targets to which no row applies. */
  good: Answer
  /** The token of a device; its name unless given. */
  tokenOf?(name: string, origin: string): DeviceToken
  /** Whether a request contains all targets of a batch, so that its answer concerns all of them. */
  answersBatches?: boolean
}

/** Declares a test for each row. */
export function describeAnswers(name: string, rows: readonly AnswerRow[], answered: AnsweredProvider): void {
  describe(`an answer of ${name}`, () => {
    const { tokenOf = (token: string): DeviceToken => ({ token }) } = answered
    let server: SimulatorServer
    let ca: string
    let provider: Provider
    let metAnswer: Answer | undefined

    beforeAll(async () => {
      const certificates = await makeCertificates()
      const { cert, key } = certificates
      ca = certificates.caCert
      const handle = (request: SimulatedRequest) => ({ answer: answerTo(request) })
      server = new SimulatorServer({ cert, key, allowsHttp1: true, maxConcurrentStreams: 100, slowMs: 0, handle })
      await server.listen(0)
    })
    afterAll(() => server.stop())
    beforeEach(() => {
      provider = answered.open(server.origin, ca)
    })
    afterEach(() => provider.close())

    function answerTo(request: SimulatedRequest): Answer {
      const isMet = answered.readTargets(request).some((target) => target.includes(MET))
      return answered.answerTokenRequest?.(request) ?? ((isMet && metAnswer) || answered.good)
    }

    function deliverTo(names: readonly string[]): Promise<Delivered> {
      const lines = names.map((name) => {
        const { token, keys = '' } = tokenOf(name, server.origin)
        return `device-of-${name}\t${token}\tuser\tios\t${keys}`
      })
      return deliver(provider, lines)
    }

    it.each(rows.map((row) => [row.what, row] as const))('%s', async (_what, { answer, effect }) => {
      metAnswer = answer
      const tokensOf = (names: readonly string[]) => names.map((name) => tokenOf(name, server.origin).token)
      if (effect.pausedFor !== undefined) {
        expect(await deliverTo(ALL_MET)).toEqual(expectedOf(effect, tokensOf(ALL_MET), 0))
      } else if (answered.answersBatches) {
        const [delivered, others] = await Promise.all([deliverTo(ALL_MET), deliverTo(NEIGHBOURS)])
        expect(delivered).toEqual(expectedOf(effect, tokensOf(ALL_MET), 0))
        expect(others).toEqual(expectedOf({}, [], NEIGHBOURS.length))
      } else {
        const delivered = await deliverTo([...NEIGHBOURS.slice(5), MET, ...NEIGHBOURS.slice(0, 5)])
        expect(delivered).toEqual(expectedOf(effect, tokensOf([MET]), NEIGHBOURS.length))
      }
    })
  })
}

/** The effects of a batch in which the `met` targets got the answer, and `sent` others the good one. */
function expectedOf({ counted, retryMs, isRemoved, pausedFor }: Effect, met: readonly string[], sent: number) {
  const counts = new Map<string, number>()
  const add = (key: string, count: number) => counts.set(key, (counts.get(key) ?? 0) + count)
  if (sent > 0) add('true ', sent)
  if (counted) add(`${counted.success} ${counted.errCode}`, met.length)
  return {
    retryMs: new Map(retryMs === undefined ? [] : met.map((token) => [token, retryMs])),
    removed: isRemoved ? met : [],
    pausedFor,
    counted: Object.fromEntries(counts),
  }
}
