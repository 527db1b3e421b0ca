// The words that a shell completes for each command. A test compares the options with the help texts.
import { PROVIDER_NAMES } from '../config/provider-names.ts'
import { ROLES } from '../config/role.ts'

/** Completes the names of files. */
export const FILES = Symbol('files')

/** The words that an argument or the value of an option may be; empty for any text. */
export type Completion = readonly string[] | typeof FILES

/** The options and arguments of a command. */
export interface CommandCompletion {
  /** Each option without its dashes, and its values; undefined for an option without a value. */
  options?: Readonly<Record<string, Completion | undefined>>
  /** The arguments in their order. */
  words?: readonly Completion[]
}

const TEXT: readonly string[] = []
const KINDS = ['devices', 'user-topics']

/** The completions by command. */
export const COMPLETIONS: Readonly<Record<string, CommandCompletion>> = {
  serve: { options: { config: FILES, role: ROLES, lenient: undefined } },
  migrate: { options: { config: FILES } },
  'check-config': { options: { config: FILES, online: undefined } },
  import: {
    options: { from: TEXT, 'api-key': TEXT, 'api-key-file': FILES, resume: FILES, rejected: FILES, config: FILES },
    words: [KINDS, FILES],
  },
  export: { options: { config: FILES }, words: [KINDS, FILES] },
  send: { options: { preview: TEXT, config: FILES }, words: [FILES] },
  devices: {
    options: { provider: PROVIDER_NAMES, since: TEXT, reason: ['inactive'], 'dry-run': undefined, config: FILES },
    words: [['restore']],
  },
  push: {
    options: {
      state: ['scheduled', 'active', 'cancelled', 'ended'],
      prefix: TEXT,
      from: TEXT,
      to: TEXT,
      uid: TEXT,
      device: TEXT,
      user: TEXT,
      attempts: undefined,
      limit: TEXT,
      cursor: TEXT,
      json: undefined,
      config: FILES,
    },
    words: [['list', 'info', 'events', 'explain']],
  },
  queue: {
    options: {
      uid: TEXT,
      provider: PROVIDER_NAMES,
      id: TEXT,
      all: undefined,
      devices: undefined,
      limit: TEXT,
      reason: TEXT,
      config: FILES,
    },
    words: [['stats', 'pause', 'resume', 'cancel', 'dead', 'retry', 'drop'], PROVIDER_NAMES],
  },
  simulate: { options: { port: TEXT, dir: FILES, misbehave: TEXT }, words: [PROVIDER_NAMES] },
  complete: { words: [['bash', 'zsh', 'fish', 'powershell']] },
}
