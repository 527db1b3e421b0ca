import { addUp } from '../../methods/report-results.ts'
import type { SendReport } from '../../queue/report.ts'

/** How many targets of a send are ended. */
export function Progress({ report }: { report: SendReport }) {
  const { target, waiting, retrying } = addUp(report)
  const ended = target - waiting - retrying
  const percent = target === 0 ? 0 : Math.floor((100 * ended) / target)
  const label = report.state === 'scheduled' ? 'not due' : `${percent} %`
  return (
    <span class="progress">
      <progress value={ended} max={Math.max(1, target)} aria-label={`${percent} % ended`} />
      {label}
    </span>
  )
}
