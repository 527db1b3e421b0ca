// A stand-in for APNs on one TLS port. It checks what Apple checks, fails on demand (apns-faults.ts), and keeps what it
// accepted (../accepted-log.ts).
import { generateKeyPair } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { AcceptedLog } from '../accepted-log.ts'
import { makeCertificates } from '../certificates.ts'
import { Faults, type Misbehaviour } from '../faults.ts'
import { SimulatorServer, type Treatment } from '../simulator-server.ts'
import { type ApnsFault, makeApnsFaults } from './apns-faults.ts'
import { type AcceptedApnsPush, DeviceEndpoint, FIRST_CONCURRENT_STREAMS } from './device-endpoint.ts'
import { ProviderTokenCheck } from './provider-token-check.ts'

const generate = promisify(generateKeyPair)

export interface ApnsSimulatorOptions {
  /** Where key, authority and log are written; made if it isn't there. */
  directory: string
  /** 0, the default, takes a free one. */
  port?: number
  bundleId?: string
  keyId?: string
  teamId?: string
  /** The authority of client certificates (PEM); without one there are none that it knows. */
  clientCa?: string
  /** How late `slow-` targets are answered. */
  slowMs?: number
  /** Unix time in ms since when `unregistered-` devices are gone; the time of the request unless given. */
  goneSinceMs?: () => number
  /** Faults by chance, besides those that targets ask for. */
  misbehaviour?: Misbehaviour
  /** Told of each request to send that got past the checks. */
  onTreatment?: (treatment: Treatment) => void
  /** Unix time in ms. */
  nowMs?: () => number
}

/** The files a client needs, and where the log is. */
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

/** Whose pushes the simulator takes. */
export interface ApnsAccount {
  bundleId: string
  keyId: string
  teamId: string
}

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

  /** For `endpoint`. */
  get origin(): string {
    return this.#parts.server.origin
  }

  /** Every push that was accepted, in order. */
  get accepted(): readonly AcceptedApnsPush[] {
    return this.#parts.log.accepted
  }

  /** The provider tokens that were taken, in the order of their first use. */
  get providerTokens(): readonly string[] {
    return this.#parts.tokens.used
  }

  get connectionsOpened(): number {
    return this.#parts.server.connectionsOpened
  }

  /** The most streams that one connection ever had open. */
  get peakStreams(): number {
    return this.#parts.server.peakStreams
  }

  /** Requests that were looked at. */
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

  /** From now on the key is refused, as after its removal in Apple's console. */
  revokeKey(): void {
    this.#parts.tokens.revoke()
  }

  restoreKey(): void {
    this.#parts.tokens.restore()
  }

  /** The `count`th push from now on is the last one its connection processes: GOAWAY follows, the rest is left. */
  goawayAfter(count: number): void {
    this.#parts.server.goawayAfter(count)
  }

  /** Cuts all connections and frees the port. Safe to call twice. */
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
