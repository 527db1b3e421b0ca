import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { chooseRedis } from '../../src/config/check.ts'
import type { Config } from '../../src/config/schema.ts'
import { makeKeys } from '../../src/queue/redis/keys.ts'
import { loadScriptSource } from '../../src/redis/script-source.ts'
import type { StoreMistakes } from './store-mistakes.ts'

/** The batches that a trimmed stream keeps. */
const KEPT = 20

/** The mistakes on Redis. */
export function makeRedisMistakes(config: Config): StoreMistakes {
  const { address, prefix } = chooseRedis(config)
  const keys = makeKeys(prefix)
  return {
    async writeBatches(uid, batches) {
      const redis = new Redis(address[0] ?? '')
      for (const { lane, provider, targetKind, count, targets } of batches) {
        if (targets.kind === 'range') throw new Error('batches of ranges cannot be stored apart from the cursor here')
        const fields = { u: uid, k: targetKind, n: count, t: targets.lines, a: 0, m: 0, f: '' }
        await redis.xadd(keys.batches(lane, provider), '*', ...Object.entries(fields).flat())
      }
      await redis.hincrby(keys.send(uid), 'open', batches.length)
      redis.disconnect()
    },
    dropFence: () =>
      patchScript(
        'acknowledge',
        /^ *if not is_claimed\(.* return 'LOST' end$/m,
        "if #redis.call('XRANGE', stream, id, id) == 0 then return 'LOST' end",
      ),
    // Redis keeps the times of claims in the stream, which no write can change, and has no grace.
    endRangeLeases: () => undefined,
    omitRestartGrace: () => undefined,
    trimStreams: () => patchScript('commit-pages', "XADD', stream, '*'", `XADD', stream, 'MAXLEN', '${KEPT}', '*'`),
  }
}

/** Replaces `place` in a script of the queue with `text`. @throws Error when the script does not have `place` */
function patchScript(name: string, place: string | RegExp, text: string): void {
  const source = loadScriptSource(new URL(`../../src/queue/redis/lua/${name}.lua`, import.meta.url))
  const changed = source.replace(place, text)
  if (changed === source) throw new Error(`${name} has nothing to plant a mistake in`)
  // The queue has loaded its scripts before a mistake is planted, so the commands to Redis are changed instead.
  const changes = new Map<unknown, string>([
    [source, changed],
    [sha1(source), sha1(changed)],
  ])
  const own = Redis.prototype.callBuffer
  Object.defineProperty(Redis.prototype, 'callBuffer', {
    value(this: Redis, command: string, [script, ...args]: unknown[]) {
      return Reflect.apply(own, this, [command, [changes.get(script) ?? script, ...args]])
    },
  })
}

function sha1(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}
