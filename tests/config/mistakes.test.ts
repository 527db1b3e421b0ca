// Mistakes of operators in files, in the environment and on the command line. Each ends with exit code 2 and with lines
// that name the mistake and the mend, without a stack. `npx vitest run tests/config/mistakes.test.ts` prints the table.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { runInProcess } from './command-line.ts'

const dir = mkdtempSync(join(tmpdir(), 'centripush-mistakes-'))
afterAll(() => rmSync(dir, { recursive: true }))

function write(name: string, content: string): string {
  writeFileSync(join(dir, name), content)
  return join(dir, name)
}

const [certificates, others] = await Promise.all([makeCertificates(), makeCertificates()])
const files = {
  cert: write('cert.pem', certificates.cert),
  key: write('key.pem', certificates.key),
  otherKey: write('other-key.pem', others.key),
}
const empty = write('empty', '')

/** The files of the table, by the names of their formats. */
const FORMATS = { json: 'c.json', yaml: 'c.yaml', toml: 'c.toml' } as const

type Format = keyof typeof FORMATS

const IN_FILES: readonly [format: Format, content: string, message: string][] = [
  // Names.
  [
    'json',
    '{"push_notifications":{"fcm":{"credential_file":"a"}}}',
    'push_notifications.fcm.credential_file: unknown option, did you mean push_notifications.fcm.credentials_file?',
  ],
  [
    'yaml',
    'push_notifications: {queue: {redis: {adress: a}}}',
    'push_notifications.queue.redis.adress: unknown option, did you mean push_notifications.queue.redis.address?',
  ],
  [
    'toml',
    '[database.postgresql]\ndns = "a"',
    'database.postgresql.dns: unknown option, did you mean database.postgresql.dsn?',
  ],
  ['yaml', 'push_notification: {enabled: true}', 'push_notification: unknown option, did you mean push_notifications?'],
  ['yaml', 'httpServer: {port: 1}', 'httpServer: unknown option, did you mean http_server?'],
  ['yaml', 'http-server: {port: 1}', 'http-server: unknown option, did you mean http_server?'],
  ['yaml', 'upstream: {adress: a}', 'upstream.adress: unknown option, did you mean upstream.address?'],
  [
    'yaml',
    'redis: {address: a}',
    'redis: unknown option, did you mean engine.redis or push_notifications.queue.redis?',
  ],
  [
    'yaml',
    'push_notifications: {bundle_id: a}',
    'push_notifications.bundle_id: unknown option, did you mean push_notifications.apns.bundle_id?',
  ],
  ['yaml', 'worker: {threads: 4}', 'worker.threads: unknown option; worker has '],
  ['yaml', 'smtp: {host: a}', 'smtp: unknown option; there are data_dir'],
  ['yaml', '"": 1', ': unknown option; there are'],
  ['json', '{"__proto__":{"port":1}}', '__proto__: unknown option'],
  // Shapes.
  ['yaml', 'push_notifications: [fcm]', 'push_notifications: expected a section of options but found a list'],
  ['json', '{"worker":[]}', 'worker: expected a section of options but found a list'],
  ['toml', 'worker = 2026-01-31', 'worker: expected a section of options but found a date'],
  ['yaml', 'worker: 5', 'worker: expected a section of options but found 5'],
  ['yaml', 'database: postgresql://u:s3cret@h/d', 'database: expected a section of options but found text'],
  ['yaml', 'worker:', 'worker: is empty: give it options, or remove it'],
  ['yaml', 'http_api: {key: }', 'http_api.key: is empty: give it a value, or remove it'],
  ['yaml', 'upstream: {}', 'upstream.address: is needed'],
  ['json', '[]', 'c.json: expected sections of options'],
  ['yaml', 'text', 'c.yaml: expected sections of options'],
  // Names of Centrifugo v4 and v5.
  [
    'json',
    '{"push_notifications":{"fcm_credentials_file_path":"a"}}',
    'push_notifications.fcm_credentials_file_path: is push_notifications.fcm.credentials_file since Centrifugo v6',
  ],
  [
    'json',
    '{"push_notifications":{"queue_engine":"database"}}',
    'push_notifications.queue_engine: is push_notifications.queue.type ("redis" or "postgresql") since Centrifugo v6',
  ],
  [
    'json',
    '{"push_notifications":{"apns_auth":"token"}}',
    'push_notifications.apns_auth: is push_notifications.apns.auth_type since Centrifugo v6',
  ],
  [
    'json',
    '{"push_notifications":{"max_inactive_device_days":30}}',
    'is push_notifications.max_inactive_device_interval (a duration: "720h" are 30 days) since',
  ],
  ['json', '{"database":{"dsn":"a"}}', 'database.dsn: is database.postgresql.dsn since Centrifugo v6'],
  ['json', '{"api_key":"a"}', 'api_key: is http_api.key since Centrifugo v6'],
  ['json', '{"port":8000}', 'port: is http_server.port since Centrifugo v6'],
  ['json', '{"log_level":"debug"}', 'log_level: is log.level since Centrifugo v6'],
  ['json', '{"health":true}', 'health: expected a section of options but found true; did you mean health.enabled?'],
  ['json', '{"engine":"redis"}', 'engine: expected a section of options but found text; did you mean engine.type?'],
  [
    'json',
    '{"token_hmac_secret_key":"a"}',
    'token_hmac_secret_key: is client.token.hmac_secret_key since Centrifugo v6',
  ],
  ['json', '{"redis_tls_root_ca":"a"}', 'redis_tls_root_ca: is engine.redis.tls.server_ca_pem since Centrifugo v6'],
  // Syntax.
  ['json', '{"log":{"level":"info"},\n  "log":{}}', 'c.json:2:3: duplicate key "log"'],
  ['json', '{"log":\n{"level":"info",\n"level":"warn"}}', 'c.json:3:1: duplicate key "level"'],
  ['json', '{\n  "log": {},\n}', 'c.json:3:1: expected a key'],
  ['json', '{"log": {}', 'c.json:1:11: expected a comma or the end'],
  ['json', '{"a": x}', 'c.json:1:7: expected a value'],
  ['json', '// comment\n{}', 'c.json:1:1: expected a value'],
  ['json', '', 'c.json:1:1: unexpected end of JSON'],
  ['yaml', 'log: {}\nlog: {}', 'c.yaml:2:1: duplicate key'],
  ['yaml', 'log:\n\tlevel: info', 'c.yaml:2:1: Tabs are not allowed as indentation'],
  ['yaml', 'log: {level: info', 'c.yaml:1:18: '],
  ['yaml', 'http_api: {key: !env KEY}', 'c.yaml:1:17: tags such as !name are not supported'],
  ['yaml', 'log: {}\n---\nworker: {}', 'c.yaml:2:1: expected one document'],
  ['yaml', 'log: *base', 'c.yaml:1:1: Unresolved alias'],
  ['toml', '[log]\nlevel = "info"\nlevel = "warn"', 'c.toml:3:1: trying to redefine'],
  ['toml', '[log]\nlevel = ', 'c.toml:2:9: '],
  // Values.
  ['yaml', 'http_server: {port: 70000}', 'http_server.port: expected a whole number from 0 to 65535 but found 70000'],
  ['yaml', 'http_server: {port: http}', 'http_server.port: expected a whole number from 0 to 65535 but found "http"'],
  ['yaml', 'worker: {lease: 15 seconds}', 'worker.lease: expected a duration such as "30s"'],
  [
    'yaml',
    'push_notifications: {enabled_providers: [gcm]}',
    'push_notifications.enabled_providers.0: expected one of "fcm"',
  ],
  ['yaml', 'push_notifications: {enabled_providers: [fcm]}', 'push_notifications.fcm.credentials_file'],
  ['yaml', 'push_notifications: {apns: {bundle_id: a}}', 'push_notifications.apns.token_key_id: is needed'],
  ['yaml', 'upstream: {address: node:8000}', 'upstream.address: expected a URL that starts with http:// or https://'],
  ['yaml', 'database: {postgresql: {dsn: "mysql://u:s3cret@h/d"}}', 'database.postgresql.dsn: expected'],
  [
    'yaml',
    'push_notifications: {queue: {type: redis}}',
    'push_notifications.queue.redis: is needed because queue.type is redis',
  ],
  // Files.
  ['yaml', `data_dir: ${empty}`, `data_dir: ${empty} can't be used: ${empty} is not a directory`],
  ['yaml', 'log: {file: /no/such/directory/a.log}', 'log.file: /no/such/directory does not exist'],
  ['yaml', 'upstream: {address: "http://h", ca_file: /no/such.pem}', 'upstream.ca_file: /no/such.pem does not exist'],
  [
    'yaml',
    `upstream: {address: "http://h", ca_file: ${empty}}`,
    `upstream.ca_file: ${empty} is not a certificate in PEM`,
  ],
  ['yaml', 'http_server: {tls: {enabled: true}}', 'http_server.tls: is enabled and needs cert_pem and key_pem'],
  [
    'yaml',
    'http_server: {tls: {enabled: true, cert_pem: /no/such.pem, key_pem: a}}',
    'http_server.tls.cert_pem: expected PEM, base64 of PEM, or a readable file; /no/such.pem does not exist',
  ],
  [
    'yaml',
    `http_server: {tls: {enabled: true, cert_pem: ${files.key}, key_pem: ${files.key}}}`,
    'http_server.tls.cert_pem: expected a certificate in PEM form',
  ],
  [
    'yaml',
    `http_server: {tls: {enabled: true, cert_pem: ${files.cert}, key_pem: ${files.cert}}}`,
    'http_server.tls.key_pem: expected a private key in PEM form',
  ],
  [
    'yaml',
    `http_server: {tls: {enabled: true, cert_pem: ${files.cert}, key_pem: ${files.otherKey}}}`,
    'http_server.tls.key_pem: is not the private key of http_server.tls.cert_pem',
  ],
  [
    'yaml',
    'push_notifications: {queue: {redis: {tls: {enabled: true, server_ca_pem: /no/such.pem}}}}',
    'push_notifications.queue.redis.tls.server_ca_pem: expected PEM, base64 of PEM, or a readable file; /no/such.pem does not exist',
  ],
]

const IN_THE_ENVIRONMENT: readonly [env: Record<string, string>, message: string][] = [
  [
    { CENTRIPUSH_HTTP_SERVER_PROT: '1' },
    'CENTRIPUSH_HTTP_SERVER_PROT: unknown variable, did you mean CENTRIPUSH_HTTP_SERVER_PORT?',
  ],
  [
    { CENTRIPUSH_HTTP_API_KEE_FILE: '/a' },
    'CENTRIPUSH_HTTP_API_KEE_FILE: unknown variable, did you mean CENTRIPUSH_HTTP_API_KEY_FILE?',
  ],
  [{ CENTRIPUSH_API_KEY: 'a' }, 'CENTRIPUSH_API_KEY: is http_api.key since Centrifugo v6: CENTRIPUSH_HTTP_API_KEY'],
  [{ CENTRIPUSH_NONSENSE: 'a' }, 'CENTRIPUSH_NONSENSE: unknown variable'],
  [
    { CENTRIPUSH_HTTP_SERVER_PORT: 'a' },
    'http_server.port (CENTRIPUSH_HTTP_SERVER_PORT): expected a whole number from 0 to 65535 but found "a"',
  ],
  [
    { CENTRIPUSH_HTTP_API_KEY: 'a', CENTRIPUSH_HTTP_API_KEY_FILE: files.key },
    'CENTRIPUSH_HTTP_API_KEY and CENTRIPUSH_HTTP_API_KEY_FILE: one of the two must not be set',
  ],
  [{ CENTRIPUSH_HTTP_API_KEY_FILE: '/no/such.key' }, 'CENTRIPUSH_HTTP_API_KEY_FILE: /no/such.key does not exist'],
  [{ CENTRIPUSH_HTTP_API_KEY_FILE: empty }, `CENTRIPUSH_HTTP_API_KEY_FILE: ${empty} is empty`],
  [{ CENTRIPUSH_HTTP_API_KEY_FILE: dir }, `CENTRIPUSH_HTTP_API_KEY_FILE: ${dir} is a directory, a file is expected`],
]

const ON_THE_COMMAND_LINE: readonly [args: string[], message: string][] = [
  [['serv'], 'centripush: unknown command serv, did you mean serve?'],
  [['frobnicate'], 'centripush: unknown command frobnicate, expected one of serve, migrate'],
  [['--config', 'a.yaml'], 'centripush: expected a command before --config, such as centripush serve --config'],
  [['toString'], 'centripush: unknown command toString'],
  [['serve', '--confg', 'a'], 'centripush serve: unknown option --confg, did you mean --config?'],
  [['serve', '--colour'], 'centripush serve: unknown option --colour, expected one of --config'],
  [['serve', '--config'], "centripush serve: Option '-c, --config <value>' argument missing"],
  [['serve', '--config', 'a.yaml', '--config', 'b.yaml'], 'centripush serve: --config is given twice'],
  [['serve', 'now'], "centripush serve: Unexpected argument 'now'"],
  [['serve', '--role', 'sender'], 'centripush serve: --role: expected one of'],
  [['migrate', '--role', 'worker'], 'centripush migrate: unknown option --role, expected one of --config'],
  [['check-config', '--role', 'api'], 'centripush check-config: unknown option --role, expected one of --config'],
  [['serve', '--config', '/no/such.yaml'], 'centripush serve: config: /no/such.yaml does not exist'],
  [['serve', '--config', dir], 'expected a name that ends with .json, .yaml, .yml or .toml'],
  [['check-config', '--config', join(dir, 'c.ini')], 'c.ini: expected a name that ends with .json'],
  [['queue', 'what'], 'centripush queue: expected an action: stats, pause'],
  [['queue', 'pause', 'gcm'], 'centripush queue: provider: expected one of fcm'],
  [['queue', 'dead', '--limit', 'many'], 'centripush queue: --limit: expected a whole number above 0'],
  [['import', 'tokens', '-'], 'centripush import: expected devices or user-topics'],
  [['import', 'devices', '/no/such.file'], 'centripush import: /no/such.file does not exist'],
  [['import', 'devices', '-', '--rejected', '/no/such/file'], 'centripush import: --rejected: /no/such does not exist'],
  [['import', 'devices', '-', '--resume', dir], `centripush import: --resume: ${dir} is a directory`],
  [
    ['import', 'devices', '--from', 'http://127.0.0.1:1/api', '--api-key-file', '/no/such.key'],
    'centripush import: --api-key-file: /no/such.key does not exist',
  ],
  [['export', 'devices', '/no/such/file'], 'centripush export: FILE: /no/such does not exist'],
  [['devices', 'restore', '--provider', 'fcm', '--since', 'yesterday'], 'centripush devices: --since: expected a time'],
  [['simulate', 'fcm', 'apns'], 'centripush simulate: expected one simulator'],
  [['complete', 'bash', 'zsh'], 'centripush complete: expected one shell'],
  [['simulate', 'gcm'], 'centripush simulate: expected a simulator: fcm, apns, hms, webpush'],
  [['complete', 'tcsh'], 'centripush complete: expected a shell: bash, zsh'],
  [['send', '/no/such.json'], 'centripush send: /no/such.json does not exist'],
]

const table: [mistake: string, run: () => ReturnType<typeof runInProcess>, message: string][] = [
  ...IN_FILES.map(([format, content, message]): (typeof table)[number] => [
    content,
    () => {
      return runInProcess(['check-config', '--config', write(FORMATS[format], content)])
    },
    message,
  ]),
  ...IN_THE_ENVIRONMENT.map(([env, message]): (typeof table)[number] => [
    Object.entries(env)
      .map((entry) => entry.join('='))
      .join(' '),
    () => runInProcess(['check-config'], env),
    message,
  ]),
  ...ON_THE_COMMAND_LINE.map(([args, message]): (typeof table)[number] => [
    `centripush ${args.join(' ')}`,
    () => runInProcess(args),
    message,
  ]),
]

test.each(table)('%s', async (mistake, run, message) => {
  const { code, stdout, stderr } = await run()
  console.log(`${mistake.replaceAll('\n', '⏎')}\n  ${code}  ${stderr.trim().replaceAll('\n', '\n     ')}`)
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(message) })
  expect(stderr).not.toMatch(/^\s+at |node:internal|s3cret/m)
})
