// Addresses of Redis on real servers: passwords, ACLs, TLS, IPv6, sockets, databases, a replica. Those that Centrifugo
// and redis-cli take work, the others are refused with the cause.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { chooseRedis } from '../../src/config/check.ts'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/load.ts'
import { checkAccess } from '../../src/redis/check-access.ts'
import { connectRedis } from '../../src/redis/connect.ts'
import { RedisConnectError } from '../../src/redis/connect-error.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { findFreePort } from '../support/centripush-process.ts'
import { type RedisInstance, startRedis } from '../support/redis-instance.ts'
import { makeTestLogger } from '../support/run-log.ts'

const PASSWORD = `a@:/#[]%&='"\\+;,€z`
const BOTH = ['--bind', '127.0.0.1', '::1']

let directory: string
let servers: RedisInstance[]
let values: Record<string, string>

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'centripush-redis-tls-'))
  const certificates = await makeCertificates()
  const files = { 'ca.crt': certificates.caCert, 'r.crt': certificates.cert, 'r.key': certificates.key }
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content)
  writeFileSync(join(directory, 'other.crt'), (await makeCertificates()).caCert)
  const [open, locked, tls, replica] = [
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
    await findFreePort(),
  ]
  const tlsFiles = ['r.crt', 'r.key', 'ca.crt'].map((name) => join(directory, name))
  const acls = [
    ['app', 'on', `>${PASSWORD}`, '~centrifugo*', '~{centrifugo}*', '&centrifugo*', '+@all'],
    ['other', 'on', '>p', '~other*', '&*', '+@all'],
    ['noxadd', 'on', '>p', '~*', '&*', '+@all', '-xadd'],
    ['nochannel', 'on', '>p', '~*', 'resetchannels', '+@all'],
    ['noping', 'on', '>p', '~*', '&*', '-@all', '+hello', '+auth'],
  ].flatMap((rules) => ['--user', ...rules])
  servers = await Promise.all([
    startRedis(open, ['--port', `${open}`, ...BOTH]),
    startRedis(locked, ['--port', `${locked}`, ...BOTH, '--requirepass', 'secret', ...acls]),
    startRedis(tls, [
      '--port',
      '0',
      '--tls-port',
      `${tls}`,
      ...BOTH,
      '--tls-auth-clients',
      'no',
      '--tls-cert-file',
      tlsFiles[0] ?? '',
      '--tls-key-file',
      tlsFiles[1] ?? '',
      '--tls-ca-cert-file',
      tlsFiles[2] ?? '',
    ]),
    startRedis(replica, ['--port', `${replica}`, ...BOTH, '--replicaof', '127.0.0.1', `${open}`]),
  ])
  const sockets = servers.map((server) => join(server.directory, 'redis.sock'))
  values = {
    O: `${open}`,
    L: `${locked}`,
    T: `${tls}`,
    R: `${replica}`,
    SOCK: sockets[0] ?? '',
    LSOCK: sockets[1] ?? '',
    CA: join(directory, 'ca.crt'),
    OTHER: join(directory, 'other.crt'),
    PW: encodeURIComponent(PASSWORD),
  }
})
afterAll(async () => {
  await Promise.all((servers ?? []).map((server) => server.stop()))
  rmSync(directory, { recursive: true, force: true })
})

type Options = Record<string, unknown>

/** Replaces `$NAME` in all texts by the value of the running servers. */
function fill(options: Options): Options {
  return JSON.parse(JSON.stringify(options).replace(/\$([A-Z]+)/g, (_, name: string) => values[name] ?? ''))
}

/** Connects and checks the access. Resolves to the number of the database, or to the problem. */
async function connect(options: Options): Promise<string> {
  try {
    const redis = chooseRedis(parseConfig({ push_notifications: { queue: { redis: fill(options) } } }))
    const client = await connectRedis(redis, makeTestLogger())
    try {
      await checkAccess(client, ['centrifugo{queue}:check', '{centrifugo}:limit:check'], 'centrifugo{queue}:check')
      const info = String(await client.call('CLIENT', 'INFO'))
      return `db ${/ db=(\d+)/.exec(info)?.[1]}`
    } finally {
      client.disconnect()
    }
  } catch (error) {
    if (error instanceof ConfigError || error instanceof RedisConnectError) return error.message
    throw error
  }
}

const TLS = { enabled: true, server_ca_pem: '$CA' }
/** Options of the section, and the number of the database. `cli`: the arguments with which redis-cli is the judge. */
const WORKS: [what: string, options: Options, db?: number, cli?: string][] = [
  ['host and port', { address: '127.0.0.1:$O' }, 0, '-h 127.0.0.1 -p $O'],
  ['a host name', { address: 'localhost:$O' }, 0, '-h localhost -p $O'],
  ['a list', { address: ['127.0.0.1:$O'] }],
  ['IPv6', { address: '[::1]:$O' }, 0, '-h ::1 -p $O'],
  ['a URL', { address: 'redis://127.0.0.1:$O' }, 0, '-u redis://127.0.0.1:$O'],
  ['a URL with IPv6', { address: 'redis://[::1]:$O' }],
  ['Centrifugo’s scheme tcp', { address: 'tcp://127.0.0.1:$O' }],
  ['a database in the path', { address: 'redis://127.0.0.1:$O/3' }, 3, '-u redis://127.0.0.1:$O/3'],
  ['a slash without a database', { address: 'redis://127.0.0.1:$O/' }],
  ['a database in the query', { address: 'redis://127.0.0.1:$O?db=5' }, 5],
  ['a database as an option', { address: '127.0.0.1:$O', db: 2 }, 2, '-h 127.0.0.1 -p $O -n 2'],
  ['time limits in the query', { address: 'redis://127.0.0.1:$O?connect_timeout=2s&io_timeout=3s&force_resp2=true' }],
  ['a path of a socket', { address: '$SOCK' }, 0, '-s $SOCK'],
  ['a URL of a socket', { address: 'unix://$SOCK?db=4' }, 4],
  ['a URL of a socket with a password', { address: 'unix://:secret@$LSOCK' }],
  ['a password', { address: '127.0.0.1:$L', password: 'secret' }, 0, '-h 127.0.0.1 -p $L -a secret'],
  ['a password in the URL', { address: 'redis://:secret@127.0.0.1:$L' }],
  ['the default user in the URL', { address: 'redis://default:secret@127.0.0.1:$L' }],
  [
    'a user with a password of any character',
    { address: 'redis://app:$PW@127.0.0.1:$L' },
    0,
    '-u redis://app:$PW@127.0.0.1:$L',
  ],
  ['the same as options', { address: '127.0.0.1:$L', user: 'app', password: PASSWORD }],
  ['TLS with its authority', { address: '127.0.0.1:$T', tls: TLS }, 0, '-h 127.0.0.1 -p $T --tls --cacert $CA'],
  ['rediss:// with its authority', { address: 'rediss://localhost:$T', tls: { server_ca_pem: '$CA' } }],
  ['rediss:// with tls.enabled too', { address: 'rediss://127.0.0.1:$T', tls: TLS }],
  ['rediss:// without verification', { address: 'rediss://localhost:$T', tls: { insecure_skip_verify: true } }],
  ['TLS in the query', { address: 'redis://localhost:$T?tls_enabled=true&db=1', tls: { server_ca_pem: '$CA' } }, 1],
  ['TLS with IPv6', { address: 'rediss://[::1]:$T', tls: { server_ca_pem: '$CA' } }],
]

const ACCESS = /ACL SETUSER/
const REFUSED: [what: string, options: Options, problem: RegExp, cli?: string][] = [
  [
    'a text as database',
    { address: 'redis://127.0.0.1:$O/abc' },
    /address: the database after the host must be a number/,
  ],
  [
    'a database that the server does not have',
    { address: '127.0.0.1:$O', db: 99 },
    /DB index is out of range; correct db/,
  ],
  [
    'an unknown option in the query',
    { address: 'redis://127.0.0.1:$O?tls=true' },
    /an option after \? is not known .*; known are addr, db/,
  ],
  ['a wrong option in the query', { address: 'redis://127.0.0.1:$O?db=x' }, /option db after \? is not valid/],
  ['another scheme', { address: 'http://127.0.0.1:$O' }, /address: expected host:port/],
  ['a password without a scheme', { address: ':secret@127.0.0.1:$O' }, /address: expected host:port/],
  ['a port that is none', { address: '127.0.0.1:x' }, /address: expected host:port/],
  ['a port out of range', { address: '127.0.0.1:70000' }, /port must be a number from 1 to 65535/],
  ['IPv6 without brackets', { address: '::1:6379' }, /address: expected host:port/],
  ['a raw % in the password', { address: 'redis://:100%@127.0.0.1:$O' }, /a % itself is written as %25/],
  ['Sentinels without a name', { address: 'redis+sentinel://127.0.0.1:1' }, /sentinel_master_name: is needed/],
  ['a database of a Cluster', { address: 'redis+cluster://127.0.0.1:1/2' }, /a Cluster has only 0/],
  [
    'a dead port',
    { address: '127.0.0.1:1' },
    /ECONNREFUSED 127\.0\.0\.1:1; check that Redis is running/,
    '-h 127.0.0.1 -p 1',
  ],
  ['an unknown host', { address: 'nothing.invalid:6379' }, /(ENOTFOUND|EAI_AGAIN).*nothing\.invalid/],
  ['a missing socket', { address: '/nonexistent.sock' }, /ENOENT/, '-s /nonexistent.sock'],
  ['no password', { address: '127.0.0.1:$L' }, /NOAUTH.*set password/, '-h 127.0.0.1 -p $L'],
  ['a wrong password', { address: '127.0.0.1:$L', password: 'wrong' }, /WRONGPASS.*correct the user and the password/],
  ['an unknown user', { address: 'redis://nobody:secret@127.0.0.1:$L' }, /WRONGPASS/],
  ['a user of other keys', { address: 'redis://other:p@127.0.0.1:$L' }, ACCESS],
  ['a user without a command', { address: 'redis://noxadd:p@127.0.0.1:$L' }, /XADD: ERR The user.*ACL SETUSER/],
  ['a user without channels', { address: 'redis://nochannel:p@127.0.0.1:$L' }, /PUBLISH.*ACL SETUSER/],
  ['a user without any command', { address: 'redis://noping:p@127.0.0.1:$L' }, /NOPERM.*ACL SETUSER/],
  [
    'a certificate of an unknown authority',
    { address: 'rediss://localhost:$T' },
    /certificate.*set tls\.server_ca_pem/,
  ],
  [
    'another authority',
    { address: 'rediss://localhost:$T', tls: { server_ca_pem: '$OTHER' } },
    /set tls\.server_ca_pem/,
  ],
  [
    'another name',
    { address: 'rediss://localhost:$T', tls: { server_ca_pem: '$CA', server_name: 'redis.example' } },
    /tls\.server_name/,
  ],
  [
    'a missing authority',
    { address: 'rediss://localhost:$T', tls: { server_ca_pem: '/no.crt' } },
    /tls\.server_ca_pem: expected PEM/,
  ],
  ['no TLS on the TLS port', { address: '127.0.0.1:$T' }, /needs TLS|ECONNRESET|EPIPE/],
  [
    'TLS on the plain port',
    { address: 'rediss://localhost:$O', tls: { server_ca_pem: '$CA' } },
    /whether the port needs TLS/,
  ],
  ['a replica', { address: '127.0.0.1:$R' }, /READONLY.*set the address to the primary/],
  ['dead Sentinels', { sentinel_address: ['127.0.0.1:1'], sentinel_master_name: 'm' }, /ECONNREFUSED 127\.0\.0\.1:1/],
  ['a dead Cluster', { cluster_address: ['127.0.0.1:1'] }, /ECONNREFUSED/],
]

/** Whether redis-cli connects and is answered. */
function redisCliConnects(args: string): boolean {
  const filled = args.replace(/\$([A-Z]+)/g, (_, name: string) => values[name] ?? '').split(' ')
  try {
    return execFileSync('redis-cli', [...filled, '--no-auth-warning', 'PING'], {
      encoding: 'utf8',
      stdio: 'pipe',
    }).includes('PONG')
  } catch {
    return false
  }
}

test.each(WORKS)('%s works', async (_what, options, db = 0, cli) => {
  expect(await connect(options)).toBe(`db ${db}`)
  if (cli !== undefined) expect(redisCliConnects(cli)).toBe(true)
})

test.each(REFUSED)('%s is refused with the cause, and no password is shown', async (_what, options, problem, cli) => {
  const shown = await connect(options)
  expect(shown).toMatch(problem)
  expect(shown).not.toMatch(/secret/)
  if (cli !== undefined) expect(redisCliConnects(cli)).toBe(false)
})
