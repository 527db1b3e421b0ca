// The state of the providers, for the body of the health check. Each process knows its own; the server merges them.
import { PROVIDER_NAMES, type ProviderName } from '../config/provider-names.ts'

/**
 * The states of a credential, from good to bad. `unproven`: nothing was sent yet. `accepted`: the provider has judged a
 * push. `refused`: by the provider. `unusable`: it could not be used here, and no service was asked.
 */
export const CREDENTIAL_STATES = ['unproven', 'accepted', 'refused', 'unusable'] as const
export type CredentialState = (typeof CREDENTIAL_STATES)[number]

/** The state of the providers of a process. */
export interface ProviderHealth {
  /** The providers that are down. */
  down: readonly ProviderName[]
  /** The credential of each provider that has one. */
  credentials: { readonly [Name in ProviderName]?: CredentialState }
}

/** The credentials of a process: one has the state that the last batch gave it. */
export class CredentialStates {
  readonly #states: { [Name in ProviderName]?: CredentialState } = {}

  /** @param providers those with a credential */
  constructor(providers: Iterable<ProviderName>) {
    for (const name of providers) this.#states[name] = 'unproven'
  }

  /** Records a state. A provider without a credential has none. */
  set(provider: ProviderName, state: CredentialState): void {
    if (this.#states[provider] !== undefined) this.#states[provider] = state
  }

  /** The current states. */
  list(): ProviderHealth['credentials'] {
    return { ...this.#states }
  }
}

/** Merges the states of processes: a provider is down, or a credential bad, if it is for one of them. */
export function mergeHealth(parts: readonly ProviderHealth[]): ProviderHealth {
  const credentials: { [Name in ProviderName]?: CredentialState } = {}
  for (const part of parts) {
    for (const name of namesOf(part.credentials)) {
      const states = [credentials[name], part.credentials[name]]
      const worst = states.map((state) => (state ? CREDENTIAL_STATES.indexOf(state) : 0))
      credentials[name] = CREDENTIAL_STATES[Math.max(...worst)] ?? 'unproven'
    }
  }
  return { down: [...new Set(parts.flatMap(({ down }) => down))], credentials }
}

/** The body of the health check: empty without credentials and while all providers work. */
export function describeHealth({ down, credentials }: ProviderHealth): object {
  return {
    ...(down.length > 0 && { providers: Object.fromEntries(down.map((provider) => [provider, 'down'])) }),
    ...(namesOf(credentials).length > 0 && { credentials }),
  }
}

function namesOf(credentials: ProviderHealth['credentials']): ProviderName[] {
  return PROVIDER_NAMES.filter((name) => credentials[name] !== undefined)
}
