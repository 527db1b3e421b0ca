// The push methods that clients call, through the RPC proxy of the node or over HTTP. The user is always that of the
// connection or of the token, never one of the request.
import type * as v from 'valibot'
import type { Analytics } from '../analytics/analytics.ts'
import { checkUser } from '../devices/field-checks.ts'
import { type JsonText, parseJsonText } from '../json/json-text.ts'
import type { Call } from '../methods/method.ts'
import { makeUpdatePushStatus } from '../methods/update-push-status.ts'
import { DecodeError, decodeMessage } from '../protocol/decode-message.ts'
import { ApiError } from '../protocol/errors.ts'
import { UpdatePushStatusRequest } from '../protocol/requests/push.ts'
import * as client from '../protocol/requests/realtime.ts'
import { type Ack, readAck } from './acks.ts'
import type { ClientDevices } from './client-devices.ts'
import type { UserLimit } from './user-limit.ts'

interface Deps {
  ack(ack: Ack): Promise<void>
  /** Undefined without a database: methods about devices answer error 108. */
  devices: ClientDevices | undefined
  analytics: Analytics | undefined
  limit: UserLimit
}

/** A decoded call, and how much of the user's allowance it takes. */
interface PreparedCall {
  call: Call
  cost: number
}

/** Decodes a call of `user`. @throws DecodeError, ApiError badRequest */
type Prepare = (user: string, data: JsonText) => PreparedCall

/** The most topics of one call: a client chooses a few, and each is a row of its device. */
const MAX_TOPICS = 500

const NO_DATA = parseJsonText(Buffer.from('null'))

/** The methods that clients call, by name. */
export class ClientCalls {
  readonly #limit: UserLimit
  readonly #methods: ReadonlyMap<string, Prepare>

  constructor(deps: Deps) {
    this.#limit = deps.limit
    this.#methods = makeMethods(deps)
  }

  /** The name of a method for logs and metrics. Clients make names up, so all unknown ones share a label. */
  labelOf(method: string): string {
    return this.#methods.has(method) ? method : 'unknown'
  }

  /**
   * Runs a method for a user. Resolves to its result.
   * @param user empty for an anonymous connection, which may call nothing
   * @param data the request; undefined is an empty one
   * @throws ApiError
   */
  async run(user: string, method: string, data: JsonText = NO_DATA): Promise<object> {
    // Before everything else: calls that are refused are part of a flood too. Anonymous connections share an allowance.
    this.#take(user, 1)
    if (user === '') throw new ApiError('permissionDenied', 'the connection is anonymous')
    const prepare = this.#methods.get(method)
    if (!prepare) throw new ApiError('notFound', 'the method is unknown')
    const { call, cost } = prepareChecked(prepare, checkUser('user', user), data)
    if (cost > 1) this.#take(user, cost - 1)
    return call()
  }

  #take(user: string, cost: number): void {
    if (!this.#limit.take(user, cost)) throw new ApiError('tooManyRequests', 'client_push.user_limit is reached')
  }
}

function prepareChecked(prepare: Prepare, user: string, data: JsonText): PreparedCall {
  try {
    return prepare(user, data)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    throw new ApiError('badRequest', error.message, { cause: error })
  }
}

function makeMethods({ ack, devices, analytics }: Deps): Map<string, Prepare> {
  const onDevices = <Request>(
    schema: v.GenericSchema<JsonText, Request>,
    run: (devices: ClientDevices, user: string, request: Request) => Promise<object>,
    topicsOf: (request: Request) => readonly string[] = () => [],
  ): Prepare => {
    return (user, data) => {
      const request = decodeMessage(schema, data)
      const topics = topicsOf(request).length
      if (topics > MAX_TOPICS) throw new ApiError('badRequest', `topics: more than ${MAX_TOPICS}`)
      const call = async () => {
        if (!devices) throw new ApiError('notAvailable', 'the method needs a database')
        return run(devices, user, request)
      }
      return { call, cost: topics }
    }
  }
  return new Map<string, Prepare>([
    [
      'ack',
      (user, data) => {
        const request = decodeMessage(client.ClientAckRequest, data)
        const read = readAck({ ...request, user })
        const call = async () => {
          if (request.device_id !== '') await devices?.checkOwn('device_id', user, request.device_id)
          await ack(read)
          return {}
        }
        return { call, cost: read.uids.length }
      },
    ],
    [
      'device_register',
      onDevices(
        client.ClientRegisterRequest,
        (own, user, request) => own.register(user, request),
        ({ topics }) => topics,
      ),
    ],
    [
      'device_update',
      onDevices(
        client.ClientUpdateRequest,
        (own, user, request) => own.update(user, request),
        ({ topics_update: update }) => update?.topics ?? [],
      ),
    ],
    ['device_remove', onDevices(client.ClientRemoveRequest, (own, user, { id }) => own.remove(user, id))],
    [
      'device_topic_update',
      onDevices(
        client.ClientTopicUpdateRequest,
        (own, user, request) => own.updateTopics(user, request),
        ({ topics }) => topics,
      ),
    ],
    [
      'status',
      onDevices(UpdatePushStatusRequest, async (own, user, request) => {
        if (!analytics) throw new ApiError('notAvailable', 'the method needs a database')
        await own.checkOwn('device_id', user, request.device_id)
        return makeUpdatePushStatus(analytics)(request)
      }),
    ],
  ])
}
