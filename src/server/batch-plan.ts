// A batch with push commands in it, taken apart: which of its commands are ours, and which go up together.
import type { Call } from '../methods/method.ts'
import type { MethodTable } from '../methods/table.ts'
import type { Batch, BatchCommand } from '../protocol/batch.ts'

export type BatchStep =
  | { kind: 'push'; method: string; call: Call }
  /** Neighbours that the node answers, those that name no method included. */
  | { kind: 'upstream'; commands: BatchCommand[] }

/** Whether one of the commands is ours; else the node answers the batch whole. */
export function hasPushCommand(batch: Batch, methods: MethodTable): boolean {
  return batch.commands.some((command) => methodOf(command, methods)?.kind === 'push')
}

/**
 * The steps of a batch in the order of its commands, every command of it decoded.
 * @throws DecodeError when one command does not decode: then none may run
 */
export function planBatch(batch: Batch, methods: MethodTable): BatchStep[] {
  const steps: BatchStep[] = []
  for (const command of batch.commands) {
    const call = decodeCommand(command, methods)
    const last = steps.at(-1)
    if (call) steps.push({ kind: 'push', ...call })
    else if (last?.kind === 'upstream') last.commands.push(command)
    else steps.push({ kind: 'upstream', commands: [command] })
  }
  return steps
}

/** The method of a command: one of the node's if it names one, else the first of ours in the order of the table. */
export function methodOf({ params }: BatchCommand, methods: MethodTable) {
  const named = [...methods.byName.values()].filter(({ name }) => params?.has(name))
  return named.find(({ kind }) => kind === 'upstream') ?? named[0]
}

/** The call of a push command. A node decodes every field of a command before it looks which one is set; so do we. */
function decodeCommand(command: BatchCommand, methods: MethodTable): { method: string; call: Call } | undefined {
  const chosen = methodOf(command, methods)
  let call: Call | undefined
  for (const [name, params] of command.params ?? []) {
    const method = methods.byName.get(name)
    if (method?.kind === 'upstream') method.check(params)
    if (method?.kind !== 'push') continue
    const prepared = method.prepare(params)
    if (method === chosen) call = prepared
  }
  return call && chosen && { method: chosen.name, call }
}
