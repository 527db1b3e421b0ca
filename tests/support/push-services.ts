// The simulators of all providers behind one interface, with a credential that can be revoked and restored.
import type { ProviderName } from '../../src/config/provider-names.ts'
import { makeDeviceToken } from '../../src/simulators/apns/device-name.ts'
import { startApnsSimulator } from './apns-simulator.ts'
import { startFcmSimulator } from './fcm-simulator.ts'
import { startHmsSimulator } from './hms-simulator.ts'
import { startWebPushSimulator } from './webpush-simulator.ts'

/** A running simulator. */
export interface PushService {
  /** The section of the provider in the configuration. */
  options: object
  /** A recipient with this number of devices. */
  recipient(devices: number): object
  notification: object
  /** Every push that was accepted, in order. */
  accepted(): readonly { target: string; body: string }[]
  /** Resolves as soon as `count` pushes were accepted since the start. */
  waitForAccepted(count: number): Promise<void>
  /** Refuses the credential from now on. */
  revoke(): void
  /** Accepts the credential again. */
  restore(): void
  stop(): Promise<void>
}

/** Starts the simulator of each provider. */
export const PUSH_SERVICES: Readonly<Record<ProviderName, () => Promise<PushService>>> = {
  /** A revoked service account is disabled: its access tokens are refused, and it gets no new ones. */
  fcm: async () => {
    const { simulator, stop } = await startFcmSimulator()
    const { origin, files } = simulator
    return {
      options: {
        credentials_file: files.credentials,
        push_endpoint: origin,
        auth_endpoint: origin,
        ca_file: files.ca,
      },
      recipient: (devices) => ({ fcm_tokens: names(devices) }),
      notification: { fcm: { message: {} } },
      revoke: () => simulator.setAccountDisabled(true),
      restore: () => simulator.setAccountDisabled(false),
      ...acceptedBy(simulator),
      stop,
    }
  },
  /** A revoked app is disabled: its access tokens are refused, and it gets no new ones. */
  hms: async () => {
    const { simulator, stop } = await startHmsSimulator()
    const { app, origin, authEndpoint, files } = simulator
    return {
      options: {
        app_id: app.id,
        app_secret: app.secret,
        push_endpoint: origin,
        auth_endpoint: authEndpoint,
        ca_file: files.ca,
      },
      recipient: (devices) => ({ hms_tokens: names(devices) }),
      notification: { hms: { message: { data: 'x' } } },
      revoke: () => simulator.setAppDisabled(true),
      restore: () => simulator.setAppDisabled(false),
      ...acceptedBy(simulator),
      stop,
    }
  },
  /** Tokens of a revoked signing key are refused. */
  apns: async () => {
    const { simulator, stop } = await startApnsSimulator()
    const { account, origin, files } = simulator
    return {
      options: {
        endpoint: origin,
        bundle_id: account.bundleId,
        auth_type: 'token',
        token_key_file: files.tokenKey,
        token_key_id: account.keyId,
        token_team_id: account.teamId,
        ca_file: files.ca,
      },
      recipient: (devices) => ({ apns_tokens: names(devices).map(makeDeviceToken) }),
      notification: { apns: { payload: { aps: { alert: 'a' } } } },
      revoke: () => simulator.revokeKey(),
      restore: () => simulator.restoreKey(),
      ...acceptedBy(simulator),
      stop,
    }
  },
  /** The push service refuses a revoked VAPID key. */
  webpush: async () => {
    const { simulator, stop } = await startWebPushSimulator()
    const { vapidKeys, origin, files } = simulator
    return {
      options: {
        vapid_public_key: vapidKeys.publicKey,
        vapid_private_key: vapidKeys.privateKey,
        subject: 'mailto:push@example.com',
        allowed_endpoint_origins: [origin],
        private_endpoint_networks: '127.0.0.0/8',
        ca_file: files.ca,
      },
      recipient: (devices) => ({ webpush_tokens: names(devices).map((name) => simulator.subscribe(name)) }),
      notification: { webpush: { payload: {} } },
      revoke: () => simulator.revokeKey(),
      restore: () => simulator.revokeKey(false),
      ...acceptedBy(simulator),
      stop,
    }
  },
}

function acceptedBy(
  simulator: Pick<PushService, 'waitForAccepted'> & { accepted: readonly { target: string; body: string }[] },
) {
  return {
    accepted: () => simulator.accepted,
    waitForAccepted: (count: number) => simulator.waitForAccepted(count),
  }
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `device-${index}`)
}
