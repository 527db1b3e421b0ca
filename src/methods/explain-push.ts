import { type ExplainDeps, type Explanation, explainPush } from '../explain/explain-push.ts'
import { REASONS } from '../explain/reasons.ts'
import type { ExplainPushRequest } from '../protocol/requests/push.ts'
import { withoutZeroValues } from '../protocol/result.ts'

/** The method `explain_push`: why a push of a send did or did not arrive at a device, or at the devices of a user. */
export function makeExplainPush(deps: ExplainDeps) {
  return async ({ uid, user, device_id: deviceId }: ExplainPushRequest): Promise<object> => {
    return encodeExplanations(await explainPush(deps, { uid, user, deviceId }))
  }
}

/** Encodes explanations as the result of explain_push. A check has the result `ok`, `unknown`, or its reason. */
export function encodeExplanations(explanations: readonly Explanation[]): object {
  return { items: explanations.map(encodeExplanation) }
}

function encodeExplanation({ reason, detail, checks, ...device }: Explanation): object {
  return withoutZeroValues({
    device_id: device.deviceId,
    user: device.user,
    platform: device.platform,
    provider: device.provider,
    reason,
    explanation: REASONS[reason],
    detail,
    checks: checks.map(({ name, finding }) =>
      withoutZeroValues({
        name,
        result: finding.kind === 'reason' ? finding.reason : finding.kind,
        detail: finding.detail,
      }),
    ),
  })
}
