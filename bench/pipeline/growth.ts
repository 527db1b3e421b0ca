// The cost of a push in broadcasts of different sizes.
import { withSurroundings } from '../harness/measure.ts'
import { using } from '../harness/teardown.ts'
import { type Broadcast, runBroadcast } from './broadcast.ts'
import { type PipelineContext, totalMicros, warmUpOf } from './context.ts'
import { startPushService } from './push-service.ts'
import { copySubscribers, loadSubscribers } from './subscribers.ts'
import { withRig } from './with-rig.ts'

/** The most that a push may cost, as a multiple of the cheapest one. */
const MAX_SPREAD = 1.5
/** A small broadcast is repeated until it has this many pushes, to average out chance. */
const MIN_PUSHES = 100_000

/** Sends to topics of each of `sizes`, in rising order. */
export async function measureGrowth(context: PipelineContext, sizes: readonly number[]): Promise<void> {
  const largest = sizes.at(-1) ?? 0
  await using(startPushService('fcm', 'nghttpd'), async (service) => {
    const { sql, report } = context
    await loadSubscribers(sql, 'growth:all', 'fcm', largest, service.sink.origin)
    const warmUp = warmUpOf(largest)
    await copySubscribers(sql, 'growth:all', 'growth:warm-up', warmUp)
    for (const size of sizes) await copySubscribers(sql, 'growth:all', `growth:${size}`, size)
    const { costs, ...surroundings } = await withSurroundings(() =>
      withRig({ ...context, provider: 'fcm', queue: 'redis', service }, async (rig) => {
        await runBroadcast(rig, 'growth:warm-up', warmUp)
        const all: { size: number; micros: number; seconds: number }[] = []
        for (const size of sizes)
          all.push({ size, ...(await repeat(size, () => runBroadcast(rig, `growth:${size}`, size))) })
        return { costs: all }
      }),
    )
    const micros = costs.map((cost) => cost.micros)
    const spread = Math.max(...micros) / Math.min(...micros)
    report.add({
      name: `fcm, redis: cost of a push in broadcasts of ${sizes[0]} to ${largest} devices`,
      value: costs
        .map((cost) => `${cost.size}: ${cost.micros.toFixed(1)} µs of CPU, ${cost.seconds.toFixed(2)} s`)
        .join('; '),
      target: `within ${MAX_SPREAD} times`,
      isMet: spread <= MAX_SPREAD,
      ratio: { key: 'pipeline growth spread', value: spread, better: 'lower' },
      ...surroundings,
    })
  })
}

/** Repeats a broadcast. @returns the means of cost and duration */
async function repeat(size: number, run: () => Promise<Broadcast>): Promise<{ micros: number; seconds: number }> {
  const broadcasts: Broadcast[] = []
  while (broadcasts.length * size < MIN_PUSHES) broadcasts.push(await run())
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  return { micros: mean(broadcasts.map(totalMicros)), seconds: mean(broadcasts.map(({ seconds }) => seconds)) }
}
