// POST /api/batch. A batch without a push command is forwarded unchanged. A mixed batch is decoded as a whole. Its
// steps then run in order, or at once when it is parallel. Replies are always in the order of the commands.
import { type BatchCommand, encodeBatch, encodeBatchReplies, parseBatch, parseBatchReplies } from '../protocol/batch.ts'
import { DecodeError } from '../protocol/decode-message.ts'
import type { ApiErrorName } from '../protocol/errors.ts'
import { answerJson, answerText } from './answer.ts'
import type { ApiDeps } from './api-deps.ts'
import { askUpstream } from './ask-upstream.ts'
import { type BatchStep, hasPushCommand, methodOf, planBatch } from './batch-plan.ts'
import { detailsHeader, type ErrorReply, encodeErrorReply } from './error-details.ts'
import type { ApiExchange } from './receive-body.ts'
import { runLimited } from './run-call.ts'

/** The path of batches at a node. */
export const BATCH_PATH = '/api/batch'
/** Steps of a parallel batch that run at once, as in a node. A body of 64 MiB can contain a million commands. */
const MAX_PARALLEL = 1024

/** Answers a batch. */
export async function handleBatch(deps: ApiDeps, { incoming, outgoing }: ApiExchange, body: Buffer): Promise<void> {
  try {
    const batch = parseBatch(body)
    if (!deps.upstream || hasPushCommand(batch, deps.methods)) {
      const replies = await runSteps(deps, planBatch(batch, deps.methods), batch.parallel)
      answerJson(outgoing, encodeBatchReplies(replies))
      return
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    deps.logger.info({ method: 'batch', why: error.message }, 'api: request not decoded')
    answerText(outgoing, 400, 'Bad Request', detailsHeader(error.message))
    return
  }
  await deps.upstream.forward(incoming, outgoing, BATCH_PATH, body)
}

async function runSteps(deps: ApiDeps, steps: BatchStep[], parallel: boolean): Promise<Buffer[]> {
  const size = parallel ? MAX_PARALLEL : 1
  const replies: Buffer[] = []
  for (let at = 0; at < steps.length; at += size) {
    const group = steps.slice(at, at + size)
    for (const reply of await Promise.all(group.map((step) => runStep(deps, step, parallel)))) replies.push(...reply)
  }
  return replies
}

async function runStep(deps: ApiDeps, step: BatchStep, parallel: boolean): Promise<Buffer[]> {
  if (step.kind === 'push') {
    const reply = await runLimited(deps.overload, step.call, step.method, deps.callLogger)
    return [Buffer.from('error' in reply ? encodeError(deps, reply) : `{"${step.method}":${reply.result}}`)]
  }
  const { commands } = step
  const encode = (error: ApiErrorName) => Buffer.from(encodeError(deps, { error }))
  if (!deps.upstream) return commands.map((command) => encode(errorWithoutNode(deps, command)))
  return askUpstream(
    deps.upstream,
    {
      path: BATCH_PATH,
      body: encodeBatch(
        commands.map(({ text }) => text),
        parallel,
      ),
      parseReplies: (answer) => parseBatchReplies(answer, commands.length),
      encodeErrors: (kind) => commands.map(() => encode(kind)),
    },
    deps.logger,
  )
}

/** The error of an upstream command without a node. Errors of the command itself take precedence. */
function errorWithoutNode({ methods }: ApiDeps, command: BatchCommand): ApiErrorName {
  if (!command.params) return 'badRequest'
  return methodOf(command, methods) ? 'notAvailable' : 'notFound'
}

function encodeError({ errorDetails }: ApiDeps, reply: ErrorReply): string {
  return `{"error":${encodeErrorReply(reply, errorDetails)}}`
}
