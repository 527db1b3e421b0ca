// `centripush serve` with alterations. The first argument has their names; the usual command line follows.
import { plantAlterations } from './alterations.ts'

const [alterations = ''] = process.argv.splice(2, 1)
plantAlterations(alterations.split(','))
await import('../../src/main.ts')
