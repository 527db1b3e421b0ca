import * as v from 'valibot'
import type { VolumeCount, VolumeQuery, VolumeReader } from '../analytics.ts'
import type { ClickhouseServer } from './clickhouse-server.ts'
import { NOTIFICATIONS } from './table-definitions.ts'
import { nameTable, type TableOptions } from './table-statements.ts'

const Row = v.pipe(
  v.object({
    seconds: v.number(),
    provider: v.string(),
    platform: v.string(),
    status: v.string(),
    error_code: v.string(),
    count: v.number(),
  }),
  v.transform(
    ({ seconds, error_code: errorCode, ...row }): VolumeCount => ({ ...row, timeMs: seconds * 1000, errorCode }),
  ),
)

interface Deps {
  servers: readonly ClickhouseServer[]
  tables: TableOptions
}

/** Counts the rows of the export. */
export class ClickhouseVolume implements VolumeReader {
  readonly #deps: Deps

  constructor(deps: Deps) {
    this.#deps = deps
  }

  async readVolume({ fromMs, toMs, stepMs }: VolumeQuery): Promise<VolumeCount[]> {
    const { servers, tables } = this.#deps
    const step = Math.max(1, Math.floor(stepMs / 1000))
    const sql = `
      SELECT intDiv(toUnixTimestamp(time), ${step}) * ${step} AS seconds, provider, platform, status, error_code,
        toUInt32(count()) AS count
      FROM ${nameTable(tables, NOTIFICATIONS)}
      WHERE time >= toDateTime({from:UInt32}) AND time < toDateTime({to:UInt32})
      GROUP BY seconds, provider, platform, status, error_code ORDER BY seconds`
    const params = { from: String(Math.floor(fromMs / 1000)), to: String(Math.ceil(toMs / 1000)) }
    // In a cluster the first server has the rows of all. Servers without a cluster have parts of them.
    const asked = tables.cluster === '' ? servers : servers.slice(0, 1)
    const parts = await Promise.all(asked.map((server) => server.query(sql, params)))
    return v.parse(v.array(Row), parts.flat()).sort((a, b) => a.timeMs - b.timeMs)
  }
}
