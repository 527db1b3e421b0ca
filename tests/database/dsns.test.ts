// Connection strings of PostgreSQL on real servers: those that psql takes work, those that it refuses are refused with
// the cause. Where psql is installed, it judges each of them too.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/config-error.ts'
import { parseConfig } from '../../src/config/load.ts'
import { readDatabaseError } from '../../src/database/database-error.ts'
import { openDatabase } from '../../src/database/pool.ts'
import { makeCertificates } from '../../src/simulators/certificates.ts'
import { ADMIN, startPostgresCluster, type TestPostgres } from '../support/postgres-cluster.ts'

/** A password with all characters that have a meaning in a URL or in pairs. */
const PASSWORD = `a @:/?#[]%&='"\\+;,<>{}|^~\`$!*()ü€ z`
const ENCODED = encodeURIComponent(PASSWORD)

const HBA = `
hostnossl  all     tlsonly  all  reject
hostssl    all     notls    all  reject
hostssl    all     certified  all  cert
local      all     all           scram-sha-256
host       all     all      all  scram-sha-256
`

let primary: TestPostgres
let standby: TestPostgres
let values: Record<string, string>

beforeAll(async () => {
  primary = await startPostgresCluster({ hba: HBA })
  const sql = openDatabase({ dsn: primary.dsn, maxConnections: 1 })
  for (const user of ['app', 'tlsonly', 'notls', 'certified']) {
    await sql.unsafe(`create role ${user} login password '${PASSWORD.replaceAll("'", "''")}'`)
  }
  await sql.unsafe(`create role app2 login password 'a?b#c'`)
  await sql.unsafe(`create role "odd user/ü" login password 'p'`)
  await sql.unsafe('create database admin')
  await sql.unsafe(`create database "odd base?/#ü"`)
  await sql.end()
  standby = await startPostgresCluster({ hba: HBA, standbyOf: primary })
  const other = join(primary.directory, 'other-ca.crt')
  writeFileSync(other, (await makeCertificates()).caCert)
  const broken = join(primary.directory, 'broken.crt')
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  values = {
    P: String(primary.port),
    S: String(standby.port),
    DIR: primary.directory,
    EDIR: encodeURIComponent(primary.directory),
    CA: join(primary.directory, 'ca.crt'),
    SCA: join(standby.directory, 'ca.crt'),
    OTHER: other,
    BROKEN: broken,
    PW: ENCODED,
  }
})
afterAll(async () => {
  await standby?.remove()
  await primary?.remove()
})

/** Replaces `$NAME` by the value of the running servers. */
function fill(dsn: string): string {
  return dsn.replace(/\$([A-Z]+)/g, (_, name: string) => values[name] ?? '')
}

/** Connects. Resolves to the port of the server, or to the problem. */
async function connect(dsn: string): Promise<string> {
  try {
    parseConfig({ database: { postgresql: { dsn } } })
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  const sql = openDatabase({ dsn, maxConnections: 1 })
  try {
    const [row] = await sql<{ where: string }[]>`select current_setting('port') || ' ' || current_user as where`
    return row?.where ?? ''
  } catch (error) {
    const known = readDatabaseError(error)
    return `${known?.message} (${known?.code})`
  } finally {
    await sql.end({ timeout: 0 })
  }
}

const hasPsql = (() => {
  try {
    execFileSync('psql', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    console.warn('psql is not installed: it does not judge the connection strings of this test')
    return false
  }
})()

/** Whether psql connects. */
function psqlConnects(dsn: string): boolean {
  const env = { PATH: process.env.PATH, HOME: '/nonexistent', PGCONNECT_TIMEOUT: '5' }
  try {
    execFileSync('psql', ['-X', '-w', '-c', 'select 1', '-d', dsn], { env, stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const A = 'admin:admin-password'

/** A case: its DSN, and the server that it reaches. `notPsql`: why psql judges otherwise. */
const WORKS: [what: string, dsn: string, server?: '$P' | '$S', notPsql?: string][] = [
  ['a URI', `postgresql://${A}@127.0.0.1:$P/postgres`],
  ['the short scheme', `postgres://${A}@127.0.0.1:$P/postgres`],
  ['a host name', `postgresql://${A}@localhost:$P/postgres`],
  ['an IPv6 host in brackets', `postgresql://${A}@[::1]:$P/postgres`],
  ['the host in the query', `postgresql://${A}@/postgres?host=127.0.0.1&port=$P`],
  ['a socket directory in the query', `postgresql://${A}@/postgres?host=$DIR&port=$P`],
  ['an encoded socket directory as host', `postgresql://${A}@$EDIR:$P/postgres`],
  ['a socket with sslmode=require, which has no TLS', `postgresql://${A}@/postgres?host=$DIR&port=$P&sslmode=require`],
  ['pairs', 'host=127.0.0.1 port=$P user=admin password=admin-password dbname=postgres'],
  [
    'pairs with quotes and spaces',
    "host = '127.0.0.1'  port=$P user='admin' password = 'admin-password' dbname='postgres'",
  ],
  ['pairs with a socket', 'host=$DIR port=$P user=admin password=admin-password dbname=postgres'],
  [
    'an address beside the name',
    'host=db.example hostaddr=127.0.0.1 port=$P user=admin password=admin-password dbname=postgres',
  ],
  ['a password with any character', 'postgresql://app:$PW@127.0.0.1:$P/postgres'],
  ['a raw ? and # in the password', 'postgresql://app2:a?b#c@127.0.0.1:$P/postgres'],
  ['an odd user and database', 'postgresql://odd%20user%2F%C3%BC:p@127.0.0.1:$P/odd%20base%3F%2F%23%C3%BC'],
  ['no database, which has the name of the user', `postgresql://${A}@127.0.0.1:$P`],
  ['settings of the server', `postgresql://${A}@127.0.0.1:$P/postgres?search_path=x`, '$P', 'it needs options=-c'],
  ['options', `postgresql://${A}@127.0.0.1:$P/postgres?options=-c%20search_path%3Dx`],
  ['the name of the application', `postgresql://${A}@127.0.0.1:$P/postgres?application_name=x`],
  ['sslmode=disable', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=disable`],
  ['sslmode=allow', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=allow`],
  ['sslmode=prefer', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=prefer`],
  ['sslmode=require without an authority', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=require`],
  ['ssl=true, as JDBC writes it', `postgresql://${A}@127.0.0.1:$P/postgres?ssl=true`],
  ['a user that needs TLS, without sslmode', 'postgresql://tlsonly:$PW@127.0.0.1:$P/postgres'],
  ['a user that must not use TLS', 'postgresql://notls:$PW@127.0.0.1:$P/postgres?sslmode=disable'],
  ['sslmode=require with its authority', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=require&sslrootcert=$CA`],
  ['sslmode=verify-ca', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=verify-ca&sslrootcert=$CA`],
  ['sslmode=verify-full with a name', `postgresql://${A}@localhost:$P/postgres?sslmode=verify-full&sslrootcert=$CA`],
  [
    'sslmode=verify-full with an address',
    `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=verify-full&sslrootcert=$CA`,
  ],
  ['sslmode=verify-full with IPv6', `postgresql://${A}@[::1]:$P/postgres?sslmode=verify-full&sslrootcert=$CA`],
  [
    'sslmode=verify-full with another address for the name',
    `host=localhost hostaddr=127.0.0.1 port=$P user=admin password=admin-password dbname=postgres sslmode=verify-full sslrootcert=$CA`,
  ],
  ['a dead host before a working one', `postgresql://${A}@127.0.0.1:1,127.0.0.1:$P/postgres`],
  ['two hosts with one port', `postgresql://${A}@127.0.0.1,localhost/postgres?port=$P`],
  ['a socket and a host', `host=/nonexistent,127.0.0.1 port=$P user=admin password=admin-password dbname=postgres`],
  ['a standby', `postgresql://${A}@127.0.0.1:$S/postgres`, '$S'],
  ['read-write', `postgresql://${A}@127.0.0.1:$S,127.0.0.1:$P/postgres?target_session_attrs=read-write`],
  ['primary', `postgresql://${A}@127.0.0.1:$S,127.0.0.1:$P/postgres?target_session_attrs=primary`],
  ['read-only', `postgresql://${A}@127.0.0.1:$P,127.0.0.1:$S/postgres?target_session_attrs=read-only`, '$S'],
  ['standby', `postgresql://${A}@127.0.0.1:$P,127.0.0.1:$S/postgres?target_session_attrs=standby`, '$S'],
  ['prefer-standby', `postgresql://${A}@127.0.0.1:$P,127.0.0.1:$S/postgres?target_session_attrs=prefer-standby`, '$S'],
  [
    'prefer-standby without one',
    `postgresql://${A}@127.0.0.1:1,127.0.0.1:$P/postgres?target_session_attrs=prefer-standby`,
  ],
  ['any', `postgresql://${A}@127.0.0.1:$S,127.0.0.1:$P/postgres?target_session_attrs=any`, '$S'],
  ['a key without its certificate, which is not used', `postgresql://${A}@127.0.0.1:$P/postgres?sslkey=/no.key`],
  ['a time limit', `postgresql://${A}@127.0.0.1:$P/postgres?connect_timeout=3`],
  ['keepalives, which change nothing', `postgresql://${A}@127.0.0.1:$P/postgres?keepalives=1&keepalives_idle=30`],
]

const REFUSED: [what: string, dsn: string, problem: RegExp, notPsql?: string][] = [
  ['another scheme', 'mysql://u:p@127.0.0.1:$P/x', /expected postgresql:/],
  ['a raw / in the password', 'postgresql://app:a/b@127.0.0.1:$P/postgres', /host or port is not valid.*%2F/],
  ['a raw % in the password', 'postgresql://app:100%@127.0.0.1:$P/postgres', /password has a %.*%25/],
  ['an IPv6 host without brackets', `postgresql://${A}@::1:$P/postgres`, /IPv6 address stands in brackets/],
  ['a port that is none', `postgresql://${A}@127.0.0.1:x/postgres`, /host or port is not valid/],
  ['a port out of range', `postgresql://${A}@127.0.0.1:99999/postgres`, /port must be a whole number from 1 to 65535/],
  ['too many ports', `postgresql://${A}@127.0.0.1/postgres?port=1,2`, /2 ports for 1 hosts/],
  ['a misspelt sslmode', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=requre`, /sslmode must be one of disable,/],
  ['a misspelt parameter', `postgresql://${A}@127.0.0.1:$P/postgres?sslmod=require`, /unrecognized.*"sslmod"/],
  ['a misspelt session', `postgresql://${A}@127.0.0.1:$P/postgres?target_session_attrs=master`, /must be one of any,/],
  ['a query without a value', `postgresql://${A}@127.0.0.1:$P/postgres?sslmode`, /must be name=value/],
  ['a pair without a value', 'host=127.0.0.1 port', /expected pairs such as/],
  ['an unknown host', `postgresql://${A}@nothing.invalid:$P/postgres`, /nothing\.invalid:\d+: E(NOTFOUND|AI_AGAIN)/],
  ['a dead port', `postgresql://${A}@127.0.0.1:1/postgres`, /127\.0\.0\.1:1: ECONNREFUSED/],
  ['a directory without a socket', `postgresql://${A}@/postgres?host=/nonexistent&port=$P`, /ENOENT/],
  ['a wrong password', 'postgresql://admin:wrong@127.0.0.1:$P/postgres', /password authentication failed.*28P01/],
  ['no password', 'postgresql://admin@127.0.0.1:$P/postgres', /28P01/],
  [
    'an unknown user',
    'postgresql://nobody:x@127.0.0.1:$P/postgres',
    /password authentication failed for user "nobody"/,
  ],
  ['an unknown database', `postgresql://${A}@127.0.0.1:$P/nothing`, /"nothing" does not exist.*3D000/],
  [
    'a user that needs TLS, without it',
    'postgresql://tlsonly:$PW@127.0.0.1:$P/postgres?sslmode=disable',
    /pg_hba.*28000/,
  ],
  [
    'another authority',
    `postgresql://${A}@localhost:$P/postgres?sslmode=verify-full&sslrootcert=$OTHER`,
    /TLS with .* failed/,
  ],
  [
    'another authority with require',
    `postgresql://${A}@localhost:$P/postgres?sslmode=require&sslrootcert=$OTHER`,
    /TLS with/,
  ],
  [
    'a name that is not in the certificate',
    'host=db.example hostaddr=127.0.0.1 port=$P user=admin password=admin-password dbname=postgres sslmode=verify-full sslrootcert=$CA',
    /db\.example/,
  ],
  [
    'a missing authority',
    `postgresql://${A}@localhost:$P/postgres?sslmode=verify-full&sslrootcert=/no.crt`,
    /sslrootcert: \/no.crt does not exist/,
  ],
  [
    'a broken authority',
    `postgresql://${A}@localhost:$P/postgres?sslmode=verify-full&sslrootcert=$BROKEN`,
    /not a PEM file|failed/,
  ],
  ['only dead hosts', `postgresql://${A}@127.0.0.1:1,127.0.0.1:2/postgres`, /ECONNREFUSED/],
  [
    'no primary',
    `postgresql://${A}@127.0.0.1:$S/postgres?target_session_attrs=primary`,
    /no server with target_session_attrs=primary: 127\.0\.0\.1:\d+ is a standby, read-only/,
  ],
  ['no standby', `postgresql://${A}@127.0.0.1:$P/postgres?target_session_attrs=standby`, /is a primary/],
  [
    'sslrootcert=system with a weaker mode',
    `postgresql://${A}@127.0.0.1:$P/postgres?sslmode=require&sslrootcert=system`,
    /needs sslmode=verify-full/,
    'before version 16 it is the name of a file',
  ],
  [
    'channel_binding=require',
    `postgresql://${A}@127.0.0.1:$P/postgres?channel_binding=require&sslmode=disable`,
    /channel_binding/,
  ],
]

test.each(WORKS)('%s works', async (_what, dsn, server = '$P', notPsql) => {
  const filled = fill(dsn)
  expect(await connect(filled)).toMatch(new RegExp(`^${fill(server)} `))
  if (hasPsql) expect(psqlConnects(filled)).toBe(notPsql === undefined)
})

test.each(REFUSED)('%s is refused with the cause, and no password is shown', async (_what, dsn, problem, notPsql) => {
  const filled = fill(dsn)
  const shown = await connect(filled)
  expect(shown).toMatch(problem)
  expect(shown).not.toContain(ADMIN.password)
  expect(shown).not.toContain(PASSWORD)
  if (hasPsql && notPsql === undefined) expect(psqlConnects(filled)).toBe(false)
})
