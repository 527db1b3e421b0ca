import type { Finding } from '../../explain/checks.ts'
import { type ExplainDeps, type Explanation, explainPush } from '../../explain/explain-push.ts'
import { REASONS } from '../../explain/reasons.ts'
import { encodeExplanations } from '../../methods/explain-push.ts'
import type { ExplainPushRequest } from '../../protocol/requests/push.ts'

/** Explains a push as lines of text, or as the JSON of the API. @throws ApiError */
export async function showExplanation(
  deps: ExplainDeps,
  request: ExplainPushRequest,
  json: boolean,
): Promise<string[]> {
  const { uid, user, device_id: deviceId } = request
  const explanations = await explainPush(deps, { uid, user, deviceId })
  return json ? [JSON.stringify(encodeExplanations(explanations))] : explanations.flatMap(describeExplanation)
}

function describeExplanation({ deviceId, user, reason, detail, checks }: Explanation): string[] {
  const who = [deviceId, user === '' ? '' : `user ${user}`].filter((part) => part !== '').join(', ')
  return [
    `${who}: ${reason}${detail === '' ? '' : ` (${detail})`}`,
    `  ${REASONS[reason]}`,
    ...checks.map(({ name, finding }) => `  ${name.padEnd(16)} ${describeFinding(finding)}`),
  ]
}

function describeFinding(finding: Finding): string {
  const result = finding.kind === 'reason' ? finding.reason : finding.kind
  return finding.detail === undefined ? result : `${result} (${finding.detail})`
}
