import { PROVIDER_NAMES } from '../../config/provider-names.ts'
import type { CredentialState } from '../../observability/provider-health.ts'
import type { QueueStats } from '../../queue/queue.ts'
import type { AdminSources } from '../admin-sources.ts'
import { countOf, formatDuration, State } from '../layout/format.tsx'
import { Facts } from '../layout/table.tsx'
import type { Ui } from '../layout/ui.ts'

/** A batch that waits longer than this, in ms, needs attention: no worker claims it. */
const LATE_MS = 60_000

const NOT_READY = 'A store does not work, or no worker can claim work: see the log and /health.'

const CREDENTIAL_TEXTS: Readonly<Record<CredentialState, string>> = {
  unproven: 'nothing sent yet',
  accepted: 'accepted',
  refused: 'refused',
  unusable: 'unusable',
}

interface AlertsProps {
  ui: Pick<Ui, 'link'>
  stats: QueueStats
  health: ReturnType<AdminSources['readHealth']>
}

/** Everything that needs an operator. It is a live part. */
export function Alerts({ ui, stats, health }: AlertsProps) {
  const { pauses, oldestMs, deadLetters } = stats
  const problems = [
    ...(health.isReady ? [] : [NOT_READY]),
    ...health.down.map((provider) => `${provider} does not answer this server. Its pushes wait and are tried again.`),
    ...pauses.map(({ provider, reason, probeInMs }) =>
      probeInMs === undefined
        ? `${provider} is paused by an operator: ${reason}`
        : `${provider} refuses the credential of this server: ${reason}`,
    ),
    ...(oldestMs > LATE_MS ? [`The oldest batch waits for ${formatDuration(oldestMs)}. Do workers run?`] : []),
  ]
  const credentials = PROVIDER_NAMES.flatMap((name) => {
    const state = health.credentials[name]
    return state ? [[`Credential of ${name}`, <State name={CREDENTIAL_TEXTS[state]} />] as const] : []
  })
  return (
    <>
      {problems.length === 0 ? (
        <p class="notice good">
          {health.hasWorkers
            ? 'Everything works: stores, providers and workers.'
            : 'The stores and the providers work.'}
        </p>
      ) : (
        <ul class="notice error">
          {problems.map((problem) => (
            <li>{problem}</li>
          ))}
        </ul>
      )}
      {deadLetters > 0 && (
        <p class="notice">
          Pushes were given up after all attempts, and can be sent again:{' '}
          <a href={`${ui.link('/queue')}#dead-letters`}>{countOf(deadLetters, 'dead letter')}</a>
        </p>
      )}
      {credentials.length > 0 && <Facts facts={credentials} />}
    </>
  )
}
