#!/usr/bin/env node
// Runs the compiled program in dist/. A checkout has sources too, and is compiled first if they have changed.
import { existsSync } from 'node:fs'

if (existsSync(new URL('../src', import.meta.url))) {
  const { compileIfStale } = await import('../build/compile.js')
  await compileIfStale()
}
// Stack traces name the lines of the sources.
process.setSourceMapsEnabled(true)
await import('../dist/main.js')
