// Runs the same calls on the model and on the methods with a real database. After each call it compares the results,
// and with the three lists all stored data.
import { isDeepStrictEqual } from 'node:util'
import { ApiError } from '../../src/protocol/errors.ts'
import { fc } from '../support/fast-check.ts'
import { type Devices, openDevices } from './methods.ts'
import { DeviceModel } from './model.ts'
import { DeviceIds, type Operation, operation } from './model-operations.ts'

type Json = Record<string, unknown>

interface Sides {
  devices: Devices
  model: DeviceModel
  ids: DeviceIds
}

const MAX_STEPS = 30
const EVERYTHING = { include_topics: true, include_meta: true, include_webpush_keys: true, include_device: true }

/** Runs random sequences on a new database. Resolves to the number of their calls. */
export async function expectAgreement({ sequences }: { sequences: number }): Promise<number> {
  const devices = await openDevices()
  let steps = 0
  try {
    await fc.assert(
      modelProperty(devices, () => steps++),
      { numRuns: sequences },
    )
  } finally {
    await devices.drop()
  }
  return steps
}

/** Fails on a sequence after which they differ. Each sequence starts with empty tables. */
export function modelProperty(devices: Devices, onStep: () => void = () => undefined) {
  // All sequences have the full length. Short ones find little more, and shrinking makes them short.
  const sequence = fc.array(operation, { minLength: 1, maxLength: MAX_STEPS, size: 'max' })
  return fc.asyncProperty(sequence, async (operations) => {
    await empty(devices)
    const sides = { devices, model: new DeviceModel(), ids: new DeviceIds() }
    const log: string[] = []
    for (const step of operations) {
      onStep()
      await runStep(sides, step, log)
      await compareAll(sides, log)
    }
  })
}

/** For so few rows this is many times faster than truncate. */
async function empty({ sql }: Devices): Promise<void> {
  await sql`
    with d as (delete from devices), t as (delete from device_topics), u as (delete from user_topics)
    delete from topics`
}

async function runStep({ devices, model, ids }: Sides, step: Operation, log: string[]): Promise<void> {
  const request: Json = resolveIds(step.request, ids)
  log.push(`${step.method} ${JSON.stringify(request)}`)
  if (step.method === 'list' || step.method === 'listTopics' || step.method === 'listUsers') {
    compare(log, await walk(devices[step.method], request, step.limit), sorted(model[step.method](request)))
    return
  }
  const actual = await settle(async () =>
    step.method === 'register' ? { id: await devices.register(request) } : devices[step.method](request),
  )
  const id = 'id' in actual && typeof actual.id === 'string' ? actual.id : ''
  if (id !== '') ids.add(id)
  // The type of the operation determines its request. With resolved ids it is a request of the model.
  const expected = await settle(async () => model[step.method](request as never, id))
  compare(log, actual, expected)
}

/** Replaces the numbers of devices by their ids. */
function resolveIds(request: object, ids: DeviceIds): Json {
  const entries = Object.entries(request).map(([key, value]) => {
    if (typeof value === 'number') return [key, ids.at(value)]
    if (key === 'filter') return [key, resolveIds(value, ids)]
    return [key, Array.isArray(value) ? value.map((item) => (typeof item === 'number' ? ids.at(item) : item)) : value]
  })
  return Object.fromEntries(entries)
}

/** The result, or the error of the reply. */
async function settle(call: () => Promise<object>): Promise<object> {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof ApiError) || error.kind === 'internal') throw error
    return { error: error.kind }
  }
}

async function compareAll({ devices, model }: Sides, log: string[]): Promise<void> {
  const methods = ['list', 'listTopics', 'listUsers'] as const
  const lists = await Promise.all(methods.map((method) => walk(devices[method], EVERYTHING, 0)))
  for (const [index, method] of methods.entries()) compare(log, lists[index], sorted(model[method](EVERYTHING)))
}

type List = (request: Json) => Promise<{ items: { id: string }[]; next_cursor?: string; total_count?: number }>

/**
 * All pages of a list in the form of the model. Checks order, pages, totals and times, which the model does not have.
 */
async function walk(list: List, request: Json, limit: number): Promise<object[]> {
  const items: { id: string }[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const page = await list({ ...request, limit, cursor, include_total_count: true })
    items.push(...page.items)
    cursor = page.next_cursor
    if (cursor !== undefined && page.items.length !== (limit || 100))
      throw new Error('a page before the last is not full')
    if (cursor === undefined && (page.total_count ?? 0) !== items.length) throw new Error('total_count is wrong')
  }
  const itemIds = items.map(({ id }) => id)
  if (itemIds.some((id, index) => index > 0 && id <= (itemIds[index - 1] ?? '')))
    throw new Error('not in the order of ids')
  return sorted(items.map(withoutTimes))
}

/** Items without the ids of topics, which the model does not have. */
function withoutTimes(item: { id: string; topic?: string; device?: object }): object {
  const { created_at, updated_at, ...rest }: Json = { ...item }
  if (created_at !== undefined && !(Number(created_at) <= Number(updated_at))) throw new Error('updated before created')
  if (item.topic === undefined) return rest
  const { id: _, device, ...subscription } = item
  return device ? { ...subscription, device: withoutTimes({ id: '', ...device }) } : subscription
}

function sorted(items: object[]): object[] {
  const keyed = items.map((item) => ({ key: JSON.stringify(Object.entries(item).sort()), item }))
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ item }) => item)
}

function compare(log: readonly string[], actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return
  const lines = [...log, `gives    ${JSON.stringify(actual)}`, `expected ${JSON.stringify(expected)}`]
  throw new Error(`the server and the model differ after\n  ${lines.join('\n  ')}`)
}
