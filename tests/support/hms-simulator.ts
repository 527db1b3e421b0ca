import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HmsSimulator, type HmsSimulatorOptions } from '../../src/simulators/hms/hms-simulator.ts'
import { noteSecrets, watchTargets } from './run-log.ts'

/** A running simulator and its own directory. */
export interface TestHmsSimulator {
  simulator: HmsSimulator
  /** The certificate of the authority (PEM), for `ca`. */
  ca: string
  /** Stops the simulator and removes its directory. */
  stop(): Promise<void>
}

/** Starts an HMS simulator on a free port. */
export async function startHmsSimulator(
  options: Omit<HmsSimulatorOptions, 'directory'> = {},
): Promise<TestHmsSimulator> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-hms-'))
  const { targets, onTreatment } = watchTargets(options.onTreatment)
  const simulator = await HmsSimulator.start({ ...options, onTreatment, directory })
  const ca = await readFile(simulator.files.ca, 'utf8')
  const stop = async () => {
    await simulator.stop()
    noteSecrets([...targets, simulator.app.secret])
    await rm(directory, { recursive: true, force: true })
  }
  return { simulator, ca, stop }
}
