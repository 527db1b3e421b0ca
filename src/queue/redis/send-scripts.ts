// Runs the Lua scripts that store sends, cancel them, and exclude single targets from them.
import { replyWhenOutOfMemory } from '../../redis/out-of-memory.ts'
import { Script } from '../../redis/script.ts'
import { type AckRule, countedKinds } from '../../sends/ack-rule.ts'
import { laneOfWork } from '../announcements.ts'
import { KEEP_ENDED_SECONDS, KEEP_UNKNOWN_SECONDS, MAX_EXCLUSIONS } from '../limits.ts'
import type { Exclusion, Insertion, NewSend, Page, Send, StoredSend } from '../send.ts'
import { countPage, encodeSubject, sumCounts } from '../stored-report.ts'
import { decodeContent, decodeRecipient, encodeContent, encodeRecipient } from '../stored-send.ts'
import type { QueueKeys } from './keys.ts'
import { readWord } from './replies.ts'
import { keysOfDelayed, keysOfStreams, type Scope } from './scope.ts'
import { encodeTargets } from './stored-targets.ts'

const ENQUEUE = new Script(new URL('lua/enqueue.lua', import.meta.url))
const CANCEL = new Script(new URL('lua/cancel.lua', import.meta.url))
const EXCLUDE = new Script(new URL('lua/exclude.lua', import.meta.url))

/** The results of storing a send by the words of the script. */
const INSERTIONS = { ACCEPTED: 'accepted', DUPLICATE: 'duplicate', CONFLICT: 'conflict' } as const

/**
 * Stores sends, each with its first batches if it has a page, in one script.
 * @param options `deadlineMs`: the Unix time in ms, by the clock of the server, after which it rejects;
 *   `keepReportMs`: how long the reports are kept after the ends of the sends
 * @returns the result of each send, in their order
 */
export async function storeSends(
  { client, keys }: Scope,
  sends: readonly NewSend[],
  { deadlineMs, keepReportMs }: { deadlineMs: number; keepReportMs: number },
): Promise<Insertion[]> {
  const names = [
    keys.dueSends('small'),
    keys.dueSends('broadcast'),
    keys.scheduled,
    ...keysOfDelayed(keys),
    keys.reports,
  ]
  const args: (string | number | Buffer)[] = [deadlineMs, KEEP_ENDED_SECONDS, Math.ceil(keepReportMs / 1000)]
  for (const { send, page } of sends) {
    const { uid } = send
    const batches = page?.batches ?? []
    names.push(keys.send(uid), keys.exclusions(uid), keys.report(uid), ...keysOfStreams(keys, batches))
    args.push(...encodeSend(keys, send, page))
    for (const { targetKind, count, targets, delayMs = 0 } of batches) {
      args.push(targetKind, count, ...encodeTargets(targets), Math.ceil(delayMs))
    }
  }
  const reply = await ENQUEUE.run(client, names, args).catch(replyWhenOutOfMemory('OOM'))
  if (!Array.isArray(reply)) return sends.map(() => 'outOfMemory')
  return reply.map((word) => INSERTIONS[readWord(word, ['ACCEPTED', 'DUPLICATE', 'CONFLICT'])])
}

/** The arguments of a send for its script, up to the counts of its report. */
function encodeSend(keys: QueueKeys, send: Send, page: Page | undefined): (string | number | Buffer)[] {
  const batches = page?.batches ?? []
  const state = page === undefined ? 'waiting' : batches.length > 0 ? 'fanned' : 'done'
  const counts = sumCounts(page ? countPage(page) : [])
  return [
    send.uid,
    send.requestHash,
    send.lane,
    state,
    state === 'waiting' ? encodeRecipient(send.recipient) : '',
    state === 'done' ? '' : encodeContent(send.content),
    send.sendAtMs ?? '',
    send.expireAtMs ?? '',
    keys.work(laneOfWork(send, page)),
    send.content.analyticsUid,
    encodeSubject(send),
    counts.size,
    batches.length,
    ...[...counts].flat(),
  ]
}

/**
 * Cancels sends in one script, until `deadlineMs`. The cancellations of unknown uids are kept for ten minutes.
 */
export async function cancelSends({ client, keys }: Scope, uids: readonly string[], deadlineMs: number): Promise<void> {
  const names = [keys.dueSends('small'), keys.dueSends('broadcast'), keys.scheduled, keys.reports]
  for (const uid of uids) names.push(keys.send(uid), keys.exclusions(uid), keys.report(uid))
  await CANCEL.run(client, names, [KEEP_ENDED_SECONDS, KEEP_UNKNOWN_SECONDS, deadlineMs, ...uids])
}

/** Whether a send is stored under this uid. A cancellation or an exclusion before its send stores no hash. */
export async function isSendStored({ client, keys }: Scope, uid: string): Promise<boolean> {
  return (await client.hexists(keys.send(uid), 'hash')) === 1
}

/**
 * Loads the parts of a send that delivery needs; undefined if neither its content nor its recipient is stored any more.
 */
export async function loadSend({ client, keys }: Scope, uid: string): Promise<StoredSend | undefined> {
  const key = keys.send(uid)
  const [content = null, hasRanges = null] = await client.hmgetBuffer(key, 'content', 'ranges')
  // The recipient is read only if the send has range batches: with raw tokens it can have 16 MB, and batches of lines
  // do not need it.
  const recipient = hasRanges && (await client.hgetBuffer(key, 'recipient'))
  if (!content && !recipient) return undefined
  return {
    content: content ? decodeContent(content) : undefined,
    recipient: recipient ? decodeRecipient(recipient) : undefined,
  }
}

/**
 * Stores an exclusion of a send, until `deadlineMs`. If the uid is unknown, the exclusion is kept for ten minutes,
 * because the send may arrive later. 'full': the send already has 100,000 exclusions.
 */
export async function storeExclusion(
  { client, keys }: Scope,
  uid: string,
  exclusion: Exclusion,
  deadlineMs: number,
): Promise<'excluded' | 'full'> {
  const args = [memberOf(exclusion), MAX_EXCLUSIONS, KEEP_UNKNOWN_SECONDS, deadlineMs]
  const reply = await EXCLUDE.run(client, [keys.send(uid), keys.exclusions(uid)], args)
  return readWord(reply, ['EXCLUDED', 'FULL']) === 'FULL' ? 'full' : 'excluded'
}

/**
 * Finds for each target whether its user, its device, or its device with its user is excluded.
 * @param rule the acks that count
 */
export async function findExcluded(
  { client, keys }: Scope,
  uid: string,
  targets: readonly { user: string; deviceId: string }[],
  rule: AckRule,
): Promise<boolean[]> {
  if (targets.length === 0) return []
  const members = targets.map((target) => listMembers(target, rule))
  const found = await client.smismember(keys.exclusions(uid), members.flat())
  const perTarget = members[0]?.length ?? 0
  return targets.map((_, index) => found.slice(index * perTarget, (index + 1) * perTarget).includes(1))
}

/** The members that exclude a target, as many for each target of a send. */
function listMembers({ user, deviceId }: { user: string; deviceId: string }, rule: AckRule): string[] {
  const acked = { user, deviceId: rule.scope === 'device' ? deviceId : '' }
  return [
    memberOf({ user, deviceId: '' }),
    memberOf({ user: '', deviceId }),
    memberOf({ user, deviceId }),
    ...countedKinds(rule).map((ack) => memberOf({ ...acked, ack })),
  ]
}

/**
 * An exclusion as a member of the send's set of exclusions: user and device id, and the kind of an ack, with tabs
 * between, which neither can contain.
 */
function memberOf({ user, deviceId, ack }: Exclusion): string {
  return ack === undefined ? `${user}\t${deviceId}` : `${user}\t${deviceId}\t${ack}`
}
