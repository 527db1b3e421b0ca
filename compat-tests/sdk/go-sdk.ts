import { resolve } from 'node:path'
import type { SdkServer } from './sdk-server.ts'
import { prepareToolchain, runProgram, type Toolchain } from './toolchain.ts'

const PROGRAM = resolve(import.meta.dirname, 'go')

export interface GoSdk {
  /** Runs the program of `go/` against the server and resolves to what it printed. @throws Error with its output */
  run(server: SdkServer): Promise<string>
}

/** `gocent`, at the version that `go/go.mod` names, with the Go that is installed and no other. */
export function prepareGoSdk(): Promise<Toolchain<GoSdk>> {
  return prepareToolchain('gocent, the Go SDK,', async () => {
    const go = (args: string[], env: Record<string, string> = {}) =>
      runProgram('go', args, { cwd: PROGRAM, env: { GOTOOLCHAIN: 'local', GOWORK: 'off', ...env } })
    await go(['mod', 'download'])
    const run: GoSdk['run'] = ({ api, key }) => go(['run', '.'], { CENTRIPUSH_TEST_API: api, CENTRIPUSH_TEST_KEY: key })
    return { run }
  })
}
