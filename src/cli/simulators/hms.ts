import { ILLEGAL, makeHmsFaults } from '../../simulators/hms/hms-faults.ts'
import { HmsSimulator } from '../../simulators/hms/hms-simulator.ts'
import type { SimulatorCommand } from './simulator-command.ts'

export const HMS_SIMULATOR: SimulatorCommand = {
  standsFor: 'Huawei Push Kit',
  faults: makeHmsFaults(0),
  start: async (options) => {
    const simulator = await HmsSimulator.start(options)
    const { app, files, origin, authEndpoint } = simulator
    return {
      origin,
      log: files.log,
      configuration: [
        `app_id: "${app.id}"`,
        `app_secret: ${app.secret}`,
        `push_endpoint: ${origin}`,
        `auth_endpoint: ${authEndpoint}`,
        `ca_file: ${JSON.stringify(files.ca)}`,
      ],
      notes: [`A partial success lists the tokens that start with ${ILLEGAL}.`],
      stop: () => simulator.stop(),
    }
  },
}
