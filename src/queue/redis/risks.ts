import * as v from 'valibot'
import type { RedisClient } from './script.ts'

const Settings = v.array(v.string())

/** What of the server's settings can lose what was accepted, a sentence each. */
export async function findRisks(client: RedisClient): Promise<string[]> {
  try {
    const [maxmemory, policy, appendonly] = await Promise.all([
      readSetting(client, 'maxmemory'),
      readSetting(client, 'maxmemory-policy'),
      readSetting(client, 'appendonly'),
    ])
    return [
      ...(maxmemory !== '0' && policy !== 'noeviction'
        ? [`Redis may evict queued pushes when its memory is full (maxmemory-policy ${policy}); set it to noeviction`]
        : []),
      ...(appendonly === 'no'
        ? [
            'Redis keeps no append-only file: a restart loses what is queued since its last snapshot; set appendonly yes',
          ]
        : []),
    ]
  } catch (error) {
    if (!(error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message))) throw error
    return ['Redis does not show its settings: make sure that maxmemory-policy is noeviction and appendonly is on']
  }
}

async function readSetting(client: RedisClient, name: string): Promise<string> {
  const [, value = ''] = v.parse(Settings, await client.call('CONFIG', 'GET', name))
  return value
}
