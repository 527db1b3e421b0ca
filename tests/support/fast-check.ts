// fast-check with the run's seed. Tests import it from here, because fast-check would choose a new seed in each run.
import { configureGlobal } from 'fast-check'
import { SEED } from './seed.ts'

configureGlobal({ seed: SEED })

export * as fc from 'fast-check'
