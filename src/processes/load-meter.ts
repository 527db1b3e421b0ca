/** The work of a second that begins a load: half of what one process sends. */
const LOAD = { targets: 1000, batches: 100 }
const SECOND_MS = 1000

interface Deps {
  /** Called for each second with a load. */
  onLoad(): void
  /** A monotonic clock in ms. */
  now(): number
}

/**
 * Makes a function that notices when the batches of a process become more than the server's own process should send
 * beside its API. It takes the targets of each claimed batch.
 */
export function makeLoadMeter({ onLoad, now }: Deps): (targets: number) => void {
  let beganAtMs = Number.NEGATIVE_INFINITY
  let sum = { targets: 0, batches: 0 }
  let isReported = false
  return (targets) => {
    if (now() - beganAtMs >= SECOND_MS) {
      beganAtMs = now()
      sum = { targets: 0, batches: 0 }
      isReported = false
    }
    sum.targets += targets
    sum.batches++
    if (isReported || (sum.targets < LOAD.targets && sum.batches < LOAD.batches)) return
    isReported = true
    onLoad()
  }
}
