// A simulator of APNs on one TLS port. It makes the checks that Apple documents, fails on demand (apns-faults.ts), and
// records accepted pushes (../accepted-log.ts).
import { generateKeyPair } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AcceptedLog } from '../accepted-log.ts'
import { makeCertificates } from '../certificates.ts'
import { Faults, type Misbehaviour } from '../faults.ts'
import type { Treatment } from '../simulated-request.ts'
import { SimulatorServer } from '../simulator-server.ts'
import { type ApnsFault, makeApnsFaults } from './apns-faults.ts'
import { type AcceptedApnsPush, DeviceEndpoint, FIRST_CONCURRENT_STREAMS } from './device-endpoint.ts'
import { ProviderTokenCheck } from './provider-token-check.ts'

const generate = promisify(generateKeyPair)

export interface ApnsSimulatorOptions {
  /** The directory for the signing key, the certificate authority and the log. It is created if it does not exist. */
  directory: string
  /** The port on 127.0.0.1; 0, the default, means any free port. */
  port?: number
  bundleId?: string
  keyId?: string
  teamId?: string
  /** The certificate authority (PEM) of client certificates. Without it no client certificate is accepted. */
  clientCa?: string
  /** The delay of answers to `slow-` targets, in ms. */
  slowMs?: number
  /** Since when `unregistered-` tokens are dead, as Unix time in ms; the time of the request unless given. */
  goneSinceMs?: () => number
  /** Random faults, in addition to those that targets request. */
  misbehaviour?: Misbehaviour
  /** Called for each request to send; `treatment` says how the simulator treated it. */
  onTreatment?: (treatment: Treatment) => void
  /** Returns the current Unix time in ms; Date.now unless given. */
  nowMs?: () => number
}

/** Paths of the files that a client needs, and of the log of accepted pushes. */
export interface ApnsSimulatorFiles {
  tokenKey: string
  ca: string
  log: string
}

interface Parts {
  server: SimulatorServer
  tokens: ProviderTokenCheck
  log: AcceptedLog<AcceptedApnsPush>
  files: ApnsSimulatorFiles
  account: ApnsAccount
}

/** The app and the key that the simulator accepts. */
export interface ApnsAccount {
  bundleId: string
  keyId: string
  teamId: string
}

/** A running APNs simulator. */
export class ApnsSimulator {
  readonly files: ApnsSimulatorFiles
  readonly account: ApnsAccount
  readonly #parts: Parts
  #stopped: Promise<void> | undefined

  private constructor(parts: Parts) {
    this.files = parts.files
    this.account = parts.account
    this.#parts = parts
  }

  /** Makes certificates and a signing key, writes them, and listens on 127.0.0.1. */
  static async start(options: ApnsSimulatorOptions): Promise<ApnsSimulator> {
    const { directory, bundleId = 'com.example.app', keyId = 'SIMKEY0001', teamId = 'SIMTEAM001' } = options
    const { nowMs = Date.now, goneSinceMs = nowMs } = options
    const files = {
      tokenKey: join(directory, 'AuthKey.p8'),
      ca: join(directory, 'ca.pem'),
      log: join(directory, 'accepted.ndjson'),
    }
    await mkdir(directory, { recursive: true })
    const [{ caCert, cert, key }, signing] = await Promise.all([makeCertificates(), makeSigningKey()])
    await writeFile(files.tokenKey, signing.privateKey, { mode: 0o600 })
    await writeFile(files.ca, caCert)
    const tokens = new ProviderTokenCheck({ publicKeyPem: signing.publicKey, keyId, teamId, nowMs })
    const faults = new Faults<ApnsFault>({ table: makeApnsFaults(), misbehaviour: options.misbehaviour })
    const log = new AcceptedLog<AcceptedApnsPush>({ file: files.log })
    const clientCa = options.clientCa ?? caCert
    const endpoint = new DeviceEndpoint({ bundleId, tokens, clientCa, faults, log, goneSinceMs, nowMs })
    const server = new SimulatorServer({
      cert,
      key,
      asksForCertificate: true,
      maxConcurrentStreams: FIRST_CONCURRENT_STREAMS,
      slowMs: options.slowMs ?? 2000,
      handle: (request) => endpoint.handle(request),
      onTreatment: options.onTreatment,
    })
    await server.listen(options.port ?? 0)
    return new ApnsSimulator({ server, tokens, log, files, account: { bundleId, keyId, teamId } })
  }

  /** The value for the option `endpoint` of a client: `https://127.0.0.1:<port>`. */
  get origin(): string {
    return this.#parts.server.origin
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedApnsPush[] {
    return this.#parts.log.accepted
  }

  /** The accepted provider tokens, in the order of their first use. */
  get providerTokens(): readonly string[] {
    return this.#parts.tokens.used
  }

  get connectionsOpened(): number {
    return this.#parts.server.connectionsOpened
  }

  /** The most streams that were ever open at once on one connection. */
  get peakStreams(): number {
    return this.#parts.server.peakStreams
  }

  /** The number of requests that were processed. */
  get requests(): number {
    return this.#parts.server.requests
  }

  get goawaysSent(): number {
    return this.#parts.server.goawaysSent
  }

  /** Resolves as soon as `count` pushes were accepted since the start. */
  waitForAccepted(count: number): Promise<void> {
    return this.#parts.log.waitFor(count)
  }

  /** Refuses the signing key from now on, as APNs does after its removal in the developer console. */
  revokeKey(): void {
    this.#parts.tokens.revoke()
  }

  /** Accepts the signing key again after `revokeKey`. */
  restoreKey(): void {
    this.#parts.tokens.restore()
  }

  /** Sends GOAWAY after the `count`th request from this call on. The connection processes no later streams. */
  goawayAfter(count: number): void {
    this.#parts.server.goawayAfter(count)
  }

  /** Breaks all connections and frees the port. Safe to call twice. */
  stop(): Promise<void> {
    this.#stopped ??= this.#parts.server.stop().then(() => this.#parts.log.close())
    return this.#stopped
  }
}

function makeSigningKey(): Promise<{ publicKey: string; privateKey: string }> {
  return generate('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}
