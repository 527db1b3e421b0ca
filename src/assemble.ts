// The one place that knows every concrete class. It builds the objects, passes them in, and takes them down again.
import { readFileSync } from 'node:fs'
import { makePostgresAnalytics } from './analytics/postgres.ts'
import type { Role } from './cli/options.ts'
