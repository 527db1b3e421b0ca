import type { LoadedConfig } from '../config/load.ts'

/** The sentences about settings without effect, for commands that start or check a configuration. */
export function describeSettings({ ignored, notices }: LoadedConfig): string[] {
  const options =
    ignored.length === 0 ? [] : [`options of Centrifugo that centripush does not have: ${ignored.join(', ')}`]
  return [...notices, ...options]
}
