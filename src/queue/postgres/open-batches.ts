import type { Fragment, Queryable } from '../../database/pool.ts'
import { KEEP_DEAD_LETTERS_SECONDS, KEEP_ENDED_SECONDS } from '../limits.ts'
import { CANCELLED, DONE, FANNED } from './states.ts'

/**
 * A change of the number of open (stored and not acknowledged) batches of a send `s`. All fields are SQL expressions.
 */
interface Change {
  /** The number of added batches minus the number of ended batches. */
  opened: Fragment
  /** Whether the send has dead letters. The content of a send with dead letters is kept, because a retry needs it. */
  hasDeadLetters: Fragment
  /**
   * The state of the send that the statement sets before the count is evaluated: FANNED if the statement ends the
   * fan-out.
   */
  state?: Fragment
  /** The recipient to store, unless the send ends with this change. */
  recipient?: Fragment
}

/**
 * The assignments of an `update push_sends as s set …` that counts the open batches of a send. A send ends when its
 * fan-out has ended and no batch is open; only these assignments end a send and set the time of its deletion. The
 * recipient of a cancelled send is deleted with its last batch, and its report ends.
 */
export function countOpenBatches(sql: Queryable, change: Change): Fragment {
  const { opened, hasDeadLetters, state = sql`s.state`, recipient = sql`s.recipient` } = change
  return sql`
    open_batches = s.open_batches + ${opened},
    (state, recipient, content, forget_at, ended_at) = (
      select
        case when is_over then ${DONE}::smallint else new_state end,
        case when not is_unsent and (not is_over or has_dead_letters) then ${recipient} end,
        case when not is_over or has_dead_letters then s.content end,
        case
          when is_over then clock_timestamp() + interval '1 s' *
            case when has_dead_letters then ${KEEP_DEAD_LETTERS_SECONDS}::int else ${KEEP_ENDED_SECONDS}::int end
          else s.forget_at
        end,
        case when is_over or is_unsent then clock_timestamp() else s.ended_at end
      from (
        select new_state, new_state = ${FANNED} and s.open_batches + ${opened} = 0 as is_over,
          new_state = ${CANCELLED} and s.open_batches + ${opened} = 0 as is_unsent,
          ${hasDeadLetters} as has_dead_letters
        from (select ${state}::smallint as new_state) as _
      ) as _
    )`
}
