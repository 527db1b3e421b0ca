// The rooms of src/ (docs/architecture.md), each with the rooms that it may import.
const MAY_IMPORT = {
  json: [],
  protocol: ['json'],
  methods: ['json', 'protocol', 'devices', 'push', 'queue', 'analytics', 'explain'],
  server: ['json', 'methods', 'protocol', 'realtime', 'upstream', 'admin'],
  realtime: ['json', 'protocol', 'methods', 'sends', 'devices', 'push', 'queue', 'analytics', 'upstream'],
  upstream: ['json', 'protocol'],
  devices: ['protocol', 'rules', 'sends', 'database'],
  rules: ['json', 'sends'],
  sends: ['database'],
  push: ['json', 'protocol', 'rules', 'sends', 'personalise', 'limits', 'devices', 'queue'],
  preview: ['protocol', 'rules', 'sends', 'devices', 'push', 'queue', 'limits', 'delivery'],
  explain: ['protocol', 'sends', 'devices', 'push', 'queue', 'analytics', 'personalise'],
  personalise: ['json', 'sends'],
  limits: ['protocol', 'sends', 'database', 'redis'],
  queue: ['sends', 'database', 'redis'],
  delivery: ['sends', 'personalise', 'limits', 'queue', 'providers', 'devices', 'analytics'],
  providers: ['json', 'rules', 'sends', 'http2', 'redis'],
  http2: [],
  processes: ['database', 'queue', 'sends'],
  analytics: ['database'],
  admin: ['protocol', 'sends', 'devices', 'push', 'preview', 'explain', 'methods', 'queue', 'analytics', 'database'],
  database: [],
  redis: ['timing'],
  simulators: ['json', 'rules'],
  config: ['json'],
  observability: [],
  timing: [],
}

// Every room may use the types of the configuration, logs, metrics and timing.
const OPEN_TO_ALL = ['config', 'observability', 'timing']

// The files that other rooms may import from these rooms: the contract and its types. All other files are private.
const DOORS = {
  limits: 'limits/(rate-limiter|policy|key-template)\\.ts',
  queue: 'queue/(queue|batch|send|lane|dead-letter|report|work-watch)\\.ts',
  providers: 'providers/provider\\.ts',
  http2: 'http2/[^/]+\\.ts',
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

// The layers of src/http2/, from the lowest to the highest. Each may import the layers before it.
const HTTP2_LAYERS = ['frames', 'hpack', 'session', 'connection', 'pool']

const http2Layers = HTTP2_LAYERS.map((layer, index) => ({
  name: `http2-${layer}-imports`,
  comment: `src/http2/${layer}/ may import: ${HTTP2_LAYERS.slice(0, index).join(', ') || 'no other layer'}`,
  severity: 'error',
  from: { path: `^src/http2/${layer}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `^src/http2/(${['http2-pool\\.ts', ...HTTP2_LAYERS.slice(index + 1)].join('|')})` },
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
    ...http2Layers,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
}
