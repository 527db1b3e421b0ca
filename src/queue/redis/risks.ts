import * as v from 'valibot'
import type { RedisClient } from '../../redis/connect.ts'

const Settings = v.array(v.string())

/**
 * Finds settings of the Redis server that can lose accepted sends.
 * @returns a sentence for each, which names the setting to change
 */
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
        ? ['Redis keeps no append-only file: a restart loses pushes queued since the last snapshot; set appendonly yes']
        : []),
    ]
  } catch (error) {
    if (!(error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message))) throw error
    return [
      'Redis does not allow reading its settings: check that maxmemory-policy is noeviction and appendonly is yes',
    ]
  }
}

async function readSetting(client: RedisClient, name: string): Promise<string> {
  const [, value = ''] = v.parse(Settings, await client.call('CONFIG', 'GET', name))
  return value
}
