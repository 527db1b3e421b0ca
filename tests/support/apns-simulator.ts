import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseSigningKey, type SigningKey } from '../../src/providers/apns/signing-key.ts'
import { ApnsSimulator, type ApnsSimulatorOptions } from '../../src/simulators/apns/apns-simulator.ts'
import { noteSecrets, watchTargets } from './run-log.ts'

/** A running simulator and its own directory. */
export interface TestApnsSimulator {
  simulator: ApnsSimulator
  /** The certificate of the authority (PEM), for `ca`. */
  ca: string
  /** The only key that it accepts. */
  key: SigningKey
  /** Stops the simulator and removes its directory. */
  stop(): Promise<void>
}

/** Starts an APNs simulator on a free port. */
export async function startApnsSimulator(
  options: Omit<ApnsSimulatorOptions, 'directory'> = {},
): Promise<TestApnsSimulator> {
  const directory = await mkdtemp(join(tmpdir(), 'centripush-apns-'))
  const { targets, onTreatment } = watchTargets(options.onTreatment)
  const simulator = await ApnsSimulator.start({ ...options, onTreatment, directory })
  const ca = await readFile(simulator.files.ca, 'utf8')
  const { keyId, teamId } = simulator.account
  const pem = await readFile(simulator.files.tokenKey, 'utf8')
  const key = parseSigningKey(pem, keyId, teamId)
  const stop = async () => {
    await simulator.stop()
    noteSecrets([...targets, pem, ...simulator.providerTokens])
    await rm(directory, { recursive: true, force: true })
  }
  return { simulator, ca, key, stop }
}
