// `centripush serve` with something planted in it: alterations as the first argument, the command line behind it.
import { plantAlterations } from './alterations.ts'

const [alterations = ''] = process.argv.splice(2, 1)
plantAlterations(alterations.split(','))
await import('../../src/main.ts')
