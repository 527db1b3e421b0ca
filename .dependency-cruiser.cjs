// The rooms of src/ and what each may import: the table in docs/architecture.md, held by a rule.
const MAY_IMPORT = {
  protocol: [],
  methods: ['protocol', 'devices', 'push', 'analytics'],
  server: ['methods', 'protocol', 'upstream', 'admin'],
  upstream: ['protocol'],
  devices: ['protocol', 'database'],
  push: ['protocol', 'personalise', 'limits', 'devices', 'queue'],
  personalise: [],
  limits: ['protocol', 'database'],
  queue: ['database'],
  delivery: ['personalise', 'limits', 'queue', 'providers', 'devices', 'analytics'],
  providers: ['http2'],
  http2: [],
  processes: ['database', 'queue'],
  analytics: ['database'],
  admin: ['devices', 'push', 'queue', 'personalise', 'analytics'],
  database: [],
  simulators: [],
  config: [],
  observability: [],
  timing: [],
}

// Every room may read the configuration's types, write logs and metrics, and wait.
const OPEN_TO_ALL = ['config', 'observability', 'timing']

/** A room others reach through an interface shows one file, and the format of what goes through it; the rest is its own. */
const DOORS = {
  limits: 'limits/(rate-limiter|policy|key-template)\\.ts',
  queue: 'queue/(queue|targets)\\.ts',
  providers: 'providers/provider\\.ts',
  analytics: 'analytics/analytics\\.ts',
}

const rooms = Object.entries(MAY_IMPORT).map(([room, allowed]) => ({
  name: `${room}-imports`,
  comment: `src/${room}/ may import: ${allowed.join(', ') || 'nothing'} (and ${OPEN_TO_ALL.join(', ')})`,
  severity: 'error',
  from: { path: `^src/${room}/`, pathNot: '\\.test\\.ts$' },
  to: { path: '^src/', pathNot: `^src/(${[room, ...allowed, ...OPEN_TO_ALL].join('|')})/` },
}))

const doors = Object.entries(DOORS).map(([room, door]) => ({
  name: `${room}-door`,
  comment: `other rooms import src/${door.replace('\\', '')} only`,
  severity: 'error',
  from: { path: '^src/[^/]+/', pathNot: `^src/(${room}|assemble|cli)/|\\.test\\.ts$` },
  to: { path: `^src/${room}/`, pathNot: `^src/${door}$` },
}))

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-tests-in-source',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '(\\.test\\.ts$|^tests/|^compat-tests/|^bench/)' },
    },
    {
      name: 'no-dev-dependencies-in-source',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev'], pathNot: 'node_modules/@types/' },
    },
    {
      name: 'simulators-stay-outside',
      comment: 'the simulators are for the command line and the tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(cli|simulators)/|\\.test\\.ts$' },
      to: { path: '^src/simulators/' },
    },
    {
      name: 'timing-is-pure',
      comment: 'src/timing/ imports nothing at all',
      severity: 'error',
      from: { path: '^src/timing/', pathNot: '\\.test\\.ts$' },
      to: { pathNot: '^src/timing/' },
    },
    ...rooms,
    ...doors,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
}
