// answers.json: the answers of a real node (Centrifugo OSS v6.9.1, with all its transports and `health` enabled) to the
// bytes of requests.ts, recorded on 2026-11-29. The dates are left out.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'

const Answer = v.object({ status: v.number(), headers: v.record(v.string(), v.string()), body: v.string() })
export type Answer = v.InferOutput<typeof Answer>

/** The answers on a connection in their order, by the name of its requests. */
export const answers: ReadonlyMap<string, readonly Answer[]> = new Map(
  Object.entries(
    v.parse(
      v.record(v.string(), v.array(Answer)),
      JSON.parse(readFileSync(join(import.meta.dirname, 'answers.json'), 'utf8')),
    ),
  ),
)
