import type { Fragment, Queryable } from '../../database/pool.ts'
import { DONE, FANNED, KEEP_DEAD_LETTERS, KEEP_ENDED } from './states.ts'

/**
 * What follows `set` for a send `s` that gets `opened` more batches than it loses, which may be fewer than none: one that was
 * walked to its end is over with its last batch. @param hasLetters whether it leaves dead letters, which keep what it says
 */
export function countOpenBatches(sql: Queryable, opened: Fragment, hasLetters: Fragment): Fragment {
  return sql`
    open_batches = s.open_batches + ${opened},
    (state, recipient, content, forget_at) = (
      select
        case when is_over then ${DONE}::smallint else s.state end,
        case when not is_over then s.recipient end,
        case when not is_over or has_letters then s.content end,
        case
          when is_over then clock_timestamp() +
            case when has_letters then ${KEEP_DEAD_LETTERS} else ${KEEP_ENDED} end::interval
          else s.forget_at
        end
      from (select s.state = ${FANNED} and s.open_batches + ${opened} = 0 as is_over, ${hasLetters} as has_letters) as _
    )`
}
