import { loadOrMakeKey } from '../config/made-key.ts'
import type { Config } from '../config/schema.ts'

/** The API key; `madeKey` if it is generated. */
export function chooseKey(
  { http_api: api, data_dir }: Config,
  isApi: boolean,
): { key: string; madeKey: string | undefined } {
  if (!makesKey({ http_api: api }, isApi)) return { key: api.key ?? '', madeKey: undefined }
  const madeKey = loadOrMakeKey(data_dir, 'api_key')
  return { key: madeKey, madeKey }
}

/** Whether the API key is generated. */
export function makesKey({ http_api: api }: Pick<Config, 'http_api'>, isApi: boolean): boolean {
  return isApi && api.key === undefined && !api.insecure
}
