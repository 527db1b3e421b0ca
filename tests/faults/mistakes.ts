import type { BackendName } from './backend.ts'

/** An alteration of the servers (alterations.ts), and the case that has to notice it. */
export interface Mistake {
  alteration: string
  caseName: string
  /** Part of the broken promise that the case has to report. A failure for another reason proves nothing. */
  shows: string
  backends?: readonly BackendName[]
}

const LOST = 'never sent to'

/** The mistakes of `--mistakes`. */
export const MISTAKES: readonly Mistake[] = [
  { alteration: 'acknowledged-before-sending', caseName: 'worker-killed', shows: LOST },
  { alteration: 'popped-into-memory', caseName: 'worker-killed', shows: LOST },
  { alteration: 'nothing-noted-while-sending', caseName: 'reliable-worker-killed', shows: 'were doubled' },
  { alteration: 'streams-trimmed', caseName: 'worker-killed', shows: LOST, backends: ['redis'] },
  { alteration: 'cursor-apart', caseName: 'fan-out-killed', shows: 'in more than one batch' },
  { alteration: 'abandoned-ranges-forgotten', caseName: 'worker-killed', shows: LOST },
  { alteration: 'range-acknowledged-before-reading', caseName: 'range-worker-killed', shows: LOST },
  { alteration: 'rest-of-range-forgotten', caseName: 'audience-changed', shows: LOST },
  { alteration: 'ranges-of-reliable-sends', caseName: 'audience-changed', shows: LOST },
  { alteration: 'popped-into-memory', caseName: 'workers-restarted', shows: LOST },
  {
    alteration: 'held-ranges-taken-for-abandoned',
    caseName: 'workers-restarted',
    shows: 'were doubled',
    backends: ['postgresql'],
  },
  { alteration: 'no-fence', caseName: 'worker-frozen', shows: 'the worker that took over were refused' },
  { alteration: 'uid-forgotten', caseName: 'api-killed', shows: 'were made twice' },
  { alteration: 'answered-before-stored', caseName: 'store-killed', shows: LOST },
  {
    alteration: 'no-grace-after-restart',
    caseName: 'store-restarted',
    shows: 'were doubled',
    backends: ['postgresql'],
  },
  { alteration: 'late-writes-accepted', caseName: 'store-stalled', shows: 'were executed after their error' },
  { alteration: 'users-not-looked-up', caseName: 'users-acknowledge', shows: 'after they acknowledged' },
  { alteration: 'cancellation-not-looked-up', caseName: 'send-cancelled', shows: 'later than 1 s after the answer' },
  {
    alteration: 'confirmation-never-outdated',
    caseName: 'cancelled-while-cut-off',
    shows: 'pushes later than 1 s after',
  },
  {
    alteration: 'confirmation-never-outdated',
    caseName: 'cancelled-while-frozen',
    shows: 'pushes after a lost lease',
  },
  { alteration: 'each-worker-its-own-rates', caseName: 'rates-kept', shows: 'sent without a grant' },
  { alteration: 'limits-forgotten', caseName: 'rates-kept', shows: 'sent without a grant' },
]
