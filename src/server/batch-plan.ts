// Splits a batch with push commands into steps: push commands, and groups of commands for the node.
import type { Call } from '../methods/method.ts'
import type { MethodTable } from '../methods/table.ts'
import type { Batch, BatchCommand } from '../protocol/batch.ts'

/** A part of a batch that runs as one. */
export type BatchStep =
  | { kind: 'push'; method: string; call: Call }
  /** Consecutive commands that the node answers, including those without a method. */
  | { kind: 'upstream'; commands: BatchCommand[] }

/** Whether the batch has a push command. Otherwise the node answers it as a whole. */
export function hasPushCommand(batch: Batch, methods: MethodTable): boolean {
  return batch.commands.some((command) => methodOf(command, methods)?.kind === 'push')
}

/**
 * Decodes all commands of a batch. Returns its steps in the order of the commands.
 * @throws DecodeError when a command can't be decoded. Then no step may run
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

/**
 * The method of a command: an upstream method if it names one, otherwise its first push method in the table's order.
 */
export function methodOf({ params }: BatchCommand, methods: MethodTable) {
  const named = [...methods.byName.values()].filter(({ name }) => params?.has(name))
  return named.find(({ kind }) => kind === 'upstream') ?? named[0]
}

/** Decodes a command. Returns its call if it is a push command. All fields are decoded, as a node does. */
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
