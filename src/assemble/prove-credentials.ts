// Proves the credentials of a configuration for a command: that they can be used here and, on request, that the
// providers accept them.
import type { ProviderName } from '../config/provider-names.ts'
import type { Config } from '../config/schema.ts'
import { CircuitBreaker } from '../http2/circuit-breaker.ts'
import type { Logger } from '../observability/log.ts'
import type { CredentialCache } from '../providers/credential-cache.ts'
import { explainOutage } from '../providers/outage-causes.ts'
import { CREDENTIAL_UNUSABLE, type Outcome, type Provider } from '../providers/provider.ts'
import { makeProvider } from './make-provider.ts'
import { chooseProviders, collectProblems } from './make-providers.ts'

/** The answer to one credential. `notAsked`: there is nothing to ask, or no answer came; `why` says it. */
export interface Proof {
  provider: ProviderName
  state: 'accepted' | 'refused' | 'notAsked'
  why: string
}

/** In ms, for one provider. */
const TIMEOUT_MS = 30_000

/** A message that reaches no device, because no device has such a token, and that every provider authenticates. */
const PROBES: Readonly<Record<Exclude<ProviderName, 'webpush'>, { target: string; json: string }>> = {
  fcm: { target: 'centripush-check-config', json: '{"notification":{"title":"check"}}' },
  apns: { target: '0'.repeat(64), json: '{"aps":{"alert":"check"}}' },
  hms: { target: 'centripush-check-config', json: '{"data":"{}"}' },
}

/** Remembers the last failure of its origin. */
class ProbeBreaker extends CircuitBreaker {
  cause: string | undefined

  override onFailure(cause: string, startedAtMs?: number): void {
    this.cause = cause
    super.onFailure(cause, startedAtMs)
  }
}

/**
 * Proves the credentials of all enabled providers that have one.
 * @param isOnline asks the providers too; otherwise nothing is sent and there are no proofs
 * @throws ConfigError with all credentials that can not be used here
 */
export async function proveCredentials(config: Config, logger: Logger, isOnline: boolean): Promise<Proof[]> {
  const strict = { ...config, push_notifications: { ...config.push_notifications, lenient: false } }
  const candidates = await collectProblems(chooseProviders(strict).real, (name) => openCandidate(name, strict, logger))
  try {
    return isOnline ? await Promise.all(candidates.map(ask)) : []
  } finally {
    await Promise.all(candidates.map(({ provider }) => provider.close()))
  }
}

/** A provider, and the breakers of its origins. */
interface Candidate {
  provider: Provider
  breakers: readonly ProbeBreaker[]
}

async function openCandidate(name: ProviderName, config: Config, logger: Logger): Promise<Candidate> {
  const breakers: ProbeBreaker[] = []
  const makeBreaker = () => {
    const breaker = new ProbeBreaker()
    breakers.push(breaker)
    return breaker
  }
  // A token of its own: the store of the shared one is not opened.
  const openCredentialCache = async (): Promise<CredentialCache> => ({ update: (_, renew) => renew(undefined) })
  return { provider: await makeProvider(name, { config, logger, makeBreaker, openCredentialCache }), breakers }
}

async function ask({ provider, breakers }: Candidate): Promise<Proof> {
  const { name } = provider
  if (name === 'webpush') {
    return { provider: name, state: 'notAsked', why: 'push services know the key only from subscriptions' }
  }
  const { target, json } = PROBES[name]
  const notification = { json: Buffer.from(json), headers: new Map<string, string>() }
  let outcome: Outcome | undefined
  await provider.send(
    { uid: 'check-config', notification, targetKind: 'token', targets: [target] },
    (_, settled) => {
      outcome = settled
    },
    AbortSignal.timeout(TIMEOUT_MS),
  )
  return { provider: name, ...judge(outcome, breakers.find(({ cause }) => cause !== undefined)?.cause) }
}

/** Any judgement of the token means that the provider has accepted the credential. */
function judge(outcome: Outcome | undefined, cause: string | undefined): Omit<Proof, 'provider'> {
  switch (outcome?.kind) {
    case 'sent':
    case 'tokenGone':
    case 'rejected':
      return { state: 'accepted', why: '' }
    case 'credential':
      return {
        state: 'refused',
        why: outcome.reason === CREDENTIAL_UNUSABLE ? 'it can not be used here' : `by the provider: ${outcome.reason}`,
      }
    default: {
      const { cause: why, mend } = explainOutage(cause ?? outcome?.reason ?? 'timeout')
      return { state: 'notAsked', why: `${why}; ${mend}` }
    }
  }
}
