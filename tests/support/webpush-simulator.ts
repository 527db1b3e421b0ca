import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebPushSimulator, type WebPushSimulatorOptions } from '../../src/simulators/webpush/webpush-simulator.ts'
import { noteSecrets, watchTargets } from './run-log.ts'

/** A running simulator and its own directory. */
export interface TestWebPushSimulator {
  simulator: WebPushSimulator
  /** The certificate of the authority (PEM), for `ca`. */
  ca: string
  /** Stops the simulator and removes its directory. */
  stop(): Promise<void>
}

/** Starts a Web Push simulator on a free port. */
export async function startWebPushSimulator(
  options: Omit<WebPushSimulatorOptions, 'directory'> = {},
): Promise<TestWebPushSimulator> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-webpush-'))
  const { targets, onTreatment } = watchTargets(options.onTreatment)
  const simulator = await WebPushSimulator.start({ ...options, onTreatment, directory })
  const ca = await readFile(simulator.files.ca, 'utf8')
  const stop = async () => {
    await simulator.stop()
    noteSecrets([...targets, simulator.vapidKeys.privateKey])
    await rm(directory, { recursive: true, force: true })
  }
  return { simulator, ca, stop }
}
