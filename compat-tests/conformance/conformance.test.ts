// Conformance with Centrifugo: every recorded request to centripush in front of a node gets the recorded answer.
// With CENTRIFUGO_BIN=/path/to/centrifugo the node is a real one. Otherwise it replays the recording.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startAssembly, type TestAssembly } from '../../tests/support/assembly.ts'
import { createTestDatabase, type TestDatabase } from '../../tests/support/database.ts'
import { type RawAnswer, sendRaw } from '../../tests/support/raw-request.ts'
import { maskVolatile } from './mask.ts'
import { expectedPushAnswer } from './push-methods.ts'
import { startRealNode } from './real-node.ts'
import { startReplayNode } from './replay-node.ts'
import type { ScenarioNode } from './scenario-node.ts'
import { scenarios, type Vector } from './vectors.ts'

const PUSH_SCENARIO = 'push methods on a server without push'
/** Recorded with every answer that has them. An answer without a recorded one must not have it. */
const COMPARED_HEADERS = ['content-type', 'location', 'x-content-type-options']

let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

interface Stage {
  server: TestAssembly
  node: ScenarioNode
}

/** Registers the tests of a scenario. They share one new node and run in order. */
function describeScenario(
  name: string,
  { vectors, isPushEnabled }: { vectors: readonly Vector[]; isPushEnabled: boolean },
  expectAnswer: (vector: Vector, answer: RawAnswer, node: ScenarioNode) => void,
): void {
  describe(name, () => {
    let stage: Stage
    beforeAll(async () => {
      const binary = process.env.CENTRIFUGO_BIN
      const node = await (binary ? startRealNode(binary) : startReplayNode(vectors))
      const server = await startAssembly(database.dsn, {
        upstream: { address: node.address, api_key: node.key },
        push_notifications: { enabled: isPushEnabled },
      })
      stage = { node, server }
    })
    afterAll(async () => {
      await stage.server.stop(0)
      await stage.node.stop()
    })
    test.each(vectors.map((vector) => [`${vector.id} ${vector.name}`, vector] as const))('%s', async (_, vector) => {
      const answer = await sendRaw({ url: stage.server.url, ...vector.request })
      expectAnswer(vector, answer, stage.node)
      expect(stage.node.violations).toEqual([])
    })
  })
}

function expectRecordedAnswer({ response, volatile }: Vector, answer: RawAnswer, node: ScenarioNode): void {
  expect(answer.status).toBe(response.status)
  for (const name of COMPARED_HEADERS) expect(answer.headers[name], name).toBe(response.headers[name])
  expect(answer.headers).toMatchObject(response.headers)
  if (node.isReal && volatile.length > 0) {
    expect(maskVolatile(answer.body, volatile)).toBe(maskVolatile(response.body, volatile))
  } else {
    expect(answer.body.toString('latin1')).toBe(response.body.toString('latin1'))
  }
}

for (const [name, vectors] of scenarios) {
  describeScenario(name, { vectors, isPushEnabled: name !== PUSH_SCENARIO }, expectRecordedAnswer)
}

describeScenario(
  'push methods on a server with push',
  { vectors: scenarios.get(PUSH_SCENARIO) ?? [], isPushEnabled: true },
  (vector, answer) => {
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.body.toString('utf8')).toBe(expectedPushAnswer(vector))
  },
)
