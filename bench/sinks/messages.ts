// The messages between a benchmark and its counting sink, over Node's channel between parent and child.
import * as v from 'valibot'

/** The program's only argument, in JSON. */
export const SinkOptions = v.object({
  cert: v.string(),
  key: v.string(),
  /** 200, or another status of three digits. */
  status: v.number(),
  /** The body of each answer. */
  answer: v.string(),
  /** The header fields of each answer: names in lower case, names and values shorter than 127 characters. */
  headers: v.record(v.string(), v.string()),
  /** The time from the end of a request to its answer. */
  delayMs: v.number(),
  maxStreams: v.number(),
  /**
   * The text before a time in the body of a request, such as `"at":"`; a quotation mark ends the time. The sink records
   * the time that has passed since. Empty: bodies are not read.
   */
  timeMark: v.string(),
})
export type SinkOptions = v.InferOutput<typeof SinkOptions>

/** A message to the sink. */
export const Order = v.variant('kind', [
  v.object({ kind: v.literal('count') }),
  /** Reports the arrival of a request with this text in its body. */
  v.object({ kind: v.literal('watch'), text: v.string() }),
  /** Reports the recorded times, and forgets them. */
  v.object({ kind: v.literal('takeTimes') }),
  /** Reports the number of times since the last `takeTimes`. */
  v.object({ kind: v.literal('countTimes') }),
])
export type Order = v.InferOutput<typeof Order>

/** A message from the sink. */
export const Report = v.variant('kind', [
  v.object({ kind: v.literal('listening'), port: v.number() }),
  v.object({ kind: v.literal('count'), requests: v.number(), connections: v.number() }),
  /** From now on the sink watches for the text. */
  v.object({ kind: v.literal('watching'), text: v.string() }),
  /** The time is that of the machine's monotonic clock, which all processes share. */
  v.object({ kind: v.literal('arrived'), text: v.string(), atMs: v.number() }),
  /** The times in ms of requests with a time mark, and the arrival of the last of them on the same clock. */
  v.object({ kind: v.literal('times'), timesMs: v.array(v.number()), lastMs: v.number() }),
  v.object({ kind: v.literal('timeCount'), count: v.number() }),
])
export type Report = v.InferOutput<typeof Report>
