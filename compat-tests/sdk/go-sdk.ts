import { resolve } from 'node:path'
import type { SdkServer } from './sdk-server.ts'
import { prepareToolchain, runProgram, type Toolchain } from './toolchain.ts'

const PROGRAM = resolve(import.meta.dirname, 'go')

export interface GoSdk {
  /**
   * Runs the program of `go/` against the server. Resolves to its output. @throws Error with its output when it fails
   */
  run(server: SdkServer): Promise<string>
}

/** Prepares `gocent` in the version of `go/go.mod`, with the installed Go only. */
export function prepareGoSdk(): Promise<Toolchain<GoSdk>> {
  return prepareToolchain('gocent, the Go SDK,', async () => {
    const go = (args: string[], env: Record<string, string> = {}) =>
      runProgram('go', args, { cwd: PROGRAM, env: { GOTOOLCHAIN: 'local', GOWORK: 'off', ...env } })
    await go(['mod', 'download'])
    const run: GoSdk['run'] = ({ api, key }) => go(['run', '.'], { CENTRIPUSH_TEST_API: api, CENTRIPUSH_TEST_KEY: key })
    return { run }
  })
}
