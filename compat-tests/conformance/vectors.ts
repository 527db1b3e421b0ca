// vectors.json: the answers of a real node (Centrifugo OSS v6.9.1) to 282 requests, recorded on 2026-11-22.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

const Body = v.pipe(
  v.union([v.object({ text: v.string() }), v.object({ base64: v.string() })]),
  v.transform((body) => ('text' in body ? Buffer.from(body.text) : Buffer.from(body.base64, 'base64'))),
)
const Headers = v.record(v.string(), v.string())

const Vector = v.object({
  id: v.number(),
  /** The vectors of a scenario were recorded in order, on one new node. */
  scenario: v.string(),
  name: v.string(),
  request: v.object({ method: v.string(), path: v.string(), headers: Headers, body: Body }),
  response: v.object({ status: v.number(), headers: Headers, body: Body }),
  /** JSON pointers to values that differ from run to run. `1:/result` points into the second line. */
  volatile: v.optional(v.array(v.string()), []),
})
export type Vector = v.InferOutput<typeof Vector>

const vectors = v.parse(v.array(Vector), JSON.parse(readFileSync(join(import.meta.dirname, 'vectors.json'), 'utf8')))

/** The vectors by scenario, in the order of recording. */
export const scenarios: ReadonlyMap<string, Vector[]> = groupByScenario()

function groupByScenario(): Map<string, Vector[]> {
  const groups = new Map<string, Vector[]>()
  for (const vector of vectors) groups.set(vector.scenario, [...(groups.get(vector.scenario) ?? []), vector])
  return groups
}

/** Whether the answer is one of the node's HTTP layer, which centripush answers itself. */
export function isAnsweredAtTheEdge({ response }: Vector): boolean {
  const { status } = response
  return status === 401 || status === 405 || status === 307 || (status === 404 && isPlainText(response.headers))
}

function isPlainText(headers: Record<string, string>): boolean {
  return headers['content-type']?.startsWith('text/plain') ?? false
}
