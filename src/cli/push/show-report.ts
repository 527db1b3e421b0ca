import { loadPushReport } from '../../methods/push-info.ts'
import { addUp, encodeReport, listReasons } from '../../methods/report-results.ts'
import type { Queue } from '../../queue/queue.ts'
import type { ReportSubject, SendReport } from '../../queue/report.ts'

/** Shows the report of a send as lines of text, or as the JSON of the API. @throws ApiError */
export async function showReport(queue: Pick<Queue, 'loadReport'>, uid: string, json: boolean): Promise<string[]> {
  const report = await loadPushReport(queue, { uid })
  return json ? [JSON.stringify(encodeReport(report))] : describeReport(report)
}

function describeReport(report: SendReport): string[] {
  const { uid, analyticsUid, state, subject, delivered, interacted } = report
  const counts = addUp(report)
  const line = (name: string, count: number) => (count === 0 ? [] : [`${name.padEnd(12)}${count}`])
  const time = (name: string, ms: number | undefined) =>
    ms === undefined ? [] : [`${name.padEnd(12)}${new Date(ms).toISOString()}`]
  return [
    `uid         ${uid}`,
    ...(analyticsUid === uid ? [] : [`analytics   ${analyticsUid}`]),
    `state       ${state}`,
    ...(subject ? [`recipient   ${describeRecipient(subject.recipient)}`] : []),
    ...time('accepted', report.acceptedAtMs),
    ...time('send at', report.sendAtMs),
    ...time('expires', report.expireAtMs),
    ...time('first', report.firstAtMs),
    ...time('last', report.lastAtMs),
    ...time('ended', report.endedAtMs),
    `targets     ${counts.target}`,
    ...line('sent', counts.sent),
    ...line('waiting', counts.waiting),
    ...line('retrying', counts.retrying),
    ...line('failed', counts.failed),
    ...listReasons(report, 'failed').map(describeReason),
    ...line('left out', counts.dropped),
    ...listReasons(report, 'dropped').map(describeReason),
    ...line('expired', counts.expired),
    ...line('cancelled', counts.cancelled),
    ...line('delivered', delivered),
    ...line('interacted', interacted),
  ]
}

function describeReason({ provider, reason, count }: { provider: string; reason: string; count: number }): string {
  return `  ${count}  ${provider} ${reason}`
}

function describeRecipient(recipient: ReportSubject['recipient']): string {
  if (recipient.kind === 'native') {
    const { provider, targetKind, value } = recipient
    return value === undefined ? `${provider} ${targetKind}` : `${provider} ${targetKind} ${value}`
  }
  const fields = Object.entries(recipient.filter ?? {}).filter(([, values]) => values.length > 0)
  return ['filter', ...fields.map(([name, values]) => `${name}=${values.join(',')}`)].join(' ')
}
