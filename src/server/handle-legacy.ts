// POST /api, the legacy API: a sequence of commands that run in order. A body without a push command is forwarded
// unchanged. In a mixed body, consecutive upstream commands are sent to the node together.
import type { Method } from '../methods/method.ts'
import type { MethodTable } from '../methods/table.ts'
import { joinBytes } from '../protocol/batch.ts'
import { DecodeError } from '../protocol/decode-message.ts'
import type { ApiErrorName } from '../protocol/errors.ts'
import {
  encodeLegacyError,
  encodeLegacyResult,
  type LegacyCommand,
  MAX_LEGACY_COMMANDS,
  parseLegacyReplies,
  readLegacyCommands,
} from '../protocol/legacy.ts'
import { answerJson, answerText } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { askUpstream } from './ask-upstream.ts'
import type { ApiExchange } from './receive-body.ts'
import { runLimited } from './run-call.ts'

/** The path of legacy commands at a node. */
export const LEGACY_PATH = '/api'

/** Answers legacy commands. */
export async function handleLegacy(deps: ApiDeps, { incoming, outgoing }: ApiExchange, body: Buffer): Promise<void> {
  const { hasPush, count } = survey(body, deps.methods)
  if (deps.upstream && !hasPush && count <= MAX_LEGACY_COMMANDS) {
    await deps.upstream.forward(incoming, outgoing, LEGACY_PATH, body)
    return
  }
  const replies = body.length === 0 || count > MAX_LEGACY_COMMANDS ? undefined : await runCommands(deps, body)
  if (replies) answerJson(outgoing, joinBytes(replies, '\n'))
  else answerText(outgoing, 400, 'Bad Request')
}

/** Looks at the commands before the first one runs, at one more than are allowed at most. */
function survey(body: Buffer, methods: MethodTable): { hasPush: boolean; count: number } {
  let hasPush = false
  let count = 0
  for (const command of readLegacyCommands(body)) {
    if (++count > MAX_LEGACY_COMMANDS) break
    hasPush ||= !(command instanceof DecodeError) && findMethod(command, methods)?.kind === 'push'
  }
  return { hasPush, count }
}

/** The replies to all commands. Undefined when a command can't be decoded; the commands before it have run. */
async function runCommands(deps: ApiDeps, body: Buffer): Promise<Buffer[] | undefined> {
  const replies: Buffer[] = []
  let group: LegacyCommand[] = []
  const sendGroup = async () => {
    if (group.length > 0) replies.push(...(await runUpstream(deps, group)))
    group = []
  }
  for (const command of readLegacyCommands(body)) {
    if (command instanceof DecodeError || isUnknownName(command, deps.methods)) {
      await sendGroup()
      deps.logger.info({ method: 'legacy' }, 'api: request not decoded')
      return undefined
    }
    const method = findMethod(command, deps.methods)
    if (method?.kind === 'push') {
      await sendGroup()
      replies.push(await runPush(deps, command, method))
    } else {
      group.push(command)
    }
  }
  await sendGroup()
  return replies
}

/** As in a node, an unknown method name is a decoding error, but an unknown number gets an error reply. */
function isUnknownName({ method }: LegacyCommand, methods: MethodTable): boolean {
  return typeof method === 'string' && !methods.byName.has(method)
}

function findMethod({ method }: LegacyCommand, methods: MethodTable): Method | undefined {
  return typeof method === 'string' ? methods.byName.get(method) : methods.byNumber.get(method)
}

async function runPush(deps: ApiDeps, { id, params }: LegacyCommand, method: Extract<Method, { kind: 'push' }>) {
  if (!params) return encodeLegacyError(id, 'badRequest')
  try {
    const reply = await runLimited(deps.overload, method.prepare(params), method.name, deps.callLogger)
    if (!('error' in reply)) return encodeLegacyResult(id, reply.result)
    return encodeLegacyError(id, reply.error, deps.errorDetails ? reply.details : undefined)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    deps.logger.info({ method: method.name, why: error.message }, 'api: params not decoded')
    return encodeLegacyError(id, 'badRequest', deps.errorDetails ? error.message : undefined)
  }
}

async function runUpstream(deps: ApiDeps, commands: LegacyCommand[]): Promise<Buffer[]> {
  if (!deps.upstream) {
    return commands.map((command) => encodeLegacyError(command.id, errorWithoutNode(deps, command)))
  }
  return askUpstream(
    deps.upstream,
    {
      path: LEGACY_PATH,
      body: joinBytes(
        commands.map(({ text }) => text.bytes),
        '\n',
      ),
      parseReplies: (answer) => parseLegacyReplies(answer, commands.length),
      encodeErrors: (kind) => commands.map(({ id }) => encodeLegacyError(id, kind)),
    },
    deps.logger,
  )
}

function errorWithoutNode({ methods }: ApiDeps, command: LegacyCommand): ApiErrorName {
  if (!findMethod(command, methods)) return 'notFound'
  return command.params ? 'notAvailable' : 'badRequest'
}
