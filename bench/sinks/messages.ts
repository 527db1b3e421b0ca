// What a benchmark and its counting sink say to each other, over Node's channel between parent and child.
import * as v from 'valibot'

/** The program's only argument, as JSON. */
export const SinkOptions = v.object({
  cert: v.string(),
  key: v.string(),
  /** 200, or another one of three digits. */
  status: v.number(),
  /** The body of each answer. */
  answer: v.string(),
  /** The header fields of each answer: names in lower case, names and values shorter than 127 characters. */
  headers: v.record(v.string(), v.string()),
  /** From a request's end to its answer. */
  delayMs: v.number(),
  maxStreams: v.number(),
})
export type SinkOptions = v.InferOutput<typeof SinkOptions>

/** To the sink. */
export const Order = v.variant('kind', [
  v.object({ kind: v.literal('count') }),
  /** Tell when a request comes whose body has this text. */
  v.object({ kind: v.literal('watch'), text: v.string() }),
])
export type Order = v.InferOutput<typeof Order>

/** From the sink. */
export const Report = v.variant('kind', [
  v.object({ kind: v.literal('listening'), port: v.number() }),
  v.object({ kind: v.literal('count'), requests: v.number(), connections: v.number() }),
  /** A request that comes from now on will be told of. */
  v.object({ kind: v.literal('watching'), text: v.string() }),
  /** By the machine's monotonic clock, which all its processes share. */
  v.object({ kind: v.literal('arrived'), text: v.string(), atMs: v.number() }),
])
export type Report = v.InferOutput<typeof Report>
