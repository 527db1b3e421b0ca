// What a server and its worker processes say to each other, over Node's own channel between parent and child.
import * as v from 'valibot'
import type { Config } from '../config/schema.ts'
import { LANES } from '../queue/lane.ts'

/** A configuration that was checked already; it holds nothing that the channel can't carry. */
const config = v.custom<Config>((value) => typeof value === 'object' && value !== null)

const lanes = v.pipe(v.array(v.picklist(LANES)), v.readonly())

/** To a worker process. */
export const Order = v.variant('kind', [
  /** The first one. `database.postgresql.dsn` is set, also where the database is embedded, and migrated already. */
  v.object({ kind: v.literal('start'), config, duty: v.object({ lanes, fallbackLanes: lanes }) }),
  v.object({ kind: v.literal('readMetrics'), id: v.number() }),
  /** The last one. */
  v.object({ kind: v.literal('stop'), graceMs: v.number() }),
])
export type Order = v.InferOutput<typeof Order>

/** From a worker process. */
export const Report = v.variant('kind', [
  /** It works, and at each change: whether it reaches its queue. */
  v.object({ kind: v.literal('ready'), isReady: v.boolean() }),
  /** It can't: what the operator has to mend, or a mistake of ours that it has logged. */
  v.object({ kind: v.literal('failed'), message: v.string() }),
  /** As prom-client's `getMetricsAsJSON` has them. */
  v.object({
    kind: v.literal('metrics'),
    id: v.number(),
    metrics: v.array(v.custom<object>((value) => typeof value === 'object')),
  }),
])
export type Report = v.InferOutput<typeof Report>
