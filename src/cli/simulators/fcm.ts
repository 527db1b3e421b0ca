import { makeFcmFaults } from '../../simulators/fcm/fcm-faults.ts'
import { FcmSimulator } from '../../simulators/fcm/fcm-simulator.ts'
import type { SimulatorCommand } from './simulator-command.ts'

export const FCM_SIMULATOR: SimulatorCommand = {
  standsFor: 'Firebase Cloud Messaging',
  faults: makeFcmFaults({ project: '', retryAfterSeconds: 0 }),
  start: async (options) => {
    const simulator = await FcmSimulator.start(options)
    const { origin, files } = simulator
    return {
      origin,
      log: files.log,
      configuration: [
        `credentials_file: ${JSON.stringify(files.credentials)}`,
        `push_endpoint: ${origin}`,
        `auth_endpoint: ${origin}`,
        `ca_file: ${JSON.stringify(files.ca)}`,
      ],
      stop: () => simulator.stop(),
    }
  },
}
