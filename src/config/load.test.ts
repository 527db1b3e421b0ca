import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from './config-error.ts'
import { loadConfig, parseConfig } from './load.ts'
import { listOptions } from './options.ts'
import { ConfigSchema } from './schema.ts'

const dir = mkdtempSync(join(tmpdir(), 'centripush-config-'))
afterAll(() => rmSync(dir, { recursive: true }))

function write(name: string, content: string): string {
  const file = join(dir, name)
  writeFileSync(file, content)
  return file
}

/** A section `admin` with all options of a login by OIDC. */
const OIDC = {
  enabled: true,
  secret: 'x'.repeat(16),
  oidc: {
    enabled: true,
    display_name: 'Keycloak',
    issuer: 'http://localhost:8080/realms/master',
    client_id: 'centripush',
    redirect_uri: 'https://push.example.com/admin/oidc/callback',
    access_cel: "'admins' in claims.groups",
  },
}

describe('a configuration', () => {
  test('is complete without file and environment', () => {
    const { config, ignored } = loadConfig(undefined, {})
    expect(config.http_server.port).toBe(8000)
    expect(config.push_notifications.enabled).toBe(true)
    expect(config.push_notifications.enabled_providers).toBeUndefined()
    expect(ignored).toEqual([])
  })

  test.each([
    ['c.json', '{"http_server":{"port":8001},"push_notifications":{"enabled_providers":[]}}'],
    ['c.yaml', 'http_server:\n  port: 8001\npush_notifications:\n  enabled_providers: []\n'],
    ['c.toml', '[http_server]\nport = 8001\n[push_notifications]\nenabled_providers = []\n'],
  ])('is read from %s', (name, content) => {
    const { config } = loadConfig(write(name, content), {})
    expect(config.http_server.port).toBe(8001)
    expect(config.push_notifications.enabled_providers).toEqual([])
  })

  test('prefers the environment to the file, option by option', () => {
    const file = write('env.json', '{"http_server":{"port":8001,"address":"127.0.0.1"}}')
    const { config } = loadConfig(file, {
      CENTRIPUSH_HTTP_SERVER_PORT: '8002',
      CENTRIPUSH_HTTP_API_INSECURE: 'true',
      CENTRIPUSH_WORKER_LEASE: '1m30s',
      CENTRIPUSH_DATABASE_POSTGRESQL_REPLICA_DSN: 'postgresql://a postgresql://b',
      CENTRIPUSH_HTTP_API_KEY: '',
    })
    expect(config.http_server).toMatchObject({ port: 8002, address: '127.0.0.1' })
    expect(config.http_api.insecure).toBe(true)
    expect(config.http_api.key).toBeUndefined()
    expect(config.worker.lease).toBe(90_000)
    expect(config.database?.postgresql.replica_dsn).toEqual(['postgresql://a', 'postgresql://b'])
  })

  test('reads a secret from the file of a _FILE variable', () => {
    const file = write('key', 'secret\n')
    expect(loadConfig(undefined, { CENTRIPUSH_HTTP_API_KEY_FILE: file }).config.http_api.key).toBe('secret')
  })

  test('names the option and the file when a file can’t be read', () => {
    const missing = join(dir, 'missing.yaml')
    expect(() => loadConfig(missing, {})).toThrow(new ConfigError(`${missing} does not exist`))
    expect(() => loadConfig(undefined, { CENTRIPUSH_HTTP_API_KEY_FILE: missing })).toThrow(
      new ConfigError(`CENTRIPUSH_HTTP_API_KEY_FILE: ${missing} does not exist`),
    )
    expect(() => loadConfig(undefined, { CENTRIPUSH_HTTP_API_KEY_FILE: dir })).toThrow(/is a directory/)
  })

  test('of Centrifugo has options that are ignored and named', () => {
    const file = write(
      'pro.json',
      '{"channel":{"max_length":100},"http_server":{"http3":{"enabled":true},"port":"9000"}}',
    )
    const { config, ignored, notices } = loadConfig(file, { CENTRIPUSH_CHANNEL_MAX_LENGTH: '1' })
    expect(config.http_server.port).toBe(9000)
    expect(ignored).toEqual(['channel', 'CENTRIPUSH_CHANNEL_MAX_LENGTH'])
    expect(notices).toEqual([
      'http_server.http3: centripush serves HTTP/1.1: a load balancer in front of it can offer HTTP/3',
    ])
  })

  test('with mistakes is refused with all of them, each with its path', () => {
    const wrong = {
      http_server: { port: 70_000, tls: { enabled: 'maybe' } },
      upstream: { address: 'node:8000' },
      worker: { lease: '15 seconds' },
      push_notifications: { enabled_providers: ['gcm'] },
    }
    expect(() => parseConfig(wrong)).toThrowErrorMatchingInlineSnapshot(`
      [ConfigError: config: http_server.port: expected a whole number from 0 to 65535 but found 70000
      config: http_server.tls.enabled: expected true or false but found "maybe"
      config: upstream.address: expected a URL that starts with http:// or https:// but found "node:8000"
      config: push_notifications.enabled_providers.0: expected one of "fcm", "hms", "apns", "webpush" but found "gcm"
      config: worker.lease: expected a duration such as "30s" or "1h30m", at least 100ms, but found "15 seconds"]
    `)
  })

  test.each([
    [{ push_notifications: { enabled_providers: ['fcm'] } }, 'push_notifications.fcm.credentials_file'],
    [{ push_notifications: { queue: { type: 'redis' } } }, 'push_notifications.queue.redis'],
    [{ push_notifications: { queue: { redis: { reuse_from_engine: true } } } }, 'engine.redis'],
    [
      { push_notifications: { queue: { redis: { sentinel_address: ['a:1'] } } } },
      'push_notifications.queue.redis.sentinel_master_name',
    ],
    [{ database: { enabled: false } }, 'push_notifications.queue.postgresql.dsn'],
    [{ http_server: { tls: { enabled: true } } }, 'http_server.tls'],
    [
      { clickhouse_analytics: { enabled: true, export: { notifications: { enabled: true } } } },
      'clickhouse_analytics.clickhouse_dsn',
    ],
    [{ admin: { enabled: true, secret: 'x'.repeat(16) } }, 'admin.password'],
    [{ admin: { enabled: true, password: 'p', secret: 'x'.repeat(15) } }, 'admin.secret'],
    [
      { admin: { enabled: true, password: 'p', viewer_password: 'p', secret: 'x'.repeat(16) } },
      'admin.viewer_password',
    ],
    [
      { admin: { enabled: true, insecure: true }, upstream: { address: 'http://n', admin_handler_prefix: '/' } },
      'admin.handler_prefix',
    ],
    [
      {
        admin: { enabled: true, insecure: true, handler_prefix: '/push/' },
        client: { token: { hmac_secret_key: 's' } },
        client_push: { http_enabled: true },
      },
      'admin.handler_prefix',
    ],
    [{ admin: { ...OIDC, oidc: { enabled: true } } }, 'admin.oidc.issuer'],
    [{ admin: { ...OIDC, insecure: true } }, 'admin.oidc.enabled'],
    [{ admin: { ...OIDC, handler_prefix: '/tools' } }, 'admin.oidc.redirect_uri'],
    [{ admin: { ...OIDC, oidc: { ...OIDC.oidc, issuer: 'http://id.example.com' } } }, 'admin.oidc.issuer'],
    [{ admin: { ...OIDC, oidc: { ...OIDC.oidc, access_cel: "'admins' in" } } }, 'admin.oidc.access_cel'],
    [{ admin: { ...OIDC, oidc: { ...OIDC.oidc, access_cel: 'claim.groups' } } }, 'admin.oidc.access_cel'],
    [{ admin: { ...OIDC, oidc: { ...OIDC.oidc, viewer_access_cel: '1 + 1' } } }, 'admin.oidc.viewer_access_cel'],
    [{ http_server: { tls_autocert: { enabled: true } } }, 'http_server.tls_autocert'],
  ])('with options that contradict each other is refused: %j', (input, path) => {
    expect(() => parseConfig(input)).toThrow(`${path}:`)
  })

  test('needs no password with a login by OIDC', () => {
    expect(parseConfig({ admin: { ...OIDC, oidc: { ...OIDC.oidc, access_cel: true } } }).admin.oidc.access_cel).toBe(
      'true',
    )
  })

  test('with a ? in the password of Redis is refused without showing it', () => {
    const queue = { redis: { address: 'redis://user:se?cret@redis:6379' } }
    const parse = () => parseConfig({ push_notifications: { queue } })
    expect(parse).toThrow('push_notifications.queue.redis.address:')
    expect(parse).not.toThrow(/se\?|cret/)
  })

  test.each(['click:9000', 'tcp://u:sec@ret@click:x', 'http://u:secret@click/path'])(
    'with a malformed DSN of ClickHouse is refused without showing it',
    (dsn) => {
      const parse = () => parseConfig({ clickhouse_analytics: { clickhouse_dsn: [dsn] } })
      expect(parse).toThrow('clickhouse_analytics.clickhouse_dsn.0: expected tcp://')
      expect(parse).not.toThrow(/sec/)
    },
  )

  test.each(['7 DAYS', '', '7 DAY; DROP TABLE x', 'toIntervalDay(7)'])('with the ttl %j is refused', (ttl) => {
    const parse = () => parseConfig({ clickhouse_analytics: { export: { notifications: { ttl } } } })
    expect(parse).toThrow('clickhouse_analytics.export.notifications.ttl: expected an interval')
  })

  test('names the exports of Centrifugo PRO that it does not have', () => {
    const exports = { connections: { enabled: true, http_headers: ['Origin'] }, notifications: { enabled: true } }
    const section = { enabled: true, clickhouse_dsn: ['tcp://127.0.0.1:9000'], snapshots: { enabled: true } }
    const file = write('analytics.json', JSON.stringify({ clickhouse_analytics: { ...section, export: exports } }))
    const { config, notices } = loadConfig(file, {})
    expect(notices).toEqual([
      'clickhouse_analytics.snapshots: centripush exports notifications only',
      'clickhouse_analytics.export.connections: centripush exports notifications only',
    ])
    expect(config.clickhouse_analytics.export.notifications).toEqual({
      enabled: true,
      max_buffer_size: 1_000_000,
      flush_interval: 10_000,
      flush_size: 100_000,
      ttl: '7 DAY',
    })
  })

  test('marks DSNs as secret, also in lists', () => {
    const secrets = listOptions(ConfigSchema).flatMap(({ path, isSecret }) => (isSecret ? [path.join('.')] : []))
    const options = [
      'database.postgresql.dsn',
      'database.postgresql.replica_dsn',
      'clickhouse_analytics.clickhouse_dsn',
    ]
    expect(secrets).toEqual(expect.arrayContaining(options))
  })

  test.each(['host=db password', 'mysql://u:secret@db/x', 'postgresql://u:sec/ret@db:x/y', 'postgresql://u:sec%@db/x'])(
    'with a malformed DSN is refused without showing it',
    (dsn) => {
      const parse = () => parseConfig({ database: { postgresql: { dsn } } })
      expect(parse).toThrow('config: database.postgresql.dsn: ')
      expect(parse).not.toThrow(/sec|ret/)
    },
  )

  test('with a line feed at the end of a variable is read without it', () => {
    const { config } = loadConfig(undefined, { CENTRIPUSH_HTTP_API_KEY: 'key\r\n', CENTRIPUSH_LOG_FILE: '\n' })
    expect([config.http_api.key, config.log.file]).toEqual(['key', ''])
  })

  test.each(['a\nb', 'key\n', ' key', 'a\u0000b'])('with the key %j, which no header can have, is refused', (key) => {
    expect(() => parseConfig({ http_api: { key } })).toThrow('http_api.key: expected text without line breaks')
  })

  test('with ca_file verifies the servers of all DSNs that name no authority', () => {
    const replicas = ['host=b', 'postgresql://c/x?sslrootcert=own']
    const { database, push_notifications } = parseConfig({
      database: {
        postgresql: { dsn: 'postgresql://a/x', replica_dsn: replicas, ca_file: '/ca' },
      },
      push_notifications: { queue: { postgresql: { dsn: 'postgresql://d/x?sslmode=verify-ca' } } },
    })
    expect([database?.postgresql.dsn, ...(database?.postgresql.replica_dsn ?? [])]).toEqual([
      'postgresql://a/x?sslrootcert=%2Fca&sslmode=verify-full',
      "host=b sslrootcert='/ca' sslmode='verify-full'",
      'postgresql://c/x?sslrootcert=own',
    ])
    expect(push_notifications.queue.postgresql.dsn).toBe('postgresql://d/x?sslmode=verify-ca&sslrootcert=%2Fca')
  })
})
