import { makeApnsFaults } from '../../simulators/apns/apns-faults.ts'
import { ApnsSimulator } from '../../simulators/apns/apns-simulator.ts'
import type { SimulatorCommand } from './simulator-command.ts'

export const APNS_SIMULATOR: SimulatorCommand = {
  standsFor: 'Apple Push Notification service',
  faults: makeApnsFaults(),
  start: async (options) => {
    const simulator = await ApnsSimulator.start(options)
    const { account, files, origin } = simulator
    return {
      origin,
      log: files.log,
      configuration: [
        `endpoint: ${origin}`,
        `bundle_id: ${account.bundleId}`,
        'auth_type: token',
        `token_key_file: ${JSON.stringify(files.tokenKey)}`,
        `token_key_id: ${account.keyId}`,
        `token_team_id: ${account.teamId}`,
        `ca_file: ${JSON.stringify(files.ca)}`,
      ],
      notes: [
        "The token of a fault is the hexadecimal of its name: printf '%-32s' unregistered-1 | xxd -p -c 64",
        'Like Apple, it refuses a second new provider token within 20 minutes.',
      ],
      stop: () => simulator.stop(),
    }
  },
}
