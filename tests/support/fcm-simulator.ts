import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FcmSimulator, type FcmSimulatorOptions } from '../../src/simulators/fcm/fcm-simulator.ts'

/** A running simulator with a directory of its own. */
export interface TestFcmSimulator {
  simulator: FcmSimulator
  /** The authority's certificate (PEM), for `ca`. */
  ca: string
  /** Stops it and removes its directory. */
  stop(): Promise<void>
}

/** Starts an FCM simulator on a free port. */
export async function startFcmSimulator(
  options: Omit<FcmSimulatorOptions, 'directory'> = {},
): Promise<TestFcmSimulator> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-fcm-'))
  const simulator = await FcmSimulator.start({ ...options, directory })
  const ca = await readFile(simulator.files.ca, 'utf8')
  const stop = async () => {
    await simulator.stop()
    await rm(directory, { recursive: true, force: true })
  }
  return { simulator, ca, stop }
}
