// Inserts a batch into one of the servers, and judges failures. With a cluster, a batch may be repeated at another
// server, because all of them store into the same tables. Servers without a cluster know only the tokens of their own
// inserts: a batch that one of them may have stored is repeated only there.
import type { RowMetrics } from '../../observability/analytics-metrics.ts'
import type { Logger } from '../../observability/log.ts'
import { OutageLog } from '../../observability/outage-log.ts'
import { untilAborted } from '../../timing/until-aborted.ts'
import type { ClickhouseServer } from './clickhouse-server.ts'
import { explainError, type InsertVerdict, judgeInsertError, mayBeStored } from './insert-error.ts'
import { TableError } from './prepare-tables.ts'

interface Deps {
  servers: readonly ClickhouseServer[]
  isCluster: boolean
  /** The statement before the rows. */
  statement: string
  /** Makes missing tables on a server. @throws TableError if its tables do not fit, or errors of ClickHouse */
  prepare(server: ClickhouseServer): Promise<void>
  metrics: RowMetrics
  logger: Logger
  /** Names the outages in the log. */
  name: string
}

/** A batch and the state of its inserts. */
export interface InsertedBatch {
  /** Names these rows in every insert. */
  token: string
  rows: number
  /** The number of failed inserts. */
  failures: number
  /** The server that may have stored the batch; undefined before an insert with an unknown end. */
  boundTo: ClickhouseServer | undefined
}

const MEND: Record<InsertVerdict, string> = {
  retry: 'make ClickHouse reachable, or correct clickhouse_analytics.clickhouse_dsn; rows are kept meanwhile',
  operator: 'correct the table, or the user and its rights; rows are kept meanwhile',
  refused: 'report this error; the rows of the batch were dropped',
}

/** Inserts batches, one at a time. */
export class Inserter {
  readonly #deps: Deps
  readonly #outage: OutageLog
  #index = 0

  constructor(deps: Deps) {
    this.#deps = deps
    this.#outage = new OutageLog({ logger: deps.logger, kind: 'store', name: deps.name, now: Date.now })
  }

  /** Inserts a batch, and records in it how that ended. Never rejects. */
  async insert(batch: InsertedBatch, body: Buffer, signal: AbortSignal): Promise<'stored' | InsertVerdict> {
    const server = batch.boundTo ?? this.#chooseServer()
    // The client would not notice a signal that has aborted before its request.
    if (!server || signal.aborted) return 'retry'
    const startedMs = performance.now()
    const onEnd = (isOk: boolean) =>
      this.#deps.metrics.flush((performance.now() - startedMs) / 1000, batch.failures, isOk)
    try {
      await server.insert(this.#deps.statement, body, batch.token, signal)
      onEnd(true)
      this.#outage.onWell()
      return 'stored'
    } catch (error) {
      onEnd(false)
      batch.failures++
      if (!this.#deps.isCluster && mayBeStored(error)) batch.boundTo = server
      this.#index++
      return signal.aborted ? 'retry' : await this.#judge(error, server, signal)
    }
  }

  #chooseServer(): ClickhouseServer | undefined {
    const { servers } = this.#deps
    return servers[this.#index % servers.length]
  }

  /** Judges a failure and logs it. An error that the state of the tables explains is never the fault of the rows. */
  async #judge(error: unknown, server: ClickhouseServer, signal: AbortSignal): Promise<InsertVerdict> {
    const verdict = judgeInsertError(error)
    const tableError = verdict === 'retry' ? undefined : await this.#findTableError(server, signal)
    const fields = { err: error, origin: server.url }
    const cause = explainError(error)
    if (tableError instanceof TableError) {
      this.#outage.onFailure({ cause, mend: tableError.message }, fields)
      return 'operator'
    }
    // The columns of the table could not be checked, so the rows may be right: they are kept for another attempt.
    const known = verdict === 'refused' && tableError ? 'retry' : verdict
    this.#outage.onFailure({ cause, mend: MEND[known] }, fields)
    return known
  }

  /** Prepares the tables again, and returns the error of that. Undefined: they fit. */
  async #findTableError(server: ClickhouseServer, signal: AbortSignal): Promise<Error | undefined> {
    try {
      await untilAborted(this.#deps.prepare(server), signal, () => new Error('aborted'))
      return undefined
    } catch (error) {
      return error instanceof Error ? error : new Error('tables not prepared', { cause: error })
    }
  }
}
