// The messages between the benchmark and its load generator, over Node's channel between parent and child.
import * as v from 'valibot'
import { KIND_NAMES } from './kinds.ts'

/** A run of the load generator. */
export const LoadOrder = v.object({
  port: v.number(),
  kind: v.picklist(KIND_NAMES),
  /** A text that no other run has. */
  run: v.string(),
  seconds: v.number(),
  /** The run ends earlier with this many calls. */
  maxCalls: v.optional(v.number(), 200_000),
  /** A fixed number of calls a second, whether earlier calls are answered or not. */
  rate: v.optional(v.number()),
  /** Without a rate: the number of calls in flight, each of which is followed by another one. */
  inFlight: v.optional(v.number(), 1),
})
export type LoadOrder = v.InferInput<typeof LoadOrder>

/** The results of a run. */
export const LoadReport = v.object({
  /** The beginning of the run on the machine's monotonic clock, in ms. */
  startMs: v.number(),
  /** The time from the beginning to the last answer. */
  seconds: v.number(),
  /** The times in ms from the moment at which a call is due to its answer, of accepted calls. */
  answersMs: v.array(v.number()),
  /** The same of calls that the server refuses because of its load: error 100, or status 503. */
  refusalsMs: v.array(v.number()),
  /** All other answers, and calls without one. */
  failed: v.number(),
  /** Up to five answers of failed calls. */
  failures: v.array(v.string()),
  /** The pushes of all accepted and not cancelled sends. */
  pushes: v.number(),
  /** The 99th percentile of the time in ms by which the generator itself is late. */
  lateMs: v.number(),
})
export type LoadReport = v.InferOutput<typeof LoadReport>
