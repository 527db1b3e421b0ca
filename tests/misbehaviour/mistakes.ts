import { fileURLToPath } from 'node:url'

/** A mistake planted in the server (mistaken-server.ts). */
export interface Mistake {
  name: string
  /** Part of the sentence with which the verdict has to name it. */
  shows: string
}

/** The mistakes of `--mistakes`. */
export const MISTAKES: readonly Mistake[] = [
  { name: 'sent-retried', shows: 'were repeated after an answered one' },
  { name: 'retry-dropped', shows: 'were lost: neither a final answer nor a dead letter' },
  { name: 'counted-twice', shows: 'the counted outcomes differ' },
  { name: 'given-up-forgotten', shows: 'differs from the dead letters' },
  { name: 'neighbour-settled', shows: 'were repeated after a final answer' },
  { name: 'failure-called-sent', shows: 'targets are counted as sent, but' },
]

/** The program that starts a server with a mistake, for startCentripush(). */
export function mistakenServer(mistake: string): { program: string[] } {
  const script = fileURLToPath(new URL('mistaken-server.ts', import.meta.url))
  return { program: ['--import', import.meta.resolve('tsx'), script, mistake] }
}
