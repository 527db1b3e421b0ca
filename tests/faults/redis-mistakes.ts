import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { Redis } from 'ioredis'
import { chooseRedis } from '../../src/config/check.ts'
import type { Config } from '../../src/config/schema.ts'
import { makeKeys } from '../../src/queue/redis/keys.ts'
import type { StoreMistakes } from './store-mistakes.ts'

/** Batches that a trimmed stream keeps. */
const KEPT = 20

export function makeRedisMistakes(config: Config): StoreMistakes {
  const { address, prefix } = chooseRedis(config)
  const keys = makeKeys(prefix)
  return {
    async writeBatches(uid, batches) {
      const redis = new Redis(address[0] ?? '')
      for (const { lane, provider, targetKind, count, lines } of batches) {
        const fields = { u: uid, k: targetKind, n: count, t: lines, a: 0, m: 0, f: '' }
        await redis.xadd(keys.batches(lane, provider), '*', ...Object.entries(fields).flat())
      }
      await redis.hincrby(keys.send(uid), 'open', batches.length)
      redis.disconnect()
    },
    dropFence: () =>
      patchScript(
        'acknowledge.lua',
        /^if pending\.err or .* return 'LOST' end$/m,
        "if #redis.call('XRANGE', KEYS[1], ARGV[3], ARGV[3]) == 0 then return 'LOST' end",
      ),
    trimStreams: () =>
      patchScript('commit-page.lua', "XADD', KEYS[i], '*'", `XADD', KEYS[i], 'MAXLEN', '${KEPT}', '*'`),
  }
}

/** Has a script of the queue read with `text` in another's place. Throws when it is not there: nothing would be planted. */
function patchScript(name: string, place: string | RegExp, text: string): void {
  const read = fs.readFileSync
  const patched = (...args: Parameters<typeof read>) => {
    const content = read(...args)
    if (!String(args[0]).endsWith(`/${name}`) || typeof content !== 'string') return content
    const changed = content.replace(place, text)
    if (changed === content) throw new Error(`${name} has nothing to plant a mistake in`)
    return changed
  }
  Object.assign(fs, { readFileSync: patched })
  syncBuiltinESMExports()
}
