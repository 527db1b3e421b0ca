import type { Config } from '../config/schema.ts'

/**
 * Divides the buffer of ClickHouse's rows among the processes of a server: its own, and with several worker processes
 * theirs and the one for small sends.
 * @param workers the number of worker processes; up to 1 if the server itself sends or if it does not send
 */
export function shareBuffers(config: Config, workers: number): Config {
  if (workers <= 1) return config
  const { clickhouse_analytics: clickhouse } = config
  const { notifications } = clickhouse.export
  const max_buffer_size = Math.ceil(notifications.max_buffer_size / (workers + 2))
  return {
    ...config,
    clickhouse_analytics: {
      ...clickhouse,
      export: { ...clickhouse.export, notifications: { ...notifications, max_buffer_size } },
    },
  }
}
