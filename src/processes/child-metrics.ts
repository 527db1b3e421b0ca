// The metrics of child processes, which a server adds to its own.
import type { ChildProcess } from 'node:child_process'
import { AggregatorRegistry } from 'prom-client'
import { withDeadline } from '../timing/deadline.ts'
import { LAST_METRICS } from './messages.ts'

const TIMEOUT_MS = 2000
/** The types of metrics that add up over processes, also over ended ones. */
const SUMS = new Set(['counter', 'histogram'])

/** The metrics of a process, in the form of prom-client's `getMetricsAsJSON`. */
export type MetricsOfProcess = object[]

interface Reporting {
  /** Orders the process to report its metrics under an id. */
  ask(id: number): void
  /** The metrics that it reported last. */
  latest: MetricsOfProcess
}

/** Reads the metrics of child processes, and keeps those of ended ones. */
export class ChildMetrics {
  /** The processes whose reports are not read to the end. They can have ended. */
  readonly #reporting = new Map<ChildProcess, Reporting>()
  /** Orders that a process has not answered, by their id. */
  readonly #readers = new Map<number, () => void>()
  #lastId = LAST_METRICS
  /** The counters and histograms of ended processes: sums in metrics never decrease. */
  #ended: MetricsOfProcess = []

  /** Adds a process. @param ask orders it to report its metrics under an id */
  add(child: ChildProcess, ask: Reporting['ask']): void {
    const reporting = { ask, latest: [] }
    this.#reporting.set(child, reporting)
    child.once('disconnect', () => this.#end(child))
  }

  /** Removes a process that could not be started. */
  remove(child: ChildProcess): void {
    this.#reporting.delete(child)
  }

  /** Takes a report of a process. */
  onReport(child: ChildProcess, { id, metrics }: { id: number; metrics: MetricsOfProcess }): void {
    const reporting = this.#reporting.get(child)
    if (reporting) reporting.latest = metrics
    this.#readers.get(id)?.()
  }

  /**
   * The metrics of all processes, ended ones included. Those of a process that does not answer in time are its last
   * ones: Prometheus would take smaller sums for a restart, and count all of them again.
   */
  async readAll(): Promise<MetricsOfProcess[]> {
    const connected = [...this.#reporting].filter(([child]) => child.connected)
    await Promise.allSettled(connected.map(([, { ask }]) => this.#read(ask)))
    return [this.#ended, ...[...this.#reporting.values()].map(({ latest }) => latest)]
  }

  async #read(ask: Reporting['ask']): Promise<void> {
    const id = ++this.#lastId
    const answer = new Promise<void>((resolve) => this.#readers.set(id, resolve))
    ask(id)
    await withDeadline(answer, TIMEOUT_MS).finally(() => this.#readers.delete(id))
  }

  #end(child: ChildProcess): void {
    const { latest = [] } = this.#reporting.get(child) ?? {}
    this.#reporting.delete(child)
    const sums = latest.filter((metric) => 'type' in metric && SUMS.has(String(metric.type)))
    const merged = AggregatorRegistry.aggregate([this.#ended, sums])
    void merged.getMetricsAsJSON().then((all) => {
      this.#ended = all
    })
  }
}
