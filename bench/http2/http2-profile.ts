import { writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'

/** Writes a CPU profile of `work`, for Chrome's developer tools or `--cpu-prof` viewers. */
export async function recordProfile(file: string, work: () => Promise<unknown>): Promise<void> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.start')
  await work()
  const { profile } = await session.post('Profiler.stop')
  await writeFile(file, JSON.stringify(profile))
  session.disconnect()
}
