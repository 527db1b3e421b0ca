// A device for the first push: it can be registered from the web UI while a provider is a sandbox.
import { randomBytes } from 'node:crypto'
import type { ProviderName } from '../../config/provider-names.ts'
import type { Registration } from '../../devices/registration.ts'
import type { Ui } from '../layout/ui.ts'

/** The providers of a test device, the first choice first, with its platform. A sandbox of these takes any token. */
const CHOICES = [
  ['fcm', 'android'],
  ['apns', 'ios'],
  ['hms', 'android'],
] as const

const USER = 'test-user'
const TOPIC = 'test'

/** Makes a test device for a sandbox; undefined without one. Its token is new. */
export function makeTestDevice(sandboxes: ReadonlySet<ProviderName>): Registration | undefined {
  const [provider, platform] = CHOICES.find(([name]) => sandboxes.has(name)) ?? []
  if (provider === undefined || platform === undefined) return undefined
  return {
    uuid: undefined,
    provider,
    platform,
    // Tokens of APNs are hexadecimal, and the others may be.
    token: randomBytes(32).toString('hex'),
    webPushKeys: undefined,
    user: USER,
    topics: [TOPIC],
    timezone: '',
    locale: '',
    meta: new Map(),
  }
}

/** Says what to do while no device is registered. */
export function NoDevices({ ui, sandboxes }: { ui: Ui; sandboxes: ReadonlySet<ProviderName> }) {
  const isOffered = ui.role === 'admin' && makeTestDevice(sandboxes) !== undefined
  return (
    <div class="empty">
      <p>No device is registered yet. Apps register with the API method device_register.</p>
      {isOffered && (
        <form method="post" action={ui.link('/devices/test-device')}>
          <p>
            {`To try a push now, add a test device. It belongs to the user ${USER} and follows the topic ${TOPIC}, ` +
              'and its pushes end in the sandbox.'}
          </p>
          <p class="buttons">
            <button type="submit">Add a test device</button>
          </p>
        </form>
      )}
    </div>
  )
}
