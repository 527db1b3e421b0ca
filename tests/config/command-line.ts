import { vi } from 'vitest'
import { runCommandLine } from '../../src/cli/run-command-line.ts'

/** The end of a command. */
export interface CommandEnd {
  code: number
  stdout: string
  stderr: string
}

/** Runs a command line in this process, with `env` as its whole CENTRIPUSH_ environment. */
export async function runInProcess(args: string[], env: Record<string, string> = {}): Promise<CommandEnd> {
  const output = { stdout: '', stderr: '' }
  const spies = (['stdout', 'stderr'] as const).map((name) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      output[name] += String(text)
      return true
    }),
  )
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  try {
    return { code: await runCommandLine(args), ...output }
  } finally {
    vi.unstubAllEnvs()
    for (const spy of spies) spy.mockRestore()
  }
}
