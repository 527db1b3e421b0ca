import { makeWebPushFaults } from '../../simulators/webpush/webpush-faults.ts'
import { WebPushSimulator } from '../../simulators/webpush/webpush-simulator.ts'
import type { SimulatorCommand } from './simulator-command.ts'

export const WEBPUSH_SIMULATOR: SimulatorCommand = {
  standsFor: "a browser's push service and its browsers",
  faults: makeWebPushFaults(0),
  start: async (options) => {
    const simulator = await WebPushSimulator.start(options)
    const { origin, files, vapidKeys } = simulator
    return {
      origin,
      log: files.log,
      configuration: [
        `vapid_public_key: ${JSON.stringify(vapidKeys.publicKey)}`,
        `vapid_private_key: ${JSON.stringify(vapidKeys.privateKey)}`,
        'subject: mailto:you@example.com',
        `extra_allowed_endpoint_origins: [${origin}]`,
        'private_endpoint_networks: [127.0.0.1/32]',
        `ca_file: ${JSON.stringify(files.ca)}`,
      ],
      notes: [
        'Makes a subscription, which is the token of a device, for a browser of any name:',
        `  curl --cacert ${JSON.stringify(files.ca)} '${origin}/subscribe?name=browser-1'`,
        'The words of the faults are the beginnings of browser names here.',
      ],
      stop: () => simulator.stop(),
    }
  },
}
