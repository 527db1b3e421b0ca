import { Agent } from 'node:https'
import { Readable } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'

/** An insert of each table is in progress at a time, and statements of a start. */
const MAX_CONNECTIONS = 3
/** How long a server may send nothing while a request is in progress, in ms. */
const ANSWER_TIMEOUT_MS = 30_000

interface Options {
  /** `http://HOST:PORT` or `https://HOST:PORT`. */
  url: string
  user: string
  password: string
  /** Used with an `https:` URL. */
  tls: ConnectionOptions
  answerTimeoutMs?: number
  maxConnections?: number
}

/** The values of the `{name:Type}` parameters of a query. */
export type QueryParams = Record<string, string | readonly string[]>

/** One server of ClickHouse, over HTTP. Its methods reject with a ClickHouseError or an error of the connection. */
export class ClickhouseServer {
  readonly url: string
  readonly #client: ClickHouseClient

  constructor({
    url,
    user,
    password,
    tls,
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
    maxConnections = MAX_CONNECTIONS,
  }: Options) {
    this.url = url
    this.#client = createClient({
      url,
      username: user,
      password,
      application: 'centripush',
      request_timeout: answerTimeoutMs,
      max_open_connections: maxConnections,
      // A busy process may notice late that the server has closed an idle connection: it is not used again.
      keep_alive: { eagerly_destroy_stale_sockets: true },
      ...(url.startsWith('https:') && {
        http_agent: new Agent({ ...tls, keepAlive: true, maxSockets: maxConnections }),
      }),
      // By default the client prints failed requests. They are thrown too, and logged by the callers.
      log: { level: ClickHouseLogLevel.OFF },
    })
  }

  /** Resolves if the server answers and accepts the user. */
  async ping(): Promise<void> {
    const result = await this.#client.ping({ select: true })
    if (!result.success) throw result.error
  }

  /** The rows of a query. @param params the values of its `{name:Type}` parameters */
  async query(sql: string, params: QueryParams): Promise<unknown[]> {
    const result = await this.#client.query({ query: sql, query_params: params, format: 'JSONEachRow' })
    return await result.json()
  }

  /** Runs a statement without a result. */
  async run(sql: string): Promise<void> {
    await this.#client.command({ query: sql })
  }

  /**
   * Inserts the encoded rows of `body`. Resolves when they are stored, in a cluster by all shards. ClickHouse stores
   * them only once if the same body is inserted again with the same token.
   */
  async insert(sql: string, body: Buffer, token: string, signal: AbortSignal): Promise<void> {
    const { stream } = await this.#client.exec({
      query: sql,
      values: Readable.from([body]),
      abort_signal: signal,
      clickhouse_settings: {
        // Rows are collected here. With async_insert the server would do it a second time.
        async_insert: 0,
        insert_deduplication_token: token,
        // The old name of distributed_foreground_insert, which servers before 23.11 do not know.
        insert_distributed_sync: 1,
      },
    })
    // The connection is free after the answer has been read.
    for await (const _chunk of stream);
  }

  async close(): Promise<void> {
    await this.#client.close()
  }
}
