import type { Sql } from '../../src/database/pool.ts'

/** The devices that are subscribed to a topic, each of its own user. */
export interface Audience {
  topic: string
  /** The tokens of all its devices. */
  tokens: ReadonlySet<string>
}

/** The user of the device with `token`. */
export function userOf(token: string): string {
  return `user-${token}`
}

/** Stores audiences. It uses SQL, because a hundred thousand registrations would take longer than the cases. */
export class Audiences {
  readonly #sql: Sql

  constructor(deps: { sql: Sql }) {
    this.#sql = deps.sql
  }

  /**
   * Stores an audience, unless an earlier rig has stored it in the same database. The simulator answers late to tokens
   * that start with `slow-`.
   */
  async store(topic: string, count: number): Promise<Audience> {
    const sql = this.#sql
    const inserted = await sql`insert into topics (name) values (${topic}) on conflict do nothing returning id`
    const audience = { topic, tokens: makeTokens(topic, 1, count) }
    if (inserted.length > 0) {
      await this.#subscribe(audience)
      await sql`analyze devices, device_topics`
    }
    return audience
  }

  /** Subscribes further devices to the topic of an audience, between its devices. @returns the new devices */
  async extend({ topic, tokens }: Audience, count: number): Promise<Audience> {
    const added = { topic, tokens: makeTokens(topic, tokens.size + 1, count) }
    await this.#subscribe(added)
    return added
  }

  /** Removes the subscriptions of devices. */
  async unsubscribe({ topic, tokens }: Audience): Promise<void> {
    await this.#sql`
      delete from device_topics using topics t, devices d
      where topic_id = t.id and device_id = d.id and t.name = ${topic} and d.token = any(${[...tokens]}::text[])`
  }

  /** The uuid of each subscribed device of a topic, by its token. */
  async findDeviceIds({ topic }: Pick<Audience, 'topic'>): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#sql<{ token: string; id: string }[]>`
      select d.token, d.id from devices d join device_topics on device_id = d.id join topics t on t.id = topic_id
      where t.name = ${topic}`
    return new Map(rows.map(({ token, id }) => [token, id]))
  }

  /** The Unix time in ms at which the device with `token` was registered first; undefined if there is none. */
  async findRegistration(token: string): Promise<number | undefined> {
    const [device] = await this.#sql<{ created_at: Date }[]>`
      select created_at from devices where provider = 1 and token_digest(token) = token_digest(${token})`
    return device?.created_at.getTime()
  }

  async #subscribe({ topic, tokens }: Audience): Promise<void> {
    await this.#sql`
      with added as (
        insert into devices (id, created_at, updated_at, registered_at, provider, platform, token, user_id)
        select gen_random_uuid(), now(), now(), now(), 1, 2, token, 'user-' || token
        from unnest(${[...tokens]}::text[]) as given (token)
        returning id
      )
      insert into device_topics (topic_id, device_id) select t.id, a.id from topics t, added a where t.name = ${topic}`
  }
}

function makeTokens(topic: string, first: number, count: number): ReadonlySet<string> {
  return new Set(Array.from({ length: count }, (_, index) => `${topic}-${first + index}`))
}
