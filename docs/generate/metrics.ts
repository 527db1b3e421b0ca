// npm run docs:metrics
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { makeMetricsPage } from './metrics-page.ts'

writeFileSync(resolve(import.meta.dirname, '../metrics.md'), makeMetricsPage())
