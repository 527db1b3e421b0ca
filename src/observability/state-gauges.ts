// Gauges of states that the processes have in memory: which stores, providers and credentials work.
import { Gauge, type Registry } from 'prom-client'
import type { ProviderHealth } from './provider-health.ts'
import type { Store } from './store-monitor.ts'

/** Adds the gauge of the providers that are down. @param read lists their origins */
export function addOutageGauge(registry: Registry, read: () => readonly { provider: string; origin: string }[]): void {
  new Gauge({
    name: 'centripush_provider_down',
    help: '1 for an origin of a provider that is down: nothing but failures come back, and pushes wait.',
    labelNames: ['provider', 'origin'],
    registers: [registry],
    // Each process has its own view. One that is down everywhere must not add up.
    aggregator: 'max',
    collect() {
      this.reset()
      for (const labels of read()) this.set({ ...labels }, 1)
    },
  })
}

/** Adds the gauge of the stores. @param read lists the stores of the configuration, by the checks of the monitor */
export function addStoreGauge(registry: Registry, read: () => ReadonlyMap<Store, { isUp: boolean }>): void {
  new Gauge({
    name: 'centripush_store_up',
    help: '1 while the checks of a store succeed, 0 in its outage.',
    labelNames: ['store'],
    registers: [registry],
    collect() {
      for (const [store, { isUp }] of read()) this.set({ store }, isUp ? 1 : 0)
    },
  })
}

/** Adds the gauge of the credentials. @param read has the states of all processes, merged */
export function addCredentialGauge(registry: Registry, read: () => ProviderHealth): void {
  new Gauge({
    name: 'centripush_credential_refused',
    help: '1 while the credential of a provider is refused by the provider or can not be used, otherwise 0.',
    labelNames: ['provider'],
    registers: [registry],
    collect() {
      for (const [provider, state] of Object.entries(read().credentials)) {
        this.set({ provider }, state === 'refused' || state === 'unusable' ? 1 : 0)
      }
    },
  })
}
