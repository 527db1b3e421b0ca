import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { type ServiceAccount as Account, readServiceAccount } from '../../src/providers/fcm/service-account.ts'
import { FcmSimulator, type FcmSimulatorOptions } from '../../src/simulators/fcm/fcm-simulator.ts'
import { noteSecrets, watchTargets } from './run-log.ts'

const ServiceAccount = v.object({ private_key: v.string() })

/** A running simulator and its own directory. */
export interface TestFcmSimulator {
  simulator: FcmSimulator
  /** The certificate of the authority (PEM), for `ca`. */
  ca: string
  /** Stops the simulator and removes its directory. */
  stop(): Promise<void>
}

/** Reads the key file of a service account. */
export async function loadServiceAccount(file: string): Promise<Account> {
  return readServiceAccount(JSON.parse(await readFile(file, 'utf8')))
}

/** Starts an FCM simulator on a free port. */
export async function startFcmSimulator(
  options: Omit<FcmSimulatorOptions, 'directory'> = {},
): Promise<TestFcmSimulator> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-fcm-'))
  const { targets, onTreatment } = watchTargets(options.onTreatment)
  const simulator = await FcmSimulator.start({ ...options, onTreatment, directory })
  const ca = await readFile(simulator.files.ca, 'utf8')
  const { private_key } = v.parse(ServiceAccount, JSON.parse(await readFile(simulator.files.credentials, 'utf8')))
  const stop = async () => {
    await simulator.stop()
    noteSecrets([...targets, private_key])
    await rm(directory, { recursive: true, force: true })
  }
  return { simulator, ca, stop }
}
