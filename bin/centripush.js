#!/usr/bin/env node
// Runs the TypeScript sources as they are: tsx strips the types, nothing is built.
import { register } from 'tsx/esm/api'

register()
await import('../src/main.ts')
