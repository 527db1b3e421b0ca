import type { LoadedConfig } from '../config/load.ts'

/** Sentences about settings without effect, for `serve` and `check-config`. */
export function describeSettings({ ignored, notices }: LoadedConfig): string[] {
  const options =
    ignored.length === 0 ? [] : [`options of Centrifugo that centripush does not have: ${ignored.join(', ')}`]
  return [...notices, ...options]
}
