import type { InferInput } from 'valibot'
import type { ConfigSchema } from '../../src/config/schema.ts'
import { TestClickhouse } from '../../tests/support/clickhouse/clickhouse-server.ts'

/** The stores of analytics that can be measured. */
export const ANALYTICS_NAMES = ['off', 'postgresql', 'clickhouse'] as const
export type AnalyticsName = (typeof ANALYTICS_NAMES)[number]

type Config = InferInput<typeof ConfigSchema>
/** The sections of a configuration for analytics. */
export type AnalyticsConfig = Pick<Config, 'postgresql_analytics' | 'clickhouse_analytics'>

/** A store of analytics for one server. */
export interface MeasuredAnalytics {
  config: AnalyticsConfig
  stop(): Promise<void>
}

const DATABASE = 'centrifugo'

/** Starts a store of analytics. */
export async function startAnalytics(name: AnalyticsName): Promise<MeasuredAnalytics> {
  const stop = async () => {}
  if (name === 'off') return { config: { postgresql_analytics: { enabled: false } }, stop }
  if (name === 'postgresql') return { config: {}, stop }
  const clickhouse = await TestClickhouse.start()
  await clickhouse.query(`CREATE DATABASE ${DATABASE}`)
  const notifications = { enabled: true }
  const section = { enabled: true, clickhouse_dsn: [clickhouse.url], clickhouse_database: DATABASE }
  return {
    config: { clickhouse_analytics: { ...section, export: { notifications } } },
    stop: () => clickhouse.stop(),
  }
}
