// The seed of all random tests. A gate has the same seed in every run, so that a failure has one of two reasons: the
// change under test, or timing. `TEST_SEED=random` looks for new sequences, and `TEST_SEED=N` repeats a run.
import type { TestProject } from 'vitest/node'

/** The environment variable: a whole number, or `random`. */
const VARIABLE = 'TEST_SEED'
const GATE_SEED = 20_261_129
/** fast-check takes seeds of 32 bits with a sign. */
const SEEDS = 2 ** 31

/** The seed that `text` asks for; undefined asks for that of the gates. @throws Error when it is not a seed */
export function parseSeed(text: string | undefined): number {
  if (text === undefined || text === '') return GATE_SEED
  if (text === 'random') return Math.floor(Math.random() * SEEDS)
  const seed = Number(text)
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEEDS) {
    throw new Error(`the seed ${text} is neither a whole number below ${SEEDS} nor 'random'`)
  }
  return seed
}

/** The seed of this process's tests. */
export const SEED = parseSeed(process.env[VARIABLE])

/** Called by vitest before the first test: all of its processes get the same seed, and a chosen one is printed. */
export function setup(_project: TestProject): void {
  if (process.env[VARIABLE] === undefined) return
  process.env[VARIABLE] = `${SEED}`
  console.log(`${VARIABLE}=${SEED}`)
}
