// The requests of methods that the upstream node answers. They are decoded only to check a batch with push methods
// before it runs.
import * as v from 'valibot'
import type { JsonText } from '../../json/json-text.ts'
import {
  bool,
  int32,
  int64,
  message,
  rawJson,
  repeated,
  string,
  stringMap,
  strings,
  uint32,
  uint64,
} from '../wire-types.ts'

/** The levels of a label filter that are checked here. Deeper levels are checked only by the node. */
const FILTER_LEVELS = 16

function filterNode(levels: number): v.GenericSchema<JsonText, unknown> {
  const nodes = levels > 1 ? repeated(filterNode(levels - 1)) : rawJson
  return message({ op: string, key: string, cmp: string, val: string, vals: strings, nodes })
}

const labelFilter = v.optional(filterNode(FILTER_LEVELS))
const streamPosition = v.optional(message({ offset: uint64, epoch: string }))
const boolValue = v.optional(message({ value: bool }))

const publication = {
  data: rawJson,
  b64data: string,
  skip_history: bool,
  tags: stringMap,
  idempotency_key: string,
  delta: bool,
  version: uint64,
  version_epoch: string,
}

const channelOnly = message({ channel: string })
const usersOnly = message({ users: strings })

/** The schema of each method's request, by the name of the method. */
export const upstreamRequests = {
  publish: message({ channel: string, ...publication }),
  broadcast: message({ channels: strings, ...publication }),
  subscribe: message({
    channel: string,
    user: string,
    expire_at: int64,
    info: rawJson,
    b64info: string,
    client: string,
    data: rawJson,
    b64data: string,
    recover_since: streamPosition,
    override: v.optional(
      message({
        presence: boolValue,
        join_leave: boolValue,
        force_recovery: boolValue,
        force_positioning: boolValue,
        force_push_join_leave: boolValue,
      }),
    ),
    session: string,
    label_filter: labelFilter,
    all_users: bool,
  }),
  unsubscribe: message({
    channel: string,
    user: string,
    client: string,
    session: string,
    label_filter: labelFilter,
    all_users: bool,
  }),
  disconnect: message({
    user: string,
    disconnect: v.optional(message({ code: uint32, reason: string })),
    client: string,
    whitelist: strings,
    session: string,
    label_filter: labelFilter,
    all_users: bool,
  }),
  presence: channelOnly,
  presence_stats: channelOnly,
  history: message({ channel: string, limit: int32, since: streamPosition, reverse: bool }),
  history_remove: channelOnly,
  info: message({}),
  rpc: message({ method: string, params: rawJson }),
  refresh: message({
    user: string,
    client: string,
    expired: bool,
    expire_at: int64,
    info: rawJson,
    session: string,
    label_filter: labelFilter,
    all_users: bool,
  }),
  channels: message({ pattern: string }),
  connections: message({ user: string, expression: string, label_filter: labelFilter }),
  update_user_status: message({ users: strings, state: string }),
  get_user_status: usersOnly,
  delete_user_status: usersOnly,
  block_user: message({ expire_at: int64, user: string }),
  unblock_user: message({ user: string }),
  revoke_token: message({ expire_at: int64, uid: string }),
  invalidate_user_tokens: message({ expire_at: int64, user: string, issued_before: int64, channel: string }),
  map_publish: message({
    channel: string,
    key: string,
    data: rawJson,
    b64data: string,
    stream_data: rawJson,
    b64stream_data: string,
    tags: stringMap,
    idempotency_key: string,
    delta: bool,
    version: uint64,
    version_epoch: string,
    score: int64,
    key_mode: string,
  }),
  map_remove: message({ channel: string, key: string, idempotency_key: string }),
  map_read_state: message({
    channel: string,
    cursor: string,
    limit: int32,
    key: string,
    asc: bool,
    revision_offset: uint64,
    revision_epoch: string,
  }),
  map_read_stream: message({
    channel: string,
    since_offset: uint64,
    since_epoch: string,
    limit: int32,
    reverse: bool,
  }),
  map_stats: channelOnly,
  map_clear: channelOnly,
  shared_poll_publish: message({
    channel: string,
    key: string,
    data: rawJson,
    b64data: string,
    version: uint64,
    epoch: string,
  }),
}
