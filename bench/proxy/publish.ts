// `publish` on 32 connections at full speed (wrk), and at a steady rate.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Pool } from 'undici'
import { summarize, type Times } from '../harness/measure.ts'
import { findProgram } from '../harness/programs.ts'

const run = promisify(execFile)

/** 60 bytes. */
const BODY = JSON.stringify({ channel: 'news', data: { text: 'goal in extra time, 2:1' } }).padEnd(60)
const CONNECTIONS = 32

/** A server with the method `publish`. */
export interface Endpoint {
  url: string
  key: string
}

/** Requests per second, and their number. @throws Error when an answer is not 200 */
export async function runWrk(
  { url, key }: Endpoint,
  seconds: number,
): Promise<{ perSecond: number; requests: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-wrk-'))
  const script = join(directory, 'publish.lua')
  const headers = `wrk.headers["X-API-Key"] = ${JSON.stringify(key)}\nwrk.headers["Content-Type"] = "application/json"`
  await writeFile(script, `wrk.method = "POST"\nwrk.body = ${JSON.stringify(BODY)}\n${headers}\n`)
  const options = ['-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '-s', script]
  const { stdout } = await run(findProgram('wrk'), [...options, `${url}/api/publish`]).finally(() =>
    rm(directory, { recursive: true }),
  )
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
  const requests = Number(/(\d+) requests in/.exec(stdout)?.[1])
  if (!(perSecond > 0) || /Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk: ${stdout}`)
  return { perSecond, requests }
}

/** The times of answers at `perSecond` requests, which are sent without waiting for earlier answers. */
export async function publishSteadily({ url, key }: Endpoint, perSecond: number, seconds: number): Promise<Times> {
  const pool = new Pool(url, { connections: CONNECTIONS })
  const headers = { 'x-api-key': key, 'content-type': 'application/json' }
  const durationsMs: number[] = []
  const publish = async () => {
    const startMs = performance.now()
    const { statusCode, body } = await pool.request({ path: '/api/publish', method: 'POST', headers, body: BODY })
    await body.dump()
    if (statusCode !== 200) throw new Error(`publish: ${statusCode}`)
    durationsMs.push(performance.now() - startMs)
  }
  const sent: Promise<void>[] = []
  const startMs = performance.now()
  for (let count = 0; count < perSecond * seconds; count++) {
    const dueMs = startMs + (count * 1000) / perSecond
    if (dueMs > performance.now()) await delay(dueMs - performance.now())
    sent.push(publish())
  }
  await Promise.all(sent)
  await pool.close()
  // The first requests open connections.
  return summarize(durationsMs.slice(CONNECTIONS))
}
