import { fileURLToPath } from 'node:url'

/** A mistake planted in the server (mistaken-server.ts), and part of what the verdict has to say of it. */
export interface Mistake {
  name: string
  shows: string
}

export const MISTAKES: readonly Mistake[] = [
  { name: 'sent-retried', shows: 'came twice although the first was answered' },
  { name: 'retry-dropped', shows: 'were lost: no end, and no dead letter' },
  { name: 'counted-twice', shows: 'not as many ends were counted' },
  { name: 'given-up-forgotten', shows: 'as there are dead letters' },
  { name: 'neighbour-settled', shows: 'were made again although they had been answered' },
  { name: 'failure-called-sent', shows: 'targets are counted as sent, but' },
]

/** What Node runs instead of `bin/centripush.js`, for startCentripush(). */
export function mistakenServer(mistake: string): { program: string[] } {
  const script = fileURLToPath(new URL('mistaken-server.ts', import.meta.url))
  return { program: ['--import', import.meta.resolve('tsx'), script, mistake] }
}
