import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import * as v from 'valibot'

const PROGRAM = join(import.meta.dirname, 'prober-process.ts')
const Result = v.object({ timesMs: v.record(v.string(), v.array(v.number())), failures: v.array(v.string()) })

/** The times of a prober's requests in ms by name, and the requests without a good answer. */
export type Probed = v.InferOutput<typeof Result>

/** Asks the server at a steady rate while `work` runs. */
export async function probeDuring(url: string, key: string, work: () => Promise<void>): Promise<Probed> {
  const child = fork(PROGRAM, [url, key], { execArgv: ['--import', 'tsx'] })
  await once(child, 'message')
  const answered = once(child, 'message')
  try {
    await work()
  } finally {
    child.send('stop')
  }
  const [result] = await answered
  return v.parse(Result, result)
}
