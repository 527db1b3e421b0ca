#!/usr/bin/env node
// Runs the TypeScript sources as they are: tsx strips the types, nothing is built.
import { fileURLToPath } from 'node:url'
import { register } from 'tsx/esm/api'

// It has the settings of JSX. By default tsx looks for the file in the working directory.
process.env.TSX_TSCONFIG_PATH = fileURLToPath(new URL('../tsconfig.json', import.meta.url))
register()
await import('../src/main.ts')
