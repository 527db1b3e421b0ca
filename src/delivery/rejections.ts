import type { ProviderName } from '../config/provider-names.ts'
import { formatDeviceId } from '../devices/device-id.ts'
import type { Outcome } from '../providers/provider.ts'
import { readField } from '../sends/target-line.ts'
import type { OpenTarget } from './open-batch.ts'

/** The targets of an attempt that a provider rejected for one reason, for the log. */
export interface Rejection {
  reason: string
  /** The path of the refused field of the notification, if the provider names one. */
  field: string | undefined
  count: number
  /** The ids of the first devices. Raw tokens, topics and conditions have none. */
  devices: string[]
}

/** The most devices of a rejection in the log. A payload that is refused concerns all devices of the batch. */
const MAX_DEVICES = 5

/** Groups rejected targets by reason and field. @param outcomes one for each target; undefined: it is unsettled */
export function listRejections(
  provider: ProviderName,
  targets: readonly OpenTarget[],
  outcomes: readonly (Outcome | undefined)[],
): Rejection[] {
  const rejections = new Map<string, Rejection>()
  targets.forEach(({ line }, index) => {
    const outcome = outcomes[index]
    if (outcome?.kind !== 'rejected') return
    const { reason, field } = outcome
    const key = `${reason} ${field ?? ''}`
    const rejection = rejections.get(key) ?? { reason, field, count: 0, devices: [] }
    rejections.set(key, rejection)
    rejection.count++
    const uuid = rejection.devices.length < MAX_DEVICES ? readField(line, 'deviceId') : ''
    if (uuid !== '') rejection.devices.push(formatDeviceId(uuid, provider))
  })
  return [...rejections.values()]
}
