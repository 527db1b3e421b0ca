import type { ProviderName } from '../config/provider-names.ts'
import { type Batch, CREDENTIAL_UNUSABLE, type Provider, type Settle } from './provider.ts'
import { settleAll } from './settle-all.ts'

/** A provider with an unusable credential. Delivery pauses it, and keeps its batches until the credential is mended. */
export class UnusableProvider implements Provider {
  readonly name: ProviderName

  constructor(name: ProviderName) {
    this.name = name
  }

  async send(batch: Batch, settle: Settle): Promise<void> {
    settleAll([...batch.targets.keys()], { kind: 'credential', reason: CREDENTIAL_UNUSABLE }, settle)
  }

  async close(): Promise<void> {}
}
