// The configuration reference: every option with its default. Keys are Centrifugo's own where Centrifugo has them, so
// that a Centrifugo PRO configuration works as it stands; the comments say what a value means here.
import * as v from 'valibot'
import { originPattern } from './origin-pattern.ts'
import { PROVIDER_NAMES } from './provider-names.ts'
import { redisOptions } from './redis.ts'
import {
  contactUri,
  dsn,
  duration,
  factor,
  filledText,
  flag,
  networkBlock,
  oneOf,
  text,
  textList,
  url,
  wholeNumber,
} from './values.ts'

const port = wholeNumber(0, 65_535)

/** PEM material: the text itself, its base64, or the path of a file. */
const pem = v.optional(text, '')

const tls = v.optional(
  v.object({
    enabled: v.optional(flag, false),
    cert_pem: pem,
    key_pem: pem,
    /** Clients must present a certificate of this authority. */
    client_ca_pem: pem,
  }),
  {},
)

const http_server = v.optional(
  v.object({
    /** Where to bind; empty is every interface, unless no API key is configured: then it is 127.0.0.1. */
    address: v.optional(text),
    port: v.optional(port, 8000),
    /** Empty: as `address`. */
    internal_address: v.optional(text, ''),
    /** With it, API, metrics and health are served on this port and not on the other one. */
    internal_port: v.optional(port),
    tls,
    /** Certificates by ACME are not supported; enabling it stops the start instead of serving without TLS. */
    tls_autocert: v.optional(v.object({ enabled: v.optional(flag, false) }), {}),
    /** TLS on the external port only. */
    tls_external: v.optional(flag, false),
    /** TLS of the internal port; where not enabled, `tls` holds for both. */
    internal_tls: tls,
  }),
  {},
)

const http_api = v.optional(
  v.object({
    disabled: v.optional(flag, false),
    handler_prefix: v.optional(text, '/api'),
    /** The key that clients send. Absent: one is made at the first start and kept under `data_dir`. */
    key: v.optional(filledText),
    /** `transport`: errors as HTTP statuses, as with the header `X-Centrifugo-Error-Mode: transport`. */
    error_mode: v.optional(oneOf(['', 'transport']), ''),
    /** With an internal port: serve the API on the external one all the same. */
    external: v.optional(flag, false),
    /** No key asked for. Only where nothing untrusted reaches the port. */
    insecure: v.optional(flag, false),
    /** Bytes; a larger request is answered with 413 and read no further. */
    max_request_body_size: v.optional(wholeNumber(1024, 2 ** 31 - 1), 64 * 1024 * 1024),
  }),
  {},
)

const upstream = v.optional(
  v.object({
    /** The base URL of the Centrifugo node. */
    address: url('http:', 'https:'),
    /** The node's own `http_api.key`; clients never see it. */
    api_key: v.optional(text, ''),
    /** How long the node may take to start answering, and then between two pieces of an answer. */
    timeout: v.optional(duration(1), '10s'),
    connect_timeout: v.optional(duration(1), '1s'),
    /** Connections kept to the node. */
    max_connections: v.optional(wholeNumber(1, 10_000), 128),
    /** PEM file of an authority to trust besides the system's. */
    ca_file: v.optional(text),
  }),
)

const database = v.optional(
  v.object({
    enabled: v.optional(flag, true),
    postgresql: v.optional(
      v.object({
        /** Absent: the embedded server under `data_dir`. */
        dsn: v.optional(dsn),
        /** What `push_notifications.read_from_replica` reads from, in turn. */
        replica_dsn: v.optional(v.pipe(textList, v.array(dsn)), []),
        /** Where the queue is here too, half of them are for it. */
        max_connections: v.optional(wholeNumber(2, 1000), 20),
        /** Apply the migrations at start. */
        migrate: v.optional(flag, true),
      }),
      {},
    ),
  }),
)

const queue = v.optional(
  v.object({
    /** Absent: `redis` where `queue.redis` is given, else `postgresql`. */
    type: v.optional(oneOf(['redis', 'postgresql'])),
    redis: v.optional(
      v.object({
        ...redisOptions,
        /** The Redis of `engine.redis`. */
        reuse_from_engine: v.optional(flag, false),
        /** Batches worked on at once. */
        consumer_concurrency: v.optional(wholeNumber(1, 1000), 64),
        /** Jobs that may wait; above it a send is answered with error 100 and `Retry-After`. Nothing is trimmed. */
        max_stream_length: v.optional(wholeNumber(1, 100_000_000), 100_000),
      }),
    ),
    postgresql: v.optional(
      v.object({
        /** Absent, or with `reuse_from_database`: the database of the devices. */
        dsn: v.optional(dsn),
        reuse_from_database: v.optional(flag, false),
        /** Batches worked on at once. */
        consumer_concurrency: v.optional(wholeNumber(1, 1000), 16),
        /** Jobs that may wait; above it a send is answered with error 100 and `Retry-After`. */
        max_stream_length: v.optional(wholeNumber(1, 100_000_000), 100_000),
      }),
      {},
    ),
  }),
  {},
)

const fcm = v.optional(
  v.object({
    /** The service account's JSON file. */
    credentials_file: v.optional(filledText),
    /** Targets of one batch. */
    tokens_batch_size: v.optional(wholeNumber(1, 5000), 500),
    push_endpoint: v.optional(url('https:'), 'https://fcm.googleapis.com'),
    /** Where the service account's assertion is exchanged for an access token. */
    auth_endpoint: v.optional(url('https:'), 'https://oauth2.googleapis.com'),
    ca_file: v.optional(text),
  }),
  {},
)

const hms = v.optional(
  v.object({
    app_id: v.optional(filledText),
    app_secret: v.optional(filledText),
    /** Where id and secret are exchanged for an access token; the whole URL. */
    auth_endpoint: v.optional(url('https:'), 'https://oauth-login.cloud.huawei.com/oauth2/v3/token'),
    push_endpoint: v.optional(url('https:'), 'https://push-api.cloud.huawei.com'),
    /** Tokens of one request. */
    tokens_batch_size: v.optional(wholeNumber(1, 1000), 1000),
    ca_file: v.optional(text),
  }),
  {},
)

const apns = v.optional(
  v.object({
    endpoint: v.optional(v.union([oneOf(['development', 'production']), url('https:')]), 'development'),
    bundle_id: v.optional(filledText),
    auth_type: v.optional(oneOf(['token', 'cert'])),
    tokens_batch_size: v.optional(wholeNumber(1, 5000), 100),
    token_key_file: v.optional(filledText),
    token_key_pem: v.optional(filledText),
    token_key_id: v.optional(filledText),
    token_team_id: v.optional(filledText),
    cert_p12_file: v.optional(filledText),
    cert_p12_b64: v.optional(filledText),
    cert_p12_password: v.optional(text),
    ca_file: v.optional(text),
  }),
  {},
)

const webpush = v.optional(
  v.object({
    vapid_public_key: v.optional(filledText),
    vapid_private_key: v.optional(filledText),
    /** Whom push services may write to: `mailto:you@example.com` or an https URL. */
    subject: v.optional(contactUri),
    tokens_batch_size: v.optional(wholeNumber(1, 5000), 100),
    /** Origins that a subscription's endpoint may have, as patterns (`https://*.example.com`); empty: the services of
     * the mainstream browsers; `*`: any. */
    allowed_endpoint_origins: v.optional(v.pipe(textList, v.array(originPattern)), []),
    /** Origins allowed besides those. */
    extra_allowed_endpoint_origins: v.optional(v.pipe(textList, v.array(originPattern)), []),
    /** Blocks of private addresses (`10.1.0.0/16`) that may be connected to all the same, for a push service of your own. */
    private_endpoint_networks: v.optional(v.pipe(textList, v.array(networkBlock)), []),
    ca_file: v.optional(text),
  }),
  {},
)

const push_notifications = v.optional(
  v.object({
    enabled: v.optional(flag, true),
    /** Nothing is sent: all providers are the sandbox, which only records. */
    dry_run: v.optional(flag, false),
    /** How long a batch takes with `dry_run`, as if it were sent. */
    dry_run_latency: v.optional(duration(), '0'),
    /** Absent: all four, those without credentials as the sandbox, which only records. */
    enabled_providers: v.optional(v.pipe(textList, v.array(oneOf(PROVIDER_NAMES)))),
    /** Devices neither registered nor updated for this long are removed; `0` keeps them. */
    max_inactive_device_interval: v.optional(duration(), '0'),
    /** Read the lists of devices and topics from `database.postgresql.replica_dsn`. */
    read_from_replica: v.optional(flag, false),
    queue,
    fcm,
    hms,
    apns,
    webpush,
  }),
  {},
)

const worker = v.optional(
  v.object({
    /**
     * Processes that send, each with an event loop of its own; absent: one for each core and one more, which uses what the
     * others leave while they wait, or 1 where there is one core. 1: in the server's own. Where there are several, yet
     * another sends small sends alone.
     */
    processes: v.optional(wholeNumber(1, 256)),
    /** A batch whose worker has not been heard of for this long goes to another one. */
    lease: v.optional(duration(100), '15s'),
    /** How often a worker extends its leases. */
    heartbeat: v.optional(duration(10), '5s'),
    /** Stop removing devices while a provider calls more than half of the tokens dead. `false` once you know it is right. */
    removal_breaker: v.optional(flag, true),
    /** Multiplies the delays before a retry; below 1 for tests. */
    retry_scale: v.optional(factor, 1),
  }),
  {},
)

/** The configuration, before its defaults are filled in (`v.InferInput`) and after. */
export const ConfigSchema = v.object({
  /** Holds what an absent section leaves to centripush: the embedded database, the API key. */
  data_dir: v.optional(filledText, './data'),
  http_server,
  http_api,
  upstream,
  database,
  /** Read for `push_notifications.queue.redis.reuse_from_engine` only. */
  engine: v.optional(v.object({ redis: v.optional(v.object(redisOptions)) })),
  push_notifications,
  worker,
  prometheus: v.optional(
    v.object({ enabled: v.optional(flag, true), handler_prefix: v.optional(text, '/metrics') }),
    {},
  ),
  health: v.optional(v.object({ enabled: v.optional(flag, true), handler_prefix: v.optional(text, '/health') }), {}),
  log: v.optional(
    v.object({
      level: v.optional(oneOf(['none', 'trace', 'debug', 'info', 'warn', 'error']), 'info'),
      /** Absent: standard output. */
      file: v.optional(text, ''),
    }),
    {},
  ),
  shutdown: v.optional(
    v.object({
      /** How long requests and pushes in flight may take to finish. */
      timeout: v.optional(duration(), '20s'),
    }),
    {},
  ),
})

export type Config = v.InferOutput<typeof ConfigSchema>
